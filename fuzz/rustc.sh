#!/usr/bin/env bash
# The compiler, as cargo calls it for scripts/fuzz.sh: libFuzzer sees which places of these crates are reached, and what they compare with what.
# Stable Rust has what that needs; `cargo fuzz` would want another one.
# Their build scripts are programs of their own, without libFuzzer.
case "${CARGO_PKG_NAME:-} $*" in
    *" build_script_build "*) exec "$@" ;;
esac
case ${CARGO_PKG_NAME:-} in
    connect-api | connect-runtime | connectors | fuzz | prost-reflect | protox | protox-parse | saphyr-parser)
        arguments=-sanitizer-coverage-
        exec "$@" -Cpasses=sancov-module -Cllvm-args="${arguments}level=4" -Cllvm-args="${arguments}inline-8bit-counters" \
            -Cllvm-args="${arguments}pc-table" -Cllvm-args="${arguments}trace-compares" -Cllvm-args=-simplifycfg-branch-fold-threshold=0
        ;;
    *) exec "$@" ;;
esac
