//! The audio track and the channel that are heard: chosen by the stage that detects silence, and
//! used by the stages after it.

use std::num::NonZeroU8;

use lectern_domain::AudioTrack;
use lectern_media::{AudioStream, MediaInfo, StereoChannel};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::stage_handler::StageContext;

/// The `audio` member of a job's `video_metadata`.
pub(crate) fn metadata(recording: &MediaInfo, audio: &AudioStream) -> Value {
    json!({
        "codec": audio.codec,
        "sample_rate": audio.sample_rate,
        "channels": audio.channels,
        "track": recording.audio_track_number(audio),
        "only_channel": audio.only_channel.map(|channel| match channel {
            StereoChannel::Left => "left",
            StereoChannel::Right => "right",
        }),
    })
}

impl StageContext<'_> {
    /// The recording with the sound that is heard: the track of the option `audio_track`, or
    /// else the one that was chosen when silence was detected.
    pub(crate) fn probe_heard(&self) -> Result<MediaInfo, Failure> {
        let stored = self.job().video_metadata.get().get("audio");
        let stored_track = stored
            .and_then(|audio| audio["track"].as_u64())
            .and_then(|number| NonZeroU8::new(u8::try_from(number).ok()?))
            .map(AudioTrack::Number);
        let recording = self.probe()?;
        if let Some(option) = self.options().audio_track {
            let recording = recording.with_audio_track(Some(option))?;
            return Ok(match stored {
                Some(audio) if stored_track == Some(option) => with_channel(recording, audio),
                _ => recording,
            });
        }
        // Clients can write the metadata: a track that does not exist is ignored.
        let chosen = recording.clone().with_audio_track(stored_track);
        Ok(match (chosen, stored) {
            (Ok(recording), Some(audio)) => with_channel(recording, audio),
            _ => recording,
        })
    }
}

/// The recording with the stored channel of its sound.
fn with_channel(mut recording: MediaInfo, stored: &Value) -> MediaInfo {
    if let Some(audio) = &mut recording.audio
        && audio.channels > 1
    {
        audio.only_channel = match stored["only_channel"].as_str() {
            Some("left") => Some(StereoChannel::Left),
            Some("right") => Some(StereoChannel::Right),
            _ => None,
        };
    }
    recording
}
