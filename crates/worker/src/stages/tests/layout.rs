use lectern_domain::{JobStatus, LayoutType, Stage};

use super::{Bench, RecognizerSettings};

#[test]
fn a_cover_that_is_one_frame_of_a_long_recording_is_of_no_layout() {
    let options = "-f lavfi -i color=blue:s=320x180:r=25:d=0.04 -f lavfi -i sine=d=60 -c:v libx264";
    let bench = Bench::new(Stage::LayoutAnalysis, options);
    assert_eq!(
        bench.work(RecognizerSettings::default()),
        JobStatus::Completed
    );
    let job_id = bench.job.job_id;
    let found = bench
        .db
        .read(|conn| conn.layout_analysis().find_for_job(job_id));
    let found = found.unwrap().unwrap();
    assert_eq!(found.layout_type, LayoutType::Unknown);
}
