//! A server to talk to.

use std::ops::Deref;

use lectern_db::Backend;
use lectern_server::{Server, ServerConfig};

use crate::{Client, Fixture, TestDb};

/// A server in this process, on a port and a database of its own. It is a
/// [`Client`] of itself, and gone when it is dropped.
#[derive(Debug)]
pub struct TestServer {
    // The order matters: the server goes before its database.
    _server: Server,
    client: Client,
    db: TestDb,
}

impl TestServer {
    /// Serves a database, with settings of one's own.
    pub fn serve(db: TestDb, config: ServerConfig) -> Self {
        let server = Server::start(config, db.clone()).expect("a free port");
        Self {
            client: Client::new(server.url()),
            _server: server,
            db,
        }
    }

    /// The database it serves; its clock is the server's.
    pub fn db(&self) -> &TestDb {
        &self.db
    }
}

impl Fixture for TestServer {
    fn on(backend: Backend) -> Self {
        Self::serve(TestDb::on(backend), ServerConfig::default())
    }
}

impl Deref for TestServer {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
