use lectern_domain::{JobStatus, Stage};
use lectern_media::CancellationToken;
use lectern_storage::ObjectKey;
use serde_json::Value;

use super::{RecognizerSettings, StageFixture};
use crate::job_objects::JobObjects as _;

const PICTURE: &str = "-f lavfi -i testsrc2=s=160x120:r=10:d=4";
const SOUND: &str = "-f lavfi -i sine=duration=4";

/// An object of the job, if it exists.
fn object(fixture: &StageFixture, key: &ObjectKey) -> Option<Vec<u8>> {
    let token = CancellationToken::new();
    fixture.storage.read(key, 1 << 20, &token).unwrap()
}

/// The waveform, the picture of the thumbnails and their times.
fn files(fixture: &StageFixture) -> [Option<Vec<u8>>; 3] {
    let job_id = fixture.job.job_id;
    let keys = [
        ObjectKey::waveform(job_id),
        ObjectKey::thumbnails(job_id),
        ObjectKey::thumbnail_cues(job_id),
    ];
    keys.map(|key| object(fixture, &key))
}

/// Stores files of an earlier attempt.
fn put_earlier_files(fixture: &StageFixture) {
    let job_id = fixture.job.job_id;
    for name in ["waveform.json", "thumbnails.jpg", "thumbnails.vtt"] {
        fixture.put(&format!("jobs/{job_id}/{name}"), b"earlier");
    }
}

#[test]
fn the_files_of_the_timeline_replace_earlier_ones() {
    let fixture = StageFixture::new(Stage::SilenceDetection, &format!("{PICTURE} {SOUND}"));
    put_earlier_files(&fixture);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let [waveform, picture, cues] = files(&fixture).map(Option::unwrap);
    let waveform: Value = serde_json::from_slice(&waveform).unwrap();
    let length = waveform["length"].as_u64().unwrap();
    assert!((100..=102).contains(&length), "{waveform}");
    assert_eq!(
        waveform["data"].as_array().unwrap().len() as u64,
        2 * length
    );
    assert!(picture.starts_with(b"\xff\xd8") && picture.ends_with(b"\xff\xd9"));
    let cues = String::from_utf8(cues).unwrap();
    // The sound, and with it the file, is some milliseconds longer than four seconds.
    let (_, last) = cues.rsplit_once(" --> 00:00:04.00").expect(&cues);
    assert_eq!(&last[1..], "\nthumbnails.jpg#xywh=480,0,160,120\n");
}

#[test]
fn without_sound_there_is_no_waveform_and_without_picture_no_thumbnails() {
    for (sources, has_sound) in [(PICTURE, false), (SOUND, true)] {
        let fixture = StageFixture::new(Stage::SilenceDetection, sources);
        let status = fixture.run_stage(RecognizerSettings::default());
        assert_eq!(status, JobStatus::Completed);
        let exist = files(&fixture).map(|file| file.is_some());
        assert_eq!(exist, [has_sound, !has_sound, !has_sound]);

        // The recording was another one when the earlier attempt stored its files.
        let fixture = StageFixture::new(Stage::SilenceDetection, sources);
        put_earlier_files(&fixture);
        fixture.run_stage(RecognizerSettings::default());
        let [waveform, _, cues] = files(&fixture).map(Option::unwrap);
        let waveform: Value = serde_json::from_slice(&waveform).unwrap();
        assert_eq!(waveform["length"] == 0, !has_sound, "{waveform}");
        assert_eq!(cues == b"WEBVTT\n", has_sound);
    }
}

#[test]
fn the_stage_is_completed_although_a_file_of_the_timeline_cannot_be_stored() {
    let fixture = StageFixture::new(Stage::SilenceDetection, SOUND);
    // A directory has the name of the file.
    let job_id = fixture.job.job_id;
    fixture.put(&format!("jobs/{job_id}/waveform.json/1"), b"");
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let notes = fixture.notes();
    assert!(
        notes.contains("the waveform could not be stored"),
        "{notes}"
    );
}

#[test]
fn the_chosen_track_is_stored_and_noted() {
    let sources = "-f lavfi -i anullsrc=cl=mono -f lavfi -i sine=duration=2 -map 0 -map 1 -t 2";
    let fixture = StageFixture::new(Stage::SilenceDetection, sources);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let notes = fixture.notes();
    let expected = "audio track 1 is silent; audio track 2 of 2 is used";
    assert!(notes.contains(expected), "{notes}");
    let job = fixture.job();
    let audio = &job.video_metadata.get()["audio"];
    assert_eq!(audio["track"], 2, "{audio}");
}

#[test]
fn a_picture_that_ends_before_the_sound_is_noted() {
    let sources = "-f lavfi -i testsrc2=s=160x120:r=10:d=4 -f lavfi -i sine=duration=8";
    let fixture = StageFixture::new(Stage::SilenceDetection, sources);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let notes = fixture.notes();
    assert!(
        notes.contains("the picture ends at 4.0 s of 8.0 s"),
        "{notes}"
    );
}
