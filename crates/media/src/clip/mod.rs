//! Cutting clips and joining them.

mod burned_subtitles;
mod concat;
mod cut;
mod encoding;
mod loudness;
mod sound;

pub use self::encoding::CutSettings;
