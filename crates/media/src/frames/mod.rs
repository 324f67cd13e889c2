//! Small frames of a recording.

mod frame_file;
mod frame_memory;
mod sample;

pub use self::frame_file::FrameFile;
pub use self::sample::{Frames, GrayFrame, GrayPicture};
