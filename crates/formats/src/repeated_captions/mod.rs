//! Captions of which each cue repeats text of the one before.

mod continuation;
mod growing;
mod rolling;

pub(crate) use self::growing::join as join_growing;
pub(crate) use self::rolling::remove_repeated_lines;
