//! Tests with the real ffmpeg, on recordings that it renders.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod audio;
mod burned_subtitles;
mod chapters;
mod child_process;
mod clock;
mod combing;
mod composition_changes;
mod concat;
mod confinement;
mod conversion;
mod cut;
mod fixture;
mod format_change;
mod frames;
mod limits;
mod loudness;
mod picture;
mod probe;
mod scratch;
mod seek;
mod silence_region;
mod sound;
mod tools;
