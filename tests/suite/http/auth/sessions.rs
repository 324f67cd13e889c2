//! Sessions of browsers: signing in with a key, or at an identity provider.

use std::time::{Duration, Instant};

use lectern_domain::Role;
use lectern_server::ServerConfig;
use lectern_tests::{
    Client, Lectern, RequestBuilder, Response, TestDb, TestServer, a_job, on_both_backends,
};
use serde_json::{Value, json};
use url::Url;

use crate::http::live::channel::handshake;
use crate::http::support::api_key::{Key, serve_with_keys, with_keys};
use crate::http::support::issuer::Issuer;
use crate::http::support::{JOBS, UNKNOWN_ID, a_recording, job_path, wait_until};

on_both_backends!(
    somebody_signs_in_with_a_key,
    a_session_ends_with_its_key,
    a_session_is_not_renewed_with_itself,
    only_pages_of_the_server_change_something_with_a_session,
    over_https_the_cookie_is_for_this_host_only,
    where_nothing_is_asked_for_there_is_no_session,
    a_person_signs_in_at_the_provider,
    a_sign_in_that_was_not_begun_here_is_refused,
    a_person_without_a_role_gets_no_session,
    nobody_is_sent_to_another_site,
    signing_out_ends_the_session_on_every_server,
    a_page_has_a_button_to_sign_out,
);

const SESSION: &str = "/api/v1/session";

/// The header of requests of the server's own pages.
const OWN_PAGE: (&str, &str) = ("Sec-Fetch-Site", "same-origin");

/// The cookies that a response sets, as a browser sends them, and with their attributes.
fn cookies(response: &Response) -> Vec<(String, String)> {
    let all = response.headers.get_all("Set-Cookie").iter();
    let texts = all.map(|header| header.to_str().unwrap());
    texts
        .map(|text| {
            let (cookie, attributes) = text.split_once("; ").unwrap();
            (cookie.to_owned(), attributes.to_owned())
        })
        .collect()
}

fn sign_in_with(client: &Client, key: &Key) -> String {
    let response = key.request(client, "POST", SESSION).send().expect(200);
    let (cookie, attributes) = cookies(&response).remove(0);
    let expected = "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict";
    assert_eq!(attributes, expected);
    assert_eq!(response.header("Cache-Control"), Some("no-store"));
    cookie
}

fn request<'c>(client: &'c Client, method: &str, path: &str, cookie: &str) -> RequestBuilder<'c> {
    client.request(method, path).header("Cookie", cookie)
}

fn get(client: &Client, path: &str, cookie: &str) -> Response {
    request(client, "GET", path, cookie).send()
}

fn somebody_signs_in_with_a_key(db: TestDb) {
    let key = Key::create(&db, Role::Client);
    let server = serve_with_keys(db);
    let cookie = sign_in_with(&server, &key);
    assert!(cookie.starts_with("lectern_session=lct_"), "{cookie}");
    let session = get(&server, SESSION, &cookie).expect(200).json();
    assert_eq!(session["role"], "client");
    assert_eq!(
        session["scopes"],
        json!(["jobs:read", "jobs:write", "outputs:write"])
    );
    assert_ne!(session["key_id"], key.id.to_string());
    assert!(session["expires_at"].is_string());
    get(&server, JOBS, &format!("a=b; {cookie}; c=d")).expect(200);
    // Of a role that may not.
    get(&server, "/metrics", &cookie).problem(403, "scope_missing");
    for wrong in [
        "lectern_session=",
        "lectern_session=lct_1",
        "lectern_session",
    ] {
        get(&server, JOBS, wrong).problem(401, "authentication_required");
    }
    // An explicit credential takes precedence.
    let request = request(&server, "GET", JOBS, &cookie);
    let both = request.header("Authorization", "Bearer lct_wrong");
    both.send().problem(401, "invalid_key");
}

fn a_session_ends_with_its_key(db: TestDb) {
    let [revoked, rotated] = [(); 2].map(|()| Key::create(&db, Role::Viewer));
    let server = serve_with_keys(db);
    let cookies = [&revoked, &rotated].map(|key| sign_in_with(&server, key));
    for cookie in &cookies {
        get(&server, JOBS, cookie).expect(200);
    }
    revoked.revoke(server.db());
    rotated.rotate(server.db());
    let since = Instant::now();
    for cookie in &cookies {
        wait_until(|| get(&server, JOBS, cookie).status == 401);
        get(&server, JOBS, cookie).problem(401, "invalid_key");
    }
    // The cache is not what is tested here: a slow machine may take longer.
    assert!(since.elapsed() < Duration::from_mins(1));
}

fn a_session_is_not_renewed_with_itself(db: TestDb) {
    let key = Key::create(&db, Role::Viewer);
    let server = serve_with_keys(db);
    let cookie = sign_in_with(&server, &key);
    let before = get(&server, SESSION, &cookie).expect(200).json();
    let again = request(&server, "POST", SESSION, &cookie).header(OWN_PAGE.0, OWN_PAGE.1);
    let again = again.send().expect(200);
    assert_eq!(cookies(&again), []);
    assert_eq!(again.json(), before);
}

fn only_pages_of_the_server_change_something_with_a_session(db: TestDb) {
    let key = Key::create(&db, Role::Client);
    let job_id = a_job().create(&db).job_id;
    let config = ServerConfig {
        cors_origins: vec!["https://other.example".to_owned()],
        cors_credentials: true,
        ..with_keys()
    };
    let server = TestServer::serve(db, config);
    let cookie = sign_in_with(&server, &key);
    let origin = server.base().to_owned();
    let create = |headers: &[(&str, &str)]| {
        let mut create = request(&server, "POST", JOBS, &cookie).json(&a_recording());
        for (name, value) in headers {
            create = create.header(name, value);
        }
        create.send()
    };
    let foreign: [&[(&str, &str)]; 5] = [
        &[],
        &[("Origin", "https://other.example")],
        &[
            ("Origin", "https://other.example"),
            ("Sec-Fetch-Site", "same-site"),
        ],
        &[("Origin", &origin), ("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "none")],
    ];
    for headers in foreign {
        create(headers).problem(403, "origin_not_allowed");
    }
    create(&[("Origin", &origin)]).expect(201);
    create(&[OWN_PAGE]).expect(201);
    let socket = |headers: &[(&str, &str)]| {
        let cookie = [("Cookie", cookie.as_str())];
        let headers = [&cookie, headers].concat();
        handshake(&server, &format!("/ws/jobs/{job_id}"), &headers).map(drop)
    };
    assert_eq!(socket(&[]), Err(403));
    assert_eq!(socket(&[("Origin", "https://other.example")]), Err(403));
    assert_eq!(socket(&[("Origin", &origin)]), Ok(()));
}

fn over_https_the_cookie_is_for_this_host_only(db: TestDb) {
    let key = Key::create(&db, Role::Viewer);
    let config = ServerConfig {
        public_url: Some(Url::parse("https://lectern.example/talks").unwrap()),
        ..with_keys()
    };
    let server = TestServer::serve(db, config);
    let response = key.request(&server, "POST", SESSION).send().expect(200);
    let (cookie, attributes) = cookies(&response).remove(0);
    assert!(
        cookie.starts_with("__Host-lectern_session=lct_"),
        "{cookie}"
    );
    assert!(
        attributes.ends_with("; SameSite=Strict; Secure"),
        "{attributes}"
    );
    get(&server, JOBS, &cookie).expect(200);
    // A cookie that another host of the domain could have set.
    let (_, value) = cookie.split_once('=').unwrap();
    let plain = format!("lectern_session={value}");
    get(&server, JOBS, &plain).problem(401, "authentication_required");
}

fn where_nothing_is_asked_for_there_is_no_session(db: TestDb) {
    let server = TestServer::serve(db, ServerConfig::default());
    let session = server.get(SESSION).expect(200).json();
    assert_eq!(session["role"], Value::Null);
    assert_eq!(session["scopes"].as_array().unwrap().len(), 7);
    let created = server.post(SESSION, &json!({})).expect(200);
    assert_eq!(cookies(&created), []);
    assert_eq!(created.json(), session);
    server.delete(SESSION).expect(204);
    server.get("/login").problem(404, "not_found");
}

/// Begins to sign in: the address at the provider, and the cookie.
fn begin(client: &Client, query: &str) -> (String, String) {
    let begun = client.get(&format!("/login{query}")).expect(303);
    let (cookie, attributes) = cookies(&begun).remove(0);
    assert!(
        attributes.contains("HttpOnly; SameSite=Lax"),
        "{attributes}"
    );
    (begun.header("Location").unwrap().to_owned(), cookie)
}

/// Signs in at the provider, and returns the cookie of the session.
fn sign_in(client: &Client, issuer: &Issuer, role: &str) -> String {
    let (address, pending) = begin(client, "");
    let back = issuer.sign_in(&address, &issuer.claims(role));
    let page = get(client, &back, &pending).expect(200);
    cookies(&page).remove(0).0
}

fn a_person_signs_in_at_the_provider(db: TestDb) {
    let issuer = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    let (address, pending) = begin(&server, "?return_to=/docs%3Fa=%22b");
    let back = issuer.sign_in(&address, &issuer.claims("client"));
    let page = get(&server, &back, &pending).expect(200);
    assert!(
        page.text().contains("url=/docs?a=&quot;b\""),
        "{}",
        page.text()
    );
    assert_eq!(page.header("Cache-Control"), Some("no-store"));
    let set = cookies(&page);
    assert_eq!(set.len(), 2);
    assert!(
        set[0]
            .1
            .contains("Max-Age=43200; HttpOnly; SameSite=Strict")
    );
    assert_eq!(set[1].0, "lectern_sign_in=");
    assert!(set[1].1.contains("Max-Age=0"));

    let session = get(&server, SESSION, &set[0].0).expect(200).json();
    assert_eq!(session["person"], "ada@example.org (7f3)");
    assert_eq!(session["role"], "client");
    let create = request(&server, "POST", JOBS, &set[0].0).json(&a_recording());
    let created = create.header(OWN_PAGE.0, OWN_PAGE.1).send().expect(201);
    let job_id = created.json()["job_id"].as_str().unwrap().to_owned();
    let cancel = request(
        &server,
        "POST",
        &format!("{JOBS}/{job_id}/cancel"),
        &set[0].0,
    );
    cancel
        .header(OWN_PAGE.0, OWN_PAGE.1)
        .json(&json!({}))
        .send()
        .expect(200);

    // Signing in is recorded as well as what was done then.
    let admin = issuer.token(&issuer.claims("admin"));
    let audit = server.request("GET", "/api/v1/audit");
    let audit = audit.header("Authorization", &format!("Bearer {admin}"));
    let audit = audit.send().expect(200).json();
    let entries = audit["entries"].as_array().unwrap();
    let actions: Vec<_> = entries.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["job.cancel", "key.create"]);
    for entry in entries {
        assert_eq!(entry["actor"]["person"], session["person"]);
        assert_eq!(entry["actor"]["key_id"], session["key_id"]);
    }
    // A code is used once.
    get(&server, &back, &pending).problem(401, "invalid_token");
}

fn a_sign_in_that_was_not_begun_here_is_refused(db: TestDb) {
    let issuer = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    let claims = issuer.claims("admin");
    // An attacker's code in the browser of somebody else.
    let (address, _) = begin(&server, "");
    let of_attacker = issuer.sign_in(&address, &claims);
    let (_, pending) = begin(&server, "");
    get(&server, &of_attacker, &pending).problem(401, "invalid_token");
    server.get(&of_attacker).problem(401, "invalid_token");
    for cookie in [
        "lectern_sign_in=",
        "lectern_sign_in=AAAA",
        "lectern_sign_in=e30",
    ] {
        get(&server, &of_attacker, cookie).problem(401, "invalid_token");
    }
    // A token for another sign-in.
    let (address, pending) = begin(&server, "");
    let mut replayed = claims.clone();
    replayed["nonce"] = "of another sign-in".into();
    let back = issuer.sign_in(&address, &replayed);
    get(&server, &back, &pending).problem(401, "invalid_token");
    // For another client, which may be a malicious one.
    let (address, pending) = begin(&server, "");
    let mut foreign = claims.clone();
    foreign["azp"] = "another client".into();
    let back = issuer.sign_in(&address, &foreign);
    get(&server, &back, &pending).problem(401, "invalid_token");
    for refusal in [
        "/login/callback",
        "/login/callback?code=a",
        "/login/callback?state=a",
        "/login/callback?error=access_denied&error_description=no",
    ] {
        get(&server, refusal, &pending).problem(401, "invalid_token");
    }
    let keys = server.db().read(|conn| conn.api_keys().list(None, 10));
    assert_eq!(keys.unwrap(), []);
}

fn a_person_without_a_role_gets_no_session(db: TestDb) {
    let issuer = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    let (address, pending) = begin(&server, "");
    let back = issuer.sign_in(&address, &issuer.claims("guest"));
    let refused = get(&server, &back, &pending);
    refused.problem(403, "scope_missing");
    assert_eq!(cookies(&refused), []);
}

fn nobody_is_sent_to_another_site(db: TestDb) {
    let issuer = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    for foreign in [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example",
        "%2F%2Fevil",
    ] {
        let (address, pending) = begin(&server, &format!("?return_to={foreign}"));
        let back = issuer.sign_in(&address, &issuer.claims("viewer"));
        let page = get(&server, &back, &pending).expect(200);
        assert!(
            page.text().contains("content=\"0; url=/\""),
            "{}",
            page.text()
        );
    }
}

fn signing_out_ends_the_session_on_every_server(db: TestDb) {
    let issuer = Issuer::start();
    let settings = [
        ("LECTERN_OIDC_ISSUER", issuer.url.as_str()),
        (
            "LECTERN_OIDC_CLIENT_ID",
            crate::http::support::issuer::CLIENT_ID,
        ),
        (
            "LECTERN_OIDC_CLIENT_SECRET",
            crate::http::support::issuer::CLIENT_SECRET,
        ),
    ];
    let servers = [(); 2].map(|()| Lectern::serve_with(db.url(), &settings));
    let cookie = sign_in(&servers[0], &issuer, "viewer");
    for server in &servers {
        get(server, JOBS, &cookie).expect(200);
    }
    let sign_out = request(&servers[0], "DELETE", SESSION, &cookie);
    let signed_out = sign_out.header(OWN_PAGE.0, OWN_PAGE.1).send().expect(204);
    assert_eq!(cookies(&signed_out)[0].0, "lectern_session=");
    for server in &servers {
        wait_until(|| get(server, JOBS, &cookie).status == 401);
    }
    let path = job_path(UNKNOWN_ID.parse().unwrap(), "");
    get(&servers[1], &path, &cookie).problem(401, "invalid_key");
}

fn a_page_has_a_button_to_sign_out(db: TestDb) {
    let key = Key::create(&db, Role::Viewer);
    let server = serve_with_keys(db);
    let cookie = sign_in_with(&server, &key);
    let as_browser =
        |request: RequestBuilder<'_>| request.header("Accept", "text/html, */*;q=0.8").send();
    let open = |path: &str| as_browser(request(&server, "GET", path, &cookie));
    let button = r#"action="./logout"><button type="submit">Sign out</button>"#;
    for path in ["/", "/operation"] {
        let page = open(path).expect(200);
        assert!(page.text().contains(button), "{page}");
    }
    // Also on pages about what somebody may not see, or what is not there.
    let page = open(&format!("/jobs/{UNKNOWN_ID}")).expect(404);
    assert!(page.text().contains(r#"action="../logout">"#), "{page}");
    let of_key = as_browser(key.request(&server, "GET", "/")).expect(200);
    assert!(!of_key.text().contains("logout"), "{of_key}");

    // Another site cannot sign somebody out.
    let sign_out = |site: &str| {
        as_browser(request(&server, "POST", "/logout", &cookie).header("Sec-Fetch-Site", site))
    };
    sign_out("cross-site").expect(403);
    let still = open("/logout").expect(303);
    assert_eq!(still.header("Location"), Some("./"));

    let signed_out = sign_out("same-origin").expect(303);
    assert_eq!(signed_out.header("Location"), Some("logout"));
    let [(cleared, attributes)] = &cookies(&signed_out)[..] else {
        panic!("{signed_out}");
    };
    assert_eq!(cleared, "lectern_session=");
    assert!(attributes.contains("Max-Age=0"), "{attributes}");
    wait_until(|| open("/").status == 401);
    let page = as_browser(server.request("GET", "/logout")).expect(200);
    assert!(page.text().contains("<h1>Signed out</h1>"), "{page}");
}
