//! Kills of the server.

use std::sync::RwLock;
use std::thread;

use lectern_db::Database;
use lectern_tests::{Client, Lectern, TestDb, on_both_backends};

use super::load::Load;

on_both_backends!(acknowledged_writes_survive_a_killed_server_and_others_are_whole);

/// Client threads, which use the current server.
const CLIENTS: usize = 4;

/// How often the server is killed.
const TIMES: usize = 20;

fn acknowledged_writes_survive_a_killed_server_and_others_are_whole(db: TestDb) {
    let load = Load::default();
    let mut lectern = Lectern::serve(db.url());
    let address: RwLock<Client> = RwLock::new((*lectern).clone());
    thread::scope(|scope| {
        let work = || load.run_against(|| address.read().unwrap().clone());
        for _ in 0..CLIENTS {
            scope.spawn(work);
        }
        for _ in 0..TIMES {
            load.wait_for(2 * CLIENTS);
            lectern.signal("KILL");
            lectern.wait();
            // The lock keeps the clients from sending while no server runs.
            let mut address = address.write().unwrap();
            lectern = Lectern::serve(db.url());
            *address = (*lectern).clone();
        }
        load.wait_for(2 * CLIENTS);
        load.end();
    });
    load.check(&Database::open(db.url()).unwrap());
}
