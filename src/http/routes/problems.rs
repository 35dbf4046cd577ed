//! The pages of the problem types, to which `type` in a problem leads. Made from the one table of
//! types; in HTML, or in Markdown where that is preferred.

use std::fmt::Write as _;

use axum::{
    Router,
    extract::{Path, rejection::PathRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::http::{
    negotiate::prefers_markdown,
    problem::{Problem, ProblemType},
    state::App,
};

/// The list of all types.
pub const LIST: &str = "/problems";

/// The page of one type.
pub const PAGE: &str = "/problems/{type}";

/// How the pages look: for light and dark screens, and for narrow ones.
const STYLE: &str = "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\
    :root{color-scheme:light dark}code{font-family:ui-monospace,monospace}dt{font-weight:600;margin-top:1rem}dd{margin-left:0}";

/// The routes of the pages. They are no part of the document, which is for programs.
pub fn routes() -> Router<App> {
    Router::new().route(LIST, get(list)).route(PAGE, get(page))
}

async fn list(headers: HeaderMap) -> Response {
    let text = if prefers_markdown(&headers) {
        let mut text = "# Problems\n\n".to_owned();
        for each in ProblemType::ALL {
            let (title, uri, status) = (each.title(), each.uri(), each.status().as_u16());
            let _ = writeln!(text, "- [{title}]({uri}) ({status}): {}", each.meaning());
        }
        Form::Markdown(text)
    } else {
        let mut rows = "<p>Why a request can be refused before it becomes a command.</p>\n<dl>\n".to_owned();
        for each in ProblemType::ALL {
            let (title, uri, status) = (html(each.title()), html(each.uri()), each.status().as_u16());
            let _ = writeln!(
                rows,
                "<dt><a href=\"{uri}\">{title}</a> ({status})</dt>\n<dd>{}</dd>",
                html(each.meaning())
            );
        }
        Form::Html(document("Problems", &(rows + "</dl>\n")))
    };
    text.into_response()
}

async fn page(name: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    let found = name.ok().and_then(|Path(name)| ProblemType::from_name(&name));
    let Some(found) = found else {
        return Problem::no_such_problem_type().into_response();
    };
    let text = if prefers_markdown(&headers) {
        Form::Markdown(markdown(found))
    } else {
        let status = found.status();
        let facts = [
            ("Type", format!("<code>{}</code>", html(found.uri()))),
            ("Status", html(&status.to_string())),
            ("What it means", html(found.meaning())),
            ("What to do", html(found.advice())),
        ];
        let facts = facts.map(|(name, fact)| format!("<dt>{name}</dt>\n<dd>{fact}</dd>\n"));
        let list = format!(
            "<dl>\n{}</dl>\n<p><a href=\"{LIST}\">All problems</a></p>\n",
            facts.concat()
        );
        Form::Html(document(found.title(), &list))
    };
    text.into_response()
}

fn markdown(each: ProblemType) -> String {
    format!(
        "# {}\n\n- Type: `{}`\n- Status: {}\n\n## What it means\n\n{}\n\n## What to do\n\n{}\n\n[All problems]({LIST})\n",
        each.title(),
        each.uri(),
        each.status(),
        each.meaning(),
        each.advice()
    )
}

/// A page in one of its forms.
enum Form {
    Html(String),
    Markdown(String),
}

impl IntoResponse for Form {
    fn into_response(self) -> Response {
        let (media_type, text) = match self {
            Self::Html(text) => ("text/html; charset=utf-8", text),
            Self::Markdown(text) => ("text/markdown; charset=utf-8", text),
        };
        // A cache on the way keeps the forms apart (RFC 9110 section 12.5.5).
        ([(header::CONTENT_TYPE, media_type), (header::VARY, "accept")], text).into_response()
    }
}

/// A whole page around its content, which is HTML already.
fn document(title: &str, content: &str) -> String {
    let title = html(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – aws-ilm</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{content}</body>\n</html>\n"
    )
}

/// Escapes a text of the table; what is between backticks becomes code.
fn html(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    let parts = escaped.split('`').enumerate();
    let parts = parts.map(|(index, part)| match index % 2 {
        1 => format!("<code>{part}</code>"),
        _ => part.to_owned(),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_backticks_become_code() {
        assert_eq!(
            html("use `<a href=\"x\">` & `b`"),
            "use <code>&lt;a href=&quot;x&quot;&gt;</code> &amp; <code>b</code>"
        );
    }

    #[test]
    fn every_type_is_explained_in_sentences() {
        for each in ProblemType::ALL {
            assert_eq!(ProblemType::from_name(each.name()), Some(*each));
            for text in [each.meaning(), each.advice()] {
                assert!(text.len() > 20 && text.ends_with('.'), "{each:?}: {text:?}");
                assert!(text.starts_with(char::is_uppercase), "{each:?}: {text:?}");
                assert_eq!(text.matches('`').count() % 2, 0, "{each:?}: {text:?}");
                // Lines of a comment are joined by single blanks.
                assert!(!text.contains("  ") && !text.contains('\n'), "{each:?}: {text:?}");
            }
        }
    }
}
