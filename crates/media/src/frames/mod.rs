//! Single frames of a recording.

mod frame_memory;
mod sample;
mod thumbnail;

pub use self::sample::{Frames, GrayFrame, GrayPicture};
