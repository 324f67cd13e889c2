//! Kills of the server.

use std::sync::RwLock;
use std::thread;

use lectern_db::Database;
use lectern_tests::{Client, Lectern, TestDb, on_both_backends};

use super::load::Load;

on_both_backends!(acknowledged_writes_survive_a_killed_server_and_jobs_stay_consistent);

/// The number of client threads.
const CLIENTS: usize = 4;

/// How many times the server is killed.
const KILLS: usize = 20;

fn acknowledged_writes_survive_a_killed_server_and_jobs_stay_consistent(db: TestDb) {
    let load = Load::default();
    let mut lectern = Lectern::serve(db.url());
    let current: RwLock<Client> = RwLock::new((*lectern).clone());
    thread::scope(|scope| {
        let work = || load.run_against(|| current.read().unwrap().clone());
        for _ in 0..CLIENTS {
            scope.spawn(work);
        }
        for _ in 0..KILLS {
            load.wait_for(2 * CLIENTS);
            lectern.signal("KILL");
            lectern.wait();
            // The lock keeps the clients from sending while no server runs.
            let mut current = current.write().unwrap();
            lectern = Lectern::serve(db.url());
            *current = (*lectern).clone();
        }
        load.wait_for(2 * CLIENTS);
        load.end();
    });
    load.check(&Database::open(db.url()).unwrap());
}
