//! The page of the contract: Swagger UI's files, with a page and a style of our own.

use crate::harness::{World, answer};

#[tokio::test]
async fn the_page_is_ours_and_its_files_are_swagger_uis() {
    let world = World::start().await;
    for path in ["/docs/", "/docs/index.html"] {
        let page = world.get(path).await;
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(page.text.contains("<title>aws-ilm</title>"), "{}", page.text);
        // Each file that the page names is there, of our own origin.
        for part in page
            .text
            .split(['"', '\''])
            .filter(|part| part.ends_with(".js") || part.ends_with(".css"))
        {
            let file = part.strip_prefix("./").unwrap();
            assert_eq!(world.get(&format!("/docs/{file}")).await.status, 200, "{file}");
        }
    }
    let style = world.get("/docs/aws-ilm.css").await;
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    let configured = world.get("/docs/swagger-initializer.js").await.text;
    assert!(configured.contains("\"url\": \"/openapi.json\""), "{configured}");
    assert!(
        configured.contains("\"BaseLayout\""),
        "no box to load other documents: {configured}"
    );
}

#[tokio::test]
async fn what_the_pages_do_not_have_is_a_problem() {
    let world = World::start().await;
    for path in ["/docs/none.js", "/docs/%ff", "/docs/..%2fopenapi.json", "/docs/a/b"] {
        let none = world.get(path).await;
        assert_eq!(
            (none.status, none.json()["type"].as_str()),
            (404, Some("/problems/no-such-route")),
            "{path}"
        );
    }
    for path in ["/docs", "/docs/", "/docs/aws-ilm.css", "/docs/swagger-ui.css"] {
        let posted = answer(world.http.post(world.url(path))).await;
        assert_eq!(posted.status, 405, "{path}");
        assert_eq!(posted.header("allow"), Some("GET,HEAD"), "{path}");
    }
}
