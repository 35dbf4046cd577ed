//! One SCIM request as data: what is sent, and what a dry run shows instead of sending.

use reqwest::Method;
use serde_json::Value;

use super::{Filter, Id, PatchOp, resource::Object};

/// The operations of the endpoint, by AWS's names (AWS SCIM developer guide, "Supported API
/// operations"). Limits are counted by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Api {
    ListUsers,
    GetUser,
    CreateUser,
    PatchUser,
    ListGroups,
    GetGroup,
    CreateGroup,
    PatchGroup,
    DeleteGroup,
    ServiceProviderConfig,
}

impl Api {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::ListUsers,
        Self::GetUser,
        Self::CreateUser,
        Self::PatchUser,
        Self::ListGroups,
        Self::GetGroup,
        Self::CreateGroup,
        Self::PatchGroup,
        Self::DeleteGroup,
        Self::ServiceProviderConfig,
    ];

    /// AWS's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListUsers => "ListUsers",
            Self::GetUser => "GetUser",
            Self::CreateUser => "CreateUser",
            Self::PatchUser => "PatchUser",
            Self::ListGroups => "ListGroups",
            Self::GetGroup => "GetGroup",
            Self::CreateGroup => "CreateGroup",
            Self::PatchGroup => "PatchGroup",
            Self::DeleteGroup => "DeleteGroup",
            Self::ServiceProviderConfig => "ServiceProviderConfig",
        }
    }

    /// Whether it changes anything.
    pub fn writes(self) -> bool {
        match self {
            Self::CreateUser | Self::PatchUser | Self::CreateGroup | Self::PatchGroup | Self::DeleteGroup => true,
            Self::ListUsers | Self::GetUser | Self::ListGroups | Self::GetGroup | Self::ServiceProviderConfig => false,
        }
    }
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// One page, not followed by others: a lookup by a unique attribute.
    Only,
    /// At most this many resources, not followed by others.
    Probe(u16),
    /// The first of all pages.
    First,
    /// The page that this cursor leads to.
    Next(String),
}

/// A request to a directory, complete but for the base URL and the token.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The operation, for limits and logs.
    pub api: Api,
    /// The HTTP method.
    pub method: Method,
    /// The collection, below the base URL.
    collection: &'static str,
    id: Option<Id>,
    filter: Option<Filter>,
    page: Page,
    memberships: usize,
    /// The JSON body.
    pub body: Option<Value>,
}

impl Request {
    fn new(api: Api, method: Method, collection: &'static str) -> Self {
        Self {
            api,
            method,
            collection,
            id: None,
            filter: None,
            page: Page::Only,
            memberships: 0,
            body: None,
        }
    }

    /// `GET /Users`, the matching ones or all.
    pub fn list_users(filter: Option<Filter>, page: Page) -> Self {
        Self {
            filter,
            page,
            ..Self::new(Api::ListUsers, Method::GET, "Users")
        }
    }

    /// `GET /Users/{id}`.
    pub fn get_user(id: &Id) -> Self {
        Self {
            id: Some(id.clone()),
            ..Self::new(Api::GetUser, Method::GET, "Users")
        }
    }

    /// `POST /Users`.
    pub fn create_user(attributes: &Object) -> Self {
        Self {
            body: Some(attributes.clone().into()),
            ..Self::new(Api::CreateUser, Method::POST, "Users")
        }
    }

    /// `PATCH /Users/{id}`.
    pub fn patch_user(id: &Id, changes: &PatchOp) -> Self {
        Self {
            id: Some(id.clone()),
            body: Some(changes.to_value()),
            ..Self::new(Api::PatchUser, Method::PATCH, "Users")
        }
    }

    /// `GET /Groups`, the matching ones or all.
    pub fn list_groups(filter: Option<Filter>, page: Page) -> Self {
        Self {
            filter,
            page,
            ..Self::new(Api::ListGroups, Method::GET, "Groups")
        }
    }

    /// `GET /Groups/{id}`.
    pub fn get_group(id: &Id) -> Self {
        Self {
            id: Some(id.clone()),
            ..Self::new(Api::GetGroup, Method::GET, "Groups")
        }
    }

    /// `POST /Groups`.
    pub fn create_group(attributes: &Object) -> Self {
        Self {
            body: Some(attributes.clone().into()),
            ..Self::new(Api::CreateGroup, Method::POST, "Groups")
        }
    }

    /// `PATCH /Groups/{id}`.
    pub fn patch_group(id: &Id, changes: &PatchOp) -> Self {
        Self {
            id: Some(id.clone()),
            memberships: changes.memberships(),
            body: Some(changes.to_value()),
            ..Self::new(Api::PatchGroup, Method::PATCH, "Groups")
        }
    }

    /// `DELETE /Groups/{id}`.
    pub fn delete_group(id: &Id) -> Self {
        Self {
            id: Some(id.clone()),
            ..Self::new(Api::DeleteGroup, Method::DELETE, "Groups")
        }
    }

    /// `GET /ServiceProviderConfig`.
    pub fn service_provider_config() -> Self {
        Self::new(Api::ServiceProviderConfig, Method::GET, "ServiceProviderConfig")
    }

    /// How many membership changes it makes, for AWS's further limit on those.
    pub(super) fn memberships(&self) -> usize {
        self.memberships
    }

    /// Whether it addresses one resource by its id. Only there a 404 can mean that the resource is
    /// absent.
    pub(super) fn is_about_one(&self) -> bool {
        self.id.is_some()
    }

    /// The path below the base URL, as a dry run shows it.
    pub fn path(&self) -> String {
        match &self.id {
            Some(id) => format!("/{}/{id}", self.collection),
            None => format!("/{}", self.collection),
        }
    }

    /// The whole URL below `base`, which must end in a slash.
    ///
    /// `cursor` stands without `=` on the first page, as AWS shows it (ListUsers, "cursor-based
    /// pagination").
    pub(super) fn url(&self, base: &url::Url) -> url::Url {
        let mut url = base.clone();
        {
            // A base that can't have segments (`data:`) is refused when the configuration is read.
            let mut segments = url.path_segments_mut().expect("an http(s) URL has path segments");
            segments.pop_if_empty().push(self.collection);
            if let Some(id) = &self.id {
                segments.push(id.as_str());
            }
        }
        if self.filter.is_some() || self.page != Page::Only {
            let mut query = url.query_pairs_mut();
            match &self.page {
                Page::Only => {}
                Page::Probe(count) => {
                    query.append_pair("count", &count.to_string());
                }
                Page::First => {
                    query.append_key_only("cursor");
                }
                Page::Next(cursor) => {
                    query.append_pair("cursor", cursor);
                }
            }
            if let Some(filter) = &self.filter {
                query.append_pair("filter", &filter.to_string());
            }
        }
        // `+` for a space is the form encoding's own; %20 is understood by every parser.
        if let Some(query) = url.query().map(|query| query.replace('+', "%20")) {
            url.set_query(Some(&query));
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_built_from_constants_checked_ids_and_encoded_values() {
        let base = url::Url::parse("https://scim.us-east-1.amazonaws.com/t-1/scim/v2/").unwrap();
        let id = Id::parse("u-1").unwrap();
        let by_name = Request::list_users(Some(Filter::equal("userName", "a+b c&d#\"é")), Page::Only);
        let members = |page| Request::list_users(Some(Filter::equal("groups.value", "g-1")), page);
        let rows = [
            (Request::get_user(&id), "/Users/u-1"),
            (Request::delete_group(&id), "/Groups/u-1"),
            (Request::service_provider_config(), "/ServiceProviderConfig"),
            (
                by_name,
                "/Users?filter=userName%20eq%20%22a%2Bb%20c%26d%23%5C%22%C3%A9%22",
            ),
            (
                members(Page::First),
                "/Users?cursor&filter=groups.value%20eq%20%22g-1%22",
            ),
            (
                members(Page::Next("a+/=:b".into())),
                "/Users?cursor=a%2B%2F%3D%3Ab&filter=groups.value%20eq%20%22g-1%22",
            ),
            (Request::list_users(None, Page::Probe(1)), "/Users?count=1"),
        ];
        for (request, expected) in rows {
            assert_eq!(
                request.url(&base).as_str(),
                format!("https://scim.us-east-1.amazonaws.com/t-1/scim/v2{expected}")
            );
        }
    }
}
