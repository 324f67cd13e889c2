//! Extracting single tracks.

mod audio;
mod subtitles;
