//! Running ffmpeg and ffprobe.

mod input_options;
mod media;
mod tools;

pub(crate) use self::input_options::thread_count;
pub use self::media::Media;
pub use self::tools::{MissingTool, Tools};
