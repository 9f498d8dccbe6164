#!/bin/sh
# rustc, with libFuzzer's instrumentation for the project's own crates: the fuzzers then find their way through our code,
# packages stay as they were built for everything else, and any toolchain will do.
rustc=$1
shift
case "$*" in
*"--crate-name zkml_"*)
    exec "$rustc" "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
esac
exec "$rustc" "$@"
