use lectern_domain::{
    Clip, JobStatus, JobUpdate, JsonObject, NewSilenceRegion, NewTranscriptSegment,
    ProcessingConfig, SilenceType, Stage, TimeRange,
};
use serde_json::{Value, json};

use super::{RecognizerSettings, StageFixture};

/// A recording of ten minutes, for a worker with these options.
fn ten_minutes(options: Value) -> StageFixture {
    let options = ProcessingConfig::try_from(options).unwrap();
    let mut fixture = StageFixture::new(
        Stage::Segmentation,
        "-f lavfi -i sine=duration=600:sample_rate=8000",
    );
    fixture.fixture.options = options.options().clone();
    fixture
}

/// The same with a sentence of seven seconds every eight seconds.
fn ten_minutes_of_speech(options: Value) -> StageFixture {
    let fixture = ten_minutes(options);
    let segments: Vec<NewTranscriptSegment> = (0..75)
        .map(|i| {
            let text = format!("Tree number {i} has deep roots, and {} leaves.", i * i);
            let start = 8.0 * f64::from(i);
            NewTranscriptSegment::new(text, TimeRange::new(start, start + 7.0).unwrap()).unwrap()
        })
        .collect();
    let job_id = fixture.job.job_id;
    fixture
        .db
        .write(|tx| {
            tx.transcripts()
                .replace_for_job(job_id, &segments)
                .map(drop)
        })
        .unwrap();
    fixture
}

fn selected(fixture: &StageFixture) -> Vec<Clip> {
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    fixture.clips()
}

#[test]
fn the_options_decide_number_length_and_share() {
    let clips = |options| selected(&ten_minutes(options));
    let count = |options| clips(options).len();
    assert_eq!(count(json!({ "max_clips": 2 })), 2);
    // The default minimum of three gives way, and so does the default maximum of eight.
    assert_eq!(count(json!({ "max_clips": 1 })), 1);
    assert_eq!(count(json!({ "min_clips": 9, "clip_share": 1 })), 9);

    for clip in clips(json!({ "min_clip_seconds": 5, "max_clip_seconds": 10 })) {
        assert!((5.0..=10.0).contains(&clip.time.duration()), "{clip:?}");
    }
    let total = |options| {
        let clips = clips(options);
        clips.iter().map(|clip| clip.time.duration()).sum::<f64>()
    };
    assert!(total(json!({ "clip_share": 0.1 })) <= 60.0);
    assert!(total(json!({ "clip_share": 1 })) > 180.0);
}

#[test]
fn the_default_of_one_bound_leaves_room_for_the_other() {
    for (option, bounds) in [
        (json!({ "max_clip_seconds": 15 }), 7.5..=15.0),
        (json!({ "max_clip_seconds": 20 }), 10.0..=20.0),
        (json!({ "min_clip_seconds": 110 }), 110.0..=220.0),
    ] {
        let clips = selected(&ten_minutes_of_speech(option.clone()));
        assert!(!clips.is_empty(), "{option}");
        for clip in clips {
            assert!(bounds.contains(&clip.time.duration()), "{option}: {clip:?}");
        }
    }
}

#[test]
fn a_note_says_why_there_is_no_clip() {
    let fixture =
        ten_minutes_of_speech(json!({ "min_clip_seconds": 9.5, "max_clip_seconds": 9.5 }));
    assert_eq!(selected(&fixture), []);
    let notes = fixture.notes();
    assert!(notes.contains("no part of 9.5 to 9.5 seconds"), "{notes}");
}

/// The same speech in a recording that is silent throughout.
fn on_silence(fixture: &StageFixture) {
    let all = TimeRange::new(0.0, 600.0).unwrap();
    let silence = NewSilenceRegion::new(SilenceType::AudioSilence, all);
    let job_id = fixture.job.job_id;
    let stored = fixture.db.write(|tx| {
        tx.silence_regions()
            .replace_for_job(job_id, std::slice::from_ref(&silence))
            .map(drop)
    });
    stored.unwrap();
}

#[test]
fn a_silent_recording_has_no_clips_and_a_note_says_so() {
    let fixture = ten_minutes_of_speech(json!({}));
    on_silence(&fixture);
    assert_eq!(selected(&fixture), []);
    let notes = fixture.notes();
    let expected = "all of the sound is silent, although there is a transcript";
    assert!(notes.contains(expected), "{notes}");

    let fixture = ten_minutes(json!({}));
    on_silence(&fixture);
    assert_eq!(selected(&fixture), []);
    let notes = fixture.notes();
    assert!(notes.contains("silent, and there is no text"), "{notes}");
}

#[test]
fn clips_of_a_recording_without_sound_follow_the_transcript() {
    let fixture = ten_minutes_of_speech(json!({}));
    let metadata = JsonObject::try_from(json!({ "audio": null })).unwrap();
    let update = JobUpdate {
        video_metadata: Some(metadata.into()),
        ..JobUpdate::default()
    };
    let job_id = fixture.job.job_id;
    let updated = fixture
        .db
        .write(|tx| tx.jobs().update(job_id, &update, None).map(drop));
    updated.unwrap();
    assert!(!selected(&fixture).is_empty());
    let notes = fixture.notes();
    assert!(
        notes.contains("clips follow the transcript alone"),
        "{notes}"
    );
}
