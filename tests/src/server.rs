//! A server in the test process.

use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use lectern_db::Backend;
use lectern_server::{Server, ServerConfig};
use lectern_storage::{Secret, Storage, StorageConfig};
use tempfile::TempDir;

use crate::database::temp_dir;
use crate::{Client, Fixture, TestDb};

/// A server in this process with its own port, database and object directory.
/// It dereferences to a [`Client`] of the server, which stops on drop.
#[derive(Debug)]
pub struct TestServer {
    // The order matters: the server stops before its database and objects are
    // removed.
    _server: Server,
    client: Client,
    db: TestDb,
    objects: TempDir,
}

impl TestServer {
    /// Serves a database with this configuration.
    pub fn serve(db: TestDb, config: ServerConfig) -> Self {
        let objects = temp_dir();
        let storage = config.storage.unwrap_or_else(|| disk(objects.path()));
        let config = ServerConfig {
            storage: Some(storage),
            ..config
        };
        let server = Server::start(config, db.clone()).expect("a free port");
        Self {
            client: Client::new(server.url()),
            _server: server,
            db,
            objects,
        }
    }

    /// The database it serves; its clock is the server's.
    pub fn db(&self) -> &TestDb {
        &self.db
    }

    /// The directory of its objects, unless the configuration has another
    /// storage.
    pub fn objects(&self) -> &Path {
        self.objects.path()
    }
}

fn disk(dir: &Path) -> Storage {
    let place = StorageConfig::Local {
        dir: dir.to_owned(),
    };
    let secret = Secret::random().expect("random bytes");
    Storage::open(&place, secret).expect("a writable temporary directory")
}

impl Fixture for TestServer {
    /// A server with long timeouts, so that no test depends on the speed of the
    /// machine.
    fn on(backend: Backend) -> Self {
        let config = ServerConfig {
            database_timeout: Duration::from_mins(1),
            ..ServerConfig::default()
        };
        Self::serve(TestDb::on(backend), config)
    }
}

impl Deref for TestServer {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
