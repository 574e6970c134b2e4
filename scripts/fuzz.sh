#!/usr/bin/env bash
# Gives every parser of bytes from outside bytes that nobody would write, for a while each:
#
#   scripts/fuzz.sh [SECONDS] [TARGET…]   60 seconds and all targets, unless they are named
#
# Needs a C++ compiler for libFuzzer, which cargo fetches and builds (crate libfuzzer-sys); the Rust compiler is that of the
# workspace. The program, what was learned and what was found lie below target/fuzz. A line a target says how it went;
# the exit code is 1 where something was found.
#
# To make a test of a finding: shorten it (the line says how), and add its bytes to the target's seeds in
# connectors/src/fuzzing.rs or connect-runtime/src/fuzzing.rs, whose tests run all of them; and a test beside the parser.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
fi
export CARGO_TARGET_DIR=$PWD/target/fuzz RUSTC_WRAPPER=$PWD/fuzz/rustc.sh
nice cargo build --quiet --locked --manifest-path fuzz/Cargo.toml
program=target/fuzz/debug/fuzz
read -ra targets <<<"${*:-$("$program" 2>/dev/null | tr '\n' ' ')}"

# What is well formed already, of the golden data: few and small files, a message each.
seed() {
    local vectors=tests/golden/vectors
    case $1 in
        properties) find tests/corpus configs -name '*.properties' -size -4k -exec cp -t "$2" {} + ;;
        json | envelope)
            local file=$vectors/json-with-schema.jsonl
            [[ $1 == json ]] && file=$vectors/json-schemaless.jsonl
            # The member `input` of each line, whose quotes are escaped.
            sed -n 's/^{"input":"\(\([^"\\]\|\\.\)*\)".*/\1/p' "$file" | sed 's/\\"/"/g; s/\\\\/\\/g' | head -500 |
                split --lines=1 --suffix-length=4 - "$2/golden-"
            ;;
    esac
}

found=0
for target in "${targets[@]}"; do
    corpus=target/fuzz/corpus/$target findings=target/fuzz/findings/$target log=target/fuzz/$target.log
    mkdir -p "$corpus" "$findings"
    seed "$target" "$corpus"
    flags=(-max_len=4096 -timeout=20 -rss_limit_mb=1024 -use_value_profile=1 -artifact_prefix="$findings/")
    if CONNECT_FUZZ_TARGET=$target CONNECT_FUZZ_SEEDS=$corpus nice "$program" "$corpus" "${flags[@]}" \
        -max_total_time="$seconds" -print_final_stats=1 >"$log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        covered=$(grep -o 'cov: [0-9]*' "$log" | tail -1)
        memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
        echo "$target: nothing found in $seconds s: $runs runs, ${covered#cov: } places of the code reached, $memory MiB"
    else
        found=1
        finding=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
        echo "$target: found something, see $log: CONNECT_FUZZ_TARGET=$target $program ${finding:-} shows it, with -minimize_crash=1 -runs=100000 makes it shorter"
    fi
done
exit "$found"
