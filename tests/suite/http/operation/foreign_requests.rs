//! Requests for other hosts, changes by pages of other sites, and headers of proxies.

use lectern_server::ServerConfig;
use lectern_tests::on_both_backends;
use lectern_tests::{Client, EmptyDb, Lectern, Response, TestDb, TestServer, a_job};

use crate::http::live::channel::handshake;
use crate::http::support::raw_http::{exchange, request};
use crate::http::support::recordings::{UPLOAD, a_lecture};
use crate::http::support::{JOBS, a_recording, job_path};

on_both_backends!(
    a_local_server_answers_only_to_local_names_and_its_public_one,
    configured_hosts_apply_to_every_address,
    a_request_with_two_hosts_is_refused,
    a_page_of_another_site_changes_nothing,
    a_page_of_the_server_or_an_allowed_site_may_change_jobs,
    a_page_of_another_site_opens_no_websocket,
    forwarded_headers_of_other_clients_are_ignored,
    a_trusted_proxy_reports_the_address_of_the_request,
    environment_variables_set_hosts_and_proxies,
);

fn get_as(client: &Client, host: &str) -> Response {
    client.request("GET", JOBS).header("Host", host).send()
}

fn a_local_server_answers_only_to_local_names_and_its_public_one(db: TestDb) {
    let config = ServerConfig {
        public_url: Some("https://lectern.example/app".parse().unwrap()),
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let port = server.base().rsplit_once(':').unwrap().1;
    for own in ["localhost", "127.0.0.1", "[::1]", "lectern.example"] {
        get_as(&server, own).expect(200);
        get_as(&server, &format!("{own}:{port}")).expect(200);
        get_as(&server, &format!("{own}:1")).expect(200);
    }
    // As after DNS rebinding.
    for foreign in ["evil.example", "127.0.0.1.evil.example", "10.0.0.7", "a/b"] {
        get_as(&server, foreign).problem(403, "host_not_allowed");
        let foreign = format!("{foreign}:{port}");
        get_as(&server, &foreign).problem(403, "host_not_allowed");
        for path in ["/healthz", "/openapi.json", "/docs/", "/nowhere"] {
            let answer = server.request("GET", path).header("Host", &foreign).send();
            answer.problem(403, "host_not_allowed");
        }
    }
}

fn configured_hosts_apply_to_every_address(db: TestDb) {
    let config = ServerConfig {
        bind: "0.0.0.0:0".to_owned(),
        hosts: vec!["lectern.example".to_owned()],
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    for own in ["lectern.example", "LECTERN.example:443", "localhost"] {
        get_as(&server, own).expect(200);
    }
    get_as(&server, "evil.example").problem(403, "host_not_allowed");
}

fn a_request_with_two_hosts_is_refused(server: TestServer) {
    let two = request("GET", JOBS, &["Host: evil.example"], "");
    assert_eq!(exchange(&server, two).status, 400);
    // HTTP/1.0 permits a request without a host; no browser sends one.
    let none = "GET /healthz HTTP/1.0\r\n\r\n";
    assert_eq!(exchange(&server, none).status, 200);
}

fn a_page_of_another_site_changes_nothing(server: TestServer) {
    let job = a_job().create(server.db());
    let (path, cancel) = (job_path(job.job_id, ""), job_path(job.job_id, "/cancel"));
    for headers in [
        &[("Sec-Fetch-Site", "cross-site")][..],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
        &[("Origin", server.base()), ("Sec-Fetch-Site", "cross-site")],
    ] {
        for (method, path) in [
            ("POST", &*cancel),
            ("DELETE", &*path),
            ("PATCH", &*path),
            ("PUT", &*job_path(job.job_id, "/clips")),
            ("POST", "/api/v1/work/claim"),
            ("POST", "/nowhere"),
        ] {
            let sent = headers
                .iter()
                .fold(server.request(method, path), |request, (name, value)| {
                    request.header(name, value)
                });
            sent.send().problem(403, "origin_not_allowed");
        }
        // The browser withholds the response.
        let read = headers
            .iter()
            .fold(server.request("GET", &path), |request, (name, value)| {
                request.header(name, value)
            });
        assert_eq!(read.send().expect(200).json()["status"], "queued");
    }
}

fn a_page_of_the_server_or_an_allowed_site_may_change_jobs(db: TestDb) {
    let config = ServerConfig {
        cors_origins: vec!["https://talks.example".to_owned()],
        ..ServerConfig::default()
    };
    let server = TestServer::serve(db, config);
    let own = server.base().to_owned();
    for headers in [
        &[("Origin", &*own)][..],
        &[("Origin", &own), ("Sec-Fetch-Site", "same-origin")],
        // As behind a proxy that changes `Host`.
        &[
            ("Origin", "https://proxy.example"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
        &[
            ("Origin", "https://talks.example"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        // Clients that are not browsers.
        &[],
    ] {
        let create = headers
            .iter()
            .fold(server.request("POST", JOBS), |request, (name, value)| {
                request.header(name, value)
            });
        create.json(&a_recording()).send().expect(201);
    }
}

fn a_page_of_another_site_opens_no_websocket(server: TestServer) {
    let job = a_job().create(server.db());
    let path = format!("/ws/jobs/{}", job.job_id);
    let status = |headers: &[(&str, &str)]| handshake(&server, &path, headers).err();
    assert_eq!(status(&[("Origin", "https://evil.example")]), Some(403));
    assert_eq!(status(&[("Sec-Fetch-Site", "cross-site")]), Some(403));
    assert_eq!(status(&[("Origin", server.base())]), None);
    assert_eq!(status(&[]), None);
}

/// The URL of an upload announced through a proxy with these headers.
fn upload_url(client: &Client, headers: &[(&str, &str)]) -> String {
    let announce = headers
        .iter()
        .fold(client.request("POST", UPLOAD), |request, (name, value)| {
            request.header(name, value)
        });
    let announced = announce.json(&a_lecture(1)).send().expect(201).json();
    announced["upload_url"].as_str().unwrap().to_owned()
}

/// What a proxy sends for `https://lectern.example`.
const FORWARDED: [&[(&str, &str)]; 2] = [
    &[
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "lectern.example"),
    ],
    &[("Forwarded", "for=10.1.1.1;proto=https;host=lectern.example")],
];

/// A server with these trusted proxies, called `lectern.example`.
fn behind(db: TestDb, proxies: &[&str]) -> TestServer {
    let config = ServerConfig {
        hosts: vec!["lectern.example".to_owned()],
        trusted_proxies: proxies.iter().map(|proxy| proxy.parse().unwrap()).collect(),
        ..ServerConfig::default()
    };
    TestServer::serve(db, config)
}

fn forwarded_headers_of_other_clients_are_ignored(db: TestDb) {
    let server = behind(db, &["10.0.0.0/8"]);
    for headers in FORWARDED {
        let url = upload_url(&server, headers);
        assert!(url.starts_with(server.base()), "{url}");
    }
    let forged = [("X-Forwarded-Host", "evil.example")];
    let url = upload_url(&server, &forged);
    assert!(url.starts_with(server.base()), "{url}");
}

fn a_trusted_proxy_reports_the_address_of_the_request(db: TestDb) {
    let server = behind(db, &["10.0.0.0/8", "127.0.0.0/8"]);
    for headers in FORWARDED {
        let url = upload_url(&server, headers);
        assert!(url.starts_with("https://lectern.example/api/v1/"), "{url}");
        let from_own_page = [headers, &[("Origin", "https://lectern.example")]].concat();
        upload_url(&server, &from_own_page);
    }
    server
        .request("GET", JOBS)
        .header("X-Forwarded-Host", "evil.example")
        .send()
        .problem(403, "host_not_allowed");
}

fn environment_variables_set_hosts_and_proxies(db: EmptyDb) {
    let server = Lectern::serve_with(
        db.url(),
        &[
            ("LECTERN_HOSTS", "one.example,two.example"),
            ("LECTERN_TRUSTED_PROXIES", "127.0.0.1"),
        ],
    );
    get_as(&server, "two.example").expect(200);
    get_as(&server, "three.example").problem(403, "host_not_allowed");
    let url = upload_url(&server, &[("X-Forwarded-Host", "one.example")]);
    assert!(url.starts_with("http://one.example/"), "{url}");
}
