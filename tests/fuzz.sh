#!/usr/bin/env bash
# Throws made-up input at whatever reads any, for a bounded time, a minute for each target unless another number of seconds is given:
#
#     tests/fuzz.sh [TARGET [SECONDS [SEED]]]
#
# The targets: mapper (mappers and paths), arguments (bodies of commands), answers (of directories), configuration, credentials (keys,
# tokens, certificates), http (hosts, queries, header fields), webhooks (deliveries), all. It runs on the stable compiler, with overflow checks on. See tests/fuzz/.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-all} seconds=${2:-60} seed=${3:-}
case $target in
    mapper | all) cargo run --quiet --locked --example fuzz-mapper -- "$seconds" ${seed:+"$seed"} ;;
esac
case $target in
    mapper) ;;
    *) cargo run --quiet --locked --example fuzz-inputs -- "$target" "$seconds" ${seed:+"$seed"} ;;
esac
