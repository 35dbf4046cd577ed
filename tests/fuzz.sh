#!/usr/bin/env bash
# Throws made-up mappers and paths at the parsers for a bounded time, a minute unless another number of seconds is given:
#
#     tests/fuzz.sh [SECONDS [SEED]]
#
# It runs on the stable compiler, with overflow checks on. See tests/fuzz/mapper.rs.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo run --quiet --locked --example fuzz-mapper -- "${1:-60}" ${2:+"$2"}
