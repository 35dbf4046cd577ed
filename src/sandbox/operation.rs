//! Which API a request means, from its method and path.

use axum::http::Method;

/// A request as an AWS API call. The names are those of the Developer Guide, and what calls are
/// counted under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    ListUsers,
    GetUser(String),
    CreateUser,
    PutUser(String),
    PatchUser(String),
    DeleteUser(String),
    ListGroups,
    GetGroup(String),
    CreateGroup,
    PatchGroup(String),
    DeleteGroup(String),
    ServiceProviderConfig,
    /// All schemas, or the one with this URN.
    Schemas(Option<String>),
    ResourceTypes,
    /// A known path with a method AWS does not have there, PUT on a group above all.
    Unsupported,
    /// No such endpoint: `/Me`, `/Bulk`, `/.search`, a misspelt base URL.
    Unknown,
}

impl Operation {
    /// Reads a path of the form `/{tenant}/scim/v2/…`; answers the tenant it names, if it has that
    /// form at all.
    pub(super) fn recognise<'a>(method: &Method, path: &'a str) -> (Option<&'a str>, Self) {
        let mut segments = path.split('/').skip(1);
        let (Some(tenant), Some("scim"), Some("v2")) = (segments.next(), segments.next(), segments.next()) else {
            return (None, Self::Unknown);
        };
        let rest: Vec<String> = segments.map(percent_decoded).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        (Some(tenant), Self::of(method, &rest))
    }

    fn of(method: &Method, path: &[&str]) -> Self {
        let id = |id: &str| id.to_owned();
        match (method.as_str(), path) {
            (_, ["Users" | "Groups", ""]) => Self::Unknown,
            ("GET", ["Users"]) => Self::ListUsers,
            ("POST", ["Users"]) => Self::CreateUser,
            ("GET", ["Users", user]) => Self::GetUser(id(user)),
            ("PUT", ["Users", user]) => Self::PutUser(id(user)),
            ("PATCH", ["Users", user]) => Self::PatchUser(id(user)),
            ("DELETE", ["Users", user]) => Self::DeleteUser(id(user)),
            ("GET", ["Groups"]) => Self::ListGroups,
            ("POST", ["Groups"]) => Self::CreateGroup,
            ("GET", ["Groups", group]) => Self::GetGroup(id(group)),
            ("PATCH", ["Groups", group]) => Self::PatchGroup(id(group)),
            ("DELETE", ["Groups", group]) => Self::DeleteGroup(id(group)),
            ("GET", ["ServiceProviderConfig"]) => Self::ServiceProviderConfig,
            ("GET", ["Schemas"]) => Self::Schemas(None),
            ("GET", ["Schemas", urn]) => Self::Schemas(Some(id(urn))),
            ("GET", ["ResourceTypes"]) => Self::ResourceTypes,
            (_, ["Users" | "Groups"] | ["Users" | "Groups", _]) => Self::Unsupported,
            (_, ["ServiceProviderConfig" | "Schemas" | "ResourceTypes"]) => Self::Unsupported,
            (_, _) => Self::Unknown,
        }
    }

    /// The API's name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ListUsers => "ListUsers",
            Self::GetUser(_) => "GetUser",
            Self::CreateUser => "CreateUser",
            Self::PutUser(_) => "PutUser",
            Self::PatchUser(_) => "PatchUser",
            Self::DeleteUser(_) => "DeleteUser",
            Self::ListGroups => "ListGroups",
            Self::GetGroup(_) => "GetGroup",
            Self::CreateGroup => "CreateGroup",
            Self::PatchGroup(_) => "PatchGroup",
            Self::DeleteGroup(_) => "DeleteGroup",
            Self::ServiceProviderConfig => "ServiceProviderConfig",
            Self::Schemas(_) => "Schemas",
            Self::ResourceTypes => "ResourceTypes",
            Self::Unsupported => "Unsupported",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether it counts as a write API.
    pub(super) fn writes(&self) -> bool {
        match self {
            Self::CreateUser
            | Self::PutUser(_)
            | Self::PatchUser(_)
            | Self::DeleteUser(_)
            | Self::CreateGroup
            | Self::PatchGroup(_)
            | Self::DeleteGroup(_) => true,
            Self::ListUsers
            | Self::GetUser(_)
            | Self::ListGroups
            | Self::GetGroup(_)
            | Self::ServiceProviderConfig
            | Self::Schemas(_)
            | Self::ResourceTypes
            | Self::Unsupported
            | Self::Unknown => false,
        }
    }
}

/// A path segment without its percent-encoding; here, unlike in a query, a plus sign is a plus
/// sign.
fn percent_decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match hex
            .filter(|_| *first == b'%')
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        let rows = [
            (Method::GET, "/t/scim/v2/Users", Some("t"), Operation::ListUsers),
            (
                Method::GET,
                "/t/scim/v2/Users/a%2Fb+c",
                Some("t"),
                Operation::GetUser("a/b+c".into()),
            ),
            (Method::GET, "/t/scim/v2/Users/", Some("t"), Operation::Unknown),
            (Method::GET, "/t/scim/v2Groups/1", None, Operation::Unknown),
            (Method::PUT, "/t/scim/v2/Groups/1", Some("t"), Operation::Unsupported),
            (Method::GET, "/t/scim/v2/Me", Some("t"), Operation::Unknown),
            (Method::POST, "/t/scim/v2/Bulk", Some("t"), Operation::Unknown),
            (
                Method::GET,
                "/t/scim/v2/Schemas/urn%3Ax",
                Some("t"),
                Operation::Schemas(Some("urn:x".into())),
            ),
            (Method::GET, "/", None, Operation::Unknown),
        ];
        for (method, path, tenant, operation) in rows {
            assert_eq!(
                Operation::recognise(&method, path),
                (tenant, operation),
                "{method} {path}"
            );
        }
    }
}
