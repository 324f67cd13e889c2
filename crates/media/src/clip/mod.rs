//! Cutting clips and joining them.

mod burned_subtitles;
mod composed_picture;
mod concat;
mod cut;
mod encoding;
mod loudness;
mod sound;

pub use self::encoding::{CompositionChange, CutSettings};
