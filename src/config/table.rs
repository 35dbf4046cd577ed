//! The table of all settings.
//!
//! Where a default is a number of AWS's, its meaning says so. The rates are of the Identity Center
//! user guide, "Quotas": 25 requests a second for each SCIM API that writes and 40 for each that
//! reads, of one directory.

use super::{
    rates,
    reference::{Kind, Scope, Setting},
};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

const fn of_service(name: &'static str, kind: Kind, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting {
        scope: Scope::Service,
        name,
        kind,
        default,
        meaning,
    }
}

const fn of_instance(name: &'static str, kind: Kind, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting {
        scope: Scope::Instance,
        name,
        kind,
        default,
        meaning,
    }
}

const fn duration(least: u64, most: u64) -> Kind {
    Kind::Duration { least, most }
}

const fn rate(unit: &'static str) -> Kind {
    Kind::Rate {
        most: rates::MOST,
        unit,
    }
}

/// All settings, the service's first, in the order in which the README shows them.
pub(super) static SETTINGS: &[Setting] = &[
    of_service(
        "listen",
        Kind::Text("an IP address and a port, like \"127.0.0.1:8080\" or \"[::1]:8080\""),
        Some("127.0.0.1:8080"),
        "Where the service listens. Anything but loopback needs callers, or `allow_unauthenticated`.",
    ),
    of_service(
        "allow_unauthenticated",
        Kind::Boolean,
        Some("false"),
        "Says that something in front of the service checks its callers, so that it may listen beyond loopback without any of its own.",
    ),
    of_service(
        "callers_file",
        Kind::Text("the path of a TOML file"),
        None,
        "A file with the `[[callers]]` and `[[issuers]]`, which else stand in the configuration file; in the configuration file relative to it. \
         Read again within two seconds when it changes.",
    ),
    of_service(
        "trusted_proxies",
        Kind::List(
            "addresses and networks like \"10.0.0.7\" or \"10.0.0.0/28\", separated by commas (an array in the file)",
        ),
        Some(""),
        "Proxies whose `X-Forwarded-For` is believed to name the caller's address. Whoever has an address in it can claim any other: name the \
         proxies alone, and no network that holds callers.",
    ),
    of_service(
        "public_docs",
        Kind::Boolean,
        Some("true"),
        "Whether the OpenAPI document and Swagger UI are open to everybody; else to callers alone, so that a browser reaches Swagger UI with a \
         client certificate only.",
    ),
    of_service(
        "cors_origins",
        Kind::List("origins like \"https://hr.example.com\", separated by commas (an array in the file)"),
        Some(""),
        "Web pages' origins from which browsers may call the service.",
    ),
    of_service(
        "allowed_hosts",
        Kind::List("host names without scheme, port or path, separated by commas (an array in the file)"),
        Some(""),
        "Names other than loopback's that a request's Host may have. With callers and without this, every name is answered.",
    ),
    of_service(
        "default_instance",
        Kind::Text("the name of an instance"),
        None,
        "The instance that serves a request which names none; without it the first.",
    ),
    of_service(
        "log_format",
        Kind::Choice(&["text", "json"]),
        Some("text"),
        "How log lines are written to stderr.",
    ),
    of_service(
        "log_filter",
        Kind::Text("a level or `target=level` pairs separated by commas, like \"info,aws_ilm=debug\""),
        Some("info"),
        "What is logged. Libraries never log below `debug`.",
    ),
    of_service(
        "body_limit",
        Kind::Count {
            least: 1024,
            most: 16 * 1024 * 1024,
            unit: "bytes",
        },
        Some("1048576"),
        "The largest request body that is read.",
    ),
    of_service(
        "max_concurrent_commands",
        Kind::Count {
            least: 1,
            most: 65_536,
            unit: "commands",
        },
        Some("256"),
        "Commands run at once; what comes beyond is answered 503.",
    ),
    of_service(
        "expected_replicas",
        Kind::Count {
            least: 1,
            most: 1_000,
            unit: "replicas",
        },
        Some("1"),
        "How many replicas of the service share the limits of the directories, this one included.",
    ),
    of_service(
        "header_timeout",
        duration(100, 5 * MINUTE),
        Some("10s"),
        "How long a caller may take to send a request's headers; also how long an idle HTTP/1 connection is kept, so set it above \
         the idle time-out of a load balancer in front.",
    ),
    of_service(
        "body_timeout",
        duration(100, 10 * MINUTE),
        Some("20s"),
        "How long a caller may take to send a request's body.",
    ),
    of_service(
        "command_timeout",
        duration(100, 10 * MINUTE),
        Some("60s"),
        "The time after which a command starts no new write.",
    ),
    of_service(
        "shutdown_delay",
        duration(0, 10 * MINUTE),
        Some("0s"),
        "How long the service goes on serving after it has reported itself not ready.",
    ),
    of_service(
        "shutdown_timeout",
        duration(0, 60 * MINUTE),
        Some("90s"),
        "How long what is in flight at shutdown may take to finish.",
    ),
    of_service(
        "mapper_folder",
        Kind::Text("the path of a folder"),
        None,
        "The folder of mappers that `mapper_in` and `mapper_out` may name by id or name; in the configuration file relative to it.",
    ),
    of_service(
        "tls_certificate_file",
        Kind::Secret("the path of a PEM file"),
        None,
        "The service's certificate and its chain, its own first: with it the service speaks TLS and no plain HTTP. Needs `tls_key_file`. All TLS \
         files are relative to the configuration file when they are set there, and are read again when they change.",
    ),
    of_service(
        "tls_key_file",
        Kind::Secret("the path of a PEM file (PKCS#8, PKCS#1 or SEC1)"),
        None,
        "The certificate's private key.",
    ),
    of_service(
        "tls_client_ca_file",
        Kind::Secret("the path of a PEM file"),
        None,
        "Authorities of client certificates: with it callers may prove themselves by one. A caller without one gets a connection; one whose \
         certificate does not verify gets none.",
    ),
    of_service(
        "strict_secret_files",
        Kind::Boolean,
        Some("false"),
        "Refuses to start, instead of warning, when a file that holds a token or the TLS key can be read by everybody.",
    ),
    of_instance(
        "instance_name",
        Kind::Text("1 to 128 printable characters, unique without regard to letter case"),
        Some("AWS-ILM_instance_1"),
        "The instance's name, in answers and for `?instance=`; `name` for short in the file. In the environment it picks \
         the instance that the other variables are for.",
    ),
    of_instance(
        "brand",
        Kind::Text("1 to 128 printable characters"),
        Some("AWS-ILM"),
        "The `brand` in answers.",
    ),
    of_instance(
        "url",
        Kind::Text("the SCIM endpoint, like \"https://scim.us-east-1.amazonaws.com/TENANT/scim/v2/\""),
        None,
        "The directory's SCIM endpoint, with or without the tenant and `/scim/v2`.",
    ),
    of_instance(
        "tenant_id",
        Kind::Text("letters, digits and hyphens"),
        None,
        "The tenant, where it is not already in `url`.",
    ),
    of_instance(
        "authentication_token",
        Kind::Secret("the access token, without \"Bearer\""),
        None,
        "The access token itself. Exactly one of the three is given.",
    ),
    of_instance(
        "authentication_token_file",
        Kind::Secret("the path of a file that holds the token"),
        None,
        "A file that holds the access token; in the configuration file relative to it.",
    ),
    of_instance(
        "authentication_token_env",
        Kind::Secret("the name of an environment variable"),
        None,
        "The environment variable that holds the access token.",
    ),
    of_instance(
        "authentication_token_expires",
        Kind::Date,
        None,
        "When the access token expires, as the console of IAM Identity Center shows it; a date is its start in UTC. Within 90 \
         days of it the service warns.",
    ),
    of_instance(
        "second_authentication_token",
        Kind::Secret("another access token, without \"Bearer\""),
        None,
        "A second, different access token of the same directory, so that one can be exchanged while the other is in use. At \
         most one of the three is given.",
    ),
    of_instance(
        "second_authentication_token_file",
        Kind::Secret("the path of a file that holds another token"),
        None,
        "A file that holds the second access token; in the configuration file relative to it.",
    ),
    of_instance(
        "second_authentication_token_env",
        Kind::Secret("the name of an environment variable with another token"),
        None,
        "The environment variable that holds the second access token.",
    ),
    of_instance(
        "second_authentication_token_expires",
        Kind::Date,
        None,
        "When the second access token expires.",
    ),
    of_instance(
        "create_user_enabled",
        Kind::Boolean,
        Some("true"),
        "Whether users are created.",
    ),
    of_instance(
        "update_user_enabled",
        Kind::Boolean,
        Some("true"),
        "Whether users are updated.",
    ),
    of_instance(
        "enable_user_enabled",
        Kind::Boolean,
        Some("true"),
        "Whether inactive users are enabled.",
    ),
    of_instance(
        "disable_user_enabled",
        Kind::Boolean,
        Some("true"),
        "Whether users are disabled.",
    ),
    of_instance(
        "create_if_not_exists",
        Kind::Boolean,
        Some("true"),
        "Whether an update creates the user whom it does not find.",
    ),
    of_instance(
        "allow_enable_default",
        Kind::Boolean,
        Some("true"),
        "The argument `allow-enable` where a create or an update is sent without it.",
    ),
    of_instance(
        "disable_absent",
        Kind::Choice(&["skip", "fail"]),
        Some("skip"),
        "What a disable makes of a user that is not there: a skip with the reason, or a failure (404).",
    ),
    of_instance(
        "profile_id",
        Kind::Choice(&["aws", "foreign"]),
        Some("aws"),
        "Whose identifier a profile's `id` is: the directory's, or another system's, by which users are never looked for.",
    ),
    of_instance(
        "adopt",
        Kind::Choice(&["same-person", "strict", "always", "never"]),
        Some("same-person"),
        "Which user of the same userName a create may take over: one who is the same person by the employee id, one whose \
         e-mail, phone or name is equal too where employee ids can't be compared, any, or none.",
    ),
    of_instance(
        "mapper_in",
        Kind::Text("a mapper's file, or the id or name of one in `mapper_folder`"),
        None,
        "The incoming mapper instead of the built-in one; a file is relative to the configuration file.",
    ),
    of_instance(
        "mapper_out",
        Kind::Text("a mapper's file, or the id or name of one in `mapper_folder`"),
        None,
        "The outgoing mapper instead of the built-in one; a file is relative to the configuration file.",
    ),
    of_instance(
        "insecure",
        Kind::Boolean,
        Some("false"),
        "Skips the check of the directory's certificate. Whoever is on the way can then read the token.",
    ),
    of_instance(
        "proxy",
        Kind::Proxy,
        Some("false"),
        "Whether the directory is reached through the proxy that `HTTPS_PROXY` names, or through which one.",
    ),
    of_instance(
        "connect_timeout",
        duration(100, MINUTE),
        Some("5s"),
        "How long connecting to the directory may take.",
    ),
    of_instance(
        "request_timeout",
        duration(100, 5 * MINUTE),
        Some("20s"),
        "How long one request to the directory may take in all.",
    ),
    of_instance(
        "scim_dialect",
        Kind::Choice(&["aws", "rfc7644"]),
        Some("aws"),
        "How the directory speaks SCIM: as IAM Identity Center does, or plainly by RFC 7644.",
    ),
    of_instance(
        "read_rate",
        rate("requests"),
        Some("40"),
        "Requests a second for each API that reads, of all replicas together; 40 is AWS's published limit.",
    ),
    of_instance(
        "write_rate",
        rate("requests"),
        Some("25"),
        "Requests a second for each API that writes, of all replicas together; 25 is AWS's published limit.",
    ),
    of_instance(
        "membership_rate",
        rate("membership changes"),
        Some("250"),
        "Membership changes a second, of all replicas together. AWS has a limit and does not publish it: 250 is a guess.",
    ),
    of_instance(
        "api_rates",
        Kind::List("APIs with their requests a second, like \"CreateUser=10, ListUsers=20\" (an array in the file)"),
        Some(""),
        "Requests a second for single APIs, in place of `read_rate` and `write_rate`: ListUsers, GetUser, CreateUser, \
         PatchUser, ListGroups, GetGroup, CreateGroup, PatchGroup, DeleteGroup and ServiceProviderConfig.",
    ),
    of_instance(
        "max_instance_commands",
        Kind::Count {
            least: 1,
            most: 65_536,
            unit: "commands",
        },
        None,
        "Commands that may run on this instance at once, so that one slow directory can't take all places; without it \
         `max_concurrent_commands` divided by the number of instances, rounded up.",
    ),
];
