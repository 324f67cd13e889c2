//! The sound of a clip.

use super::encoding::clip_channels;
use crate::sound::SoundSource;

/// The filters that convert the recording's sound, without an output label. Time 0 is the
/// start of the clip.
pub(super) fn audio_filters(sound: SoundSource<'_>, duration: f64) -> String {
    // AAC encodes 1024 samples at a time. Without `packet_size`, `apad` takes the packet
    // size from its input, but a track without packets gives no input.
    format!(
        "{source},apad=packet_size=1024,atrim=end={duration},aformat=channel_layouts={layout}",
        source = sound.filters(48_000),
        layout = if clip_channels(sound.audio()) == 1 {
            "mono"
        } else {
            "stereo"
        },
    )
}
