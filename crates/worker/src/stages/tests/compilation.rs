use lectern_domain::{Clip, ClipMedia, JobStatus, Stage, StorageKey};

use super::{RecognizerSettings, StageFixture};
use crate::testing::new_clip;

/// Runs the stage on a recording of two seconds. The clips are given as title, start
/// and end, and have files of an earlier attempt.
fn compile(clips: &[(&str, f64, f64)]) -> (StageFixture, Vec<Clip>) {
    let fixture = StageFixture::new(Stage::Compilation, "-f lavfi -i sine=duration=2");
    let job_id = fixture.job.job_id;
    let key = |name: &str| Some(StorageKey::new(format!("jobs/{job_id}/{name}")).unwrap());
    let new: Vec<_> = clips
        .iter()
        .zip(0..)
        .map(|((title, start, end), i)| {
            let media = ClipMedia {
                s3_key: key("clips/old.mp4"),
                thumbnail_s3_key: key("clips/old.jpg"),
                subtitle_s3_key: key("clips/old.vtt"),
            };
            new_clip(i, title, (*start, *end), media)
        })
        .collect();
    fixture.set_clips(&new);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let clips = fixture.clips();
    (fixture, clips)
}

#[test]
fn a_clip_outside_the_recording_is_skipped() {
    let (fixture, clips) = compile(&[
        ("No time", 1.0, 1.0),
        ("The end", 1.5, 9.0),
        ("Later", 5.0, 9.0),
    ]);
    let [no_time, end, later] = clips.as_slice() else {
        panic!("{clips:?}")
    };
    let job_id = fixture.job.job_id;
    let key = |extension: &str| {
        let key = format!("jobs/{job_id}/clips/{}.{extension}", end.clip_id);
        Some(StorageKey::new(key).unwrap())
    };
    assert_eq!(end.media.s3_key, key("mp4"));
    assert_eq!(end.media.subtitle_s3_key, key("vtt"));
    for clip in [no_time, later] {
        assert_eq!(clip.media, ClipMedia::default(), "{clip:?}");
    }
    let notes = fixture.notes();
    assert!(notes.contains("skipped the clip \"No time\": the range from 1 s to 1 s is"));
    assert!(notes.contains("skipped the clip \"Later\": the range from 5 s to 9 s is"));
    assert!(!notes.contains("The end"), "{notes}");
}

#[test]
fn a_reel_is_named_after_its_first_clip() {
    let (fixture, clips) = compile(&[("Nothing", 3.0, 4.0), ("A tone", 0.0, 1.0)]);
    let key = format!(
        "jobs/{}/highlights-{}.mp4",
        fixture.job.job_id, clips[1].clip_id
    );
    let reel = fixture.job().compiled_video_s3_key;
    assert_eq!(reel.as_deref(), Some(key.as_str()));
}

#[test]
fn without_clips_there_is_no_reel() {
    let (fixture, clips) = compile(&[("Nothing", 3.0, 4.0)]);
    assert_eq!(clips[0].media, ClipMedia::default());
    assert_eq!(fixture.job().compiled_video_s3_key, None);
    assert!(fixture.notes().contains("skipped the clip"));
}
