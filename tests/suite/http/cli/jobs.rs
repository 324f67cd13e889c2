//! `lectern jobs`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use lectern_domain::JobStatus;
use lectern_tests::{Lectern, TestDb, a_job, on_both_backends};
use serde_json::{Value, json};

use super::{CommandOutput, Shell};

on_both_backends!(
    jobs_are_listed_newest_first_and_over_pages,
    a_list_is_selected_by_status_and_filename,
    a_job_is_shown_with_its_stages,
    jobs_are_cancelled_queued_again_and_deleted,
    the_other_jobs_are_changed_when_one_cannot_be,
    watching_ends_with_the_job,
    watching_fails_when_the_job_does,
    watching_goes_on_after_a_restart_of_the_server,
);

/// Runs `lectern jobs` against the server.
fn jobs(server: &Lectern, arguments: &[&str]) -> CommandOutput {
    let arguments = [&["jobs", "--server", server.base()], arguments].concat();
    Shell::new().run(&arguments)
}

fn jobs_are_listed_newest_first_and_over_pages(db: TestDb) {
    let server = Lectern::serve(db.url());
    assert_eq!(
        jobs(&server, &[]).lines(),
        ["JOB  STATUS  STAGE  CREATED  FILENAME"]
    );
    let created: Vec<_> = (0..103)
        .map(|n| {
            a_job()
                .filename(&format!("talk {n}.mp4"))
                .create(&db)
                .job_id
                .to_string()
        })
        .collect();
    let listed = jobs(&server, &["list", "-n", "200"]);
    let lines = listed.lines();
    assert_eq!(lines.len(), 104);
    for (line, job_id) in lines[1..].iter().zip(created.iter().rev()) {
        assert!(line.starts_with(&format!("{job_id}  queued ")), "{line}");
    }
    assert!(lines[1].ends_with("Z  talk 102.mp4"), "{}", lines[1]);

    let some = jobs(&server, &["list", "--limit=101", "--json"]);
    assert_eq!(
        some.err,
        "There are more jobs; --limit lists more of them.\n"
    );
    let names = some.out.lines().map(|line| {
        let job: Value = serde_json::from_str(line).unwrap();
        job["filename"].as_str().unwrap().to_owned()
    });
    let expected = (2..103).rev().map(|n| format!("talk {n}.mp4"));
    assert!(names.eq(expected), "{}", some.out);
}

fn a_list_is_selected_by_status_and_filename(db: TestDb) {
    let server = Lectern::serve(db.url());
    for (name, status) in [
        ("Graphs & trees.mp4", JobStatus::Completed),
        ("Sets.mp4", JobStatus::Failed),
        ("graphs & trees 2.mp4", JobStatus::Running),
    ] {
        a_job().filename(name).status(status).create(&db);
    }
    let listed = jobs(
        &server,
        &[
            "list",
            "--status=completed,failed",
            "--filename",
            "GRAPHS & t",
        ],
    );
    let lines = listed.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].ends_with("  Graphs & trees.mp4"), "{lines:?}");
    let unknown = jobs(&server, &["list", "--status=ready"]);
    assert!(unknown.usage_error().contains("ready"), "{unknown:?}");
}

fn a_job_is_shown_with_its_stages(db: TestDb) {
    let server = Lectern::serve(db.url());
    let job = a_job()
        .filename("talk\u{1b}[2J.mp4")
        .create(&db)
        .job_id
        .to_string();
    let claimed = server
        .post(
            "/api/v1/work/claim",
            &json!({"worker": "whisper-1", "stages": ["transcription"]}),
        )
        .expect(200)
        .json();
    let lease = claimed["claims"][0]["lease_id"].as_str().unwrap();
    let report = json!({"percent": 40, "message": "minute 21", "eta_seconds": 95});
    server
        .post(&format!("/api/v1/work/{lease}/heartbeat"), &report)
        .expect(200);
    let shown = jobs(&server, &["show", &job]);
    let lines = shown.lines();
    assert_eq!(lines[0], format!("job       {job}"));
    assert_eq!(lines[1], "filename  talk [2J.mp4");
    assert_eq!(lines[2], "status    running");
    let stage = lines
        .iter()
        .find(|line| line.starts_with("transcription "))
        .unwrap();
    let words: Vec<_> = stage.split_whitespace().collect();
    assert_eq!(
        words[1..8],
        ["running", "40", "%", "1", "of", "3", "whisper-1"],
        "{stage}"
    );
    assert!(stage.ends_with(", about 1:35 left, minute 21"), "{stage}");

    let json = jobs(&server, &["show", &job, "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["job"]["job_id"], job.as_str());
    assert_eq!(
        json["stages"].as_array().unwrap().len(),
        lines.len()
            - lines
                .iter()
                .position(|line| line.starts_with("STAGE"))
                .unwrap()
            - 1
    );
}

fn jobs_are_cancelled_queued_again_and_deleted(db: TestDb) {
    let server = Lectern::serve(db.url());
    let [first, second] = [(); 2].map(|()| a_job().create(&db).job_id.to_string());
    let status = |job: &str| {
        let job = server
            .get(&format!("/api/v1/jobs/{job}"))
            .expect(200)
            .json();
        job["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        jobs(&server, &["cancel", &first, &second]).lines(),
        [format!("{first} cancelled"), format!("{second} cancelled")]
    );
    assert_eq!(status(&second), "cancelled");
    assert_eq!(
        jobs(&server, &["retry", &first]).lines(),
        [format!("{first} queued")]
    );
    assert_eq!(status(&first), "queued");
    assert_eq!(
        jobs(&server, &["rm", &second]).lines(),
        [format!("{second} deleted")]
    );
    server
        .get(&format!("/api/v1/jobs/{second}"))
        .problem(404, "job_not_found");
}

fn the_other_jobs_are_changed_when_one_cannot_be(db: TestDb) {
    let server = Lectern::serve(db.url());
    let [first, last] = [(); 2].map(|()| a_job().create(&db).job_id.to_string());
    let missing = "0190b2c4-0000-7000-8000-000000000000";
    let changed = jobs(&server, &["cancel", &first, missing, &last]);
    assert_eq!(changed.code, Some(1));
    assert_eq!(
        changed.out,
        format!("{first} cancelled\n{last} cancelled\n")
    );
    let errors: Vec<_> = changed.err.lines().collect();
    assert!(
        errors[0].starts_with(&format!("lectern: {missing}: There is no such job")),
        "{errors:?}"
    );
    assert_eq!(errors[1], "lectern: 1 of 3 jobs were not cancelled");

    let alone = jobs(&server, &["cancel", missing]);
    assert!(
        alone
            .error_line()
            .starts_with("lectern: There is no such job"),
        "{alone:?}"
    );
}

/// Starts `lectern jobs watch` and waits until it shows the progress of the job.
fn watch(server: &Lectern, job: &str) -> impl FnOnce() -> CommandOutput + use<> {
    let shell = Shell::new();
    let mut child = shell
        .command(&["jobs", "--server", server.base(), "watch", job])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    stderr.read_line(&mut err).unwrap();
    assert!(err.starts_with("transcription: 25 %, "), "{err}");
    move || {
        stderr.read_to_string(&mut err).unwrap();
        let mut output = CommandOutput::from(child.wait_with_output().unwrap());
        output.err = err;
        drop(shell);
        output
    }
}

/// A job whose transcription is in progress.
fn a_running_job(db: &TestDb, server: &Lectern) -> String {
    let job = a_job().create(db).job_id.to_string();
    let report = json!({"stage": "transcription", "percent": 40});
    server
        .post(&format!("/api/v1/jobs/{job}/progress"), &report)
        .expect(200);
    job
}

fn watching_ends_with_the_job(db: TestDb) {
    let server = Lectern::serve(db.url());
    let job = a_running_job(&db, &server);
    let end = watch(&server, &job);
    server
        .patch(
            &format!("/api/v1/jobs/{job}"),
            &json!({"status": "completed"}),
        )
        .expect(200);
    let output = end();
    assert_eq!(output.code, Some(0), "{output:?}");
    let results = format!("{}/api/v1/results/{job}", server.base());
    assert_eq!(output.out, format!("{job} is completed\n{results}\n"));
    // A job that is finished is not waited for.
    let again = jobs(&server, &["watch", &job]);
    assert_eq!((again.code, again.out), (Some(0), output.out));
}

fn watching_fails_when_the_job_does(db: TestDb) {
    let server = Lectern::serve(db.url());
    let job = a_running_job(&db, &server);
    let end = watch(&server, &job);
    let failed = json!({"status": "failed", "error_message": "out of\ndisk"});
    server
        .patch(&format!("/api/v1/jobs/{job}"), &failed)
        .expect(200);
    let output = end();
    assert_eq!(
        (output.code, output.out.as_str()),
        (Some(1), ""),
        "{output:?}"
    );
    let last = output.err.lines().last().unwrap();
    assert_eq!(last, format!("lectern: {job} failed: out of disk"));
}

fn watching_goes_on_after_a_restart_of_the_server(db: TestDb) {
    let server = Lectern::serve(db.url());
    let address = server.base().trim_start_matches("http://").to_owned();
    let job = a_running_job(&db, &server);
    let end = watch(&server, &job);
    drop(server);
    let server = Lectern::serve_with(db.url(), &[("LECTERN_BIND", &address)]);
    server
        .patch(
            &format!("/api/v1/jobs/{job}"),
            &json!({"status": "completed"}),
        )
        .expect(200);
    let output = end();
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    // Port 9 (discard) of the loopback address.
    let output = Shell::new().run(&["jobs", "--server", "http://127.0.0.1:9/lectern/"]);
    let error = output.error_line();
    assert!(
        error.starts_with("lectern: cannot reach http://127.0.0.1:9/lectern/api/v1: "),
        "{error}"
    );
    let output = Shell::new().run(&["jobs", "--server", "127.0.0.1:9"]);
    assert!(output.usage_error().contains("http://"), "{output:?}");
}
