use std::sync::Barrier;

use lectern_db::Database;
use lectern_tests::{EmptyDb, a_completed_job, on_both_backends};

on_both_backends!(
    concurrent_initializations_apply_each_migration_once,
    connecting_to_an_empty_database_does_not_migrate_it,
);

fn concurrent_initializations_apply_each_migration_once(db: EmptyDb) {
    let barrier = Barrier::new(8);
    let applied: Vec<Vec<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    Database::open(db.url()).unwrap().init().unwrap()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let all: Vec<String> = db
        .migrations()
        .status()
        .unwrap()
        .into_iter()
        .map(|m| m.name)
        .collect();
    let non_empty: Vec<_> = applied.iter().filter(|names| !names.is_empty()).collect();
    assert_eq!(non_empty, [&all]);
    assert_eq!(db.drift().unwrap(), []);
    a_completed_job(&db);
}

fn connecting_to_an_empty_database_does_not_migrate_it(db: EmptyDb) {
    let error = db.read(|conn| conn.jobs().count(&lectern_domain::JobFilter::default()));
    assert!(error.is_err());
    db.ping().unwrap();
}
