//! `lectern serve`.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::process::Stdio;

use lectern_db::MigrationStatus;
use lectern_tests::{EmptyDb, Lectern, Sql, TestDb, on_both_backends};
use serde_json::{Value, json};

use super::{Shell, alter_type};
use crate::http::support::{JOBS, a_recording, concurrently};

on_both_backends!(
    a_server_refuses_to_start_on_drifted_tables,
    a_server_migrates_an_empty_database_before_it_listens,
    concurrently_started_servers_migrate_once,
    environment_variables_configure_the_server,
    a_second_server_on_one_port_reports_the_conflict,
    the_json_log_format_is_one_object_per_line,
    the_text_log_format_is_one_line_per_request,
);

#[test]
fn a_server_without_settings_uses_the_working_directory() {
    let shell = Shell::new();
    let dir = shell.dir().join("data");
    // An empty database URL means the default.
    let server = Lectern::serve_with("", &[("LECTERN_DATA_DIR", dir.to_str().unwrap())]);
    server.post(JOBS, &a_recording()).expect(201);
    assert_eq!(
        Sql::connect(&format!("sqlite://{}", dir.join("lectern.db").display())).count("jobs"),
        1
    );
}

fn a_server_refuses_to_start_on_drifted_tables(db: TestDb) {
    // The port is in use, so that a server that ignores the drift fails, too.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = || Shell::new().run_on(db.url(), &["serve", "--log", "error", "--bind", &address]);
    alter_type(&db);
    let output = serve();
    assert!(
        output.error_line().contains("jobs.error_message is int"),
        "{output:?}"
    );
    db.sql()
        .batch("ALTER TABLE layout_analysis DROP COLUMN sample_frame_time")
        .unwrap();
    let output = serve();
    assert!(
        output.error_line().contains("jobs.error_message is int"),
        "{output:?}"
    );
    assert!(
        output
            .error_line()
            .contains("layout_analysis.sample_frame_time is missing"),
        "{output:?}"
    );
}

fn a_server_migrates_an_empty_database_before_it_listens(db: EmptyDb) {
    let server = Lectern::serve(db.url());
    server.get("/readyz").expect(200);
    assert_eq!(db.drift().unwrap(), []);
    let migrations = db.migrations().status().unwrap();
    assert!(migrations.iter().all(MigrationStatus::is_applied));
    assert!(
        server.log().contains(&applied_all(&migrations)),
        "{}",
        server.log()
    );
}

/// The line of the log about all migrations.
fn applied_all(migrations: &[MigrationStatus]) -> String {
    let (first, last) = (&migrations[0].name, &migrations[migrations.len() - 1].name);
    format!(
        " applied {} migrations, {first} to {last}\n",
        migrations.len()
    )
}

fn concurrently_started_servers_migrate_once(db: EmptyDb) {
    let servers = concurrently(4, |_| Lectern::serve(db.url()));
    let applied: Vec<_> = servers
        .iter()
        .flat_map(|server| {
            let log = server.log();
            let lines = log.lines().filter(|line| line.contains(" applied "));
            lines.map(|line| format!("{line}\n")).collect::<Vec<_>>()
        })
        .collect();
    let [only] = &applied[..] else {
        panic!("{applied:?}");
    };
    let migrations = db.migrations().status().unwrap();
    assert!(only.ends_with(&applied_all(&migrations)), "{only}");
    let created = servers[0].post(JOBS, &a_recording()).expect(201);
    for server in &servers {
        server.get("/readyz").expect(200);
        assert_eq!(
            server
                .get(created.header("Location").unwrap())
                .expect(200)
                .json(),
            created.json()
        );
    }
}

fn environment_variables_configure_the_server(db: TestDb) {
    let server = Lectern::serve_with(
        db.url(),
        &[
            ("LECTERN_MAX_BODY", "100"),
            ("LECTERN_MAX_OUTPUT_BODY", "200"),
            (
                "LECTERN_CORS_ORIGINS",
                "https://a.example, https://b.example",
            ),
            ("LECTERN_POOL_SIZE", "2"),
            ("LECTERN_POOL_OVERFLOW", "1"),
        ],
    );
    let job = json!({ "filename": "a", "file_size": 1, "s3_key": "k" });
    let created = server
        .request("POST", JOBS)
        .header("Origin", "https://b.example")
        .json(&job)
        .send()
        .expect(201);
    assert_eq!(
        created.header("Access-Control-Allow-Origin"),
        Some("https://b.example")
    );
    let long = json!({ "filename": "a", "file_size": 1, "s3_key": "k".repeat(80) });
    server.post(JOBS, &long).problem(413, "body_too_large");
    let transcripts = format!("{}/transcripts", created.header("Location").unwrap());
    let output =
        |text: &str| json!({ "segments": [{ "start_time": 0, "end_time": 1, "text": text }] });
    server
        .put(&transcripts, &output(&"a".repeat(120)))
        .expect(200);
    server
        .put(&transcripts, &output(&"a".repeat(160)))
        .problem(413, "body_too_large");
    // A pool of two and an overflow of one; on SQLite two readers and one
    // writer.
    let metrics = server.get("/metrics").expect(200);
    assert!(
        metrics.text().contains("\nlectern_db_connections_max 3\n"),
        "{metrics}"
    );
}

fn a_second_server_on_one_port_reports_the_conflict(db: TestDb) {
    let server = Lectern::serve(db.url());
    let address = server.base().strip_prefix("http://").unwrap();
    let output = Shell::new().run_on(db.url(), &["serve", "--log", "warn", "--bind", address]);
    assert!(
        output
            .error_line()
            .contains(&format!("cannot listen on {address}")),
        "{output:?}"
    );
    server.get("/readyz").expect(200);
}

#[test]
fn a_port_alone_after_a_colon_means_all_addresses() {
    let shell = Shell::new();
    let mut server = shell
        .command(&["--with-worker=false", "--auth=off", "--bind=:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(server.stderr.take().unwrap());
    let port = log.lines().map(Result::unwrap).find_map(|line| {
        let (_, rest) = line.split_once("listens on http://[::]:")?;
        rest.split(' ').next()?.parse::<u16>().ok()
    });
    let reached = port.map(|port| {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
            && TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok()
    });
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(reached, Some(true));
}

/// An address for documentation, which no machine has.
const FOREIGN: &str = "--bind=192.0.2.1:8080";

#[test]
fn an_address_of_another_machine_is_refused_before_a_file_is_created() {
    let shell = Shell::new();
    for arguments in [&["serve", FOREIGN][..], &[FOREIGN]] {
        let output = shell.run(arguments);
        let error = output.error_line();
        assert!(
            error.contains("cannot listen on 192.0.2.1:8080"),
            "{output:?}"
        );
    }
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn without_a_command_the_options_of_serve_are_taken() {
    let shell = Shell::new();
    for option in ["--with-worker=false", "--lease=30"] {
        for arguments in [[option, FOREIGN], [FOREIGN, option]] {
            let output = shell.run(&arguments);
            let error = output.error_line();
            assert!(
                error.contains("cannot listen on 192.0.2.1:8080"),
                "{output:?}"
            );
        }
    }
    let output = shell.run(&["--with-worker=perhaps"]);
    assert!(output.usage_error().contains("--with-worker"), "{output:?}");
    let output = shell.run(&["--with-worker=false", "migrate", "up"]);
    assert!(output.usage_error().contains("--with-worker"), "{output:?}");
    assert_eq!(shell.files(), [""; 0]);
}

fn the_json_log_format_is_one_object_per_line(db: TestDb) {
    let mut server = Lectern::serve_with(db.url(), &[("LECTERN_LOG_FORMAT", "json")]);
    let request = server
        .request("GET", "/nowhere?secret=1")
        .header("X-Request-Id", "trace-7");
    request.send().problem(404, "not_found");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let log = server.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| ["time", "level", "target", "message"]
                .iter()
                .all(|key| line[*key].is_string())),
        "{log}"
    );
    let access: Vec<_> = lines
        .iter()
        .filter(|line| line["request_id"] == "trace-7")
        .collect();
    let [access] = access.as_slice() else {
        panic!("{log}")
    };
    assert_eq!(
        (&access["method"], &access["path"], &access["status"]),
        (&"GET".into(), &"/nowhere".into(), &404.into())
    );
    assert_eq!(access["client"], "127.0.0.1");
    assert!(!log.contains("secret"), "{log}");
}

fn the_text_log_format_is_one_line_per_request(db: TestDb) {
    let mut server = Lectern::serve(db.url());
    server
        .request("GET", JOBS)
        .header("X-Request-Id", "trace-7")
        .send()
        .expect(200);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let log = server.log();
    let access: Vec<_> = log
        .lines()
        .filter(|line| line.contains("trace-7"))
        .collect();
    let [access] = access.as_slice() else {
        panic!("{log}")
    };
    for part in [" INFO ", "client=127.0.0.1", "GET", JOBS, "200"] {
        assert!(access.contains(part), "{access}");
    }
}
