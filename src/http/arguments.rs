//! A command's arguments out of a JSON body.

use axum::{
    body::HttpBody as _,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    body::{BodyReservation, RawBody, check_encoding},
    negotiate::is_utf_8,
    problem::Problem,
};
use crate::{json, profile::UserProfile};

/// Arguments, and what their body holds of the budget for bodies.
///
/// Refused, beside what [`RawBody`] refuses: 415 for a body that is not declared as JSON in UTF-8,
/// 400 for what is not exactly one JSON object with the arguments of `T`.
#[derive(Debug)]
pub struct Arguments<T> {
    /// The arguments.
    pub value: T,
    /// Kept until the command is done: its arguments hold as much.
    pub reservation: BodyReservation,
}

/// Arguments that are refused: why, and the profile among them, where there is one to show.
#[derive(Debug)]
pub struct RefusedArguments {
    /// Why.
    pub problem: Problem,
    /// `user-profile`, where it could be read.
    pub profile: Option<UserProfile>,
}

impl From<Problem> for RefusedArguments {
    fn from(problem: Problem) -> Self {
        Self { problem, profile: None }
    }
}

impl IntoResponse for RefusedArguments {
    fn into_response(self) -> Response {
        self.problem.into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Arguments<T> {
    type Rejection = RefusedArguments;

    async fn from_request(request: Request, state: &S) -> Result<Self, RefusedArguments> {
        check_encoding(request.headers())?;
        media_type(request.headers(), &[])?;
        let RawBody { bytes, reservation } = RawBody::from_request(request, state).await?;
        let value = json::parse(&bytes).map_err(Problem::from)?;
        match json::from_value(value) {
            Ok(value) => Ok(Self { value, reservation }),
            Err(error) => Err(RefusedArguments {
                problem: error.into(),
                profile: profile_in(&bytes),
            }),
        }
    }
}

/// The profile among arguments of which another part is refused. They are read once more for it,
/// which the others need not pay for.
fn profile_in(bytes: &[u8]) -> Option<UserProfile> {
    let mut document = json::parse(bytes).ok()?;
    serde_json::from_value(document.get_mut("user-profile")?.take()).ok()
}

/// As [`Arguments`], for commands that need none: no body at all reads as `{}`.
#[derive(Debug)]
pub struct OptionalArguments<T> {
    /// The arguments.
    pub value: T,
    /// As of [`Arguments`].
    pub reservation: BodyReservation,
}

impl<T> From<OptionalArguments<T>> for Arguments<T> {
    fn from(arguments: OptionalArguments<T>) -> Self {
        let OptionalArguments { value, reservation } = arguments;
        Self { value, reservation }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalArguments<T> {
    type Rejection = RefusedArguments;

    async fn from_request(request: Request, state: &S) -> Result<Self, RefusedArguments> {
        // An empty body has no type to declare; one that declares JSON and is empty is a mistake
        // all the same.
        if request.body().is_end_stream() && !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(Self {
                value: json::from_value(Value::Object(Map::new())).map_err(Problem::from)?,
                reservation: BodyReservation::default(),
            });
        }
        let Arguments { value, reservation } = Arguments::from_request(request, state).await?;
        Ok(Self { value, reservation })
    }
}

/// The type of a body that is `application/json` or `application/*+json` (RFC 6838 section 4.2.8),
/// or one of these others, in UTF-8 (RFC 8259 section 8.1).
pub(super) fn media_type(headers: &HeaderMap, others: &[&str]) -> Result<String, Problem> {
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let refused = |detail| Err(Problem::unsupported_media_type(detail));
    let (field, None) = (fields.next(), fields.next()) else {
        return refused("is given twice");
    };
    let Some(field) = field else {
        return refused("is missing; application/json is taken");
    };
    let Ok(field) = field.to_str() else {
        return refused("is not readable; application/json is taken");
    };
    let mut parts = field.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = match essence.strip_prefix("application/") {
        Some("json") => true,
        Some(subtype) => subtype
            .strip_suffix("+json")
            .is_some_and(|name| !name.is_empty() && !name.contains(' ')),
        None => false,
    };
    if !is_json && !others.contains(&&*essence) {
        return refused("is no type of JSON; application/json is taken");
    }
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("charset") && !is_utf_8(value.trim().trim_matches('"')) {
            return refused("names another charset than utf-8");
        }
    }
    Ok(essence)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::http::problem::ProblemType;

    #[test]
    fn only_json_in_utf_8_is_a_body() {
        let headers = |fields: &[&'static str]| {
            let fields = fields
                .iter()
                .map(|field| (header::CONTENT_TYPE, HeaderValue::from_static(field)));
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(name, value);
            }
            headers
        };
        for taken in [
            "application/json",
            "Application/JSON; Charset=\"UTF-8\"",
            "application/json;charset=utf-8; x=y",
            "application/json; charset=utf8",
            "application/json; charset=\"UTF8\"",
            "application/vnd.api+json",
        ] {
            assert!(media_type(&headers(&[taken]), &[]).is_ok(), "{taken}");
        }
        for refused in [
            &[][..],
            &[""],
            &["text/plain"],
            &["text/json"],
            &["application/jsonx"],
            &["application/+json"],
            &["application/json; charset=utf-16"],
            &["application/json; charset=utf-8; charset=latin1"],
            &["application/json, application/json"],
            &["application/json", "application/json"],
        ] {
            let problem = media_type(&headers(refused), &[]).expect_err("should be refused");
            assert_eq!(problem.problem_type(), ProblemType::UnsupportedMediaType, "{refused:?}");
        }
    }
}
