//! What the crate promises, with the real ffmpeg on recordings it renders.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audio;
mod children;
mod concat;
mod cut;
mod fixture;
mod frames;
mod picture;
mod probe;
mod scratch;
mod seek;
mod silence;
mod tools;
