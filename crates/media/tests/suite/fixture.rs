//! Recordings to test with, rendered when they are needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use lectern_domain::TimeRange;
use lectern_media::{CutSettings, GrayPicture, Limits, Media, MissingTool, Probe, Tools};
use tempfile::TempDir;

/// A directory with recordings in it, and the tools.
pub(crate) struct Studio {
    dir: TempDir,
    pub(crate) media: Media,
}

/// Asked for once.
pub(crate) static TOOLS: LazyLock<Result<Tools, MissingTool>> = LazyLock::new(Tools::find);
/// Rendered once.
static LECTURE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let studio = Studio::new();
    fs::read(studio.render(&[PICTURE, SOUND], CODECS, "lecture.mp4")).unwrap()
});

/// Six seconds of a moving picture, black from 1 s to 2 s.
pub(crate) const PICTURE: &str = "testsrc2=size=160x120:rate=10:duration=6,\
    drawbox=enable='between(t,1,1.95)':color=black:thickness=fill";
/// Six seconds of a tone, silent from 2 s to 4 s and from 5 s on.
pub(crate) const SOUND: &str = "aevalsrc='0.3*sin(440*2*PI*t)*(lt(t,2)+between(t,4,5))':duration=6";
/// The codecs of the recordings, quick rather than good.
pub(crate) const CODECS: &str = "-c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac";

impl Studio {
    /// An empty one. Without ffmpeg no test can say anything, so it fails here
    /// and says what to install.
    pub(crate) fn new() -> Self {
        let tools = TOOLS.as_ref().unwrap_or_else(|missing| panic!("{missing}"));
        Self {
            dir: tempfile::tempdir().unwrap(),
            media: Media::new(tools, Limits::within(Duration::from_mins(1))),
        }
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Renders a recording: the sources of `lavfi`, the options, the name.
    pub(crate) fn render(&self, sources: &[&str], options: &str, name: &str) -> PathBuf {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y"]);
        for source in sources {
            ffmpeg.args(["-f", "lavfi", "-i", source]);
        }
        ffmpeg.args(options.split_whitespace());
        self.finish(ffmpeg, name)
    }

    /// Makes a recording out of another.
    pub(crate) fn remake(&self, recording: &Path, options: &str, name: &str) -> PathBuf {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg
            .args(["-v", "error", "-nostdin", "-y", "-i"])
            .arg(recording);
        ffmpeg.args(options.split_whitespace());
        self.finish(ffmpeg, name)
    }

    /// A copy of a recording that is to be turned clockwise by 270 degrees.
    pub(crate) fn turned(&self, recording: &Path) -> PathBuf {
        let major = Command::new("ffmpeg")
            .arg("-version")
            .output()
            .unwrap()
            .stdout;
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-nostdin", "-y"]);
        // What version 5 takes as a tag of the output, 6 takes as an option of the input.
        if String::from_utf8_lossy(&major).starts_with("ffmpeg version 5") {
            ffmpeg.arg("-i").arg(recording);
            ffmpeg.args(["-c", "copy", "-metadata:s:v", "rotate=90"]);
        } else {
            ffmpeg
                .args(["-display_rotation", "90", "-i"])
                .arg(recording);
            ffmpeg.args(["-c", "copy"]);
        }
        self.finish(ffmpeg, "turned.mp4")
    }

    fn finish(&self, mut ffmpeg: Command, name: &str) -> PathBuf {
        let path = self.path(name);
        let output = ffmpeg.arg(&path).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{ffmpeg:?}: {stderr}");
        path
    }

    /// The lecture most tests are about: [`PICTURE`] and [`SOUND`].
    pub(crate) fn lecture(&self) -> Probe {
        let path = self.path("lecture.mp4");
        fs::write(&path, LECTURE.as_slice()).unwrap();
        self.probe(&path)
    }

    pub(crate) fn probe(&self, path: &Path) -> Probe {
        self.media.probe(path).unwrap()
    }

    /// Cuts a clip and reads it back; it decodes without a complaint.
    pub(crate) fn cut(
        &self,
        recording: &Probe,
        range: (f64, f64),
        settings: &CutSettings,
    ) -> Probe {
        let out = self.path("clip.mp4");
        let range = TimeRange::new(range.0, range.1).unwrap();
        self.media
            .cut(recording, range, settings, &out, &mut |_| {})
            .unwrap();
        decodes(&out);
        self.probe(&out)
    }
}

/// Asserts that every packet of a file can be decoded.
pub(crate) fn decodes(path: &Path) {
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

/// The brightness of a picture at a point.
pub(crate) fn brightness(picture: &GrayPicture, x: u32, y: u32) -> u8 {
    picture.data[(y * picture.width + x) as usize]
}

/// Asserts that two numbers of seconds are no more than a tenth apart.
#[track_caller]
pub(crate) fn near(got: f64, want: f64) {
    assert!(
        (got - want).abs() <= 0.1,
        "{got} s is not within 0.1 s of {want} s"
    );
}

/// Asserts that ranges are where they should be, to a tenth of a second.
#[track_caller]
pub(crate) fn ranges_near(got: &[TimeRange], want: &[(f64, f64)]) {
    assert_eq!(got.len(), want.len(), "{got:?} instead of {want:?}");
    for (got, (start, end)) in got.iter().zip(want) {
        near(got.start(), *start);
        near(got.end(), *end);
    }
}
