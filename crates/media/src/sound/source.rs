//! The sound of a recording as an input of ffmpeg's filters.

use crate::probe::AudioStream;

/// Where a command reads the sound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SoundSource<'a> {
    audio: &'a AudioStream,
    /// Whether the sound is in a file of its own, the second input.
    is_separate: bool,
}

impl<'a> SoundSource<'a> {
    /// The sound in the recording, which is the first input.
    pub(crate) fn in_recording(audio: &'a AudioStream) -> Self {
        Self {
            audio,
            is_separate: false,
        }
    }

    /// The sound in a file of [`Media::write_uniform_sound`], which is the second input.
    pub(super) fn in_separate_file(audio: &'a AudioStream) -> Self {
        Self {
            audio,
            is_separate: true,
        }
    }

    pub(crate) fn audio(&self) -> &'a AudioStream {
        self.audio
    }

    /// The filters that give the sound from time 0 on, with silence in its gaps, at this
    /// sample rate. Their output has no label.
    pub(crate) fn filters(&self, sample_rate: u32) -> String {
        let from_track = |(position, track): (usize, u32)| {
            let input = if self.is_separate {
                format!("1:{position}")
            } else {
                format!("0:{track}")
            };
            format!("[{input}]atrim=start=0,aresample={sample_rate}:async=1:first_pts=0")
        };
        let mut tracks = self.audio.tracks().enumerate().map(from_track);
        if self.audio.mixed_with.is_empty() {
            let track = tracks.next().unwrap_or_default();
            return match self.audio.only_channel {
                None => track,
                Some(channel) => format!(
                    "{track},aformat=channel_layouts=stereo,pan=mono|c0=c{}",
                    channel.index()
                ),
            };
        }
        let stereo: Vec<String> = tracks
            .enumerate()
            .map(|(i, track)| format!("{track},aformat=channel_layouts=stereo[track{i}];"))
            .collect();
        let labels: Vec<String> = (0..stereo.len()).map(|i| format!("[track{i}]")).collect();
        let (stereo, count, labels) = (stereo.concat(), stereo.len(), labels.concat());
        // `normalize` would make each speaker quieter with every further track.
        format!("{stereo}{labels}amix=inputs={count}:normalize=0")
    }
}
