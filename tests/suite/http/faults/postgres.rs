//! Crashes of PostgreSQL.

use std::thread;

use lectern_db::Database;
use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, Cluster};

use super::load::Load;

/// The number of crashes of PostgreSQL.
const CRASHES: usize = 3;

#[test]
fn acknowledged_writes_survive_a_database_crash() {
    let mut cluster = Cluster::with_durable_commits();
    let database = Database::open(cluster.url()).unwrap();
    database.migrate().unwrap();
    let server = Server::start(ServerConfig::default(), database.clone()).unwrap();
    let client = Client::new(server.url());
    let load = Load::default();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| load.run_against(|| client.clone()));
        }
        for _ in 0..CRASHES {
            load.wait_for(20);
            cluster.stop();
            client.get("/readyz").problem(503, "database_unavailable");
            cluster.start_again();
            client.get("/readyz").expect(200);
        }
        load.wait_for(20);
        load.end();
    });
    load.check(&database);
}
