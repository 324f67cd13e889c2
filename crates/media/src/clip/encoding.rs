//! The encoding of clips.

use std::path::PathBuf;

use lectern_domain::{Loudness, Resolution};

use crate::ffmpeg::thread_count;
use crate::picture::Composition;
use crate::probe::AudioStream;
use crate::process::Program;

/// Greatest number of threads of an encoder. With four threads, a clip in 8K takes 5 GB
/// of memory; clips of smaller pictures are encoded in parallel anyway.
const MAX_ENCODER_THREADS: usize = 4;

/// How a clip or a reel is encoded, and how its picture is arranged.
#[derive(Debug, Clone, PartialEq)]
pub struct CutSettings {
    /// Constant rate factor of libx264, from 0 (lossless) to 51 (worst).
    pub crf: u8,
    /// Preset of libx264, such as `veryfast`.
    pub preset: String,
    /// Greatest height of the picture. A lower picture is not enlarged.
    pub resolution: Option<Resolution>,
    /// A new arrangement of the picture's regions. `None` keeps the picture.
    pub composition: Option<Composition>,
    /// Where the arrangement changes within the clip, in order of time. The whole clip has the
    /// size of the arrangement that takes most of it; the others are fitted into it.
    pub composition_changes: Vec<CompositionChange>,
    /// Subtitles that are drawn into the picture: a file in a format that ffmpeg reads, with
    /// times from the start of the clip.
    pub subtitles: Option<PathBuf>,
    /// The loudness of the sound. `None` keeps the loudness of the recording.
    pub loudness: Option<Loudness>,
}

/// A new arrangement of the picture from a time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompositionChange {
    /// Seconds from the start of the clip.
    pub time: f64,
    /// The arrangement from then on. `None`: the picture as it is.
    pub composition: Option<Composition>,
}

impl Default for CutSettings {
    /// A rate factor of 21, `veryfast`, and the unchanged picture and loudness.
    fn default() -> Self {
        Self {
            crf: 21,
            preset: "veryfast".into(),
            resolution: None,
            composition: None,
            composition_changes: Vec::new(),
            subtitles: None,
            loudness: None,
        }
    }
}

/// The number of audio channels in a clip: mono stays mono, all else becomes stereo.
pub(super) fn clip_channels(audio: &AudioStream) -> u32 {
    if audio.only_channel.is_some() {
        1
    } else if audio.mixed_with.is_empty() {
        audio.channels.min(2)
    } else {
        2
    }
}

/// Encodes the filter outputs `[v]` and `[a]` as the tracks of a clip.
pub(super) fn encode(
    mut ffmpeg: Program,
    has_video: bool,
    channels: Option<u32>,
    settings: &CutSettings,
) -> Program {
    ffmpeg = ffmpeg.args(["-threads", &thread_count(MAX_ENCODER_THREADS)]);
    if has_video {
        let crf = settings.crf.to_string();
        ffmpeg = ffmpeg
            .args(["-map", "[v]", "-c:v", "libx264", "-pix_fmt", "yuv420p"])
            .args(["-preset", &settings.preset, "-crf", &crf]);
    }
    if let Some(channels) = channels {
        ffmpeg = ffmpeg
            .args(["-map", "[a]", "-c:a", "aac", "-ac", &channels.to_string()])
            .args(["-b:a", if channels == 1 { "96k" } else { "160k" }]);
    }
    // The title and the chapters describe the whole recording and not the clip.
    ffmpeg
        .args(["-map_metadata", "-1", "-map_chapters", "-1"])
        .args(["-movflags", "+faststart", "-f", "mp4"])
}
