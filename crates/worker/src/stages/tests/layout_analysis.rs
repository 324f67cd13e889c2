use std::os::unix::fs::PermissionsExt;

use lectern_domain::{JobStatus, LayoutType, Stage};
use lectern_media::Tools;
use serde_json::json;

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

/// The layout of a recording of 20 seconds, and the arguments of all runs of ffmpeg that wrote
/// frames.
fn layout_and_sampling(steps: &serde_json::Value) -> (LayoutType, Vec<String>) {
    let slides = "color=white:s=320x180:r=10:d=20,geq=cb=128:cr=128:\
        lum='if(lt(mod(Y,20),6)*lt(X,90+mod(floor(T/7)*77+floor(Y/20)*53,200)),40,235)'";
    let inset = "testsrc2=s=72x44:r=10:d=20,hue=s=0,noise=alls=20:allf=t";
    let options = format!(
        "-f lavfi -i {slides} -f lavfi -i {inset} -f lavfi -i sine=duration=20 \
         -filter_complex [0][1]overlay=x=236:y=124 -c:v libx264 -preset ultrafast -g 100"
    );
    let mut fixture = StageFixture::with_pipeline(steps, Stage::LayoutAnalysis, &options);
    let (program, log) = (fixture.path("ffmpeg"), fixture.path("arguments"));
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>{}\nexec ffmpeg \"$@\"\n",
        log.display()
    );
    std::fs::write(&program, script).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable).unwrap();
    fixture.fixture.tools = Tools::at(program, "ffprobe").unwrap();
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let job_id = fixture.job.job_id;
    let layout = fixture
        .db
        .read(|conn| conn.layout_analysis().find_for_job(job_id));
    let arguments = std::fs::read_to_string(log).unwrap();
    let sampling = arguments
        .lines()
        .filter(|line| line.contains("-f rawvideo"));
    (
        layout.unwrap().unwrap().layout_type,
        sampling.map(str::to_owned).collect(),
    )
}

#[test]
fn the_pictures_that_are_decoded_to_detect_silence_show_the_layout_as_well() {
    let (layout, sampling) = layout_and_sampling(&json!([{ "stage": "layout_analysis" }]));
    assert_eq!(layout, LayoutType::PictureInPicture);
    let [alone] = &sampling[..] else {
        panic!("{sampling:?}")
    };
    assert!(!alone.contains("blackdetect"), "{alone}");

    let (layout, sampling) = layout_and_sampling(&json!([
        { "stage": "silence_detection" },
        { "stage": "layout_analysis", "after": ["silence_detection"] },
    ]));
    assert_eq!(layout, LayoutType::PictureInPicture);
    let [shared] = &sampling[..] else {
        panic!("{sampling:?}")
    };
    assert!(shared.contains("blackdetect"), "{shared}");
}

#[test]
fn stretches_end_where_the_picture_changes() {
    // A slide for every 17 seconds, with lines of different length. The frames that are analysed
    // are two seconds apart.
    let slides = "color=white:s=320x180:r=10:d=240,geq=cb=128:cr=128:\
        lum='if(lt(mod(Y,20),6)*lt(X,90+mod(floor(T/17)*77+floor(Y/20)*53,200)),40,235)'";
    let camera = "testsrc2=s=320x180:r=10:d=240,hue=s=0,noise=alls=20:allf=t";
    let inset =
        |label: &str, x: u32, times: &str| format!("overlay=x={x}:y=124:enable='{times}'[{label}]");
    let filters = format!(
        "[0][2]{};[a][3]{};[b][1]overlay=enable='between(t,150.65,190.05)'",
        inset("a", 236, "lt(t,101.25)+gte(t,170)"),
        inset("b", 12, "between(t,101.25,170)"),
    );
    let inset = "testsrc2=s=72x44:r=10:d=240,hue=s=0,noise=alls=20:allf=t";
    let options = format!(
        "-f lavfi -i {slides} -f lavfi -i {camera} -f lavfi -i {inset} -f lavfi -i {inset} \
         -filter_complex {filters} -c:v libx264 -preset ultrafast -g 100"
    );
    let fixture = StageFixture::new(Stage::LayoutAnalysis, &options);
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let job_id = fixture.job.job_id;
    let layout = fixture
        .db
        .read(|conn| conn.layout_analysis().find_for_job(job_id));
    let layout = layout.unwrap().unwrap();
    let stretches = layout.stretches.as_slice();
    let types: Vec<_> = stretches
        .iter()
        .map(|stretch| stretch.layout_type)
        .collect();
    let inset = LayoutType::PictureInPicture;
    assert_eq!(types, [inset, inset, LayoutType::CameraOnly, inset]);
    let ends = stretches.iter().map(|stretch| stretch.time.end());
    for (end, expected) in ends.zip([101.25, 150.65, 190.05, 240.0]) {
        assert!((end - expected).abs() <= 0.1, "{end} s is not {expected} s");
    }
}
