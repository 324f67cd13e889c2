use lectern_domain::{JobStatus, LayoutType, Stage};

use super::{RecognizerSettings, StageFixture};

#[test]
fn a_cover_at_the_start_of_a_long_recording_has_an_unknown_layout() {
    let options = "-f lavfi -i color=blue:s=320x180:r=25:d=0.04 -f lavfi -i sine=d=60 -c:v libx264";
    let fixture = StageFixture::new(Stage::LayoutAnalysis, options);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let job_id = fixture.job.job_id;
    let layout = fixture
        .db
        .read(|conn| conn.layout_analysis().find_for_job(job_id));
    let layout = layout.unwrap().unwrap();
    assert_eq!(layout.layout_type, LayoutType::Unknown);
}

#[test]
fn a_picture_beyond_the_limits_fails_at_the_first_attempt() {
    let options = "-f lavfi -i color=black:s=13000x2:r=1:d=125 -c:v libx264 -preset ultrafast";
    let fixture = StageFixture::new(Stage::LayoutAnalysis, options);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Failed);
    let run = fixture.stage_run();
    let error = run.error.unwrap();
    assert!(error.as_str().contains("13000 × 2 pixels"), "{error}");
    assert_eq!(run.attempt, 1);
}
