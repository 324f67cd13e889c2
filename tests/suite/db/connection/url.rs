use lectern_db::{Database, Error};

#[test]
fn an_invalid_url_is_an_error_and_creates_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lectern.db");
    let path = path.display();
    for url in [
        format!("{path}"),
        format!("sqlite:{path}"),
        format!("sqlit://{path}"),
        format!("sqlite3://{path}"),
        format!("SQLITE://{path}"),
        format!("file:{path}"),
        format!("file://{path}"),
        format!("mysql://{path}"),
        format!("postgers://{path}"),
        format!(" sqlite://{path}"),
        format!("sqlite://{path}/"),
        format!("sqlite://{path}\0"),
        "sqlite://".to_owned(),
        "sqlite::memory".to_owned(),
        "sqlite://:memory:".to_owned(),
        ":memory:".to_owned(),
        String::new(),
    ] {
        let error = Database::open(&url).expect_err(&url);
        assert!(matches!(error, Error::Url(_)), "{url}: {error:?}");
        let message = error.to_string();
        for accepted in ["sqlite://", "sqlite::memory:", "postgres://"] {
            assert!(message.contains(accepted), "{url}: {message}");
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_file_in_a_missing_directory_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/missing/lectern.db", dir.path().display());
    let error = Database::open(&url)
        .and_then(|db| db.migrate())
        .unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn an_in_memory_database_is_shared_by_all_connections() {
    let db = Database::open("sqlite::memory:").unwrap();
    db.migrate().unwrap();
    let job = lectern_tests::a_job().create(&db);
    let found = db.read(|conn| conn.jobs().find(job.job_id)).unwrap();
    assert_eq!(found, Some(job));
    let other = Database::open("sqlite::memory:").unwrap();
    assert_eq!(
        other.migrate().unwrap().len(),
        db.migrations().status().unwrap().len()
    );
}

#[test]
fn errors_and_debug_output_hide_the_password() {
    let url = "postgres://lectern:s3cret@127.0.0.1:1/lectern?password=s3cret";
    let db = Database::open(url)
        .unwrap()
        .with_checkout_timeout(std::time::Duration::from_millis(50));
    let error = db.ping().unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    for text in [
        error.to_string(),
        format!("{error:?}"),
        format!("{db:?}"),
        db.url().to_string(),
    ] {
        assert!(!text.contains("s3cret"), "{text}");
    }
}
