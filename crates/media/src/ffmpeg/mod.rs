//! Running ffmpeg and ffprobe.

mod input;
mod media;
mod progress;
mod tools;

pub(crate) use self::input::input_options;
pub use self::media::Media;
pub use self::tools::{MissingTool, Tools};
