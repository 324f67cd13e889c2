use std::process::Command;
use std::time::SystemTime;

use lectern_db::{Error, Tx};
use lectern_domain::{
    Clip, ClipMedia, ClipUpdate, JobId, JobStatus, NewTranscriptSegment, ProcessingConfig, Seconds,
    Stage, StorageKey, TimeRange,
};
use lectern_storage::ObjectKey;
use serde_json::json;

use super::{RecognizerSettings, StageFixture};
use crate::job_objects::JobObjects as _;
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
        "jobs/{}/highlights-{}-of-",
        fixture.job.job_id, clips[1].clip_id
    );
    let reel = ObjectKey::try_from(fixture.job().compiled_video_s3_key.unwrap()).unwrap();
    assert!(reel.starts_with(&key), "{reel}");
    let video = clips[1].media.s3_key.as_ref().unwrap();
    assert_eq!(reel.is_reel_of([video]), Some(true));
    assert_eq!(reel.clip_id(), Some(clips[1].clip_id));
}

#[test]
fn without_clips_there_is_no_reel() {
    let (fixture, clips) = compile(&[("Nothing", 3.0, 4.0)]);
    assert_eq!(clips[0].media, ClipMedia::default());
    assert_eq!(fixture.job().compiled_video_s3_key, None);
    assert!(fixture.notes().contains("skipped the clip"));
}

/// Runs the stage again after a change.
fn run_again(
    fixture: &StageFixture,
    change: impl Fn(&mut Tx<'_>) -> Result<(), Error>,
) -> Vec<Clip> {
    let job_id = fixture.job.job_id;
    let rerun = |tx: &mut Tx<'_>| {
        change(tx)?;
        tx.jobs().rerun(job_id, Stage::Compilation).map(drop)
    };
    fixture.db.write(rerun).unwrap();
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    fixture.clips()
}

/// When the objects of a clip's video and subtitles were written.
fn written(fixture: &StageFixture, clip: &Clip) -> [Option<SystemTime>; 2] {
    let media = &clip.media;
    [&media.s3_key, &media.subtitle_s3_key].map(|key| {
        let key = ObjectKey::try_from(key.clone()?).unwrap();
        Some(fixture.storage.head(&key).unwrap()?.last_modified.into())
    })
}

fn duration_of(fixture: &StageFixture, clip: &Clip) -> f64 {
    let key = ObjectKey::try_from(clip.media.s3_key.clone().unwrap()).unwrap();
    let file = fixture.storage.local_file(&key).unwrap().unwrap();
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "format=duration"])
        .args(["-of", "csv=p=0"])
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8(probe.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn only_clips_that_have_changed_are_cut_again() {
    let (fixture, first) = compile(&[("One", 0.0, 1.0), ("Two", 1.0, 2.0), ("Three", 0.5, 1.5)]);
    let written_first: Vec<_> = first.iter().map(|clip| written(&fixture, clip)).collect();
    let reel = fixture.job().compiled_video_s3_key;
    let shortened = ClipUpdate {
        end_time: Some(Seconds::new(1.4).unwrap()),
        ..ClipUpdate::default()
    };
    let job_id = fixture.job.job_id;
    let second = run_again(&fixture, |tx| {
        let changed = tx.clips().update(job_id, first[1].clip_id, &shortened)?;
        assert!(changed.is_stale());
        tx.clips().delete(job_id, first[2].clip_id)
    });
    let [kept, cut] = &second[..] else {
        panic!("{second:?}")
    };
    assert_eq!(kept, &first[0]);
    assert_eq!(written(&fixture, kept), written_first[0]);
    assert!(!cut.is_stale());
    assert_ne!(
        cut.media.s3_key, first[1].media.s3_key,
        "clients may read the old one"
    );
    let key = ObjectKey::try_from(cut.media.s3_key.clone().unwrap()).unwrap();
    assert_eq!(key.clip_id(), Some(cut.clip_id));
    assert!((duration_of(&fixture, cut) - 0.4).abs() < 0.1);
    assert!(
        fixture
            .notes()
            .contains("reused the files of 1 unchanged clips")
    );
    let new_reel = fixture.job().compiled_video_s3_key;
    assert!(new_reel.is_some() && new_reel != reel);

    let third = run_again(&fixture, |_| Ok(()));
    assert_eq!(third, second);
}

#[test]
fn a_clip_whose_file_is_missing_is_cut_again() {
    let (fixture, first) = compile(&[("One", 0.0, 1.0)]);
    let key = ObjectKey::try_from(first[0].media.s3_key.clone().unwrap()).unwrap();
    let file = fixture.storage.local_file(&key).unwrap().unwrap();
    std::fs::remove_file(file).unwrap();
    let second = run_again(&fixture, |_| Ok(()));
    assert!(written(&fixture, &second[0])[0].is_some());
}

#[test]
fn a_replaced_recording_is_cut_again() {
    let (fixture, first) = compile(&[("One", 0.0, 1.0)]);
    std::fs::remove_file(fixture.path("talk.mkv")).unwrap();
    fixture.render_recording("-f lavfi -i sine=frequency=880:duration=2");
    let second = run_again(&fixture, |_| Ok(()));
    assert_ne!(second[0].media.s3_key, first[0].media.s3_key);
}

#[test]
fn a_corrected_transcript_changes_the_subtitles_only() {
    let (fixture, first) = compile(&[("One", 0.0, 1.0)]);
    let job_id = fixture.job.job_id;
    let time = TimeRange::new(0.0, 1.0).unwrap();
    let segment = NewTranscriptSegment::new("Corrected.", time).unwrap();
    let second = run_again(&fixture, |tx| {
        let segments = std::slice::from_ref(&segment);
        tx.transcripts().replace_for_job(job_id, segments).map(drop)
    });
    assert_eq!(second[0].media.s3_key, first[0].media.s3_key);
    assert_ne!(
        second[0].media.subtitle_s3_key,
        first[0].media.subtitle_s3_key
    );
    assert!(written(&fixture, &second[0])[1].is_some());
}

/// Replaces the transcript of a job by one segment.
fn set_transcript(tx: &mut Tx<'_>, job_id: JobId, text: &str) -> Result<(), Error> {
    let segment = NewTranscriptSegment::new(text, TimeRange::new(0.0, 1.0).unwrap()).unwrap();
    let transcript = tx.transcripts().replace_for_job(job_id, &[segment]);
    transcript.map(drop)
}

#[test]
fn subtitles_in_the_picture_are_drawn_again_when_they_change() {
    let mut fixture = StageFixture::new(
        Stage::Compilation,
        "-f lavfi -i color=black:size=320x180:duration=2",
    );
    fixture.set_clips(&[new_clip(0, "One", (0.0, 1.0), ClipMedia::default())]);
    let job_id = fixture.job.job_id;
    let options = json!({ "burn_subtitles": true });
    let options = ProcessingConfig::try_from(options).unwrap();
    fixture.fixture.options = options.options().clone();
    fixture
        .db
        .write(|tx| set_transcript(tx, job_id, "First."))
        .unwrap();
    assert_eq!(
        fixture.run_stage(RecognizerSettings::default()),
        JobStatus::Completed
    );
    let first = fixture.clips();
    assert!(!fixture.notes().contains("no font"), "{}", fixture.notes());
    assert_eq!(run_again(&fixture, |_| Ok(())), first);
    // The second sentence has a character for private use, which no font has.
    let text = "Second \u{10fff0}.";
    let second = run_again(&fixture, |tx| set_transcript(tx, job_id, text));
    assert_ne!(second[0].media.s3_key, first[0].media.s3_key);
    let notes = fixture.notes();
    let expected = "no font of this machine has the characters \u{10fff0} of the subtitles:";
    assert!(notes.contains(expected), "{notes}");
}

#[test]
fn clips_are_cut_again_for_another_loudness() {
    let (mut fixture, first) = compile(&[("One", 0.0, 1.0)]);
    let options = json!({ "loudness": -16 });
    let options = ProcessingConfig::try_from(options).unwrap();
    fixture.fixture.options = options.options().clone();
    let second = run_again(&fixture, |_| Ok(()));
    assert_ne!(second[0].media.s3_key, first[0].media.s3_key);
}

/// The notes of a stage on a recording with one clip of a second.
fn notes_on(picture: &str) -> String {
    let fixture = StageFixture::new(Stage::Compilation, picture);
    fixture.set_clips(&[new_clip(0, "A clip", (0.0, 1.0), ClipMedia::default())]);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let record = fixture.clips()[0].cut.record.clone().unwrap();
    format!("{} {}", fixture.notes(), record.as_str())
}

#[test]
fn conversions_of_the_picture_are_noted() {
    let x264 = "-pix_fmt yuv420p -c:v libx264 -preset ultrafast";
    let fields = "-f lavfi -i testsrc2=s=720x576:r=50:d=2 -vf interlace=scan=bff";
    let notes = notes_on(&format!("{fields},setfield=prog {x264}"));
    let expected = "the picture is interlaced, bottom field first, which the file does not say";
    assert!(notes.contains(expected), "{notes}");
    assert!(notes.contains("BottomFirst"), "{notes}");
    let flagged = "-f lavfi -i testsrc2=s=160x120:r=50:d=2 -vf interlace=scan=tff";
    let notes = notes_on(&format!(
        "{flagged} {x264} -flags +ilme+ildct -x264opts tff=1"
    ));
    let expected = "the picture is interlaced: it is deinterlaced in the clips";
    assert!(notes.contains(expected), "{notes}");
    let hdr = "-f lavfi -i testsrc2=s=160x120:r=10:d=2 -pix_fmt yuv420p10le -c:v libx265 \
        -preset ultrafast -x265-params log-level=none -color_primaries bt2020 \
        -color_trc smpte2084 -colorspace bt2020nc";
    let notes = notes_on(hdr);
    let expected = "high dynamic range (PQ): it is converted";
    assert!(notes.contains(expected), "{notes}");
    let plain = notes_on(&format!("-f lavfi -i testsrc2=s=720x576:r=25:d=2 {x264}"));
    assert!(
        !plain.contains("interlaced") && !plain.contains("range is"),
        "{plain}"
    );
    assert!(!plain.contains("fields"), "{plain}");
}
