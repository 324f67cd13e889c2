//! Keys of the interface, and servers that ask for them.

use std::time::Duration;

use lectern_domain::{ApiKeyId, NewApiKey, OwnerName, Role, SystemClock};
use lectern_server::{Authentication, ServerConfig, generate_key};
use lectern_tests::{Client, RequestBuilder, TestDb, TestServer};
use serde_json::Value;

use super::{a_recording, wait_until};

/// A key, and its text.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: ApiKeyId,
    pub(crate) text: String,
    pub(crate) owner: Option<OwnerName>,
}

impl Key {
    /// Stores a key without limits.
    pub(crate) fn create(db: &TestDb, role: Role) -> Self {
        Self::create_as(db, &NewApiKey::new(role))
    }

    pub(crate) fn create_as(db: &TestDb, new: &NewApiKey) -> Self {
        let id = ApiKeyId::new(&SystemClock);
        let (key, hash) = generate_key(id).unwrap();
        db.write(|tx| tx.api_keys().create(id, new, &hash)).unwrap();
        let text = key.reveal();
        let owner = new.owner.clone();
        Self { id, text, owner }
    }

    pub(crate) fn revoke(&self, db: &TestDb) {
        let revoked = db.write(|tx| tx.api_keys().revoke(self.id)).unwrap();
        assert!(revoked.is_some());
    }

    /// Replaces the secret; returns the key with the new one.
    pub(crate) fn rotate(&self, db: &TestDb) -> Self {
        let (key, hash) = generate_key(self.id).unwrap();
        let rotated = db.write(|tx| tx.api_keys().rotate(self.id, &hash)).unwrap();
        assert!(rotated.is_some());
        Self {
            id: self.id,
            text: key.reveal(),
            owner: self.owner.clone(),
        }
    }

    /// A body for a new job over an object that the owner may use.
    pub(crate) fn recording(&self) -> Value {
        let mut body = a_recording();
        if let Some(owner) = &self.owner {
            body["s3_key"] = format!("owners/{owner}/lecture.mp4").into();
        }
        body
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.text)
    }

    /// A request with this key.
    pub(crate) fn request<'c>(
        &self,
        client: &'c Client,
        method: &str,
        path: &str,
    ) -> RequestBuilder<'c> {
        let request = client.request(method, path);
        request.header("Authorization", &self.bearer())
    }
}

/// Settings of a server that asks for keys.
pub(crate) fn with_keys() -> ServerConfig {
    ServerConfig {
        authentication: Authentication::Keys,
        database_timeout: Duration::from_mins(1),
        ..ServerConfig::default()
    }
}

/// A server that asks for keys.
pub(crate) fn serve_with_keys(db: TestDb) -> TestServer {
    TestServer::serve(db, with_keys())
}

/// Waits until `count` claims wait for work. Asks with the key of an admin.
pub(crate) fn wait_for_claims(server: &TestServer, admin: &Key, count: usize) {
    wait_for_metric(server, admin, "lectern_waiting_claims", count);
}

/// Waits until `count` clients watch jobs, streams and long polls together. Asks with the key of
/// an admin.
pub(crate) fn wait_for_watchers(server: &TestServer, admin: &Key, count: usize) {
    wait_for_metric(server, admin, "lectern_watchers", count);
}

fn wait_for_metric(server: &TestServer, admin: &Key, name: &str, value: usize) {
    let line = format!("\n{name} {value}\n");
    wait_until(|| {
        let metrics = admin.request(server, "GET", "/metrics").send();
        metrics.expect(200).text().contains(&line)
    });
}
