//! The pages to which `type` in a problem leads: who may read them, and that each says what to do.

use aws_ilm::http::problem::ProblemType;
use serde_json::json;

use crate::{
    callers::{ALL, caller, key, world},
    harness::{World, answer},
};

#[tokio::test]
async fn the_type_of_a_problem_is_the_address_of_a_page_about_it() {
    let world = World::start().await;
    let problem = world.post("/commands/iam-get-user", &json!({"user-profil": {}})).await;
    assert_eq!(problem.status, 400);
    // Resolved against the address that was asked (RFC 9457 section 3.1.1).
    let asked: reqwest::Url = world.url("/commands/iam-get-user").parse().unwrap();
    let page = asked.join(problem.json()["type"].as_str().unwrap()).unwrap();
    let page = answer(world.http.get(page)).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(
        page.text.contains("<title>Unknown argument – aws-ilm</title>"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn every_type_has_a_page_in_both_forms_and_stands_in_the_list() {
    let world = World::start().await;
    let markdown = |path: &str| answer(world.http.get(world.url(path)).header("accept", "text/markdown"));
    let (list, marked_list) = (world.get("/problems").await, markdown("/problems").await);
    assert_eq!((list.status, marked_list.status), (200, 200));
    for each in ProblemType::ALL {
        let page = world.get(each.uri()).await;
        assert_eq!(page.status, 200, "{each:?}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let marked = markdown(each.uri()).await;
        assert_eq!(marked.header("content-type"), Some("text/markdown; charset=utf-8"));
        for text in [
            each.title(),
            &each.status().to_string(),
            each.meaning(),
            each.advice(),
            each.uri(),
        ] {
            assert!(marked.text.contains(text), "{each:?} lacks {text:?}: {}", marked.text);
            let shown = text.replace('`', "");
            let page = page.text.replace("<code>", "").replace("</code>", "");
            assert!(page.contains(&shown), "{each:?} lacks {shown:?}: {page}");
        }
        assert!(list.text.contains(&format!("<a href=\"{}\">", each.uri())), "{each:?}");
        assert!(marked_list.text.contains(&format!("]({})", each.uri())), "{each:?}");
    }
}

#[tokio::test]
async fn a_type_that_there_is_not_is_a_problem() {
    let world = World::start().await;
    for name in ["none", "Busy", "%ff", "busy%2f"] {
        let none = world.get(&format!("/problems/{name}")).await;
        assert_eq!(none.status, 404, "{name}");
        assert_eq!(none.json()["type"], "/problems/no-such-route");
        assert!(
            none.header("content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert_eq!(none.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn markdown_is_given_to_those_that_prefer_it() {
    let world = World::start().await;
    for (accept, form) in [
        ("*/*", "text/html"),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html",
        ),
        ("text/*", "text/html"),
        ("application/json", "text/html"),
        ("text/markdown", "text/markdown"),
        ("text/markdown, */*;q=0.5", "text/markdown"),
        ("text/html;q=0.5, text/markdown", "text/markdown"),
    ] {
        let page = answer(world.http.get(world.url("/problems/busy")).header("accept", accept)).await;
        assert_eq!(
            page.header("content-type"),
            Some(&*format!("{form}; charset=utf-8")),
            "{accept}"
        );
        assert_eq!(page.header("vary"), Some("accept"));
    }
}

/// The table of `callers::routes` tries every sort of credential; here what the pages bear.
#[tokio::test]
async fn pages_are_open_and_bear_the_headers_of_pages() {
    let (_, digest) = key();
    let (world, _file) = world(&caller("a", &[&digest], ALL), &[("AWS_ILM_PUBLIC_DOCS", "false")]).await;
    for path in ["/problems", "/problems/unauthorised"] {
        let page = world.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), Some(value), "{path}");
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!page.text.contains("<script"), "{}", page.text);
    }
}
