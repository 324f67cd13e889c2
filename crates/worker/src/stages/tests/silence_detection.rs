use lectern_domain::{JobStatus, Stage};

use super::{RecognizerSettings, StageFixture};

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
