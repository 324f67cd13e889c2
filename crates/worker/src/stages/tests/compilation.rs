use lectern_domain::{
    Clip, ClipMedia, JobStatus, JsonObject, NewClip, NonNegativeInt, Stage, StorageKey, TimeRange,
    Title,
};

use super::{Bench, RecognizerSettings};

/// Makes clips of two seconds of a tone; each has a title and where it begins and
/// ends, and files that an earlier attempt made.
fn compile(clips: &[(&str, f64, f64)]) -> (Bench, Vec<Clip>) {
    let bench = Bench::new(Stage::Compilation, "-f lavfi -i sine=duration=2");
    let job_id = bench.job.job_id;
    let key = |name: &str| Some(StorageKey::new(format!("jobs/{job_id}/{name}")).unwrap());
    let new: Vec<_> = clips
        .iter()
        .zip(0..)
        .map(|((title, start, end), i)| NewClip {
            content_segment_id: None,
            title: Title::new(*title).unwrap(),
            topic: None,
            importance_score: None,
            time: TimeRange::new(*start, *end).unwrap(),
            media: ClipMedia {
                s3_key: key("clips/old.mp4"),
                thumbnail_s3_key: key("clips/old.jpg"),
                subtitle_s3_key: key("clips/old.vtt"),
            },
            clip_order: NonNegativeInt::new(i).unwrap(),
            extra_metadata: JsonObject::default(),
        })
        .collect();
    let stored = bench
        .db
        .write(|tx| tx.clips().replace_for_job(job_id, &new));
    stored.unwrap();
    assert_eq!(
        bench.work(RecognizerSettings::default()),
        JobStatus::Completed
    );
    let clips = bench.db.read(|conn| conn.clips().for_job(job_id)).unwrap();
    (bench, clips)
}

#[test]
fn a_clip_with_nothing_of_the_recording_in_it_is_passed_over() {
    let (bench, clips) = compile(&[
        ("No time", 1.0, 1.0),
        ("The end", 1.5, 9.0),
        ("Later", 5.0, 9.0),
    ]);
    let [no_time, end, later] = clips.as_slice() else {
        panic!("{clips:?}")
    };
    let job_id = bench.job.job_id;
    let ours = |ending: &str| {
        let key = format!("jobs/{job_id}/clips/{}.{ending}", end.clip_id);
        Some(StorageKey::new(key).unwrap())
    };
    assert_eq!(end.media.s3_key, ours("mp4"));
    assert_eq!(end.media.subtitle_s3_key, ours("vtt"));
    for clip in [no_time, later] {
        assert_eq!(clip.media, ClipMedia::default(), "{clip:?}");
    }
    let note = bench.note();
    assert!(note.contains("\"No time\" was not made: there is nothing from 1 s to 1 s"));
    assert!(note.contains("\"Later\" was not made: there is nothing from 5 s to 9 s"));
    assert!(!note.contains("The end"), "{note}");
}

#[test]
fn a_reel_has_the_name_of_its_first_clip_so_that_one_of_other_clips_takes_no_place() {
    let (bench, clips) = compile(&[("Nothing", 3.0, 4.0), ("A tone", 0.0, 1.0)]);
    let key = format!(
        "jobs/{}/highlights-{}.mp4",
        bench.job.job_id, clips[1].clip_id
    );
    let reel = bench.job().compiled_video_s3_key;
    assert_eq!(reel.as_deref(), Some(key.as_str()));
}

#[test]
fn where_no_clip_is_left_there_is_no_reel() {
    let (bench, clips) = compile(&[("Nothing", 3.0, 4.0)]);
    assert_eq!(clips[0].media, ClipMedia::default());
    assert_eq!(bench.job().compiled_video_s3_key, None);
    assert!(bench.note().contains("was not made"));
}
