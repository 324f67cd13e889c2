//! Running ffmpeg and ffprobe.

mod decoders;
mod input;
mod media;
mod progress;
mod tools;

pub(crate) use self::input::thread_count;
pub use self::media::Media;
pub use self::tools::{MissingTool, Tools};
