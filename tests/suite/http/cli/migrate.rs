//! `lectern migrate`.

use std::fs;

use lectern_tests::{EmptyDb, TestDb, on_both_backends};

use super::{Shell, alter_type};

on_both_backends!(
    commands_apply_and_revert_migrations,
    check_reports_a_missing_column,
    check_reports_a_column_of_another_type,
    check_on_an_empty_database_reports_every_table,
    status_lists_foreign_migrations_and_down_skips_them,
);

#[test]
fn a_generated_migration_exists_for_both_backends() {
    let shell = Shell::new();
    for backend in ["postgres", "sqlite"] {
        fs::create_dir_all(shell.dir().join("migrations").join(backend)).unwrap();
    }
    let output = shell.run(&["migrate", "new", "add_clips_rating"]);
    let paths = output.lines();
    let migration = paths[0].split('/').nth(2).unwrap();
    let (time, name) = migration.split_once('_').unwrap();
    assert_eq!(name, "add_clips_rating");
    assert!(
        chrono::NaiveDateTime::parse_from_str(time, "%Y-%m-%d-%H%M%S").is_ok(),
        "{time}"
    );
    let expected = ["postgres/up", "postgres/down", "sqlite/up", "sqlite/down"].map(|file| {
        let (backend, file) = file.split_once('/').unwrap();
        format!("migrations/{backend}/{migration}/{file}.sql")
    });
    assert_eq!(paths, expected);
    for path in &paths {
        let content = fs::read_to_string(shell.dir().join(path)).unwrap();
        assert!(
            content.lines().all(|line| line.starts_with("-- ")),
            "{path}: {content}"
        );
    }
    assert_eq!(shell.files(), ["migrations"]);

    let again = shell.run(&["migrate", "new", "add_clips_rating"]);
    assert!(again.error_line().contains(migration), "{again:?}");
    for invalid in ["Add", "add rating", "../escape", ""] {
        shell.run(&["migrate", "new", invalid]).usage_error();
    }
    let elsewhere = Shell::new();
    let output = elsewhere.run(&["migrate", "new", "add_x", "--dir", "sql"]);
    assert!(
        output.error_line().contains("sql") && output.error_line().contains("--dir"),
        "{output:?}"
    );
    assert_eq!(elsewhere.files(), [""; 0]);
}

fn commands_apply_and_revert_migrations(db: EmptyDb) {
    let shell = Shell::new();
    let run = |arguments: &str| {
        let words: Vec<_> = ["migrate"]
            .into_iter()
            .chain(arguments.split(' '))
            .collect();
        let output = shell.run_on(db.url(), &words);
        output
            .lines()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let names: Vec<String> = db
        .migrations()
        .status()
        .unwrap()
        .into_iter()
        .map(|m| m.name)
        .collect();
    let lines = |prefix: &str, names: &[String]| {
        names
            .iter()
            .map(|name| format!("{prefix}{name}"))
            .collect::<Vec<_>>()
    };
    let (rest, last) = names.split_at(names.len() - 1);

    assert_eq!(run("status"), lines("pending  ", &names));
    assert_eq!(run("up"), lines("applied ", &names));
    assert_eq!(run("up"), ["nothing to apply"]);
    assert_eq!(run("status"), lines("applied  ", &names));
    assert_eq!(
        run("check"),
        ["the database has the tables this program expects"]
    );
    assert_eq!(run("redo"), lines("reverted and applied ", last));
    assert_eq!(run("down"), lines("reverted ", last));
    assert_eq!(
        run("status"),
        [lines("applied  ", rest), lines("pending  ", last)].concat()
    );
    let newest: Vec<_> = rest.iter().rev().take(2).cloned().collect();
    assert_eq!(run("down 2"), lines("reverted ", &newest));
    assert_eq!(run("down 100").len(), names.len() - 3);
    assert_eq!(run("down"), ["nothing to revert"]);
    assert_eq!(run("redo"), ["nothing to revert"]);
    assert_eq!(run("up"), lines("applied ", &names));
    assert_eq!(shell.files(), [""; 0], "no data directory is created");
}

fn check_reports_a_missing_column(db: TestDb) {
    db.sql()
        .batch("ALTER TABLE layout_analysis DROP COLUMN sample_frame_time")
        .unwrap();
    let output = Shell::new().run_on(db.url(), &["migrate", "check"]);
    assert!(output.error_line().contains("differs"), "{output:?}");
    assert!(
        output
            .out
            .starts_with("layout_analysis.sample_frame_time is missing"),
        "{output:?}"
    );
}

fn check_reports_a_column_of_another_type(db: TestDb) {
    alter_type(&db);
    let output = Shell::new().run_on(db.url(), &["migrate", "check"]);
    assert!(output.error_line().contains("differs"), "{output:?}");
    assert!(
        output.out.starts_with("jobs.error_message is int"),
        "{output:?}"
    );
    assert_eq!(output.out.lines().count(), 1, "{output:?}");
}

fn check_on_an_empty_database_reports_every_table(db: EmptyDb) {
    let output = Shell::new().run_on(db.url(), &["migrate", "check"]);
    assert!(output.error_line().contains("22 places"), "{output:?}");
    assert!(
        output.out.lines().all(|line| line.ends_with(" is missing")),
        "{output:?}"
    );
    assert_eq!(output.out.lines().count(), 22, "{output:?}");
}

fn status_lists_foreign_migrations_and_down_skips_them(db: TestDb) {
    db.sql()
        .execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')")
        .unwrap();
    let shell = Shell::new();
    let status = shell.run_on(db.url(), &["migrate", "status"]);
    assert_eq!(
        status.lines().last().unwrap(),
        &"foreign  29990101000000 (of another program or a newer lectern)"
    );
    let newest = db.migrations().status().unwrap();
    let newest = &newest[newest.len() - 2].name;
    let reverted = shell.run_on(db.url(), &["migrate", "down"]);
    assert_eq!(reverted.lines(), [format!("reverted {newest}")]);
    let applied = shell.run_on(db.url(), &["migrate", "up"]);
    assert_eq!(applied.lines(), [format!("applied {newest}")]);
}
