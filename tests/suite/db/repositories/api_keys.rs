use chrono::TimeDelta;
use lectern_db::Error;
use lectern_domain::{
    ApiKey, ApiKeyId, ApiKeyName, ApiKeyState, NewApiKey, OwnerName, PersonName, Role, SecretHash,
    Session, Stage, Stages,
};
use lectern_tests::{TestDb, on_both_backends};

on_both_backends!(
    a_key_is_found_as_it_was_created,
    a_key_that_breaks_a_rule_is_refused,
    keys_are_listed_newest_first_in_pages,
    a_revoked_key_keeps_its_first_time,
    a_rotated_key_has_another_hash_and_a_revoked_one_is_not_rotated,
    the_last_use_is_recorded_once_a_minute,
    only_a_key_that_is_accepted_is_active,
    an_unreadable_key_is_left_out_of_the_list_and_not_found,
    a_session_ends_with_the_key_that_somebody_signed_in_with,
    sessions_are_deleted_after_they_have_expired,
    nobody_signs_in_with_a_key_that_has_ended_since_it_was_read,
);

fn hash(byte: u8) -> SecretHash {
    SecretHash::of_bytes([byte; 32])
}

fn create(db: &TestDb, new: &NewApiKey) -> ApiKey {
    let key_id = ApiKeyId::new(db.clock());
    db.write(|tx| tx.api_keys().create(key_id, new, &hash(1)))
        .unwrap()
}

fn find(db: &TestDb, key: &ApiKey) -> Option<ApiKey> {
    db.read(|conn| conn.api_keys().find(key.key_id)).unwrap()
}

fn a_key_is_found_as_it_was_created(db: TestDb) {
    let new = NewApiKey {
        name: Some(ApiKeyName::new("whisper on gpu-1").unwrap()),
        role: Role::Worker,
        owner: Some(OwnerName::new("Prüfungsamt").unwrap()),
        stages: Some(Stages::new(vec![Stage::Transcription, Stage::Compilation]).unwrap()),
        expires_at: Some(db.now() + TimeDelta::days(90)),
        session: None,
    };
    let key = create(&db, &new);
    assert_eq!(key.data, new);
    assert_eq!((key.created_at, key.revoked_at), (db.now(), None));
    assert_eq!(key.secret_hash, hash(1));
    assert_eq!(find(&db, &key), Some(key));
    let plain = create(&db, &NewApiKey::new(Role::Metrics));
    assert_eq!(find(&db, &plain), Some(plain));
}

fn a_key_that_breaks_a_rule_is_refused(db: TestDb) {
    let key_id = ApiKeyId::new(db.clock());
    let new = NewApiKey {
        stages: Some(Stages::new(vec![Stage::Transcription]).unwrap()),
        ..NewApiKey::new(Role::Client)
    };
    let refused = db.write(|tx| tx.api_keys().create(key_id, &new, &hash(1)));
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let new = NewApiKey::new(Role::Client);
    let twice = db.write(|tx| {
        tx.api_keys().create(key_id, &new, &hash(1))?;
        tx.api_keys().create(key_id, &new, &hash(2))
    });
    assert!(matches!(twice, Err(Error::Constraint { .. })), "{twice:?}");
    assert_eq!(db.sql().count("api_keys"), 0);
}

fn keys_are_listed_newest_first_in_pages(db: TestDb) {
    let mut created: Vec<_> = (0..5)
        .map(|_| create(&db, &NewApiKey::new(Role::Viewer)))
        .collect();
    created.reverse();
    let list = |before, limit| db.read(|conn| conn.api_keys().list(before, limit)).unwrap();
    assert_eq!(list(None, 100), created);
    assert_eq!(list(None, 2), created[..2]);
    assert_eq!(list(Some(created[1].key_id), 2), created[2..4]);
    assert_eq!(list(Some(created[4].key_id), 2), []);
}

fn a_revoked_key_keeps_its_first_time(db: TestDb) {
    let key = create(&db, &NewApiKey::new(Role::Admin));
    let revoke = || db.write(|tx| tx.api_keys().revoke(key.key_id)).unwrap();
    let first = db.now();
    assert_eq!(revoke().unwrap().revoked_at, Some(first));
    db.clock().advance(TimeDelta::hours(1));
    assert_eq!(revoke().unwrap().revoked_at, Some(first));
    assert_eq!(
        find(&db, &key).unwrap().state(db.now()),
        ApiKeyState::Revoked
    );
    let unknown = ApiKeyId::new(db.clock());
    assert_eq!(db.write(|tx| tx.api_keys().revoke(unknown)).unwrap(), None);
}

fn a_rotated_key_has_another_hash_and_a_revoked_one_is_not_rotated(db: TestDb) {
    let key = create(&db, &NewApiKey::new(Role::Admin));
    let rotate = |byte| {
        db.write(|tx| tx.api_keys().rotate(key.key_id, &hash(byte)))
            .unwrap()
    };
    let rotated = rotate(2).unwrap();
    assert_eq!(rotated.secret_hash, hash(2));
    assert_eq!((rotated.key_id, &rotated.data), (key.key_id, &key.data));
    db.write(|tx| tx.api_keys().revoke(key.key_id)).unwrap();
    assert_eq!(rotate(3), None);
    assert_eq!(find(&db, &key).unwrap().secret_hash, hash(2));
}

fn the_last_use_is_recorded_once_a_minute(db: TestDb) {
    let key = create(&db, &NewApiKey::new(Role::Client));
    let touch = || {
        db.write(|tx| tx.api_keys().touch(key.key_id)).unwrap();
        find(&db, &key).unwrap().last_used_at
    };
    let first = db.now();
    assert_eq!(touch(), Some(first));
    db.clock().advance(TimeDelta::seconds(59));
    assert_eq!(touch(), Some(first));
    db.clock().advance(TimeDelta::seconds(1));
    assert_eq!(touch(), Some(db.now()));
}

fn only_a_key_that_is_accepted_is_active(db: TestDb) {
    let any_active = || db.read(|conn| conn.api_keys().any_active()).unwrap();
    assert!(!any_active());
    let expiring = NewApiKey {
        expires_at: Some(db.now() + TimeDelta::hours(1)),
        ..NewApiKey::new(Role::Client)
    };
    create(&db, &expiring);
    assert!(any_active());
    db.clock().advance(TimeDelta::hours(1));
    assert!(!any_active());
    let key = create(&db, &NewApiKey::new(Role::Client));
    assert!(any_active());
    db.write(|tx| tx.api_keys().revoke(key.key_id)).unwrap();
    assert!(!any_active());
}

/// Only PostgreSQL stores a time that is none: `infinity`. On SQLite the text has the form of
/// a time, of 31 November.
fn an_unreadable_key_is_left_out_of_the_list_and_not_found(db: TestDb) {
    let key = create(&db, &NewApiKey::new(Role::Client));
    let time = match db.backend() {
        lectern_tests::Backend::Postgres => "infinity",
        lectern_tests::Backend::Sqlite => "2026-11-31T00:00:00.000000Z",
    };
    db.sql()
        .execute(&format!("UPDATE api_keys SET expires_at = '{time}'"))
        .unwrap();
    let found = db.read(|conn| conn.api_keys().find(key.key_id));
    assert!(
        matches!(
            found,
            Err(Error::Corrupt {
                table: "api_keys",
                column: "expires_at",
                ..
            })
        ),
        "{found:?}"
    );
    let list = db.read(|conn| conn.api_keys().list(None, 10)).unwrap();
    assert_eq!(list, []);
}

fn session(db: &TestDb, session: Session) -> ApiKey {
    let new = NewApiKey {
        expires_at: Some(db.now() + TimeDelta::hours(12)),
        session: Some(session),
        ..NewApiKey::new(Role::Viewer)
    };
    let stored = create(db, &new);
    assert_eq!(stored.data, new);
    stored
}

fn person() -> Session {
    Session::OfPerson(PersonName::new("ada@example.org").unwrap())
}

fn a_session_ends_with_the_key_that_somebody_signed_in_with(db: TestDb) {
    for end in ["revoke", "rotate"] {
        let [key, other] = [(); 2].map(|()| create(&db, &NewApiKey::new(Role::Viewer)));
        let of_key = session(&db, Session::OfKey(key.key_id));
        let of_other = session(&db, Session::OfKey(other.key_id));
        let of_person = session(&db, person());
        db.write(|tx| match end {
            "revoke" => tx.api_keys().revoke(key.key_id),
            _ => tx.api_keys().rotate(key.key_id, &hash(2)),
        })
        .unwrap();
        assert_eq!(find(&db, &of_key).unwrap().revoked_at, Some(db.now()));
        for unchanged in [other, of_other, of_person] {
            assert_eq!(find(&db, &unchanged), Some(unchanged), "{end}");
        }
    }
}

fn sessions_are_deleted_after_they_have_expired(db: TestDb) {
    let expiring = NewApiKey {
        expires_at: Some(db.now() + TimeDelta::hours(12)),
        ..NewApiKey::new(Role::Viewer)
    };
    let key = create(&db, &expiring);
    let of_person = session(&db, person());
    let of_key = session(&db, Session::OfKey(key.key_id));
    let prune = || db.write(|tx| tx.api_keys().prune_sessions(TimeDelta::days(1)));
    db.clock().advance(TimeDelta::hours(36));
    assert_eq!(prune().unwrap(), 0);
    db.clock().advance(TimeDelta::minutes(1));
    assert_eq!(prune().unwrap(), 2);
    assert_eq!(find(&db, &of_person), None);
    assert_eq!(find(&db, &of_key), None);
    assert_eq!(find(&db, &key), Some(key));
    assert!(!db.read(|conn| conn.api_keys().any_active()).unwrap());
    session(&db, person());
    let any_active = db.read(|conn| conn.api_keys().any_active());
    assert!(
        !any_active.unwrap(),
        "a session is no key to make others with"
    );
}

fn nobody_signs_in_with_a_key_that_has_ended_since_it_was_read(db: TestDb) {
    let begin = |parent: &ApiKey| {
        let new = NewApiKey {
            expires_at: Some(db.now() + TimeDelta::hours(12)),
            session: Some(Session::OfKey(parent.key_id)),
            ..NewApiKey::new(Role::Viewer)
        };
        let key_id = ApiKeyId::new(db.clock());
        let begin = db.write(|tx| tx.api_keys().begin_session(key_id, &new, &hash(3), parent));
        begin.unwrap()
    };
    let [revoked, rotated] = [(); 2].map(|()| create(&db, &NewApiKey::new(Role::Viewer)));
    assert!(begin(&revoked).is_some() && begin(&rotated).is_some());
    db.write(|tx| tx.api_keys().revoke(revoked.key_id)).unwrap();
    let current = db.write(|tx| tx.api_keys().rotate(rotated.key_id, &hash(2)));
    assert_eq!((begin(&revoked), begin(&rotated)), (None, None));
    assert!(begin(&current.unwrap().unwrap()).is_some());
}
