//! The stages of a job, from the first claim to the last completion.

use chrono::TimeDelta;
use lectern_domain::Stage::{
    self, Compilation, ContentAnalysis, LayoutAnalysis, Segmentation, SilenceDetection,
    Transcription,
};
use lectern_tests::{Body, TestServer, a_report, on_both_backends};
use serde_json::{Value, json};

use crate::http::support::worker::{claim, create_job, example_output, stages};
use crate::http::support::{concurrently, dump, job_path};

on_both_backends!(
    a_job_is_completed_stage_by_stage,
    independent_stages_run_in_parallel,
    audio_mode_skips_layout_analysis,
    completion_needs_no_body_and_is_idempotent,
    notes_of_a_stage_are_in_its_run_and_in_the_results,
    a_job_driven_by_reports_updates_its_stages,
);

fn has_status(status: &str) -> impl Fn(&(Stage, String)) -> bool {
    move |(_, actual)| actual == status
}

fn a_job_is_completed_stage_by_stage(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    assert_eq!(
        server.get(&job_path(job_id, "")).json()["progress"],
        Value::Null
    );
    for (done, stage) in Stage::WORK.iter().enumerate() {
        let claimed = claim(&server, Stage::WORK).unwrap();
        assert_eq!(
            (claimed.job_id, claimed.stage, claimed.attempt),
            (job_id, *stage, 1)
        );
        server.db().clock().advance(TimeDelta::seconds(20));
        let beat = json!({ "percent": 50, "message": "half", "eta_seconds": 20 });
        let state = claimed.send(&server, "heartbeat", &beat).expect(200).json();
        assert_eq!(state["cancelled"], json!(false));
        let job = server.get(&job_path(job_id, "")).expect(200).json();
        let mean = (done as f64 * 100.0 + 50.0) / 6.0;
        let told = job["progress"]["percent"].as_f64().unwrap();
        // The mean is rounded to hundredths.
        assert_eq!(format!("{told:.2}"), format!("{mean:.2}"), "{job}");
        assert_eq!(
            (&job["status"], &job["progress"]["stage"]),
            (&json!("running"), &json!(stage))
        );
        assert_eq!(
            (&job["progress"]["message"], &job["progress"]["eta_seconds"]),
            (&json!("half"), &json!(20))
        );
        claimed.store(&server);
        server.db().clock().advance(TimeDelta::seconds(20));
        let returned = claimed
            .send(&server, "complete", &json!({}))
            .expect(200)
            .json();
        assert_eq!(
            (&returned["status"], &returned["percent"]),
            (&json!("completed"), &json!(100))
        );
        let finished = stages(&server, job_id)
            .iter()
            .filter(|run| has_status("completed")(run))
            .count();
        assert_eq!(finished, done + 1);
    }
    assert_eq!(claim(&server, Stage::WORK), None);
    let job = server.get(&job_path(job_id, "")).expect(200).json();
    assert_eq!(
        (&job["status"], &job["completed_at"]),
        (&json!("completed"), &json!("2026-01-01T00:04:00Z"))
    );
    assert_eq!(
        (&job["progress"]["stage"], &job["progress"]["percent"]),
        (&json!("complete"), &json!(100))
    );
    let results = server
        .get(&format!("/api/v1/results/{job_id}"))
        .expect(200)
        .json();
    assert_eq!(results["clips"].as_array().unwrap().len(), 2);
    let logs = server.get(&job_path(job_id, "/logs")).expect(200).json();
    let logged: Vec<_> = logs["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            json!([
                entry["stage"],
                entry["status"],
                entry["agent_name"],
                entry["duration_seconds"]
            ])
        })
        .collect();
    let expected: Vec<_> = Stage::WORK
        .iter()
        .flat_map(|stage| {
            [
                json!([stage, "started", "worker-1", null]),
                json!([stage, "completed", "worker-1", 40.0]),
            ]
        })
        .collect();
    assert_eq!(logged, expected);
}

fn independent_stages_run_in_parallel(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claims = concurrently(6, |_| claim(&server, Stage::WORK));
    let claimed: Vec<_> = claims.into_iter().flatten().collect();
    let mut claimed_stages: Vec<_> = claimed.iter().map(|claimed| claimed.stage).collect();
    claimed_stages.sort();
    assert_eq!(
        claimed_stages,
        [SilenceDetection, Transcription, LayoutAnalysis]
    );
    let progress = || server.get(&job_path(job_id, "")).json()["progress"].clone();
    assert_eq!(progress()["stage"], "silence_detection");
    for (i, claimed) in claimed.iter().enumerate() {
        assert_eq!(claim(&server, Stage::WORK), None, "{i} of 3 are done");
        let waiting = stages(&server, job_id)
            .iter()
            .filter(|run| has_status("waiting")(run))
            .count();
        assert_eq!(waiting, 3);
        claimed.send(&server, "complete", &json!({})).expect(200);
    }
    assert_eq!(progress()["percent"], json!(50));
    assert_eq!(claim(&server, Stage::WORK).unwrap().stage, ContentAnalysis);
}

fn audio_mode_skips_layout_analysis(server: TestServer) {
    let job_id = create_job(
        &server,
        json!({ "processing_config": { "processing_mode": "audio" } }),
    );
    assert_eq!(claim(&server, &[LayoutAnalysis]), None);
    let order: Vec<_> = std::iter::from_fn(|| {
        let claimed = claim(&server, Stage::WORK)?;
        claimed.send(&server, "complete", &json!({})).expect(200);
        Some(claimed.stage)
    })
    .collect();
    assert_eq!(
        order,
        [
            SilenceDetection,
            Transcription,
            ContentAnalysis,
            Segmentation,
            Compilation
        ]
    );
    assert_eq!(
        server.get(&job_path(job_id, "")).json()["status"],
        "completed"
    );
    assert_eq!(stages(&server, job_id).len(), 5);
}

fn completion_needs_no_body_and_is_idempotent(server: TestServer) {
    create_job(&server, json!({}));
    for stage in [SilenceDetection, Transcription] {
        let claimed = claim(&server, &[stage]).unwrap();
        let path = format!("/api/v1/work/{}/complete", claimed.lease);
        let first = server.request("POST", &path).send().expect(200);
        server.db().clock().advance(TimeDelta::hours(2));
        let before = dump(server.db());
        for again in [
            server.request("POST", &path).send(),
            server
                .request("POST", &path)
                .body("application/json", "")
                .send(),
            server.post(&path, &json!({})),
        ] {
            assert_eq!(again.expect(200).json(), first.json());
        }
        assert_eq!(dump(server.db()), before);
    }
}

fn notes_of_a_stage_are_in_its_run_and_in_the_results(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Transcription]).unwrap();
    for notes in [
        json!([{ "message": "" }]),
        json!([{ "level": "error", "message": "m" }]),
        json!(vec![json!({ "message": "m" }); 51]),
    ] {
        claimed
            .send(&server, "complete", &json!({ "notes": notes }))
            .problem(422, "validation_failed");
    }
    let notes = json!([
        { "message": "taken from talk.srt" },
        { "level": "warning", "message": "3 of 812 cues have no text" },
    ]);
    let run = claimed
        .send(&server, "complete", &json!({ "notes": notes }))
        .expect(200)
        .json();
    let expected = json!([
        { "level": "info", "message": "taken from talk.srt" },
        { "level": "warning", "message": "3 of 812 cues have no text" },
    ]);
    assert_eq!(run["notes"], expected);
    let stages = server.get(&job_path(job_id, "/stages")).expect(200).json();
    for stage in stages["stages"].as_array().unwrap() {
        let is_transcription = stage["stage"] == "transcription";
        assert_eq!(
            stage["notes"],
            if is_transcription {
                expected.clone()
            } else {
                json!([])
            }
        );
    }
    server
        .patch(&job_path(job_id, ""), &json!({ "status": "completed" }))
        .expect(200);
    let results = server
        .get(&format!("/api/v1/results/{job_id}"))
        .expect(200)
        .json();
    assert_eq!(
        results["notes"],
        json!([
            { "stage": "transcription", "level": "info", "message": "taken from talk.srt" },
            { "stage": "transcription", "level": "warning", "message": "3 of 812 cues have no text" },
        ])
    );
}

fn a_job_driven_by_reports_updates_its_stages(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let report = |stage, percent| {
        server
            .post(
                &job_path(job_id, "/progress"),
                &a_report(stage, percent).body(),
            )
            .expect(200)
            .json()
    };
    report(Transcription, 40.0);
    let runs = stages(&server, job_id);
    assert_eq!(runs[1], (Transcription, "running".to_owned()));
    assert_eq!(
        claim(&server, &[Transcription]),
        None,
        "the stage is running"
    );
    let returned = server.get(&job_path(job_id, "/stages")).json();
    assert_eq!(
        (
            &returned["stages"][1]["percent"],
            &returned["stages"][1]["attempt"]
        ),
        (&json!(40), &json!(0))
    );
    assert_eq!(report(Compilation, 10.0)["progress"]["percent"], json!(10));
    let (below, body) = example_output(Transcription);
    server.put(&job_path(job_id, below), &body).expect(200);
    server
        .patch(&job_path(job_id, ""), &json!({ "status": "completed" }))
        .expect(200);
    assert!(
        stages(&server, job_id).iter().all(has_status("skipped")),
        "{:?}",
        stages(&server, job_id)
    );
    assert_eq!(claim(&server, Stage::WORK), None);
}
