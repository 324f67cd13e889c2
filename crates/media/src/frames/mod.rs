//! Single frames of a recording.

mod memory;
mod sample;
mod thumbnail;

pub use self::sample::{Frames, GrayFrame, GrayPicture};
