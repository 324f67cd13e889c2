//! How recordings are turned into clips, where the job does not say it.

use anyhow::Context as _;
use clap::Args;
use lectern_domain::{
    AudioTrack, ClipCount, ClipLayout, ClipSeconds, ClipShare, Invalid, LanguageTag, Loudness,
    OptionValue, ProcessingOptions, Resolution, SilenceLevel,
};

/// How recordings are turned into clips, where the job does not say it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Clips")]
pub struct ProcessingSettings {
    /// Language of the speech, such as en or pt-BR: selects subtitles, and is passed to the speech
    /// recognizer [default: the subtitles or the recognizer decide]
    #[arg(
        help_heading = "Transcription and topics",
        long,
        env = "LECTERN_LANGUAGE",
        value_name = "TAG",
        value_parser = option::<LanguageTag>,
    )]
    pub language: Option<LanguageTag>,

    /// Greatest height of the picture: 720p, 1080p, 1440p or 2160p [default: as recorded]
    #[arg(long, env = "LECTERN_RESOLUTION", value_name = "HEIGHT", value_parser = option::<Resolution>)]
    pub resolution: Option<Resolution>,

    /// Desired least number of clips [default: 3]
    #[arg(long, env = "LECTERN_MIN_CLIPS", value_name = "N", value_parser = option::<ClipCount>)]
    pub min_clips: Option<ClipCount>,

    /// Greatest number of clips [default: 8]
    #[arg(long, env = "LECTERN_MAX_CLIPS", value_name = "N", value_parser = option::<ClipCount>)]
    pub max_clips: Option<ClipCount>,

    /// Least length of a clip in seconds [default: 20]
    #[arg(
        long,
        env = "LECTERN_MIN_CLIP_SECONDS",
        value_name = "SECONDS",
        value_parser = option::<ClipSeconds>,
    )]
    pub min_clip_seconds: Option<ClipSeconds>,

    /// Greatest length of a clip in seconds [default: 120]
    #[arg(
        long,
        env = "LECTERN_MAX_CLIP_SECONDS",
        value_name = "SECONDS",
        value_parser = option::<ClipSeconds>,
    )]
    pub max_clip_seconds: Option<ClipSeconds>,

    /// Greatest length of all clips together, as a share of a recording of more than five minutes
    /// [default: 0.3]
    #[arg(long, env = "LECTERN_CLIP_SHARE", value_name = "SHARE", value_parser = option::<ClipShare>)]
    pub clip_share: Option<ClipShare>,

    /// What the clips show: keep (the picture as it is), screen, camera, or stack (the screen above
    /// the camera, 9:16) [default: as it is, with a larger screen where the camera is beside it]
    #[arg(
        long = "layout",
        env = "LECTERN_LAYOUT",
        value_name = "LAYOUT",
        value_parser = option::<ClipLayout>,
    )]
    pub clip_layout: Option<ClipLayout>,

    /// Draws the subtitles into the picture
    #[arg(
        long,
        env = "LECTERN_BURN_SUBTITLES",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true",
        value_parser = option::<bool>,
    )]
    pub burn_subtitles: Option<bool>,

    /// Loudness of the clips in LUFS, for example -16 [default: as recorded]
    #[arg(
        long,
        env = "LECTERN_LOUDNESS",
        value_name = "LUFS",
        allow_negative_numbers = true,
        value_parser = option::<Loudness>,
    )]
    pub loudness: Option<Loudness>,

    /// Audio track of the recording, counted from 1, or mix for all of them [default: the one that
    /// players choose, or the loudest if that one is silent]
    #[arg(long, env = "LECTERN_AUDIO_TRACK", value_name = "N|mix", value_parser = option::<AudioTrack>)]
    pub audio_track: Option<AudioTrack>,

    /// Level in dBFS below which sound is silence, for example -35, or auto: relative to the
    /// loudness and the noise of the recording [default: auto]
    #[arg(
        long,
        env = "LECTERN_SILENCE_LEVEL",
        value_name = "DBFS|auto",
        allow_negative_numbers = true,
        value_parser = option::<SilenceLevel>,
    )]
    pub silence_level: Option<SilenceLevel>,
}

impl ProcessingSettings {
    /// Converts the settings.
    ///
    /// # Errors
    ///
    /// If a minimum is above its maximum.
    pub fn options(&self) -> anyhow::Result<ProcessingOptions> {
        let options = ProcessingOptions {
            language: self.language.clone(),
            resolution: self.resolution,
            min_clips: self.min_clips,
            max_clips: self.max_clips,
            min_clip_seconds: self.min_clip_seconds,
            max_clip_seconds: self.max_clip_seconds,
            clip_share: self.clip_share,
            clip_layout: self.clip_layout,
            burn_subtitles: self.burn_subtitles,
            loudness: self.loudness,
            audio_track: self.audio_track,
            silence_level: self.silence_level,
        };
        options.check().context("the settings of clips")?;
        Ok(options)
    }
}

fn option<T: OptionValue>(text: &str) -> Result<T, Invalid> {
    T::from_text(text)
}
