//! Cutting clips and joining them.

mod concat;
mod cut;
mod encoding;

pub use self::encoding::CutSettings;
