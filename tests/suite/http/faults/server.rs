//! The server is killed.

use std::sync::RwLock;
use std::thread;

use lectern_db::Database;
use lectern_tests::{Client, Lectern, TestDb, on_both_backends};

use super::load::Load;

on_both_backends!(nothing_acknowledged_is_lost_and_nothing_half_done_when_the_server_is_killed);

/// Threads that are clients of whatever server there is.
const CLIENTS: usize = 4;

/// How often the server is killed.
const TIMES: usize = 20;

fn nothing_acknowledged_is_lost_and_nothing_half_done_when_the_server_is_killed(db: TestDb) {
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
            // Held, so that the clients do not knock at a closed door meanwhile.
            let mut address = address.write().unwrap();
            lectern = Lectern::serve(db.url());
            *address = (*lectern).clone();
        }
        load.wait_for(2 * CLIENTS);
        load.end();
    });
    load.check(&Database::open(db.url()).unwrap());
}
