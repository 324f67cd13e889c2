//! The sound of a clip.

use super::encoding::clip_channels;
use crate::probe::AudioStream;

/// The filters that convert the recording's sound, without an output label. Time 0 is the
/// start of the clip.
pub(super) fn audio_filters(audio: &AudioStream, duration: f64) -> String {
    // AAC encodes 1024 samples at a time. Without `packet_size`, `apad` takes the packet
    // size from its input, but a track without packets gives no input.
    format!(
        "[0:{index}]atrim=start=0,aresample=48000:async=1:first_pts=0,apad=packet_size=1024,\
         atrim=end={duration},aformat=channel_layouts={layout}",
        index = audio.index,
        layout = if clip_channels(audio) == 1 {
            "mono"
        } else {
            "stereo"
        },
    )
}
