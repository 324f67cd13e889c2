//! The sound of a recording: its tracks, their channels and their levels.

mod choice;
mod levels;
mod measured;
mod rate_meter;
mod silence;
mod source;
mod uniform;
mod voice;
mod waveform;

pub use self::choice::NoSuchTrack;
pub(crate) use self::levels::{LevelReader, MAX_TRACKS, level_filters};
pub use self::measured::MeasuredSound;
pub(crate) use self::source::SoundSource;
pub(crate) use self::uniform::Inputs;
pub use self::waveform::{Extremes, Waveform};
