//! The handlers of the default pipeline's stages.

mod clip_layout;
mod clip_picture;
mod compilation;
mod content_analysis;
mod layout_analysis;
mod layout_frames;
mod openai;
mod picture_notes;
mod segmentation;
mod silence_detection;
mod stretch_borders;
mod subtitle_fonts;
mod thumbnails;
mod transcript_end;
mod transcription;
mod waveform;

pub use self::openai::{ChatService, Endpoint};
pub use self::transcription::RecognizerSettings;
use crate::stage_handler::StageHandler;

/// The handlers of all stages. With `chat`, that service finds the topics;
/// otherwise they are found locally.
pub fn all(
    recognizers: RecognizerSettings,
    chat: Option<ChatService>,
) -> Vec<Box<dyn StageHandler>> {
    vec![
        Box::new(silence_detection::SilenceDetection),
        Box::new(transcription::Transcription(recognizers)),
        Box::new(layout_analysis::LayoutAnalysis),
        Box::new(content_analysis::ContentAnalysis(chat)),
        Box::new(segmentation::Segmentation),
        Box::new(compilation::Compilation),
    ]
}

#[cfg(test)]
mod tests;
