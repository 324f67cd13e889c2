//! Lectern's routes mounted in another actix app.

use std::sync::mpsc;
use std::thread;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer, rt};
use lectern_domain::Role;
use lectern_server::{ServerConfig, Service, configure};
use lectern_tests::{Client, TestDb, on_both_backends};
use serde_json::json;

use crate::http::support::api_key::{Key, with_keys};

on_both_backends!(
    routes_answer_below_a_scope_beside_those_of_the_app,
    routes_answer_at_the_root_of_an_app,
    an_app_decides_about_hosts_and_origins,
    an_app_can_have_the_routes_ask_for_keys,
);

/// An app on a free port, stopped when it is dropped.
struct Host {
    client: Client,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Host {
    fn start(configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .configure(configure.clone())
                        .route("/own", web::get().to(async || "the app's own"))
                })
                .workers(1)
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = receiver.recv().unwrap();
        Self {
            client: Client::new(format!("http://{address}")),
            handle,
            thread: Some(thread),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn routes_answer_below_a_scope_beside_those_of_the_app(db: TestDb) {
    let service = Service::new(&ServerConfig::default(), db.clone()).unwrap();
    let host = Host::start(move |app| {
        app.service(web::scope("/lectern").configure(configure(&service)));
    });
    let client = &host.client;
    assert_eq!(client.get("/own").expect(200).text(), "the app's own");

    let upload = json!({
        "filename": "lecture.mp4", "file_size": 3, "content_type": "video/mp4"
    });
    // No proxy is trusted.
    let created = client
        .request("POST", "/lectern/api/v1/upload")
        .header("X-Forwarded-Host", "evil.example")
        .json(&upload)
        .send()
        .expect(201);
    let location = created.header("Location").unwrap();
    assert!(location.starts_with("/lectern/api/v1/jobs/"), "{location}");
    assert!(created.header("X-Request-Id").is_some());
    let body = created.json();
    let url = body["upload_url"].as_str().unwrap();
    let path = url.strip_prefix(client.base()).unwrap();
    assert!(path.starts_with("/lectern/api/v1/objects/"), "{path}");
    client
        .request("PUT", path)
        .body("video/mp4", "abc")
        .send()
        .expect(200);
    let confirmation = json!({ "job_id": body["job_id"] });
    client
        .post("/lectern/api/v1/upload/confirm", &confirmation)
        .expect(200);
    let job = client.get(location).expect(200).json();
    assert_eq!(job["status"], "queued");

    // Errors have the documented shape, and the host keeps the other paths.
    client
        .get("/lectern/api/v1/jobs/none")
        .problem(404, "job_not_found");
    client
        .delete("/lectern/api/v1/jobs")
        .problem(405, "method_not_allowed");
    client.get("/api/v1/jobs").expect(404);
    client.get("/lectern/docs").expect(200);
    client.get("/lectern/").expect(404);
}

/// `Host` and the origins of pages are the app's responsibility.
fn an_app_decides_about_hosts_and_origins(db: TestDb) {
    let service = Service::new(&ServerConfig::default(), db.clone()).unwrap();
    let host = Host::start(move |app| {
        app.configure(configure(&service));
    });
    let created = host
        .client
        .request("POST", "/api/v1/jobs")
        .header("Host", "app.example")
        .header("Origin", "https://page.example")
        .json(&json!({ "filename": "a.mp4", "file_size": 1, "s3_key": "a.mp4" }))
        .send();
    created.expect(201);
}

fn routes_answer_at_the_root_of_an_app(db: TestDb) {
    let service = Service::new(&ServerConfig::default(), db.clone()).unwrap();
    let host = Host::start(move |app| {
        app.configure(configure(&service));
    });
    let client = &host.client;
    client.get("/own").expect(200);
    client.get("/api/v1/jobs").expect(200);
    client.get("/readyz").expect(200);
    let metrics = client.get("/metrics").expect(200);
    assert!(metrics.text().contains("lectern_info"), "{metrics}");
}

/// By default the app is responsible, as in the other tests.
fn an_app_can_have_the_routes_ask_for_keys(db: TestDb) {
    let key = Key::create(&db, Role::Client);
    let service = Service::new(&with_keys(), db.clone()).unwrap();
    let host = Host::start(move |app| {
        app.service(web::scope("/lectern").configure(configure(&service)));
    });
    let client = &host.client;
    client.get("/own").expect(200);
    client.get("/lectern/healthz").expect(200);
    client
        .get("/lectern/api/v1/jobs/none")
        .problem(401, "authentication_required");
    let get = |path| key.request(client, "GET", path).send();
    get("/lectern/api/v1/jobs").expect(200);
    get("/lectern/metrics").problem(403, "scope_missing");
}
