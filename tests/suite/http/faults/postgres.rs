//! PostgreSQL crashes and comes back; SQLite has no such habit.

use std::thread;

use lectern_db::Database;
use lectern_server::{Server, ServerConfig};
use lectern_tests::{Client, Cluster};

use super::load::Load;

/// How often PostgreSQL crashes.
const TIMES: usize = 3;

#[test]
fn nothing_acknowledged_is_lost_when_the_database_crashes_and_whoever_asks_meanwhile_is_told() {
    let mut cluster = Cluster::that_keeps_commits();
    let database = Database::open(cluster.url()).unwrap();
    database.init().unwrap();
    let server = Server::start(ServerConfig::default(), database.clone()).unwrap();
    let client = Client::new(server.url());
    let load = Load::default();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| load.run_against(|| client.clone()));
        }
        for _ in 0..TIMES {
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
