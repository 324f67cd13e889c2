//! The sound of a recording: its tracks, their channels and their levels.

mod source;
mod uniform;

pub(crate) use self::source::SoundSource;
pub(crate) use self::uniform::Inputs;
