#!/usr/bin/env bash
# Runs every check and test of the project, against real servers on this machine:
#
#   scripts/test.sh                    everything; ends with a summary, exit code 0 only if all of it passed
#   scripts/test.sh -- golden          only the tests whose name contains `golden` (no lints, no examples)
#   scripts/test.sh --services-only    starts the servers, prints what to export for a plain `cargo test`
#   scripts/test.sh --stop             stops them
#
# Needs Rust, Java 17, Maven, Python 3 and Go; as root on Debian it installs what is missing, elsewhere it says
# what to install. A Kafka broker, two S3 servers (moto, versitygw) and promtool come into target/services.
set -euo pipefail
cd "$(dirname "$0")/.."

filter=()
case ${1:-} in
    --services-only) exec scripts/services.sh start ;;
    --stop) exec scripts/services.sh stop ;;
    --) shift; filter=("$@") ;;
    "") ;;
    *) sed -n '2,10p' "$0" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac

results=()
failed=0
say() { printf '\n%s ==> %s\n' "$(date +%H:%M:%S)" "$*"; }

# step NAME COMMAND…: runs it, notes how it went and how long it took; later steps run all the same.
step() {
    local name=$1 began=$SECONDS outcome=passed
    shift
    say "$name: $*"
    "$@" || { outcome=FAILED; failed=1; }
    results+=("$(printf '%-6s  %4d s  %s' "$outcome" $((SECONDS - began)) "$name")")
}

summary() {
    local status=$?
    scripts/services.sh stop || true
    say "summary"
    [ ${#results[@]} -gt 0 ] && printf '  %s\n' "${results[@]}"
    if [ $failed = 0 ] && [ $status = 0 ]; then echo "  all passed"; else echo "  NOT all passed"; exit 1; fi
}

if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust (rustup, or your system's packages), then run this again" >&2
    exit 1
fi
# C code is built once: librdkafka and the TLS library.
for tool in cc make cmake perl; do
    command -v $tool >/dev/null && continue
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq build-essential cmake perl && break
    fi
    echo "$tool is missing: install a C compiler, make, cmake and perl (Debian: apt-get install build-essential cmake perl)" >&2
    exit 1
done

trap summary EXIT
trap 'exit 130' INT TERM
say "starting the servers"
exports=$(scripts/services.sh start)
echo "$exports"
eval "$exports"

if [ ${#filter[@]} -gt 0 ]; then
    step "tests matching ${filter[*]}" cargo test --workspace -- "${filter[@]}"
    exit $failed
fi
step "formatting" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets -- -D warnings
step "tests" cargo test --workspace --no-fail-fast
step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
step "example: a runtime in your own program" cargo run --quiet --example embed_runtime
step "example: a connector of your own" cargo run --quiet --example custom_connector
step "example: a transform of your own" cargo run --quiet --example custom_transform -- ${CONNECT_TEST_KAFKA:+"$CONNECT_TEST_KAFKA"}
step "example: quickstart" cargo run --quiet --example quickstart
exit $failed
