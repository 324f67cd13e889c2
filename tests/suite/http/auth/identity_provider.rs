//! Tokens of an identity provider in place of keys.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use lectern_domain::{NewApiKey, OwnerName, Role};
use lectern_server::{ClaimPath, OidcConfig, ServerConfig};
use lectern_tests::{
    Backend, Client, Fixture as _, Lectern, Response, TestDb, TestServer, a_job, on_both_backends,
};
use serde_json::{Value, json};

use crate::http::live::channel::handshake;
use crate::http::support::api_key::{Key, with_keys};
use crate::http::support::issuer::{AUDIENCE, Issuer, now};
use crate::http::support::{JOBS, a_recording, job_path, wait_until};

on_both_backends!(
    a_token_does_what_its_role_may,
    a_token_has_an_owner,
    a_token_that_is_not_right_is_refused,
    a_person_without_a_role_may_do_nothing,
    a_new_key_of_the_provider_is_accepted_without_a_restart,
    without_the_provider_keys_are_accepted_and_tokens_are_not,
    streams_end_with_the_token,
    a_watch_token_is_made_with_a_token,
    the_audit_names_the_person,
    without_a_provider_a_token_is_a_malformed_key,
);

fn get(client: &Client, path: &str, token: &str) -> Response {
    let request = client.request("GET", path);
    let bearer = format!("Bearer {token}");
    request.header("Authorization", &bearer).send()
}

fn post(client: &Client, path: &str, token: &str, body: &Value) -> Response {
    let request = client.request("POST", path);
    let bearer = format!("Bearer {token}");
    request.header("Authorization", &bearer).json(body).send()
}

fn claims_with(issuer: &Issuer, members: Value) -> Value {
    let mut claims = issuer.claims("viewer");
    let Value::Object(members) = members else {
        panic!("no object");
    };
    for (name, value) in members {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(&name);
        } else {
            claims[name] = value;
        }
    }
    claims
}

fn a_token_does_what_its_role_may(db: TestDb) {
    let issuer = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    let [viewer, client] = ["viewer", "client"].map(|role| issuer.token(&issuer.claims(role)));
    get(&server, JOBS, &viewer).expect(200);
    post(&server, JOBS, &viewer, &a_recording()).problem(403, "scope_missing");
    post(&server, JOBS, &client, &a_recording()).expect(201);
    get(&server, "/metrics", &client).problem(403, "scope_missing");
    let of_access_token = json!({ "typ": "at+jwt" });
    let token = issuer.token_with(&of_access_token, &issuer.claims("admin"));
    get(&server, "/api/v1/audit", &token).expect(200);

    let session = get(&server, "/api/v1/session", &viewer).expect(200);
    let session = session.json();
    assert_eq!(session["role"], "viewer");
    assert_eq!(session["scopes"], json!(["jobs:read"]));
    assert_eq!(session["person"], "ada@example.org (7f3)");
    // A key in the other header takes precedence.
    let both = server.request("GET", JOBS).header("X-API-Key", "lct_wrong");
    let both = both.header("Authorization", &format!("Bearer {viewer}"));
    both.send().problem(401, "invalid_key");
}

fn a_token_has_an_owner(db: TestDb) {
    let issuer = Issuer::start();
    let exams = Key::create_as(
        &db,
        &NewApiKey {
            owner: Some(OwnerName::new("exams").unwrap()),
            ..NewApiKey::new(Role::Client)
        },
    );
    let config = ServerConfig {
        identity_provider: Some(OidcConfig {
            owner_claim: Some(ClaimPath("team.name".to_owned())),
            ..issuer.config()
        }),
        ..with_keys()
    };
    let server = TestServer::serve(db, config);
    let of = |team: &str| {
        let claims = claims_with(
            &issuer,
            json!({ "roles": ["client"], "team": { "name": team } }),
        );
        issuer.token(&claims)
    };
    let created = post(&server, JOBS, &of("exams"), &exams.recording()).expect(201);
    let job = created.json();
    assert_eq!(job["owner_id"], "exams");
    let path = format!("{JOBS}/{}", job["job_id"].as_str().unwrap());
    get(&server, &path, &of("exams")).expect(200);
    exams.request(&server, "GET", &path).send().expect(200);
    get(&server, &path, &of("music")).problem(404, "job_not_found");
    let without = issuer.token(&issuer.claims("client"));
    get(&server, &path, &without).problem(403, "scope_missing");
}

fn a_token_that_is_not_right_is_refused(db: TestDb) {
    let issuer = Issuer::start();
    let other = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    let right = issuer.token(&issuer.claims("admin"));
    get(&server, JOBS, &right).expect(200);

    let mut wrong = Vec::new();
    for members in [
        json!({ "aud": "https://other.example" }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "iss": "https://other.example" }),
        json!({ "iss": null }),
        json!({ "exp": now() - 3600 }),
        json!({ "exp": "never" }),
        json!({ "exp": null }),
        json!({ "nbf": now() + 3600 }),
        json!({ "nbf": "soon" }),
        json!({ "sub": null }),
    ] {
        wrong.push(issuer.token(&claims_with(&issuer, members)));
    }
    let claims = issuer.claims("admin");
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS256" }),
        json!({ "kid": "unknown" }),
        json!({ "typ": "logout+jwt" }),
    ] {
        wrong.push(issuer.token_with(&header, &claims));
    }
    // Of another provider, which says that it is this one, and has a key of the same name.
    wrong.push(other.token(&claims));
    let parts: Vec<&str> = right.split('.').collect();
    let admin = BASE64URL_NOPAD.encode(issuer.claims("worker").to_string().as_bytes());
    wrong.push(format!("{}.{admin}.{}", parts[0], parts[2]));
    wrong.push(format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86)));
    wrong.push("a.b.c".to_owned());
    let long = claims_with(&issuer, json!({ "groups": "x".repeat(17_000) }));
    wrong.push(issuer.token(&long));
    for token in &wrong {
        let refused = get(&server, JOBS, token);
        refused.problem(401, "invalid_token");
        let challenge = refused.header("WWW-Authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        let signature = token.rsplit('.').next().unwrap();
        assert!(signature.len() < 10 || !refused.text().contains(signature));
    }
    // Without a signature it is no token at all.
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    get(&server, JOBS, &unsigned).problem(401, "invalid_key");
}

fn a_person_without_a_role_may_do_nothing(db: TestDb) {
    let issuer = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    for role in ["", "root", "Admin"] {
        let token = issuer.token(&issuer.claims(role));
        for path in [JOBS, "/api/v1/session"] {
            get(&server, path, &token).problem(403, "scope_missing");
        }
    }
}

fn a_new_key_of_the_provider_is_accepted_without_a_restart(db: TestDb) {
    let issuer = Issuer::start();
    let server = TestServer::serve(db, issuer.server_config());
    let old = issuer.token(&issuer.claims("viewer"));
    get(&server, JOBS, &old).expect(200);
    issuer.add_key("second");
    let new = issuer.token(&issuer.claims("viewer"));
    wait_until(|| get(&server, JOBS, &new).status == 200);
    get(&server, JOBS, &old).expect(200);
}

fn without_the_provider_keys_are_accepted_and_tokens_are_not(db: TestDb) {
    let issuer = Issuer::start();
    issuer.set_down(true);
    let key = Key::create(&db, Role::Viewer);
    let server = TestServer::serve(db, issuer.server_config());
    let token = issuer.token(&issuer.claims("viewer"));
    let refused = get(&server, JOBS, &token);
    refused.problem(503, "identity_provider_unavailable");
    key.request(&server, "GET", JOBS).send().expect(200);
    let sign_in = server.get("/login");
    sign_in.problem(503, "identity_provider_unavailable");
    issuer.set_down(false);
    wait_until(|| get(&server, JOBS, &token).status == 200);
    // What is known is used while the provider does not respond.
    issuer.set_down(true);
    get(&server, JOBS, &token).expect(200);
}

fn streams_end_with_the_token(db: TestDb) {
    let issuer = Issuer::start();
    let job_id = a_job().create(&db).job_id;
    // A server whose clock is that of the system.
    let settings = [
        ("LECTERN_OIDC_ISSUER", issuer.url.as_str()),
        ("LECTERN_OIDC_AUDIENCE", AUDIENCE),
    ];
    let server = Lectern::serve_with(db.url(), &settings);
    // Connecting takes less than this.
    let claims = claims_with(&issuer, json!({ "exp": now() + 10 }));
    let token = issuer.token(&claims);
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let mut socket = handshake(&server, &format!("/ws/jobs/{job_id}"), &headers).unwrap();
    assert!(socket.read().unwrap().is_text());
    while socket.read().is_ok() {}
    // Without the tolerance for the beginning of a token.
    get(&server, JOBS, &token).problem(401, "invalid_token");
}

fn a_watch_token_is_made_with_a_token(db: TestDb) {
    let issuer = Issuer::start();
    let job_id = a_job().create(&db).job_id;
    let server = TestServer::serve(db, issuer.server_config());
    let token = issuer.token(&issuer.claims("viewer"));
    let path = job_path(job_id, "/watch-token");
    let made = post(&server, &path, &token, &json!({})).expect(200);
    let watch_token = made.json()["token"].as_str().unwrap().to_owned();
    let events = format!("{}?token={watch_token}", job_path(job_id, "/events"));
    server.get(&events).expect(200);
    // It ends with the token with which it was made, which lasts for a minute.
    let keys = server.db().read(|conn| conn.api_keys().list(None, 10));
    let keys = keys.unwrap();
    assert_eq!(keys.len(), 1);
    let end = keys[0].data.expires_at.unwrap();
    assert!(end.timestamp().unsigned_abs() <= now() + 60, "{end}");
}

fn the_audit_names_the_person(db: TestDb) {
    let issuer = Issuer::start();
    let job_id = a_job().create(&db).job_id;
    let server = TestServer::serve(db, issuer.server_config());
    let admin = issuer.token(&issuer.claims("admin"));
    post(&server, &job_path(job_id, "/cancel"), &admin, &json!({})).expect(200);
    let audit = get(&server, "/api/v1/audit", &admin).expect(200).json();
    let actor = &audit["entries"][0]["actor"];
    assert_eq!(actor["person"], "ada@example.org (7f3)");
    assert_eq!(actor["address"], "127.0.0.1");
    // The same person has the same id, and another has another.
    let other = claims_with(&issuer, json!({ "sub": "8", "roles": ["admin"] }));
    let of = |token: &str| {
        let session = get(&server, "/api/v1/session", token).expect(200);
        session.json()["key_id"].clone()
    };
    assert_eq!(of(&admin), actor["key_id"]);
    assert_ne!(of(&issuer.token(&other)), actor["key_id"]);
}

fn without_a_provider_a_token_is_a_malformed_key(db: TestDb) {
    let issuer = Issuer::start();
    let token = issuer.token(&issuer.claims("admin"));
    let server = TestServer::serve(db, with_keys());
    get(&server, JOBS, &token).problem(401, "invalid_key");
    server.get("/login").problem(404, "not_found");
    server.get("/login/callback").problem(404, "not_found");
    drop(server);
    let client_only = OidcConfig {
        audience: None,
        ..issuer.config()
    };
    let config = ServerConfig {
        identity_provider: Some(client_only),
        database_timeout: Duration::from_mins(1),
        ..with_keys()
    };
    let server = TestServer::serve(TestDb::on(Backend::Sqlite), config);
    get(&server, JOBS, &token).problem(401, "invalid_key");
}
