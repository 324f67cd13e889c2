use lectern_domain::{Clip, JobStatus, ProcessingConfig, Stage};
use serde_json::{Value, json};

use super::{RecognizerSettings, StageFixture};

/// The clips of a recording of ten minutes, for a worker with these options.
fn clips(options: Value) -> Vec<Clip> {
    let options = ProcessingConfig::try_from(options).unwrap();
    let mut fixture = StageFixture::new(
        Stage::Segmentation,
        "-f lavfi -i sine=duration=600:sample_rate=8000",
    );
    fixture.fixture.options = options.options().clone();
    assert_eq!(
        fixture.run_stage(RecognizerSettings::default()),
        JobStatus::Completed
    );
    fixture.clips()
}

#[test]
fn the_options_decide_number_length_and_share() {
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
