//! Single frames of a recording.

mod memory_budget;
mod sample;
mod thumbnail;

pub use self::sample::{Frames, GrayFrame, GrayPicture};
