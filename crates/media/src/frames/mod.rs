//! Small frames of a recording.

mod frame_file;
mod frame_memory;
mod sample;
mod sprite_file;

pub use self::frame_file::FrameFile;
pub use self::sample::{Frames, GrayFrame, GrayPicture};
pub use self::sprite_file::{SpriteFile, Tile};
