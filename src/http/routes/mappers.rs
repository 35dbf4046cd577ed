//! The mappers in use, and what one makes of a profile or a user. Neither asks a directory.

use axum::{
    Json,
    extract::{FromRequestParts, Path, State, rejection::PathRejection},
    http::request::Parts,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    commands::Rules,
    http::{arguments::Arguments, body::BUSY_RETRY, principal::Principal, problem::Problem, state::App},
    mapper::{Direction, Explained, Mapper, MapperInUse, MappingType},
    profile::UserProfile,
    scim::{Dialect, User},
    service::{Instance, Turn},
};

pub(in crate::http) const MAPPERS: &str = "Mappers";

/// The command whose right opens the mappings too: it tells of them as well.
const MAPPING: &str = "get-mapping-fields";

/// The mappers' routes.
pub(super) fn routes() -> [OpenApiRouter<App>; 2] {
    [
        OpenApiRouter::new().routes(routes!(mappers)),
        OpenApiRouter::new().routes(routes!(explain)),
    ]
}

/// A principal who has the right to see mappings, which is asked for before anything of the body is
/// read.
struct MayMap(Principal);

impl FromRequestParts<App> for MayMap {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let principal = Principal::from_request_parts(parts, app).await?;
        principal.require_command(MAPPING, false)?;
        Ok(Self(principal))
    }
}

/// What every instance uses.
#[derive(Debug, Serialize, ToSchema)]
pub struct MappersInUse {
    /// Each instance, in the order of the configuration.
    instances: Vec<InstanceMappers>,
}

/// What one instance uses.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstanceMappers {
    /// The instance's name.
    #[schema(example = "AWS-ILM_instance_1")]
    instance: String,
    /// From a profile to a SCIM user.
    outgoing: MapperInUse,
    /// From a SCIM user to a profile.
    incoming: MapperInUse,
}

/// What to explain: a profile, through the outgoing mapping, or a user, through the incoming one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainArguments {
    /// The mapping's type; `User Profile - Create` when absent. The incoming mapping has one,
    /// `User Profile`.
    #[serde(rename = "type", default)]
    mapping_type: Option<String>,
    /// The person, for the outgoing mapping.
    #[serde(rename = "user-profile", default)]
    #[schema(nullable = false)]
    user_profile: Option<UserProfile>,
    /// The SCIM user, for the incoming mapping.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    user: Option<Map<String, Value>>,
}

/// Lists the mappers in use
///
/// What each instance that the caller may use maps with, either way, with its types and their
/// targets. `built-in` is the mapping that serves where none is configured. Needs the right to run
/// `get-mapping-fields`.
#[utoipa::path(get, path = "/mappers", tag = MAPPERS, operation_id = "mappers",
    responses((status = 200, description = "The mappers in use.", body = MappersInUse)))]
async fn mappers(State(app): State<App>, MayMap(principal): MayMap) -> Json<MappersInUse> {
    let seen = app
        .service
        .instances()
        .iter()
        .filter(|instance| principal.can_see(instance.name()));
    let instances = seen.map(|instance| {
        let (outgoing, incoming) = instance.rules().mapper.in_use();
        InstanceMappers {
            instance: instance.name().to_owned(),
            outgoing,
            incoming,
        }
    });
    Json(MappersInUse {
        instances: instances.collect(),
    })
}

/// Explains a mapping
///
/// For each target: what was taken from the source, each step's input and output, what was left out
/// and why; and the SCIM user that comes of it, with what the directory is known to refuse in it.
/// Nothing is sent to anybody. Needs the right to run `get-mapping-fields`.
#[utoipa::path(post, path = "/mappers/{name}/explain", tag = MAPPERS, operation_id = "explain-mapper",
    params(("name" = String, Path, description = "A mapper in use, by its name or id; `built-in` for the built-in mapping.")),
    request_body = ExplainArguments,
    responses((status = 200, description = "The mapping, step by step.", body = Explained)))]
async fn explain(
    State(app): State<App>,
    MayMap(mut principal): MayMap,
    name: Result<Path<String>, PathRejection>,
    arguments: Arguments<ExplainArguments>,
) -> Result<Json<Explained>, Problem> {
    principal.reauthenticate().await?;
    principal.require_command(MAPPING, false)?;
    let Path(name) = name.map_err(|_| Problem::no_such_mapper())?;
    // Mapping takes a processor as a command does.
    let _permit = app
        .service
        .admit_work(Turn::Now)
        .await
        .map_err(|_| Problem::busy(BUSY_RETRY))?;
    let arguments = arguments.value;
    let instance = find_using(&app, &principal, &name, arguments.direction()?)?;
    arguments.explain(instance.rules()).map(Json)
}

/// The first instance that uses the mapper and that the caller may see. The default instance goes
/// first: its dialect decides what can be sent.
fn find_using<'a>(
    app: &'a App,
    principal: &Principal,
    name: &str,
    direction: Direction,
) -> Result<&'a Instance, Problem> {
    let default = app.service.instance(None);
    let instances = default.into_iter().chain(app.service.instances());
    let using = instances.filter(|instance| instance.rules().mapper.is_called(name, direction));
    let (seen, hidden): (Vec<_>, Vec<_>) = using.partition(|instance| principal.can_see(instance.name()));
    seen.first().map(|instance| &***instance).ok_or_else(|| {
        principal.audit_hidden(hidden.first().map(|instance| instance.name()));
        Problem::no_such_mapper()
    })
}

impl ExplainArguments {
    fn direction(&self) -> Result<Direction, Problem> {
        match (&self.user_profile, &self.user) {
            (_, None) => Ok(Direction::Outgoing),
            (None, Some(_)) => Ok(Direction::Incoming),
            (Some(_), Some(_)) => Err(Problem::bad_argument("/user", "give either `user-profile` or `user`")),
        }
    }

    fn explain(self, rules: &Rules) -> Result<Explained, Problem> {
        if let Some(user) = self.user {
            if self.mapping_type.is_some_and(|name| name != MappingType::Any.name()) {
                return Err(Problem::bad_argument(
                    "/type",
                    "the incoming mapping's type is `User Profile`",
                ));
            }
            return Ok(rules.mapper.explain_incoming(&User::assumed(user)));
        }
        let mapping_type = match self.mapping_type {
            None => MappingType::Create,
            Some(name) => MappingType::from_name(&name).ok_or_else(|| {
                let types = "`User Profile`, `User Profile - Create` or `User Profile - Update`";
                Problem::bad_argument("/type", &format!("a mapping's type is {types}"))
            })?,
        };
        let profile = self.user_profile.ok_or_else(|| {
            Problem::missing_argument(
                "/user-profile",
                "give `user-profile`, or `user` for the incoming mapping",
            )
        })?;
        Ok(rules.mapper.explain_outgoing(mapping_type, rules.dialect, &profile))
    }
}

/// An example of a request to explain the built-in mapping, with its real answer.
pub(in crate::http) fn example() -> (Value, Value) {
    let profile = json!({"username": "jane", "email": "jane.roe@example.com"});
    let request = json!({"type": MappingType::Create.name(), "user-profile": profile});
    let answer = serde_json::from_value(profile)
        .map(|profile: UserProfile| Mapper::default().explain_outgoing(MappingType::Create, Dialect::Aws, &profile));
    let answer = answer.and_then(serde_json::to_value);
    (request, answer.unwrap_or_default())
}
