//! Limits on the recordings that a worker processes.

use anyhow::Context as _;
use clap::Args;
use lectern_domain::VideoDuration;
use lectern_media::RecordingLimits;

/// Limits on the recordings that a worker processes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Recordings")]
pub struct RecordingSettings {
    /// Longest recording in seconds
    #[arg(
        long,
        env = "LECTERN_MAX_RECORDING_SECONDS",
        value_name = "SECONDS",
        default_value_t = 86_400,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_recording_seconds: u32,

    /// Longest side of a recording's picture in pixels
    #[arg(
        long,
        env = "LECTERN_MAX_RECORDING_SIDE",
        value_name = "PIXELS",
        default_value_t = RecordingLimits::default().max_side,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_recording_side: u32,

    /// Greatest number of pixels in a recording's picture
    #[arg(
        long,
        env = "LECTERN_MAX_RECORDING_PIXELS",
        value_name = "PIXELS",
        default_value_t = RecordingLimits::default().max_pixels,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(i32::MAX)),
    )]
    pub max_recording_pixels: u32,

    /// Greatest ratio of the sides of a recording's picture
    #[arg(
        long,
        env = "LECTERN_MAX_RECORDING_ASPECT",
        value_name = "RATIO",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..),
    )]
    pub max_recording_aspect: u16,

    /// Greatest number of tracks in a recording
    #[arg(
        long,
        env = "LECTERN_MAX_RECORDING_STREAMS",
        value_name = "N",
        default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..=1000),
    )]
    pub max_recording_streams: u16,

    /// Decoders of ffmpeg that may be used besides those of common recordings, separated by commas
    #[arg(
        long,
        env = "LECTERN_MORE_DECODERS",
        value_name = "NAMES",
        value_delimiter = ',',
        value_parser = parse_decoder,
    )]
    pub more_decoders: Vec<String>,
}

impl RecordingSettings {
    /// Converts the settings.
    pub(super) fn limits(&self) -> anyhow::Result<RecordingLimits> {
        Ok(RecordingLimits {
            max_side: self.max_recording_side,
            max_pixels: self.max_recording_pixels,
            max_aspect: self.max_recording_aspect.into(),
            max_streams: self.max_recording_streams.into(),
            max_duration: VideoDuration::new(self.max_recording_seconds.into())
                .context("LECTERN_MAX_RECORDING_SECONDS")?,
            more_decoders: self.more_decoders.clone(),
        })
    }
}

fn parse_decoder(text: &str) -> Result<String, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    match text.trim() {
        name if name.chars().all(is_name) => Ok(name.to_owned()),
        _ => Err("must be names as in `ffmpeg -decoders`".to_owned()),
    }
}
