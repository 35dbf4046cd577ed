#!/usr/bin/env bash
# The full forms of the suites that .ci/run has in short: more generated cases, tests marked as slow, both foreign
# servers. Takes as long as it takes.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/steps

thorough_tests() {
    # What proptest generates is printed with its seed when it fails, and can be had again.
    PROPTEST_CASES=${PROPTEST_CASES:-5000} cargo test -- --include-ignored
}

store_model() {
    AWS_ILM_STORE_CASES=${AWS_ILM_STORE_CASES:-10000} cargo test --lib -- store::tests
}

scripts() {
    AWS_ILM_SCRIPTS=${AWS_ILM_SCRIPTS:-2000} cargo test --test integration -- operations::scripts
}

# All that goes through the front door goes through a store as well. Left out are the tests that ask for a service without.
with_store() {
    local skipped=() name
    for name in without_a_store_nothing_is_promised without_a_store_a_key_is_refused capabilities_say_what_holds_here \
        what_a_batch_does_not_take_is_refused every_answer_that_can_be_provoked readiness_tells_details_only \
        health_is_answered_whatever_the_host_says the_service_lives_and_is_ready waits_for_a_subject_longer; do
        skipped+=(--skip "$name")
    done
    AWS_ILM_TEST_WITH_STORE=1 cargo test --test integration -- "${skipped[@]}"
}

third_party_both() {
    suite third_party.py --server scim2
    # Here node is no choice: without it the full form has not been run.
    suite third_party.py --server scimmy
}

step 'tools' install_tools
step 'build of the service' cargo build --locked
step 'tests, thorough' thorough_tests
step 'the store against its model: 10,000 cases' store_model
step 'stored scripts against strict order: 2,000' scripts
step 'the front door with a store' with_store
step 'gentle to the directory: full form' gentle --full
step 'hostile connections: full form' connections --full
step 'fuzz: five minutes a target' tests/fuzz.sh all 300
step 'who is meant: 100,000 cases' who --cases 100000 --seed "${WHO_SEED:-1}"
step 'crashes: 200 kills' suite crash.py --full --seed "${CRASH_SEED:-1}"
step 'keys of requests: 100 kills' suite keys.py --full --seed "${CRASH_SEED:-1}"
step 'keys of requests: 1,000 crowds of 50' env AWS_ILM_KEYED_CROWDS=1000 cargo test --test integration idempotency::crowd -- --nocapture
step 'a batch of 10,000, carried out' env AWS_ILM_BATCH_ELEMENTS=10000 cargo test --test integration batches::order -- --nocapture
step 'a year of a company of 2,000' env AWS_ILM_HR_PEOPLE=2000 AWS_ILM_HR_SEED="${HR_SEED:-1}" cargo test --release --test integration hr::year -- --nocapture
step 'events of 1,000 people in 100 orders' env AWS_ILM_HR_SHUFFLED=1000x100 cargo test --release --test integration hr::shuffled -- --nocapture
step 'durable before the answer, a full disk, a locked store' suite durable.py
step 'third-party SCIM servers' third_party_both
step 'refusals reach curl over HTTP/2: 2,000 of each kind' suite refusals.py --requests 2000
step 'OpenAPI document against the service, long' suite openapi.py --long
step 'clients that generators make of the document' suite clients.py
step 'what SOAR people import, step by step' suite soar.py
step 'the XSOAR integration by demisto-sdk' suite soar_sdk.py
step 'the workflows by code of n8n' suite soar_n8n_engine.py
step 'Swagger UI in a browser' suite browser.py
summary
