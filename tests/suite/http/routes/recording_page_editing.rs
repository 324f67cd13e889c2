//! What the page of one recording says about clips to be cut, and about failed stages.

use lectern_domain::{JobUpdate, Patch, Stage, StorageKey};
use lectern_storage::ObjectKey;
use lectern_tests::{TestServer, a_completed_job, on_both_backends};
use serde_json::json;

use super::recording_page::{page, values};
use crate::http::support::job_path;
use crate::http::support::worker::{claim, create_job};

on_both_backends!(
    a_failed_stage_says_what_to_do,
    clips_that_need_cutting_say_so,
    the_reel_is_downloaded_under_a_name_of_its_own,
    the_reel_says_that_it_is_out_of_date_until_its_clips_are_back,
);

fn a_failed_stage_says_what_to_do(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let claimed = claim(&server, &[Stage::Transcription]).unwrap();
    let error = "there is no object recordings/lecture.mp4";
    let failure = json!({ "error": error, "retryable": false });
    claimed.send(&server, "fail", &failure).expect(200);
    let failed = page(&server, job_id);
    assert!(failed.text().contains("upload it again"), "{failed}");
    assert_eq!(values(&failed, "data-from-stage"), ["transcription"]);
    // The button sends this.
    let from = json!({ "from_stage": "transcription" });
    server.post(&job_path(job_id, "/rerun"), &from).expect(200);
    let again = page(&server, job_id);
    assert!(!again.text().contains("upload it again"), "{again}");
}

fn clips_that_need_cutting_say_so(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let clips = json!({ "clips": [
        { "title": "Trees", "start_time": 1.0, "end_time": 9.0, "s3_key": "clips/1.mp4" },
        { "title": "Graphs", "start_time": 10.0, "end_time": 19.0, "s3_key": "clips/2.mp4" },
    ] });
    let stored = server.put(&job_path(job_id, "/clips"), &clips).expect(200);
    let stages = Stage::ALL.iter().copied().filter(|stage| stage.is_work());
    let stages: Vec<_> = stages.collect();
    while let Some(claimed) = claim(&server, &stages) {
        claimed.send(&server, "complete", &json!({})).expect(200);
    }
    let cut = page(&server, job_id);
    assert!(cut.text().contains("All clips are cut."), "{cut}");
    assert_eq!(values(&cut, "data-from-stage"), ["compilation"]);
    let clip = stored.json()["clips"][0]["clip_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let longer = json!({ "end_time": 9.5 });
    server
        .patch(&format!("/api/v1/clips/{clip}"), &longer)
        .expect(200);
    let added = json!({ "title": "Paths", "start_time": 20.0, "end_time": 29.0 });
    server.post(&job_path(job_id, "/clips"), &added).expect(201);
    let edited = page(&server, job_id);
    for text in [
        "2 clips need cutting.",
        "Needs cutting again",
        "Not cut yet",
    ] {
        assert_eq!(edited.text().matches(text).count(), 1, "{text}: {edited}");
    }
    let from = json!({ "from_stage": "compilation" });
    server.post(&job_path(job_id, "/rerun"), &from).expect(200);
    let queued = page(&server, job_id);
    let text = "as soon as a worker takes them";
    assert!(queued.text().contains(text), "{queued}");
    assert!(values(&queued, "data-from-stage").is_empty(), "{queued}");
    // Earlier stages are not run again: they would replace the clips.
    let claimed = claim(&server, &stages).unwrap();
    assert_eq!(claimed.stage, Stage::Compilation);
    let cutting = page(&server, job_id);
    assert!(
        cutting.text().contains("The clips are being cut"),
        "{cutting}"
    );
    let clips = server.get(&job_path(job_id, "/clips")).expect(200).json();
    assert_eq!(clips["clips"][0]["end_time"], 9.5);
    assert_eq!(clips["total"], 3);
}

fn the_reel_is_downloaded_under_a_name_of_its_own(server: TestServer) {
    let job = a_completed_job(server.db());
    let without = page(&server, job.job_id);
    assert!(!without.text().contains("Download the reel"), "{without}");
    let key = StorageKey::new(format!("jobs/{}/highlights.mp4", job.job_id)).unwrap();
    let update = JobUpdate {
        compiled_video_s3_key: Patch::Set(key.clone()),
        ..JobUpdate::default()
    };
    let stored = server
        .db()
        .write(|tx| tx.jobs().update(job.job_id, &update, None));
    stored.unwrap();
    let file = server.objects().join(key.as_str());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, "a reel").unwrap();
    let page = page(&server, job.job_id);
    let (before, _) = page
        .text()
        .split_once("\" download>Download the reel")
        .unwrap();
    let (_, url) = before.rsplit_once('"').unwrap();
    let path = url.replace("&amp;", "&").replacen(server.base(), "", 1);
    let reel = server.get(&path).expect(200);
    assert_eq!(reel.body, b"a reel");
    let disposition = reel.header("Content-Disposition").unwrap();
    assert!(
        disposition.contains("lecture highlights.mp4"),
        "{disposition}"
    );
}

fn the_reel_says_that_it_is_out_of_date_until_its_clips_are_back(server: TestServer) {
    let job_id = create_job(&server, json!({}));
    let keys = ["clips/1.mp4", "clips/2.mp4"];
    let clips = json!({ "clips": [
        { "title": "Trees", "start_time": 1.0, "end_time": 9.0, "s3_key": keys[0] },
        { "title": "Graphs", "start_time": 10.0, "end_time": 19.0, "s3_key": keys[1] },
    ] });
    server.put(&job_path(job_id, "/clips"), &clips).expect(200);
    let [first, second] = server
        .db()
        .read(|conn| conn.clips().for_job(job_id))
        .unwrap()
        .try_into()
        .unwrap();
    let videos = keys.map(|key| StorageKey::new(key).unwrap());
    let reel = ObjectKey::reel(job_id, first.clip_id, &videos, None);
    let update = JobUpdate {
        compiled_video_s3_key: Patch::Set(StorageKey::new(reel.as_str()).unwrap()),
        ..JobUpdate::default()
    };
    let stored = server
        .db()
        .write(|tx| tx.jobs().update(job_id, &update, None));
    stored.unwrap();
    let is_outdated = || page(&server, job_id).text().contains("reel is out of date");
    let change = |clip_id, body| {
        server
            .patch(&format!("/api/v1/clips/{clip_id}"), &body)
            .expect(200);
    };
    assert!(!is_outdated());
    change(first.clip_id, json!({ "title": "Woods" }));
    assert!(!is_outdated(), "a title is not in the picture");
    change(first.clip_id, json!({ "clip_order": 7 }));
    assert!(is_outdated(), "the order has changed");
    change(second.clip_id, json!({ "clip_order": 8 }));
    assert!(!is_outdated(), "the order is that of the reel again");
    change(second.clip_id, json!({ "end_time": 18.0 }));
    assert!(is_outdated(), "the times of a clip have changed");
    change(second.clip_id, json!({ "s3_key": "clips/3.mp4" }));
    assert!(is_outdated(), "a clip was cut again");
    change(second.clip_id, json!({ "s3_key": keys[1] }));
    assert!(!is_outdated(), "the clip is that of the reel again");
    server
        .delete(&format!("/api/v1/clips/{}", second.clip_id))
        .expect(204);
    assert!(is_outdated(), "a clip was deleted");
}
