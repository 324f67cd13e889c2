//! Cutting clips and joining them, and their thumbnails.

mod burned_subtitles;
mod composed_picture;
mod concat;
mod cut;
mod encoding;
mod loudness;
mod missing_glyphs;
mod sound;
mod thumbnail;

pub use self::encoding::{CompositionChange, CutSettings};
