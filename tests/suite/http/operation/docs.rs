//! `/docs`.

use lectern_tests::{TestServer, on_both_backends};

on_both_backends!(
    the_documentation_page_loads_nothing_from_other_hosts,
    documentation_files_are_revalidated_by_entity_tag,
    the_root_and_a_trailing_slash_lead_to_the_documentation,
);

/// The values of an attribute in an HTML page.
fn attributes<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let opening = format!(" {name}=\"");
    page.split(&opening)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

fn the_documentation_page_loads_nothing_from_other_hosts(server: TestServer) {
    let answer = server.get("/docs").expect(200);
    assert!(
        answer
            .header("Content-Type")
            .unwrap()
            .starts_with("text/html")
    );
    let page = answer.text();
    assert!(!page.contains("://"), "{page}");
    let files: Vec<_> = ["src", "href"]
        .iter()
        .flat_map(|name| attributes(page, name))
        // A link to the pages.
        .filter(|file| *file != "./")
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    let mut scripts = String::new();
    for file in files {
        assert!(
            !file.starts_with('/'),
            "{file} does not work behind a prefix"
        );
        let answer = server.get(&format!("/{file}")).expect(200);
        assert!(!answer.body.is_empty(), "{file}");
        let kind = answer.header("Content-Type").unwrap();
        match file.rsplit_once('.').unwrap().1 {
            "js" => assert!(kind.starts_with("text/javascript"), "{file}: {kind}"),
            "css" => assert!(kind.starts_with("text/css"), "{file}: {kind}"),
            _ => assert_eq!(kind, "image/png", "{file}"),
        }
        if answer.body.len() < 10_000 && kind.starts_with("text/javascript") {
            scripts += answer.text();
        }
    }
    assert!(
        scripts.contains("\"openapi.json\"") && !scripts.contains("://"),
        "{scripts}"
    );
    let policy = answer.header("Content-Security-Policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("http"),
        "{policy}"
    );
}

fn documentation_files_are_revalidated_by_entity_tag(server: TestServer) {
    for path in ["/docs", "/docs/swagger-ui.css"] {
        let first = server.get(path).expect(200);
        let etag = first.header("ETag").unwrap();
        let again = server
            .request("GET", path)
            .header("If-None-Match", etag)
            .send()
            .expect(304);
        assert_eq!(again.body.len(), 0);
    }
    server.get("/docs/index.html").problem(404, "not_found");
    server
        .get("/docs/..%2f..%2fCargo.toml")
        .problem(404, "not_found");
}

fn the_root_and_a_trailing_slash_lead_to_the_documentation(server: TestServer) {
    // Relative locations are right below any path prefix.
    let root = server.get("/").expect(307);
    assert_eq!(root.header("Location"), Some("docs"));
    let slash = server.get("/docs/").expect(308);
    assert_eq!(slash.header("Location"), Some("../docs"));
    server.delete("/").problem(405, "method_not_allowed");
}
