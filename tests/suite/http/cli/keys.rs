//! `lectern keys`.

use lectern_tests::{Lectern, TestDb, a_job, on_both_backends};
use serde_json::Value;

use super::{CommandOutput, Shell};
use crate::http::support::JOBS;

on_both_backends!(
    a_new_key_is_the_only_output_and_is_accepted,
    keys_are_listed_without_secrets,
    a_revoked_key_is_not_rotated,
    mistakes_are_named,
    jobs_are_listed_with_a_key,
    keys_are_in_no_log,
);

fn keys(db: &TestDb, arguments: &[&str]) -> CommandOutput {
    Shell::new().run_on(db.url(), &[&["keys"], arguments].concat())
}

/// Makes a key; returns its text.
fn new_key(db: &TestDb, arguments: &[&str]) -> String {
    let output = keys(db, &[&["new"], arguments].concat());
    let [key] = output.lines()[..] else {
        panic!("{output:?}")
    };
    assert!(key.starts_with("lct_") && key.len() == 86, "{key}");
    key.to_owned()
}

/// The id in the text of a key, as UUIDs are written.
fn id_of(key: &str) -> String {
    let hex = &key[4..36];
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

fn serve_with_keys(db: &TestDb) -> Lectern {
    Lectern::serve_with(db.url(), &[("LECTERN_AUTH", "keys")])
}

fn status(server: &Lectern, key: &str) -> u16 {
    let request = server.request("GET", JOBS).header("X-API-Key", key);
    request.send().status
}

fn a_new_key_is_the_only_output_and_is_accepted(db: TestDb) {
    let key = new_key(&db, &["--role", "viewer"]);
    let server = serve_with_keys(&db);
    assert_eq!(status(&server, &key), 200);
    let rotated = keys(&db, &["rotate", &id_of(&key)]);
    let rotated = rotated.lines()[0];
    assert_ne!(rotated, key);
    assert_eq!(id_of(rotated), id_of(&key));
    assert_eq!(status(&server, rotated), 200);
}

fn keys_are_listed_without_secrets(db: TestDb) {
    assert_eq!(keys(&db, &["list"]).lines().len(), 1);
    let first = new_key(
        &db,
        &["--role=client", "--owner=Prüfungsamt", "--name=uploader"],
    );
    let stages = "--stages=transcription,compilation";
    let second = new_key(&db, &["--role=worker", stages, "--expires=90d"]);
    keys(&db, &["revoke", &id_of(&first)]).lines();
    let list = keys(&db, &["list"]);
    let lines = list.lines();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with(&id_of(&second)), "{list:?}");
    assert!(
        lines[1].contains("worker (transcription,compilation)  active"),
        "{list:?}"
    );
    assert!(lines[2].starts_with(&id_of(&first)), "{list:?}");
    assert!(lines[2].contains("client"), "{list:?}");
    assert!(lines[2].contains("revoked"), "{list:?}");
    assert!(lines[2].ends_with("Prüfungsamt  uploader"), "{list:?}");
    let json = keys(&db, &["list", "--json"]);
    let objects: Vec<Value> = json
        .lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects[0]["key_id"], id_of(&second));
    assert_eq!(
        objects[0]["stages"],
        serde_json::json!(["transcription", "compilation"])
    );
    assert_eq!(objects[1]["owner"], "Prüfungsamt");
    assert!(objects[1]["revoked_at"].is_string());
    for key in [&first, &second] {
        assert!(!list.out.contains(&key[37..]) && !json.out.contains(&key[37..]));
    }
}

fn a_revoked_key_is_not_rotated(db: TestDb) {
    let key = new_key(&db, &["--role=admin"]);
    let id = id_of(&key);
    assert_eq!(
        keys(&db, &["revoke", &id]).lines(),
        [format!("{id} revoked")]
    );
    // Once more is the same.
    assert_eq!(
        keys(&db, &["revoke", &id]).lines(),
        [format!("{id} revoked")]
    );
    let output = keys(&db, &["rotate", &id]);
    assert!(output.error_line().contains("was revoked"), "{output:?}");
    assert_eq!(output.out, "");
    for command in ["rotate", "revoke"] {
        let output = keys(&db, &[command, "00000000-0000-7000-8000-000000000000"]);
        assert!(
            output.error_line().contains("there is no key"),
            "{output:?}"
        );
    }
}

fn mistakes_are_named(db: TestDb) {
    for (arguments, named) in [
        (&["--role=root"][..], "must be one of admin, client"),
        (&[], "--role"),
        (&["--role=worker", "--stages=sleeping"], "sleeping"),
        (&["--role=client", "--expires=soon"], "90d"),
        (&["--role=client", "--name="], "1 to 100 characters"),
    ] {
        let output = keys(&db, &[&["new"], arguments].concat());
        assert!(output.usage_error().contains(named), "{output:?}");
    }
    for (arguments, named) in [
        (
            &["--role=client", "--stages=transcription"][..],
            "only workers have stages",
        ),
        (&["--role=worker", "--stages=uploading"], "--stages"),
        (&["--role=client", "--expires=2020-01-01"], "in the future"),
    ] {
        let output = keys(&db, &[&["new"], arguments].concat());
        assert!(output.error_line().contains(named), "{output:?}");
    }
    assert_eq!(keys(&db, &["list"]).lines().len(), 1);
}

fn jobs_are_listed_with_a_key(db: TestDb) {
    let job = a_job().create(&db).job_id.to_string();
    let key = new_key(&db, &["--role=client"]);
    let server = serve_with_keys(&db);
    let jobs = |key: Option<&str>| {
        let shell = Shell::new();
        let mut command = shell.command(&["jobs", "--server", server.base()]);
        command.envs(key.map(|key| ("LECTERN_API_KEY", key)));
        CommandOutput::from(command.output().unwrap())
    };
    assert!(jobs(Some(&key)).lines()[1].starts_with(&job));
    for missing in [None, Some("")] {
        let output = jobs(missing);
        assert!(
            output.error_line().contains("A key is required"),
            "{output:?}"
        );
    }
    let output = jobs(Some(&key[..80]));
    assert!(output.error_line().contains("malformed"), "{output:?}");
    assert!(!output.err.contains(&key[40..60]), "{output:?}");
    let arguments = ["jobs", "--server", server.base(), "--api-key", &key, "list"];
    assert!(Shell::new().run(&arguments).lines()[1].starts_with(&job));
    // The value of the variable is not in the help.
    let shell = Shell::new();
    let mut help = shell.command(&["jobs", "--help"]);
    let help = help.env("LECTERN_API_KEY", &key).output().unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains(&key[40..60]));
}

fn keys_are_in_no_log(db: TestDb) {
    let key = new_key(&db, &["--role=viewer"]);
    let settings = [("LECTERN_AUTH", "keys"), ("LECTERN_LOG", "trace")];
    let mut server = Lectern::serve_with(db.url(), &settings);
    assert_eq!(status(&server, &key), 200);
    assert_eq!(status(&server, &key[..80]), 401);
    let request = server.request("POST", JOBS);
    request
        .header("Authorization", &format!("Bearer {key}"))
        .send()
        .expect(403);
    server.signal("TERM");
    assert!(server.wait().success());
    let log = server.log();
    assert!(log.contains(JOBS), "{log}");
    assert!(!log.contains(&key[40..60]), "{log}");
}
