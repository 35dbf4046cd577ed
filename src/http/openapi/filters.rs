//! The parameters that say which operations are meant, of every route that takes them.

use utoipa::openapi::{
    Required,
    path::{Parameter, ParameterBuilder, ParameterIn},
    schema::{ObjectBuilder, Type},
};

/// Their components, names and meanings.
const FILTERS: [(&str, &str, &str); 8] = [
    (
        "OfState",
        "state",
        "Only those in this state, or in one of several separated by commas.",
    ),
    ("OfCommand", "command", "Only those of this command."),
    (
        "OfSubject",
        "subject",
        "Only those that know their person or group by this name, as `subject` of an operation has it.",
    ),
    ("OfCaller", "caller", "Only those that this caller sent."),
    ("OfInstance", "instance", "Only those for this instance."),
    ("OfBatch", "batch", "Only those of this batch."),
    (
        "AcceptedFrom",
        "from",
        "Only those accepted at this time (RFC 3339) or later.",
    ),
    (
        "AcceptedBefore",
        "before",
        "Only those accepted before this time (RFC 3339).",
    ),
];

/// Routes that take them.
const ROUTES: [&str; 4] = [
    "/operations",
    "/operations/retry",
    "/operations/cancel",
    "/operations/move",
];

/// The components of the parameters.
pub(super) fn parameters() -> impl Iterator<Item = (&'static str, Parameter)> {
    FILTERS.into_iter().map(|(component, name, description)| {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build();
        (component, parameter)
    })
}

/// The components that a route's operation refers to.
pub(super) fn of(route: &str) -> Vec<&'static str> {
    if ROUTES.contains(&route) {
        FILTERS.iter().map(|(component, ..)| *component).collect()
    } else {
        Vec::new()
    }
}
