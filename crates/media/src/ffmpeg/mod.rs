//! Running ffmpeg and ffprobe.

mod format_change;
mod input_options;
mod media;
mod tools;

pub(crate) use self::format_change::is_sound_format_change;
pub(crate) use self::input_options::{file_url, thread_count};
pub use self::media::Media;
pub use self::tools::{MissingTool, Tools};
