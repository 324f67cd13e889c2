//! Single frames of a recording.

mod sample;
mod thumbnail;

pub use self::sample::{Frames, GrayFrame, GrayPicture};
