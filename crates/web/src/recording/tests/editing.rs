use super::*;

#[test]
fn the_edges_of_a_clip_are_in_the_timeline() {
    let page = english(&a_recording(&json!({})));
    let clip: lectern_domain::ClipId = id(3);
    let bar = format!("data-clip=\"{clip}\" data-start=\"60\" data-end=\"97.5\"");
    assert_eq!(page.matches(&bar).count(), 1, "{page}");
}

/// A recording with these statuses of its job and of compilation, and a clip that was cut
/// before its times changed.
fn a_recording_to_cut(job: &str, compilation: StageRunStatus) -> Recording {
    let mut recording = a_recording(&json!({ "status": job }));
    recording.clips[0].clip.s3_key = Some(lectern_domain::StorageKey::new("1.mp4").unwrap());
    recording.stages = vec![
        a_run(Stage::Segmentation, StageRunStatus::Completed, ["00", "10"]),
        a_run(Stage::Compilation, compilation, ["10", "20"]),
    ];
    recording
}

#[test]
fn clips_are_cut_again_by_a_button_once_the_work_has_ended() {
    use StageRunStatus::{Cancelled, Completed, Failed, Ready, Running, Waiting};
    for (job, compilation, text, has_button) in [
        ("completed", Completed, "1 clip needs cutting.", true),
        ("failed", Failed, "1 clip needs cutting.", true),
        ("cancelled", Cancelled, "1 clip needs cutting.", true),
        ("queued", Ready, "as soon as a worker takes them", false),
        ("running", Waiting, "as soon as a worker takes them", false),
        (
            "running",
            Running,
            "being cut: <span class=\"percent\">41 %",
            false,
        ),
    ] {
        let mut recording = a_recording_to_cut(job, compilation);
        let button = "data-action=\"rerun\" data-from-stage=\"compilation\">Cut again";
        let page = english(&recording);
        assert!(page.contains(text), "{job} {compilation}: {page}");
        assert_eq!(page.contains(button), has_button, "{job} {compilation}");
        recording.reader.may_change = false;
        assert!(!english(&recording).contains("data-action"), "{job}");
    }
    // A rerun would find other clips in place of the edited ones.
    let mut recording = a_recording_to_cut("failed", Cancelled);
    recording.stages[0].status = Failed;
    let page = english(&recording);
    assert!(!page.contains("Cut again"), "{page}");
}

#[test]
fn a_clip_says_whether_its_file_is_that_of_its_times() {
    let mut recording = a_recording_to_cut("completed", StageRunStatus::Completed);
    recording.clips.push(a_clip("Third law"));
    let changed = "Needs cutting again: its times have changed";
    let page = english(&recording);
    for text in ["2 clips need cutting.", changed, "Not cut yet"] {
        assert_eq!(page.matches(text).count(), 1, "{text}: {page}");
    }
    recording.clips.pop();
    recording.clips[0].clip.stale = false;
    let page = english(&recording);
    assert!(page.contains("All clips are cut."), "{page}");
    for text in ["Not cut yet", changed, "needs cutting."] {
        assert!(!page.contains(text), "{text}: {page}");
    }
}

#[test]
fn the_video_of_all_clips_is_a_link() {
    let mut recording = a_recording(&json!({}));
    assert!(!english(&recording).contains("reel"));
    recording.reel_url = Some("https://objects.test/reel.mp4?a=1&b=2".into());
    let link = "href=\"https://objects.test/reel.mp4?a=1&amp;b=2\" download>Download the reel";
    assert!(english(&recording).contains(link));
    let archive = "/clips/archive\" download>Download all clips";
    assert!(!english(&recording).contains(archive), "no clip is cut");
    let recording = a_recording_to_cut("completed", StageRunStatus::Completed);
    assert!(english(&recording).contains(archive));
}

#[test]
fn a_reel_says_that_it_is_out_of_date() {
    let outdated = "The reel is out of date";
    let mut recording = a_recording_to_cut("completed", StageRunStatus::Completed);
    assert!(!english(&recording).contains(outdated), "there is none");
    recording.reel_url = Some("https://objects.test/reel.mp4".into());
    assert!(english(&recording).contains(outdated), "a clip has changed");
    recording.clips[0].clip.stale = false;
    let page = english(&recording);
    assert!(!page.contains(outdated) && page.contains("All clips are cut."));
    // The order has changed, or a clip was deleted.
    recording.has_outdated_reel = true;
    let page = english(&recording);
    assert!(page.contains(outdated) && page.contains("the reel needs cutting again"));
    let (before, _) = page.split_once(">Cut again").unwrap();
    let (_, button) = before.rsplit_once('<').unwrap();
    assert!(button.contains("class=\"needs-script main\""), "{button}");
}

#[test]
fn a_clip_has_buttons_to_its_neighbours() {
    let mut recording = a_recording(&json!({}));
    let page = english(&recording);
    assert!(!page.contains("data-move"), "a single clip");
    assert!(!page.contains("grip"), "a single clip");
    recording.clips = ["A", "B#", "C"].map(a_clip).into();
    let page = english(&recording);
    assert_eq!(page.matches("class=\"grip\"").count(), 3);
    let moves = page.match_indices("data-move=\"").map(|(at, _)| {
        let rest = &page[at..];
        let label = rest.split("aria-label=\"").nth(1).unwrap();
        label.split('"').next().unwrap().to_owned()
    });
    let expected = [
        "Move “A” down",
        "Move “B#” up",
        "Move “B#” down",
        "Move “C” up",
    ];
    assert_eq!(moves.collect::<Vec<_>>(), expected);
}

#[test]
fn a_failed_stage_says_what_to_do_and_is_run_again_from_there() {
    let mut recording = a_recording(&json!({ "status": "failed" }));
    let failed = &mut recording.stages[1];
    failed.status = StageRunStatus::Failed;
    failed.error = Some(LongText::new("program \"ffmpeg\" not found").unwrap());
    let page = english(&recording);
    assert!(page.contains("apt install ffmpeg"), "{page}");
    let button = "data-action=\"rerun\" data-from-stage=\"transcription\"";
    assert_eq!(page.matches(button).count(), 1, "{page}");
    let page = recording_page(Language::German, &recording);
    assert!(page.contains("Ab hier wiederholen"));
    recording.reader.may_change = false;
    let page = english(&recording);
    assert!(page.contains("apt install ffmpeg"), "{page}");
    assert!(!page.contains("data-from-stage"), "{page}");
    // Another stage may still be running.
    let mut recording = a_recording(&json!({ "status": "running" }));
    recording.stages[1].status = StageRunStatus::Failed;
    let page = english(&recording);
    assert!(page.contains("the log below says more"), "{page}");
    assert!(!page.contains("data-from-stage"), "{page}");
}
