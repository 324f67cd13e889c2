use chrono::TimeDelta;
use lectern_domain::{JobId, JobStatus, LogStatus, NewTranscriptSegment, Stage, TimeRange};
use lectern_tests::{
    Body, TestServer, a_completed_job, a_job, a_layout, a_log_entry, a_report, clips,
    content_segments, on_both_backends, segments, silence_regions, snapshot,
};
use serde_json::{Value, json};

use super::clips::CLIPS;
use super::content_segments::CONTENT_SEGMENTS;
use super::layout_analysis;
use super::silence_regions::SILENCE_REGIONS;
use super::transcripts::TRANSCRIPT_SEGMENTS;
use crate::http::support::{JOBS, UNKNOWN_ID, job_path};

on_both_backends!(
    results_of_a_processed_lecture_hold_all_stage_output,
    results_of_a_small_job_match_the_snapshot,
    a_job_without_output_has_empty_results,
    an_uncompleted_job_has_no_results,
    results_of_an_unknown_job_are_not_found,
    results_hold_only_their_own_jobs_output,
);

pub(super) fn results_of(job_id: JobId) -> String {
    format!("/api/v1/results/{job_id}")
}

/// A transcript of 100 minutes with times that have no short decimal form.
fn a_lecture() -> Vec<NewTranscriptSegment> {
    let third = |i: usize| i as f64 * 10.0 / 3.0;
    let time = |i| TimeRange::new(third(i), third(i + 1) - 0.1).unwrap();
    segments(2_400)
        .into_iter()
        .enumerate()
        .map(|(i, segment)| NewTranscriptSegment {
            time: time(i),
            ..segment
        })
        .collect()
}

/// The output of a stage and how it is read back.
struct Output {
    stage: Stage,
    below: &'static str,
    sent: Value,
    as_sent: fn(Value) -> Value,
}

/// The output of all stages for a lecture.
fn outputs() -> [Output; 4] {
    [
        Output {
            stage: Stage::SilenceDetection,
            below: "/silence-regions",
            sent: json!({ "regions": silence_regions(95).body() }),
            as_sent: |answer| json!({ "regions": SILENCE_REGIONS.as_sent(answer) }),
        },
        Output {
            stage: Stage::Transcription,
            below: "/transcripts",
            sent: json!({ "segments": a_lecture().body() }),
            as_sent: |answer| json!({ "segments": TRANSCRIPT_SEGMENTS.as_sent(answer) }),
        },
        Output {
            stage: Stage::LayoutAnalysis,
            below: "/layout-analysis",
            sent: a_layout().body(),
            as_sent: layout_analysis::as_sent,
        },
        Output {
            stage: Stage::ContentAnalysis,
            below: "/content-segments",
            sent: json!({ "segments": content_segments(20).body() }),
            as_sent: |answer| json!({ "segments": CONTENT_SEGMENTS.as_sent(answer) }),
        },
    ]
}

/// Twenty clips, each of the content segment of the same order.
fn clips_of_segments(content: &Value) -> Value {
    let mut clips = clips(20).body();
    for (clip, segment) in clips
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .zip(content["segments"].as_array().unwrap())
    {
        clip["content_segment_id"] = segment["segment_id"].clone();
    }
    json!({ "clips": clips })
}

/// Reports the start and end of a stage and calls `work` in between.
fn run_stage(server: &TestServer, job_id: JobId, stage: Stage, work: impl FnOnce()) {
    let log = |status| {
        server
            .post(
                &job_path(job_id, "/logs"),
                &a_log_entry(stage, status).body(),
            )
            .expect(201)
    };
    let report = |percent: f64| {
        let job = server
            .post(
                &job_path(job_id, "/progress"),
                &a_report(stage, percent).body(),
            )
            .expect(200)
            .json();
        assert_eq!(
            (&job["status"], &job["progress"]["stage"]),
            (&json!("running"), &json!(stage))
        );
        assert_eq!(job["progress"]["percent"].as_f64(), Some(percent));
    };
    log(LogStatus::Started);
    report(0.0);
    report(50.5);
    work();
    report(100.0);
    server.db().clock().advance(TimeDelta::milliseconds(61_250));
    log(LogStatus::Completed);
}

/// Removes the URLs from results, after checking that each is the URL of the
/// key in `stored`.
fn without_urls(mut results: Value, server: &TestServer, stored: &Value) -> Value {
    let check_and_take = |url: &mut Value, key: &Value| {
        let start = key
            .as_str()
            .map(|key| format!("{}/api/v1/objects/{key}?expires=", server.base()));
        let url = url.take();
        let url = url.as_str();
        assert!(
            url.zip(start.as_deref())
                .is_none_or(|(url, start)| url.starts_with(start)),
            "{url:?} {key}"
        );
        assert_eq!(url.is_some(), start.is_some(), "{key}");
    };
    let clips = results["clips"].as_array_mut().unwrap().iter_mut();
    for (clip, stored) in clips.zip(stored["clips"].as_array().unwrap()) {
        check_and_take(&mut clip["url"], &stored["s3_key"]);
        check_and_take(&mut clip["thumbnail_url"], &stored["thumbnail_s3_key"]);
        check_and_take(&mut clip["subtitle_url"], &stored["subtitle_s3_key"]);
    }
    let original = &mut results["metadata"]["original_video"];
    let key = original["s3_key"].clone();
    check_and_take(&mut original["url"], &key);
    results
}

fn results_of_a_processed_lecture_hold_all_stage_output(server: TestServer) {
    let recording = a_job().filename("lecture-07.mp4").build().body();
    let made = server.post(JOBS, &recording).expect(201);
    let job_id = made.json()["job_id"].as_str().unwrap().parse().unwrap();

    let outputs = outputs();
    let mut clips = Value::Null;
    for stage in Stage::ALL {
        server
            .get(&results_of(job_id))
            .problem(409, "job_not_completed");
        run_stage(&server, job_id, *stage, || {
            for output in outputs.iter().filter(|output| output.stage == *stage) {
                server
                    .put(&job_path(job_id, output.below), &output.sent)
                    .expect(200);
            }
            if *stage == Stage::Segmentation {
                clips = clips_of_segments(
                    &server
                        .get(&job_path(job_id, "/content-segments"))
                        .expect(200)
                        .json(),
                );
                server.put(&job_path(job_id, "/clips"), &clips).expect(200);
            }
        });
    }
    server
        .get(&results_of(job_id))
        .problem(409, "job_not_completed");
    let change = json!({ "status": "completed", "video_duration": 6_000.033_333_333_333 });
    server.patch(&job_path(job_id, ""), &change).expect(200);

    for output in &outputs {
        let read = server
            .get(&job_path(job_id, output.below))
            .expect(200)
            .json();
        assert_eq!((output.as_sent)(read), output.sent, "{}", output.below);
    }
    let stored_clips = server.get(&job_path(job_id, "/clips")).expect(200).json();
    assert_eq!(CLIPS.as_sent(stored_clips.clone()), clips["clips"]);
    let log = server.get(&job_path(job_id, "/logs")).expect(200).json();
    assert_eq!(log["total"], json!(2 * Stage::ALL.len()));

    let results = server.get(&results_of(job_id)).expect(200).json();
    let results = without_urls(results, &server, &stored_clips);
    assert_eq!(results["job_id"], json!(job_id));
    assert_eq!(
        results["transcript"],
        server
            .get(&job_path(job_id, "/transcripts"))
            .expect(200)
            .json()["segments"]
    );
    let expected: Vec<_> = stored_clips["clips"].as_array().unwrap().iter().map(|clip| json!({
        "clip_id": clip["clip_id"], "title": clip["title"],
        "start_time": clip["start_time"], "end_time": clip["end_time"], "duration": clip["duration"],
        "s3_key": clip["s3_key"], "url": null, "thumbnail_url": null, "subtitle_url": null,
    })).collect();
    assert_eq!(results["clips"], json!(expected));
    assert_eq!(
        results["metadata"],
        json!({
            "layout": server.get(&job_path(job_id, "/layout-analysis")).expect(200).json(),
            "original_video": {
                "filename": "lecture-07.mp4", "duration": 6_000.033_333_333_333,
                "s3_key": recording["s3_key"], "url": null,
            },
            "highlight_video": null,
            "completed_at": "2026-01-01T00:08:10Z",
            "processing_duration_seconds": 490.0,
        })
    );
}

fn results_of_a_small_job_match_the_snapshot(server: TestServer) {
    let job_id = a_job()
        .status(JobStatus::Running)
        .create(server.db())
        .job_id;
    server
        .put(
            &job_path(job_id, "/transcripts"),
            &json!({ "segments": segments(2).body() }),
        )
        .expect(200);
    server
        .put(&job_path(job_id, "/layout-analysis"), &a_layout().body())
        .expect(200);
    server
        .put(
            &job_path(job_id, "/clips"),
            &json!({ "clips": clips(1).body() }),
        )
        .expect(200);
    server.db().clock().advance(TimeDelta::milliseconds(90_500));
    server
        .patch(&job_path(job_id, ""), &json!({ "status": "completed" }))
        .expect(200);
    snapshot!(
        "results",
        server.get(&results_of(job_id)).expect(200).json()
    );
}

fn a_job_without_output_has_empty_results(server: TestServer) {
    let job_id = a_job()
        .status(JobStatus::Completed)
        .create(server.db())
        .job_id;
    let results = server.get(&results_of(job_id)).expect(200).json();
    assert_eq!(
        (&results["clips"], &results["transcript"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(
        (
            &results["metadata"]["layout"],
            &results["metadata"]["highlight_video"]
        ),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(results["metadata"]["processing_duration_seconds"], 0.0);
}

fn an_uncompleted_job_has_no_results(server: TestServer) {
    for status in JobStatus::ALL
        .iter()
        .filter(|status| **status != JobStatus::Completed)
    {
        let job_id = a_job().status(*status).create(server.db()).job_id;
        server
            .get(&results_of(job_id))
            .problem(409, "job_not_completed");
    }
}

fn results_of_an_unknown_job_are_not_found(server: TestServer) {
    server
        .get(&format!("/api/v1/results/{UNKNOWN_ID}"))
        .problem(404, "job_not_found");
    server
        .get("/api/v1/results/lecture-07")
        .problem(404, "job_not_found");
}

fn results_hold_only_their_own_jobs_output(server: TestServer) {
    let (one, other) = (
        a_completed_job(server.db()).job_id,
        a_completed_job(server.db()).job_id,
    );
    let ids = |job_id, list: &str, id: &str| -> Vec<Value> {
        let results = server.get(&results_of(job_id)).expect(200).json();
        results[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[id].clone())
            .collect()
    };
    for (list, id, count) in [("clips", "clip_id", 3), ("transcript", "segment_id", 12)] {
        let (one, other) = (ids(one, list, id), ids(other, list, id));
        assert_eq!((one.len(), other.len()), (count, count));
        assert!(one.iter().all(|id| !other.contains(id)));
    }
}
