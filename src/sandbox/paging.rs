//! One page of a list, in the two ways AWS pages (Developer Guide, "ListUsers" and "ListGroups").
//!
//! With `cursor` in the query, empty at first, a page names the next one and tells no total.
//! Without it there is one page and no way to the next; its `totalResults` is the size of that
//! page, so a client that loops until it has seen `totalResults` stops at a hundred without
//! noticing. `startIndex` is passed over.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value, json};

use super::wire::ErrorResponse;

const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const LARGEST_PAGE: usize = 100;

/// The query of a list operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paging {
    /// The `filter` parameter as sent.
    pub(super) filter: Option<String>,
    /// The number of the last entry of the page before; 0 at the start.
    pub(super) after: u64,
    count: usize,
    by_cursor: bool,
    resource: &'static str,
}

impl Paging {
    /// Reads a query string for a list of `resource` (`Users`, `Groups`).
    ///
    /// Parameters AWS does not support are passed over, not refused: Entra, a supported sender,
    /// asks for groups with `excludedAttributes=members`.
    pub(super) fn parse(resource: &'static str, query: &str) -> Result<Self, ErrorResponse> {
        let mut filter = None;
        let mut cursor = None;
        let mut count = None;
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "filter" => &mut filter,
                "cursor" => &mut cursor,
                "count" => &mut count,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(ErrorResponse::unparsable());
            }
        }
        let count = match count {
            None => LARGEST_PAGE,
            Some(text) => text
                .parse()
                .ok()
                .filter(|count| (1..=LARGEST_PAGE).contains(count))
                .ok_or_else(ErrorResponse::unparsable)?,
        };
        let after = match cursor.as_deref() {
            None | Some("") => 0,
            Some(text) => read_cursor(text, resource, filter.as_deref()).ok_or_else(ErrorResponse::unparsable)?,
        };
        Ok(Self {
            filter,
            after,
            count,
            by_cursor: cursor.is_some(),
            resource,
        })
    }

    /// The ListResponse with one page of `entries`, which come in order and start behind
    /// [`Paging::after`].
    pub(super) fn page(&self, entries: impl Iterator<Item = (u64, Value)>) -> Value {
        let mut entries = entries.peekable();
        let mut resources = Vec::new();
        let mut last = self.after;
        while resources.len() < self.count {
            let Some((number, resource)) = entries.next() else {
                break;
            };
            last = number;
            resources.push(resource);
        }
        let mut response = Map::new();
        if self.by_cursor {
            response.insert("itemsPerPage".to_owned(), json!(resources.len()));
            if entries.peek().is_some() {
                let next = write_cursor(last, self.resource, self.filter.as_deref());
                response.insert("nextCursor".to_owned(), json!(next));
            }
        } else {
            response.insert("totalResults".to_owned(), json!(resources.len()));
            response.insert("itemsPerPage".to_owned(), json!(resources.len()));
            response.insert("startIndex".to_owned(), json!(1));
        }
        response.insert("schemas".to_owned(), json!([LIST_RESPONSE]));
        response.insert("Resources".to_owned(), Value::Array(resources));
        Value::Object(response)
    }
}

/// Every cursor has `+`, `/`, `=` and `:` in it, which AWS's alphabet allows: a client that does
/// not percent-encode it sends a space for the plus sign and is refused.
fn write_cursor(last: u64, resource: &str, filter: Option<&str>) -> String {
    format!("{last:x}:+/{:016x}==", digest(last, resource, filter))
}

/// The number in a cursor, if the cursor is ours and was given for the same list and filter.
fn read_cursor(text: &str, resource: &str, filter: Option<&str>) -> Option<u64> {
    let (last, rest) = text.split_once(":+/")?;
    let last = u64::from_str_radix(last, 16).ok()?;
    let expected = u64::from_str_radix(rest.strip_suffix("==")?, 16).ok()?;
    (digest(last, resource, filter) == expected).then_some(last)
}

fn digest(last: u64, resource: &str, filter: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (last, resource, filter).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(paging: &Paging, total: u64) -> impl Iterator<Item = (u64, Value)> + use<> {
        (paging.after + 1..=total).map(|number| (number, json!(number)))
    }

    #[test]
    fn a_walk_by_cursor_sees_everything_once() {
        for start in ["cursor", "cursor=", "cursor&count=7", "count=100&cursor="] {
            let mut seen = Vec::new();
            let mut query = start.to_owned();
            loop {
                let paging = Paging::parse("Users", &query).unwrap();
                let page = paging.page(entries(&paging, 250));
                assert!(page.get("totalResults").is_none() && page.get("startIndex").is_none());
                seen.extend(
                    page["Resources"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|value| value.as_u64().unwrap()),
                );
                let Some(next) = page.get("nextCursor").and_then(Value::as_str) else {
                    break;
                };
                assert!("+/=:".chars().all(|character| next.contains(character)), "{next}");
                let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                query = format!("cursor={encoded}&count=40");
            }
            assert_eq!(seen, (1..=250).collect::<Vec<_>>(), "{start}");
        }
    }

    #[test]
    fn without_a_cursor_there_is_one_page() {
        let paging = Paging::parse("Users", "startIndex=101&excludedAttributes=members").unwrap();
        let page = paging.page(entries(&paging, 250));
        assert_eq!(
            (page["totalResults"].as_u64(), page["startIndex"].as_u64()),
            (Some(100), Some(1))
        );
        assert_eq!(page["Resources"][0], 1);
        assert!(page.get("nextCursor").is_none());
    }

    #[test]
    fn a_cursor_belongs_to_its_list_and_filter() {
        let cursor = write_cursor(100, "Users", Some("f"));
        let encoded: String = url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        assert_eq!(
            Paging::parse("Users", &format!("filter=f&cursor={encoded}"))
                .unwrap()
                .after,
            100
        );
        for query in [
            format!("cursor={encoded}"),
            format!("filter=g&cursor={encoded}"),
            format!("filter=f&cursor={cursor}"),
        ] {
            assert_eq!(
                Paging::parse("Users", &query),
                Err(ErrorResponse::unparsable()),
                "{query}"
            );
        }
        assert!(Paging::parse("Groups", &format!("filter=f&cursor={encoded}")).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for query in [
            "count=0",
            "count=101",
            "count=-1",
            "count=x",
            "count=",
            "cursor=abc",
            "count=1&count=2",
            "filter=a&filter=b",
        ] {
            assert_eq!(
                Paging::parse("Users", query),
                Err(ErrorResponse::unparsable()),
                "{query}"
            );
        }
    }
}
