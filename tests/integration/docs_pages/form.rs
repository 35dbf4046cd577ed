//! What readers count on: short pages that begin with what they are for, and links that lead
//! somewhere.

use std::{collections::BTreeSet, path::Path};

use super::{docs, page, prose, root};

#[test]
fn each_page_is_short_and_begins_with_what_one_can_do_after_it() {
    for name in docs() {
        let text = page(&name);
        assert!(text.len() <= 12 * 1024, "{name} has {} bytes", text.len());
        let mut paragraphs = text.split("\n\n");
        let (title, first) = (paragraphs.next().unwrap(), paragraphs.next().unwrap_or_default());
        assert!(title.starts_with("# "), "{name} begins with {title:?}");
        assert!(first.starts_with("After this page "), "{name}: {first:?}");
    }
}

#[test]
fn each_page_can_be_reached_from_the_readme() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut next = vec!["README.md".to_owned()];
    while let Some(name) = next.pop() {
        if seen.insert(name.clone()) {
            let links = links(&page(&name));
            let targets = links
                .iter()
                .filter_map(|link| target(&name, link))
                .map(|(file, _)| file);
            next.extend(targets.filter(|file| Path::new(file).extension().is_some_and(|end| end == "md")));
        }
    }
    for name in docs() {
        assert!(seen.contains(&name), "no link leads to {name}");
    }
}

#[test]
fn each_link_leads_to_a_file_and_a_heading_that_are_there() {
    let papers = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ];
    let mut dead = Vec::new();
    let mut followed = 0;
    for name in papers.map(str::to_owned).into_iter().chain(docs()) {
        for link in links(&page(&name)) {
            let Some((file, anchor)) = target(&name, &link) else {
                continue;
            };
            followed += 1;
            let is_there = root().join(&file).exists();
            if !is_there || anchor.is_some_and(|anchor| !anchors(&page(&file)).contains(&anchor)) {
                dead.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(followed > 50, "only {followed} links");
    assert!(dead.is_empty(), "dead links: {dead:#?}");
}

/// The targets of a page's links, but for those in code.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let outside_code = prose.split('`').step_by(2).collect::<Vec<_>>().join("``");
    let after = outside_code.split("](").skip(1);
    after
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .collect()
}

/// The file that a relative link of a page leads to, from the root, and the heading; `None` for one
/// to elsewhere.
fn target(page: &str, link: &str) -> Option<(String, Option<String>)> {
    if link.contains("://") {
        return None;
    }
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (link, None),
    };
    if path.is_empty() {
        return Some((page.to_owned(), anchor));
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    Some((parts.join("/"), anchor))
}

/// The anchors of a page's headings, as GitHub makes them: small letters, digits, hyphens and
/// underscores, and a hyphen for a blank.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = prose(page);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let texts = headings.map(|line| line.trim_start_matches('#').trim());
    texts
        .map(|text| {
            let kept = text.chars().filter_map(|character| match character {
                ' ' => Some('-'),
                '-' | '_' => Some(character),
                other => other.is_alphanumeric().then_some(other),
            });
            kept.flat_map(char::to_lowercase).collect()
        })
        .collect()
}

#[test]
fn links_are_read_and_headings_named_as_on_github() {
    assert_eq!(
        links("a [b](c.md#d) `[x](y)`\n```\n[p](q)\n```\n[e](../f)"),
        ["c.md#d", "../f"]
    );
    assert_eq!(target("docs/a.md", "../src/b.rs"), Some(("src/b.rs".into(), None)));
    assert_eq!(
        target("docs/a.md", "#top"),
        Some(("docs/a.md".into(), Some("top".into())))
    );
    assert_eq!(target("README.md", "https://example.com/x"), None);
    let found = anchors("## 1. A key (at the service, two minutes)\n### `clear`\n```\n# no\n```");
    let expected = ["1-a-key-at-the-service-two-minutes", "clear"];
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
