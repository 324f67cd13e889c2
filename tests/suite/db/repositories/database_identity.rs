use lectern_tests::{Fixture as _, TestDb, on_both_backends};

on_both_backends!(a_database_has_one_id, the_ids_of_databases_are_random,);

fn a_database_has_one_id(db: TestDb) {
    let find = || db.read(|conn| conn.database_identity().find()).unwrap();
    assert_eq!(find(), None);
    let create = || db.write(|tx| tx.database_identity().find_or_create());
    let id = create().unwrap();
    assert_eq!(create().unwrap(), id);
    assert_eq!(find(), Some(id));
}

fn the_ids_of_databases_are_random(db: TestDb) {
    let other = TestDb::on(db.backend());
    let ids = [&db, &other].map(|db| db.write(|tx| tx.database_identity().find_or_create()));
    let [one, two] = ids.map(Result::unwrap);
    assert_ne!(one, two);
    assert_eq!(one.as_uuid().get_version_num(), 4);
}
