//! The list itself: what comes in, what must come out, and the tests that show it.

use std::{fs, path::Path};

enum By {
    /// Shown by these tests: a file, and the function in it.
    Tests(&'static [(&'static str, &'static str)]),
    /// Shown for the part that there is: the tests, and what there is not.
    Partly(&'static [(&'static str, &'static str)], &'static str),
    /// What it is about is not there.
    NotYet(&'static str),
}

use By::{NotYet, Partly, Tests};

const VALUES: &str = "tests/integration/hostile/values.rs";
const HTTP: &str = "tests/integration/hostile/http.rs";
const DIRECTORY: &str = "tests/integration/hostile/directory.rs";
const CONNECTIONS: &str = "tests/integration/hostile/connections.rs";
const TOGETHER: &str = "tests/integration/hostile/together.rs";
const LAYERS: &str = "tests/integration/layers.rs";
const ARGUMENTS: &str = "tests/integration/arguments.rs";
const GET_USER: &str = "tests/integration/commands/get_user.rs";
const UPDATE_GROUP: &str = "tests/integration/commands/update_group.rs";
const BAD_DIRECTORY: &str = "tests/integration/hostile_directory.rs";
const STATUSES: &str = "tests/integration/upstream_statuses.rs";
const RESILIENCE: &str = "tests/integration/resilience.rs";
const KEYS: &str = "tests/integration/callers/keys.rs";
const LIMITS: &str = "tests/integration/callers/limits.rs";
const RIGHTS: &str = "tests/integration/callers/rights.rs";
const ROUTES: &str = "tests/integration/callers/routes.rs";
const AUDIT: &str = "tests/integration/callers/audit.rs";
const GENTLE: &str = "tests/integration/gentle.rs";
const SECRETS: &str = "tests/integration/secrets.rs";
const URLS: &str = "src/config/directory_url.rs";
const SETTINGS: &str = "src/config/tests/tokens.rs";
const TOKEN: &str = "src/config/token.rs";
const RESOLVE: &str = "src/outbound/guard.rs";
const JSON: &str = "src/json/mod.rs";
const FILTER: &str = "src/scim/filter.rs";
const MARKDOWN: &str = "src/envelope/markdown.rs";
const SLOTS: &str = "src/net/slots.rs";

const WEBHOOKS: By = NotYet("there are no webhooks");

/// Number, input, answer, tests.
const ROWS: [(u8, &str, &str, By); 103] = [
    (
        1,
        "an id that leads from a group to a user by an encoded slash",
        "400, no call",
        Tests(&[(VALUES, "no_id_becomes_a_path")]),
    ),
    (
        2,
        "an id of dots, plain or encoded",
        "400, no call",
        Tests(&[
            (VALUES, "no_id_becomes_a_path"),
            (
                GET_USER,
                "a_malformed_id_is_refused_by_every_user_command_without_a_call",
            ),
        ]),
    ),
    (
        3,
        "an id that climbs by encoded slashes",
        "400, no call",
        Tests(&[(VALUES, "no_id_becomes_a_path")]),
    ),
    (
        4,
        "an id with an encoded backslash",
        "400, no call",
        Tests(&[(VALUES, "no_id_becomes_a_path")]),
    ),
    (
        5,
        "an id that climbs into another tenant",
        "400, no call",
        Tests(&[(VALUES, "no_id_becomes_a_path")]),
    ),
    (
        6,
        "an id with a tab or line ends, plain or encoded",
        "400, no call",
        Tests(&[(VALUES, "no_id_becomes_a_path")]),
    ),
    (
        7,
        "an id of NUL, a space, nothing, too much",
        "400; a whole megabyte 413; no call",
        Tests(&[
            (VALUES, "no_id_becomes_a_path"),
            (VALUES, "a_body_that_holds_a_megabyte_is_refused"),
        ]),
    ),
    (
        8,
        "an id with a query or a fragment",
        "400, no call",
        Tests(&[(VALUES, "no_id_becomes_a_path")]),
    ),
    (
        9,
        "an id that is not Unicode",
        "400 in a body or a query, 404 in a path, no call",
        Tests(&[(VALUES, "what_is_not_unicode_is_no_id")]),
    ),
    (
        10,
        "an id that is encoded twice",
        "400, no call",
        Tests(&[(VALUES, "no_id_becomes_a_path")]),
    ),
    (
        11,
        "a user name that continues the filter",
        "looked up literally, 404, one comparison",
        Tests(&[
            (GET_USER, "names_are_looked_up_literally"),
            (FILTER, "a_filter_is_one_comparison_with_the_value_that_was_given"),
        ]),
    ),
    (
        12,
        "a user name of backslashes and quotes",
        "looked up literally, 404",
        Tests(&[
            (GET_USER, "names_are_looked_up_literally"),
            (VALUES, "group_names_are_looked_up_literally"),
        ]),
    ),
    (
        13,
        "a user name with characters nobody sees",
        "400, no call",
        Tests(&[
            (GET_USER, "what_no_name_can_have_is_refused_without_a_call"),
            (ARGUMENTS, "missing_unknown_and_doubled_arguments_are_named"),
        ]),
    ),
    (
        14,
        "a user name of what a query is made of",
        "arrives as it was sent",
        Tests(&[
            (GET_USER, "names_are_looked_up_literally"),
            (
                FILTER,
                "a_filter_is_the_only_thing_in_a_query_and_comes_out_of_it_whole",
            ),
        ]),
    ),
    (
        15,
        "names that look alike: composed and decomposed, Latin and Cyrillic",
        "404, nobody else is taken",
        Tests(&[
            (GET_USER, "names_are_looked_up_literally"),
            (
                GET_USER,
                "an_answer_about_somebody_else_or_two_is_believed_by_no_user_command",
            ),
        ]),
    ),
    (
        16,
        "a user name in another letter case",
        "the same person; disabled by the id that was found",
        Tests(&[
            (GET_USER, "letter_case_is_one_name_and_display_names_are_fields"),
            (VALUES, "somebody_in_another_letter_case_is_disabled_by_id"),
        ]),
    ),
    (
        17,
        "a lookup that finds two",
        "409, nothing written",
        Tests(&[(
            GET_USER,
            "an_answer_about_somebody_else_or_two_is_believed_by_no_user_command",
        )]),
    ),
    (
        18,
        "a lookup that finds another",
        "502, nothing written",
        Tests(&[(
            GET_USER,
            "an_answer_about_somebody_else_or_two_is_believed_by_no_user_command",
        )]),
    ),
    (
        19,
        "a group's name of filter syntax",
        "looked up literally, 404",
        Tests(&[(VALUES, "group_names_are_looked_up_literally")]),
    ),
    (
        20,
        "attribute names of patch paths",
        "ignored in a document, 400 as a member; paths are constants",
        Tests(&[(VALUES, "no_key_becomes_a_patch_path")]),
    ),
    (
        21,
        "a key given twice",
        "400",
        Tests(&[
            (ARGUMENTS, "missing_unknown_and_doubled_arguments_are_named"),
            (VALUES, "json_within_a_string_is_as_strict"),
        ]),
    ),
    (
        22,
        "a list for an object",
        "400",
        Tests(&[
            (ARGUMENTS, "missing_unknown_and_doubled_arguments_are_named"),
            (
                ARGUMENTS,
                "what_is_no_document_for_an_argument_is_a_problem_with_its_place",
            ),
        ]),
    ),
    (
        23,
        "attributes that nobody may set by a profile",
        "unknown arguments 400; in a profile ignored, never sent",
        Tests(&[
            (VALUES, "a_profile_sets_only_what_is_mapped"),
            (ARGUMENTS, "missing_unknown_and_doubled_arguments_are_named"),
        ]),
    ),
    (
        24,
        "nesting of 128 and 100,000",
        "400",
        Tests(&[
            (ARGUMENTS, "missing_unknown_and_doubled_arguments_are_named"),
            (JSON, "nesting_ends_at_127"),
        ]),
    ),
    (
        25,
        "numbers for text, and numbers that would change",
        "400",
        Tests(&[
            (ARGUMENTS, "missing_unknown_and_doubled_arguments_are_named"),
            (GET_USER, "what_no_name_can_have_is_refused_without_a_call"),
            (JSON, "doubtful_documents_are_refused_with_their_place"),
        ]),
    ),
    (
        26,
        "null for what is needed, or for everything",
        "400",
        Tests(&[
            (ARGUMENTS, "missing_unknown_and_doubled_arguments_are_named"),
            (
                ARGUMENTS,
                "what_is_no_document_for_an_argument_is_a_problem_with_its_place",
            ),
        ]),
    ),
    (
        27,
        "no body, half a body, more than a body, a byte order mark, comments",
        "400",
        Tests(&[(ARGUMENTS, "missing_unknown_and_doubled_arguments_are_named")]),
    ),
    (
        28,
        "a body over the limit, declared or in chunks without end",
        "413, closed",
        Tests(&[
            (LAYERS, "an_overlong_body_gets_its_413_whole_and_the_connection_ends"),
            (VALUES, "a_body_that_holds_a_megabyte_is_refused"),
        ]),
    ),
    (
        29,
        "a body of no type, another type, another charset",
        "415 with Accept",
        Tests(&[(LAYERS, "bodies_that_are_not_declared_as_plain_json_are_refused")]),
    ),
    (
        30,
        "a packed body",
        "415, not unpacked",
        Tests(&[(LAYERS, "bodies_that_are_not_declared_as_plain_json_are_refused")]),
    ),
    (
        31,
        "10,000 members",
        "in chunks of 100, none is lost",
        Tests(&[
            (VALUES, "ten_thousand_members_are_all_added"),
            (
                UPDATE_GROUP,
                "several_unknown_members_among_adds_and_removals_are_all_found",
            ),
        ]),
    ),
    (
        32,
        "a name of half a megabyte, 2,000 e-mails",
        "400, no call",
        Tests(&[(VALUES, "values_that_are_too_large_are_refused_without_a_call")]),
    ),
    (
        33,
        "emoji, right to left, many combining characters",
        "kept as given, or 400; one log line",
        Tests(&[
            (VALUES, "strange_names_are_kept_as_given"),
            (SECRETS, "nothing_leaks_into_json_logs"),
        ]),
    ),
    (
        34,
        "templates, scripts, queries of other systems",
        "plain text everywhere",
        Tests(&[
            (VALUES, "strange_names_are_kept_as_given"),
            (MARKDOWN, "nothing_in_a_cell_is_markup"),
        ]),
    ),
    (
        35,
        "what a spreadsheet would run",
        "plain in JSON; no CSV is given",
        Tests(&[
            (VALUES, "strange_names_are_kept_as_given"),
            (HTTP, "every_answer_has_the_browsers_orders"),
        ]),
    ),
    (
        36,
        "half a header section, then silence",
        "closed at the header timeout",
        Tests(&[(LAYERS, "unfinished_headers_and_silence_end_at_the_header_timeout")]),
    ),
    (
        37,
        "header sections and bodies that drip",
        "closed, 408",
        Tests(&[
            (LAYERS, "unfinished_headers_and_silence_end_at_the_header_timeout"),
            (LAYERS, "a_body_that_drips_ends_at_its_deadline"),
            (LAYERS, "senders_that_drip_give_way_to_those_who_ask"),
        ]),
    ),
    (
        38,
        "10,000 idle connections",
        "give way; the health probe is answered",
        Tests(&[
            (LAYERS, "idle_connections_give_way_and_busy_ones_do_not"),
            (SLOTS, "one_that_is_still_sending_gives_way_after_every_idle_one"),
        ]),
    ),
    (
        39,
        "a length and chunks",
        "the chunks decide; closed; nothing smuggled",
        Tests(&[(LAYERS, "ambiguous_lengths_smuggle_nothing")]),
    ),
    (
        40,
        "two lengths, a strange coding, a space before a colon, folding, NUL, a strange version, TLS",
        "400, closed",
        Tests(&[
            (LAYERS, "ambiguous_lengths_smuggle_nothing"),
            (HTTP, "what_is_no_http_is_closed"),
        ]),
    ),
    (
        41,
        "bare line feeds",
        "taken as ended; nothing smuggled",
        Tests(&[(HTTP, "bare_line_feeds_smuggle_nothing")]),
    ),
    (
        42,
        "no Host, two Hosts",
        "400",
        Tests(&[(LAYERS, "host_is_there_once_and_is_ours")]),
    ),
    (
        43,
        "a target with another host",
        "421, asked nobody",
        Tests(&[
            (LAYERS, "host_is_there_once_and_is_ours"),
            (HTTP, "nobody_is_asked_on_behalf_of_a_target"),
        ]),
    ),
    (
        44,
        "too many or too long header fields, too long a target",
        "431, 414",
        Tests(&[(LAYERS, "long_targets_and_headers_are_refused")]),
    ),
    (
        45,
        "methods that are not offered",
        "405 with Allow; HEAD without a body",
        Tests(&[
            (LAYERS, "methods_and_paths_that_are_not_offered"),
            (LAYERS, "head_has_no_body"),
            (HTTP, "every_route_says_which_methods_it_has"),
        ]),
    ),
    (
        46,
        "a method in a header field",
        "ignored",
        Tests(&[(LAYERS, "methods_and_paths_that_are_not_offered")]),
    ),
    (
        47,
        "paths that are nearly ours",
        "404",
        Tests(&[
            (HTTP, "paths_that_are_nearly_ours_are_not"),
            (LAYERS, "methods_and_paths_that_are_not_offered"),
        ]),
    ),
    (
        48,
        "query parameters that are unknown or doubled",
        "400",
        Tests(&[(
            "tests/integration/answers.rs",
            "the_query_picks_an_instance_and_a_dry_run_and_nothing_else",
        )]),
    ),
    (
        49,
        "header fields that name another address",
        "change nothing",
        Tests(&[
            (HTTP, "forwarded_fields_change_nothing"),
            (LIMITS, "whose_failures_they_are_is_a_trusted_proxys_word_only"),
        ]),
    ),
    (
        50,
        "HTTP/2: streams reset as fast as they open, header blocks without end",
        "closed, others are served",
        Tests(&[
            (CONNECTIONS, "a_rapid_reset_ends_its_connection"),
            (CONNECTIONS, "a_header_block_without_end_ends_its_connection"),
        ]),
    ),
    (
        51,
        "1,000 requests at once on one connection",
        "answered in order",
        Tests(&[
            (CONNECTIONS, "a_thousand_requests_at_once_are_answered_in_order"),
            (LAYERS, "pipelined_requests_are_answered_in_order"),
        ]),
    ),
    (
        52,
        "an origin",
        "no CORS header",
        Tests(&[
            (LAYERS, "methods_and_paths_that_are_not_offered"),
            (HTTP, "every_answer_has_the_browsers_orders"),
        ]),
    ),
    (
        53,
        "no key, half a key, two",
        "401",
        Tests(&[(
            KEYS,
            "a_key_is_good_in_either_field_and_every_other_credential_gets_one_and_the_same_answer",
        )]),
    ),
    (
        54,
        "a key of strange characters or size",
        "401, 431",
        Tests(&[
            (
                KEYS,
                "a_key_is_good_in_either_field_and_every_other_credential_gets_one_and_the_same_answer",
            ),
            (KEYS, "a_key_that_holds_a_megabyte_is_refused"),
        ]),
    ),
    (
        55,
        "nearly the right key",
        "401",
        Tests(&[(
            KEYS,
            "a_key_is_good_in_either_field_and_every_other_credential_gets_one_and_the_same_answer",
        )]),
    ),
    (
        56,
        "a right that is missing",
        "403, told, no call",
        Tests(&[
            (
                RIGHTS,
                "a_command_that_was_not_given_is_refused_by_name_before_its_body_is_read",
            ),
            (
                AUDIT,
                "every_refusal_and_every_write_leaves_one_line_that_says_who_and_what",
            ),
        ]),
    ),
    (
        57,
        "another's instance",
        "404, as one that is not there",
        Tests(&[(RIGHTS, "an_instance_of_others_is_told_as_one_that_is_not_there")]),
    ),
    (
        58,
        "a key that was revoked or has expired",
        "401 within two seconds",
        Tests(&[
            (KEYS, "keys_are_exchanged_and_revoked_while_the_service_runs"),
            (KEYS, "whoever_is_taken_out_while_a_body_arrives_is_refused_when_it_has"),
        ]),
    ),
    (
        59,
        "a thousand wrong keys a second",
        "429 for that address; good keys go on; a number in the log",
        Tests(&[
            (
                LIMITS,
                "an_address_that_keeps_failing_is_slowed_and_a_good_key_from_it_is_not",
            ),
            (
                AUDIT,
                "a_write_whose_caller_hung_up_has_its_line_and_a_flood_of_failures_only_a_number",
            ),
        ]),
    ),
    (
        60,
        "routes that scanners try",
        "401; to a caller 404",
        Tests(&[
            (HTTP, "paths_that_are_nearly_ours_are_not"),
            (ROUTES, "every_route_answers_every_credential_as_it_should"),
        ]),
    ),
    (61, "a signature that is none", "401", WEBHOOKS),
    (62, "a body changed by a space", "401", WEBHOOKS),
    (63, "another source's signature", "401", WEBHOOKS),
    (64, "a time too early or too late", "401", WEBHOOKS),
    (65, "the same event again", "one effect", WEBHOOKS),
    (66, "the same id with another body", "409", WEBHOOKS),
    (67, "an id of strange characters", "400", WEBHOOKS),
    (
        68,
        "an id and a time that share their characters otherwise",
        "401",
        WEBHOOKS,
    ),
    (69, "a secret after its time", "401", WEBHOOKS),
    (70, "an event of no known type", "ignored", WEBHOOKS),
    (71, "an event that is not JSON, or too large", "400, 413", WEBHOOKS),
    (72, "500 leavers in a minute", "held", WEBHOOKS),
    (73, "a leaver whom nobody may disable", "held", WEBHOOKS),
    (74, "a leaver of another year", "held", WEBHOOKS),
    (75, "an event older than the last", "ignored", WEBHOOKS),
    (76, "a full disk", "503", WEBHOOKS),
    (77, "the process killed after an answer", "the event is kept", WEBHOOKS),
    (
        78,
        "one command 50 times at once",
        "one effect",
        Partly(
            &[(TOGETHER, "one_creation_fifty_times_at_once_makes_one_person")],
            "there are no idempotency keys",
        ),
    ),
    (
        79,
        "one key, two bodies",
        "422",
        NotYet("there are no idempotency keys"),
    ),
    (
        80,
        "a key of strange characters or size",
        "400",
        NotYet("there are no idempotency keys"),
    ),
    (
        81,
        "a caller who hangs up",
        "the command ends anyway",
        Partly(
            &[(
                RESILIENCE,
                "a_caller_who_hangs_up_does_not_stop_a_command_between_two_writes",
            )],
            "its result can't be had again",
        ),
    ),
    (
        82,
        "a disable and an update of one person at once",
        "one after the other; disabled in the end",
        Tests(&[
            (TOGETHER, "a_disable_and_an_update_at_once_leave_the_person_disabled"),
            (GENTLE, "commands_about_one_person_run_one_after_the_other"),
        ]),
    ),
    (
        83,
        "one person created twice at once",
        "one creation; the other goes on as update",
        Tests(&[(
            RESILIENCE,
            "two_creations_of_one_person_at_once_make_one_person_and_both_succeed",
        )]),
    ),
    (
        84,
        "a redirect, to the metadata service or elsewhere",
        "502; the token stays",
        Tests(&[
            (BAD_DIRECTORY, "the_token_follows_no_redirect"),
            (
                BAD_DIRECTORY,
                "every_answer_that_is_none_gets_its_failure_and_the_next_one_works",
            ),
        ]),
    ),
    (
        85,
        "an id that is a path, from the directory",
        "502",
        Tests(&[(
            BAD_DIRECTORY,
            "every_answer_that_is_none_gets_its_failure_and_the_next_one_works",
        )]),
    ),
    (
        86,
        "a packed bomb, a body of a gigabyte",
        "502, cut",
        Tests(&[
            (
                BAD_DIRECTORY,
                "every_answer_that_is_none_gets_its_failure_and_the_next_one_works",
            ),
            (
                DIRECTORY,
                "a_broken_directory_costs_bounded_memory_and_disturbs_no_other",
            ),
        ]),
    ),
    (
        87,
        "floods of header fields, bytes that are not Unicode",
        "502 or ignored",
        Tests(&[
            (
                BAD_DIRECTORY,
                "every_answer_that_is_none_gets_its_failure_and_the_next_one_works",
            ),
            (DIRECTORY, "answers_without_end_are_cut"),
        ]),
    ),
    (
        88,
        "a creation answered with another or an inactive person",
        "502",
        Tests(&[(
            BAD_DIRECTORY,
            "a_creation_answered_with_somebody_else_or_inactive_is_a_mismatch",
        )]),
    ),
    (
        89,
        "waits of years, of nothing, of the past",
        "kept in bounds",
        Tests(&[(
            STATUSES,
            "a_throttled_directory_is_a_503_and_what_it_says_of_waiting_is_kept_in_bounds",
        )]),
    ),
    (
        90,
        "answers of the wrong length, interim ones without end",
        "their failure; the next one works",
        Tests(&[
            (
                BAD_DIRECTORY,
                "every_answer_that_is_none_gets_its_failure_and_the_next_one_works",
            ),
            (DIRECTORY, "answers_without_end_are_cut"),
        ]),
    ),
    (
        91,
        "an error that quotes markup, line ends, the token",
        "plain, bounded, masked",
        Tests(&[
            (
                BAD_DIRECTORY,
                "what_a_directory_says_of_an_error_is_plain_bounded_and_without_the_token",
            ),
            (DIRECTORY, "header_fields_that_quote_the_token_are_masked"),
        ]),
    ),
    (
        92,
        "pages without end",
        "502",
        Tests(&[
            (BAD_DIRECTORY, "pages_that_lead_in_a_circle_end"),
            (DIRECTORY, "pages_that_lead_on_and_on_end"),
            (DIRECTORY, "pages_that_are_large_together_end"),
        ]),
    ),
    (
        93,
        "URLs that could send the token elsewhere",
        "no start",
        Tests(&[
            (URLS, "what_could_send_the_token_elsewhere_is_refused"),
            (URLS, "a_host_that_only_looks_like_aws_is_refused_as_aws"),
            (DIRECTORY, "a_url_that_leads_elsewhere_stops_the_start"),
        ]),
    ),
    (
        94,
        "other spellings of addresses",
        "no start",
        Tests(&[
            (URLS, "what_could_send_the_token_elsewhere_is_refused"),
            (DIRECTORY, "a_url_that_leads_elsewhere_stops_the_start"),
        ]),
    ),
    (
        95,
        "a proxy in the environment",
        "ignored unless configured",
        Tests(&[(
            DIRECTORY,
            "a_proxy_in_the_environment_is_used_only_where_it_is_configured",
        )]),
    ),
    (
        96,
        "a name that leads to this machine by now",
        "not connected",
        Tests(&[
            (RESOLVE, "nothing_reaches_an_address_that_is_kept_back"),
            (RESOLVE, "a_name_is_looked_at_each_time_a_connection_is_made"),
        ]),
    ),
    (
        97,
        "a token with line ends",
        "one at its end is forgiven, others stop the start",
        Tests(&[(TOKEN, "one_line_end_is_forgiven_and_nothing_else")]),
    ),
    (
        98,
        "a secret file that everybody may read, is missing, is empty",
        "warns or stops; missing and empty stop",
        Tests(&[
            (SETTINGS, "secrets_that_everybody_may_read_warn_or_stop"),
            (
                SETTINGS,
                "exactly_one_of_the_three_ways_to_a_token_is_used_and_the_environment_wins",
            ),
        ]),
    ),
    (
        99,
        "a token renewed in its file",
        "taken up while running",
        Tests(&[(
            GENTLE,
            "a_token_renewed_in_its_file_is_taken_though_the_old_one_is_revoked_at_once",
        )]),
    ),
    (
        100,
        "names that forge log lines or move a cursor",
        "one line, escaped",
        Tests(&[
            (SECRETS, "nothing_leaks_into_logs_for_people"),
            (SECRETS, "nothing_leaks_into_json_logs"),
        ]),
    ),
    (
        101,
        "secrets and people in all that is written",
        "nowhere",
        Tests(&[
            (SECRETS, "nothing_leaks_into_logs_for_people"),
            (SECRETS, "no_subcommand_prints_a_token"),
        ]),
    ),
    (
        102,
        "audit records edited, swapped, cut",
        "found",
        NotYet("there is no chain of audit records"),
    ),
    (
        103,
        "a panic in a handler",
        "500; others go on",
        Tests(&[(LAYERS, "a_panic_is_told_without_its_message_and_disturbs_nobody")]),
    ),
];

#[test]
fn every_row_has_its_test_or_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let exists = |(file, function): &(&str, &str)| {
        let text = fs::read_to_string(root.join(file)).unwrap();
        assert!(text.contains(&format!("fn {function}(")), "{file} has no {function}");
    };
    let (mut shown, mut partly, mut not_yet) = (0, 0, 0);
    for (place, (number, input, answer, by)) in ROWS.iter().enumerate() {
        assert_eq!(usize::from(*number), place + 1);
        let by = match by {
            Tests(tests) => {
                shown += 1;
                (*tests, "")
            }
            Partly(tests, lacks) => {
                partly += 1;
                (*tests, *lacks)
            }
            NotYet(lacks) => {
                not_yet += 1;
                (&[][..], *lacks)
            }
        };
        by.0.iter().for_each(exists);
        assert!(!by.0.is_empty() || !by.1.is_empty(), "row {number}");
        let tests: Vec<_> = by.0.iter().map(|(_, function)| *function).collect();
        println!("| {number} | {input} | {answer} | {} | {} |", tests.join(", "), by.1);
    }
    println!("{shown} shown, {partly} partly, {not_yet} not yet");
}
