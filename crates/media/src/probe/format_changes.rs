//! Finds out whether the size of the picture or the channels of the sound change within a
//! recording.

use std::collections::BTreeSet;

use super::recording::MediaInfo;
use crate::ffmpeg::Media;
use crate::process::{ChildError, Program};
use crate::seek::has_key_frame_seek;

/// At how many places of the recording a packet is decoded.
const PLACES: u32 = 8;
/// How many packets are read at a place in a container in which ffprobe does not seek to a key
/// frame. Only key frames are decoded.
const PACKETS_TO_KEY_FRAME: u32 = 250;

/// The formats that a recording has at a few places, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Formats {
    /// Width and height of the picture in pixels, before rotation.
    pub sizes: Vec<(u32, u32)>,
    /// The numbers of channels of the sound.
    pub channels: Vec<u32>,
}

impl Media {
    /// The formats of picture and sound at eight places of the recording. A format that lasts for
    /// less than an eighth of it may be missed.
    ///
    /// # Errors
    ///
    /// If the operation is cancelled or exceeds its limits. Places that cannot be read are left
    /// out.
    pub fn formats(&self, recording: &MediaInfo) -> Result<Formats, ChildError> {
        let mut formats = Formats::default();
        if let Some(video) = &recording.video {
            let sizes = self.values_at_places(recording, video.index, "width,height", |line| {
                let (width, height) = line.split_once(',')?;
                Some((width.parse().ok()?, height.parse().ok()?))
            })?;
            formats.sizes = sizes;
        }
        if let Some(audio) = &recording.audio {
            formats.channels =
                self.values_at_places(recording, audio.index, "channels", |line| {
                    line.parse().ok()
                })?;
        }
        Ok(formats)
    }

    /// The different values of these entries of frames.
    fn values_at_places<T: Ord>(
        &self,
        recording: &MediaInfo,
        track: u32,
        entries: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ChildError> {
        let packets = if has_key_frame_seek(recording) {
            1
        } else {
            PACKETS_TO_KEY_FRAME
        };
        let places: Vec<String> = (0..PLACES)
            .map(|place| {
                let ratio = (f64::from(place) + 0.5) / f64::from(PLACES);
                let time = recording.start + recording.duration * ratio;
                format!("{time}%+#{packets}")
            })
            .collect();
        let ffprobe: Program = self
            .tools
            .ffprobe()
            .args(["-v", "error", "-skip_frame", "nokey"])
            .args(["-select_streams", &track.to_string()])
            .args(["-show_entries", &format!("frame={entries}")])
            .args(["-of", "csv=p=0", "-read_intervals", &places.join(",")])
            .args(self.input_options(&recording.path));
        let output = match ffprobe.output(&self.limits) {
            Ok(output) => output,
            Err(ChildError::Failed { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let output = String::from_utf8_lossy(&output);
        // Side data adds empty lines and commas.
        let lines = output.lines().map(|line| line.trim_end_matches(','));
        let values: BTreeSet<T> = lines.filter_map(parse).collect();
        Ok(values.into_iter().collect())
    }
}
