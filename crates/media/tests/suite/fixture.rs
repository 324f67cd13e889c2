//! Recordings for tests, rendered when they are needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use lectern_domain::TimeRange;
use lectern_media::{
    CutSettings, GrayPicture, Limits, Media, MediaInfo, MissingTool, SilenceRegions,
    SilenceSettings, Tools,
};
use tempfile::TempDir;

/// The tools, and a temporary directory for recordings.
pub(crate) struct Fixture {
    dir: TempDir,
    pub(crate) media: Media,
}

/// Found once for all tests.
pub(crate) static TOOLS: LazyLock<Result<Tools, MissingTool>> = LazyLock::new(Tools::find);
/// The content of [`Fixture::lecture`], rendered once for all tests.
static LECTURE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let fixture = Fixture::new();
    fs::read(fixture.render(&[PICTURE, SOUND], CODECS, "lecture.mp4")).unwrap()
});

/// Six seconds of a moving picture, black from 1 s to 2 s.
pub(crate) const PICTURE: &str = "testsrc2=size=160x120:rate=10:duration=6,\
    drawbox=enable='between(t,1,1.95)':color=black:thickness=fill";
/// Six seconds of a tone, silent from 2 s to 4 s and from 5 s on.
pub(crate) const SOUND: &str = "aevalsrc='0.3*sin(440*2*PI*t)*(lt(t,2)+between(t,4,5))':duration=6";
/// Codecs for fast encoding; quality does not matter.
pub(crate) const CODECS: &str = "-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac";

impl Fixture {
    /// A fixture with an empty directory. If ffmpeg is missing, it panics with the
    /// names of the packages to install.
    pub(crate) fn new() -> Self {
        let tools = TOOLS.as_ref().unwrap_or_else(|missing| panic!("{missing}"));
        Self {
            dir: tempfile::tempdir().unwrap(),
            media: Media::new(tools, Limits::within(Duration::from_mins(1))),
        }
    }

    /// The path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Renders a recording from `lavfi` sources.
    pub(crate) fn render(&self, sources: &[&str], options: &str, name: &str) -> PathBuf {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y"]);
        for source in sources {
            ffmpeg.args(["-f", "lavfi", "-i", source]);
        }
        ffmpeg.args(options.split_whitespace());
        self.run(ffmpeg, name)
    }

    /// Converts a recording.
    pub(crate) fn convert(&self, recording: &Path, options: &str, name: &str) -> PathBuf {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg
            .args(["-v", "error", "-nostdin", "-y", "-i"])
            .arg(recording);
        ffmpeg.args(options.split_whitespace());
        self.run(ffmpeg, name)
    }

    /// A copy of a recording that is displayed rotated clockwise by 270 degrees.
    pub(crate) fn rotated(&self, recording: &Path) -> PathBuf {
        self.rotated_counterclockwise(recording, 90)
    }

    /// A copy of a recording that is displayed rotated.
    pub(crate) fn rotated_counterclockwise(&self, recording: &Path, degrees: u32) -> PathBuf {
        let version = Command::new("ffmpeg")
            .arg("-version")
            .output()
            .unwrap()
            .stdout;
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y"]);
        // Version 5 takes the rotation from a tag of the output, later versions from
        // an option of the input.
        if String::from_utf8_lossy(&version).starts_with("ffmpeg version 5") {
            ffmpeg.arg("-i").arg(recording);
            ffmpeg.args(["-c", "copy", "-metadata:s:v", &format!("rotate={degrees}")]);
        } else {
            ffmpeg
                .args(["-display_rotation", &degrees.to_string(), "-i"])
                .arg(recording);
            ffmpeg.args(["-c", "copy"]);
        }
        self.run(ffmpeg, "rotated.mp4")
    }

    fn run(&self, mut ffmpeg: Command, name: &str) -> PathBuf {
        let path = self.path(name);
        let output = ffmpeg.arg(&path).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{ffmpeg:?}: {stderr}");
        path
    }

    /// A recording with [`PICTURE`] and [`SOUND`].
    pub(crate) fn lecture(&self) -> MediaInfo {
        let path = self.path("lecture.mp4");
        fs::write(&path, LECTURE.as_slice()).unwrap();
        self.probe(&path)
    }

    pub(crate) fn detect_silence(&self, recording: &MediaInfo) -> SilenceRegions {
        let settings = SilenceSettings::default();
        self.media
            .detect_silence(recording, settings, &mut |_| {})
            .unwrap()
    }

    pub(crate) fn probe(&self, path: &Path) -> MediaInfo {
        self.media.probe(path).unwrap()
    }

    /// Cuts a clip, checks that it decodes, and probes it.
    pub(crate) fn cut(
        &self,
        recording: &MediaInfo,
        range: (f64, f64),
        settings: &CutSettings,
    ) -> MediaInfo {
        let out = self.path("clip.mp4");
        let range = TimeRange::new(range.0, range.1).unwrap();
        self.media
            .cut(recording, range, settings, &out, &mut |_| {})
            .unwrap();
        assert_decodes(&out);
        self.probe(&out)
    }
}

/// Asserts that a file can be decoded without warnings.
pub(crate) fn assert_decodes(path: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-v", "warning", "-nostdin", "-xerror", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.is_empty(),
        "{}: {stderr}",
        path.display()
    );
}

/// The brightness of a pixel.
pub(crate) fn brightness(picture: &GrayPicture, x: u32, y: u32) -> u8 {
    picture.data[(y * picture.width + x) as usize]
}

/// Asserts that two times differ by at most 0.1 s.
#[track_caller]
pub(crate) fn assert_seconds(got: f64, want: f64) {
    assert!(
        (got - want).abs() <= 0.1,
        "{got} s is not within 0.1 s of {want} s"
    );
}

/// Asserts that the ranges are the expected ones, to 0.1 s.
#[track_caller]
pub(crate) fn assert_ranges(got: &[TimeRange], want: &[(f64, f64)]) {
    assert_eq!(got.len(), want.len(), "{got:?} instead of {want:?}");
    for (got, (start, end)) in got.iter().zip(want) {
        assert_seconds(got.start(), *start);
        assert_seconds(got.end(), *end);
    }
}
