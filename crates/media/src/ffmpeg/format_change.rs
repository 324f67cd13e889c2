//! The error of ffmpeg when the format of the sound changes.

use crate::process::ChildError;

/// Whether ffmpeg stopped because the number of channels, the sample rate or the sample format
/// changed, while `-reinit_filter 0` kept its filters.
pub(crate) fn is_sound_format_change(error: &ChildError) -> bool {
    error
        .stderr_tail()
        .is_some_and(|stderr| stderr.contains("Changing audio frame properties on the fly"))
}
