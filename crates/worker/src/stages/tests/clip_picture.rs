//! Clips whose picture follows the layout of the recording.

use std::process::Command;

use lectern_domain::{
    Clip, ClipMedia, JobStatus, LayoutStretch, LayoutStretches, LayoutType, NewLayoutAnalysis,
    ProcessingConfig, Ratio, Region, Stage, TimeRange,
};
use lectern_storage::ObjectKey;
use serde_json::json;

use super::{RecognizerSettings, StageFixture};
use crate::job_objects::JobObjects as _;
use crate::testing::new_clip;

/// A white screen with a gray camera at the right until 4 s, the camera alone until 8 s, and
/// then the screen with the camera at the left.
const RECORDING: &str = "-f lavfi -i color=white:size=320x180:rate=25:duration=12,\
    drawbox=x=236:y=124:w=72:h=44:color=gray:t=fill:enable='lt(t,4)',\
    drawbox=x=12:y=124:w=72:h=44:color=gray:t=fill:enable='gte(t,8)',\
    drawbox=color=gray:t=fill:enable='between(t,4,7.99)' -f lavfi -i sine=duration=12";

const PICTURE: [i32; 4] = [0, 0, 320, 180];
const RIGHT: [i32; 4] = [236, 124, 72, 44];
const LEFT: [i32; 4] = [12, 124, 72, 44];

fn region([x, y, width, height]: [i32; 4]) -> Region {
    Region::new(x, y, width, height).unwrap()
}

/// Runs the stage with the layouts of the recording, an option `clip_layout` and clips at these
/// times.
fn compile(clip_layout: &str, times: &[(f64, f64)]) -> (StageFixture, Vec<Clip>) {
    let mut fixture = StageFixture::new(Stage::Compilation, RECORDING);
    let stretch = |start, end, layout_type, screen: Option<_>, camera| LayoutStretch {
        time: TimeRange::new(start, end).unwrap(),
        layout_type,
        screen_region: screen.map(region),
        camera_region: Some(region(camera)),
        split_ratio: None,
        confidence_score: Ratio::new(0.8).unwrap(),
    };
    let inset = LayoutType::PictureInPicture;
    let stretches = vec![
        stretch(0.0, 4.0, inset, Some(PICTURE), RIGHT),
        stretch(4.0, 8.0, LayoutType::CameraOnly, None, PICTURE),
        stretch(8.0, 12.0, inset, Some(PICTURE), LEFT),
    ];
    let analysis = NewLayoutAnalysis {
        stretches: LayoutStretches::new(stretches).unwrap(),
        ..NewLayoutAnalysis::new(LayoutType::Unknown, Ratio::new(0.3).unwrap())
    };
    let job_id = fixture.job.job_id;
    let put = fixture
        .db
        .write(|tx| tx.layout_analysis().put(job_id, &analysis).map(drop));
    put.unwrap();
    let clips: Vec<_> = times
        .iter()
        .zip(0..)
        .map(|(time, i)| new_clip(i, "A clip", *time, ClipMedia::default()))
        .collect();
    fixture.set_clips(&clips);
    let options = ProcessingConfig::try_from(json!({ "clip_layout": clip_layout })).unwrap();
    fixture.fixture.options = options.options().clone();
    let status = fixture.run_stage(RecognizerSettings::default());
    assert_eq!(status, JobStatus::Completed);
    let clips = fixture.clips();
    (fixture, clips)
}

/// The frame of a clip at a time: its width, its height and its gray levels.
struct Frame(usize, usize, Vec<u8>);

impl Frame {
    fn of_clip(fixture: &StageFixture, clip: &Clip, time: f64) -> Self {
        let key = ObjectKey::try_from(clip.media.s3_key.clone().unwrap()).unwrap();
        let file = fixture.storage.local_file(&key).unwrap().unwrap();
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-ss", &time.to_string(), "-i"])
            .arg(file)
            .args(["-frames:v", "1", "-c:v", "pgm", "-f", "image2pipe", "-"])
            .output()
            .unwrap();
        // "P5", width and height, the greatest level, and the levels.
        let pgm = output.stdout;
        let header_end = pgm.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let header_end = header_end.map(|(i, _)| i).nth(2).unwrap();
        let header = String::from_utf8(pgm[..header_end].to_vec()).unwrap();
        let numbers: Vec<usize> = header
            .split_whitespace()
            .skip(1)
            .map(|number| number.parse().unwrap())
            .collect();
        let [width, height, _] = numbers[..] else {
            panic!("{header}")
        };
        Self(width, height, pgm[header_end + 1..].to_vec())
    }

    fn size(&self) -> (usize, usize) {
        (self.0, self.1)
    }

    /// The colour at a place.
    fn colour(&self, x: usize, y: usize) -> &'static str {
        match self.2[y * self.0 + x] {
            ..40 => "black",
            90..170 => "gray",
            221.. => "white",
            _ => "another",
        }
    }
}

#[test]
fn a_clip_within_a_stretch_has_its_layout() {
    let (fixture, clips) = compile("camera", &[(1.0, 3.0), (5.0, 7.0)]);
    let [right, alone] = &clips[..] else {
        panic!("{clips:?}")
    };
    let frame = Frame::of_clip(&fixture, right, 1.0);
    assert_eq!(frame.size(), (294, 180));
    assert_eq!(frame.colour(5, 5), "gray");
    assert_eq!(frame.colour(288, 174), "gray");
    let frame = Frame::of_clip(&fixture, alone, 1.0);
    assert_eq!(frame.size(), (320, 180));
    assert_eq!(frame.colour(5, 5), "gray");
    assert!(!fixture.notes().contains("is known"), "{}", fixture.notes());
}

#[test]
fn a_clip_follows_the_layout_through_three_stretches() {
    let (fixture, clips) = compile("stack", &[(1.0, 11.0)]);
    let frame = |time| Frame::of_clip(&fixture, &clips[0], time);
    for time in [0.5, 2.8, 7.2, 9.5] {
        let frame = frame(time);
        assert_eq!(frame.size(), (180, 320));
        for (x, y) in [(20, 60), (30, 130), (150, 130)] {
            assert_eq!(frame.colour(x, y), "white", "screen at {time} s: {x}, {y}");
        }
        for (x, y) in [(10, 175), (170, 250)] {
            assert_eq!(frame.colour(x, y), "gray", "camera at {time} s: {x}, {y}");
        }
    }
    for time in [3.2, 6.8] {
        let frame = frame(time);
        assert_eq!(frame.size(), (180, 320));
        assert_eq!(frame.colour(90, 160), "gray", "at {time} s");
        assert_eq!(frame.colour(90, 60), "black", "at {time} s");
    }
    let note = "no screen is known for parts of 1 clips";
    assert!(fixture.notes().contains(note), "{}", fixture.notes());
}

#[test]
fn without_an_arrangement_a_clip_is_a_plain_cut() {
    let (fixture, clips) = compile("keep", &[(1.0, 11.0)]);
    for (time, left, right) in [
        (1.0, "white", "gray"),
        (4.0, "gray", "gray"),
        (9.0, "gray", "white"),
    ] {
        let frame = Frame::of_clip(&fixture, &clips[0], time);
        assert_eq!(frame.size(), (320, 180));
        assert_eq!(
            (frame.colour(40, 150), frame.colour(270, 150)),
            (left, right)
        );
    }
    let record = clips[0].cut.record.as_ref().unwrap();
    assert!(!format!("{record:?}").contains("changes"), "{record:?}");
}
