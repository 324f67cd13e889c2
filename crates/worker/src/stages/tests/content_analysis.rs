//! Topics and clips of transcripts with text that nobody has spoken.

use lectern_domain::{
    ContentSegment, JobStatus, JobUpdate, Keyword, NewContentSegment, NewSilenceRegion,
    NewTranscriptSegment, Patch, Ratio, SilenceType, Stage, TimeRange, TranscriptSource,
    VideoDuration,
};

use super::StageFixture;
use crate::stages::RecognizerSettings;

const FUGUE: [&str; 6] = [
    "Now let us talk about the fugue.",
    "A fugue begins with a single voice, which has the theme.",
    "The second voice has the theme of the fugue a fifth above.",
    "The theme wanders through all voices of the fugue.",
    "Between the entries of the theme there are episodes.",
    "At the end of the fugue the theme is heard in the bass.",
];
const REPEATED: &str = "Thank you for watching this video.";

/// Stores the fugue and then the same sentence fifteen times, in segments of four seconds.
fn store_transcript(fixture: &StageFixture) {
    let texts = FUGUE.into_iter().chain([REPEATED; 15]);
    let segments: Vec<NewTranscriptSegment> = (0_u32..)
        .zip(texts)
        .map(|(i, text)| {
            let start = f64::from(i) * 4.0;
            NewTranscriptSegment::new(text, TimeRange::new(start, start + 3.8).unwrap()).unwrap()
        })
        .collect();
    let silence = NewSilenceRegion {
        time: TimeRange::new(24.0, 84.0).unwrap(),
        silence_type: SilenceType::AudioSilence,
        amplitude_threshold: None,
    };
    let job_id = fixture.job.job_id;
    fixture
        .db
        .write(|tx| {
            tx.transcripts().replace_for_job(job_id, &segments)?;
            tx.silence_regions()
                .replace_for_job(job_id, std::slice::from_ref(&silence))
                .map(drop)
        })
        .unwrap();
}

#[test]
fn a_sentence_repeated_by_the_recognizer_is_in_no_topic_and_the_note_says_so() {
    let fixture = StageFixture::new(Stage::ContentAnalysis, "-f lavfi -i testsrc2=d=1");
    store_transcript(&fixture);
    assert_eq!(
        fixture.run_stage(RecognizerSettings::default()),
        JobStatus::Completed
    );
    let job_id = fixture.job.job_id;
    let (topics, transcript) = fixture
        .db
        .read(|conn| {
            let topics = conn.content_segments().for_job(job_id)?;
            Ok::<_, lectern_db::Error>((topics, conn.transcripts().for_job(job_id)?))
        })
        .unwrap();
    assert_eq!(transcript.len(), 21, "the transcript is complete");
    assert!(!topics.is_empty());
    assert!(
        topics.iter().all(|topic| topic.time.end() <= 24.0),
        "{topics:?}"
    );
    assert!(fixture.notes().contains(REPEATED), "{}", fixture.notes());
    assert!(
        !fixture.notes().contains("recognizer"),
        "{}",
        fixture.notes()
    );
}

#[test]
fn segments_after_the_end_of_the_recording_are_in_no_topic() {
    let fixture = StageFixture::new(Stage::ContentAnalysis, "-f lavfi -i testsrc2=d=1");
    store_transcript(&fixture);
    set_duration(&fixture, 18.0);
    assert_eq!(
        fixture.run_stage(RecognizerSettings::default()),
        JobStatus::Completed
    );
    let topics = topics(&fixture);
    assert!(!topics.is_empty());
    assert!(
        topics.iter().all(|topic| topic.time.end() <= 18.0),
        "{topics:?}"
    );
    let notes = fixture.notes();
    let late = "16 of 21 segments of the transcript begin after the end of the recording (18 s)";
    assert!(notes.contains(late), "{notes}");
}

#[test]
fn a_note_says_that_sound_follows_the_transcript() {
    for (duration, expected) in [
        (203.0, Some("ends at 84 s, but 119 s of sound follow")),
        (110.0, None),
    ] {
        let fixture = StageFixture::new(Stage::ContentAnalysis, "-f lavfi -i testsrc2=d=1");
        store_transcript(&fixture);
        set_duration(&fixture, duration);
        assert_eq!(
            fixture.run_stage(RecognizerSettings::default()),
            JobStatus::Completed
        );
        let notes = fixture.notes();
        match expected {
            Some(expected) => assert!(notes.contains(expected), "{notes}"),
            None => assert!(!notes.contains("of sound follow"), "{notes}"),
        }
    }
}

fn set_duration(fixture: &StageFixture, seconds: f64) {
    let update = JobUpdate {
        video_duration: Patch::Set(VideoDuration::new(seconds).unwrap()),
        ..JobUpdate::default()
    };
    let job_id = fixture.job.job_id;
    let update = |tx: &mut lectern_db::Tx<'_>| tx.jobs().update(job_id, &update, None).map(drop);
    fixture.db.write(update).unwrap();
}

fn topics(fixture: &StageFixture) -> Vec<ContentSegment> {
    let job_id = fixture.job.job_id;
    let read = fixture
        .db
        .read(|conn| conn.content_segments().for_job(job_id));
    read.unwrap()
}

#[test]
fn a_clip_has_a_description_and_no_text_that_nobody_has_spoken() {
    let fixture = StageFixture::new(Stage::Segmentation, "-f lavfi -i color=d=84:r=1:s=64x64");
    store_transcript(&fixture);
    let job_id = fixture.job.job_id;
    let time = TimeRange::new(0.0, 84.0).unwrap();
    let topic = NewContentSegment {
        keywords: vec![Keyword::new("fugue").unwrap()],
        ..NewContentSegment::new("Fugues", time, Ratio::new(1.0).unwrap()).unwrap()
    };
    fixture
        .db
        .write(|tx| {
            let topics = std::slice::from_ref(&topic);
            tx.content_segments()
                .replace_for_job(job_id, topics)
                .map(drop)
        })
        .unwrap();
    assert_eq!(
        fixture.run_stage(RecognizerSettings::default()),
        JobStatus::Completed
    );
    let clips = fixture
        .db
        .read(|conn| conn.clips().for_job(job_id))
        .unwrap();
    assert!(!clips.is_empty());
    let description = clips[0].extra_metadata.get()["description"]
        .as_str()
        .unwrap();
    assert!(FUGUE.contains(&description), "{description}");
    assert!(
        clips.iter().all(|clip| clip.time.end() <= 24.5),
        "{clips:?}"
    );
}

#[test]
fn only_text_of_a_recognizer_is_called_invented() {
    for source in TranscriptSource::ALL {
        let fixture = StageFixture::new(Stage::ContentAnalysis, "-f lavfi -i testsrc2=d=1");
        store_transcript(&fixture);
        let job_id = fixture.job.job_id;
        let stored = fixture
            .db
            .write(|tx| tx.transcripts().set_source(job_id, *source));
        stored.unwrap();
        let status = fixture.run_stage(RecognizerSettings::default());
        assert_eq!(status, JobStatus::Completed);
        let is_recognized = !matches!(
            source,
            TranscriptSource::Client | TranscriptSource::Sidecar | TranscriptSource::Track
        );
        let notes = fixture.notes();
        assert!(notes.contains("left out of topics and clips"), "{notes}");
        assert_eq!(
            notes.contains("invented"),
            is_recognized,
            "{source}: {notes}"
        );
    }
}
