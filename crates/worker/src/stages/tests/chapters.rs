//! Recordings with chapters.

use std::fmt::Write as _;

use lectern_domain::{
    JobStatus, JobUpdate, JsonObject, NewContentSegment, NewTranscriptSegment, Stage, TimeRange,
};
use serde_json::{Value, json};

use super::{RecognizerSettings, StageFixture};

/// A job whose recording of 60 seconds has these chapters, in milliseconds.
fn fixture(stage: Stage, chapters: &[(u32, u32, &str)]) -> StageFixture {
    let mut metadata = ";FFMETADATA1\n".to_owned();
    for (start, end, title) in chapters {
        let _ = writeln!(
            metadata,
            "[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("chapters");
    std::fs::write(&file, metadata).unwrap();
    let file = file.display();
    StageFixture::new(
        stage,
        &format!("-f lavfi -i sine=d=60 -f ffmetadata -i {file} -map_chapters 1 -map 0"),
    )
}

fn store_transcript(fixture: &StageFixture) {
    let texts = [
        (
            2.0,
            "A fugue begins with a single voice, which has the theme.",
        ),
        (
            12.0,
            "The second voice has the theme of the fugue a fifth above.",
        ),
        (22.0, "Between the entries of the theme there are episodes."),
        (
            42.0,
            "At the end of the fugue the theme is heard in the bass.",
        ),
    ];
    let segments = texts.map(|(start, text)| {
        NewTranscriptSegment::new(text, TimeRange::new(start, start + 6.0).unwrap()).unwrap()
    });
    let job_id = fixture.job.job_id;
    let stored = fixture.db.write(|tx| {
        tx.transcripts()
            .replace_for_job(job_id, &segments)
            .map(drop)
    });
    stored.unwrap();
}

/// The topics of the job after the stage, with start and end.
fn topics(fixture: &StageFixture) -> Vec<(f64, f64, String)> {
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let job_id = fixture.job.job_id;
    let topics = fixture
        .db
        .read(|conn| conn.content_segments().for_job(job_id));
    let outline = |topic: &NewContentSegment| {
        let title = topic.topic.as_str().to_owned();
        (topic.time.start(), topic.time.end().round(), title)
    };
    topics.unwrap().iter().map(|topic| outline(topic)).collect()
}

#[test]
fn the_chapters_of_the_file_are_stored() {
    let chapters = [(0, 20_000, "Theme"), (20_000, 60_000, "Kapitel 2")];
    let fixture = fixture(Stage::SilenceDetection, &chapters);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let job = fixture.job();
    let expected = json!([
        { "start_time": 0.0, "end_time": 20.0, "title": "Theme" },
        { "start_time": 20.0, "end_time": 60.0, "title": "Kapitel 2" },
    ]);
    let stored = &job.video_metadata.get()["chapters"];
    assert_eq!(stored.to_string(), expected.to_string());
}

#[test]
fn too_many_chapters_are_noted_and_not_stored() {
    let chapters: Vec<_> = (0..501).map(|i| (i * 100, i * 100 + 100, "a")).collect();
    let fixture = fixture(Stage::SilenceDetection, &chapters);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let notes = fixture.notes();
    assert!(
        notes.contains("the recording's 501 chapters are not used"),
        "{notes}"
    );
    assert_eq!(fixture.job().video_metadata.get()["chapters"], json!([]));
}

#[test]
fn topics_are_the_chapters_of_the_file_if_no_stage_has_stored_any() {
    let chapters = [(0, 20_000, "Theme"), (20_000, 60_000, "eBay's episodes")];
    let fixture = fixture(Stage::ContentAnalysis, &chapters);
    store_transcript(&fixture);
    let expected = [
        (0.0, 20.0, "Theme".to_owned()),
        (20.0, 60.0, "eBay's episodes".to_owned()),
    ];
    assert_eq!(topics(&fixture), expected);
    let notes = fixture.notes();
    assert_eq!(notes, "topics are the recording's 2 chapters");
}

#[test]
fn topics_are_the_stored_chapters() {
    let fixture = fixture(Stage::ContentAnalysis, &[(0, 60_000, "Whole")]);
    store_transcript(&fixture);
    let metadata = json!({ "chapters": [
        { "start_time": 0, "end_time": 45.0, "title": "Voices" },
        { "start_time": 30, "end_time": 50, "title": "Bass" },
        { "start_time": 50, "end_time": 60, "title": "Applause" },
        { "start_time": 50, "end_time": 50, "title": "Nothing" },
        { "start_time": "soon" },
        7,
    ]});
    let Value::Object(metadata) = metadata else {
        unreachable!("an object")
    };
    let update = JobUpdate {
        video_metadata: Some(JsonObject::new(metadata).unwrap().into()),
        ..JobUpdate::default()
    };
    let job_id = fixture.job.job_id;
    let stored = fixture
        .db
        .write(|tx| tx.jobs().update(job_id, &update, None));
    stored.unwrap();
    let expected = [
        (0.0, 30.0, "Voices".to_owned()),
        (30.0, 50.0, "Bass".to_owned()),
    ];
    assert_eq!(topics(&fixture), expected);
    let notes = fixture.notes();
    for note in [
        "topics are 2 of the recording's 3 chapters; in the others, nothing is said",
        "1 of the recording's chapters are left out",
        "chapters overlap",
    ] {
        assert!(notes.contains(note), "{notes}");
    }
}
