//! The stages of the default pipeline, done with real tools.

mod chat;
mod compilation;
mod content;
mod endpoint;
mod layout;
mod segmentation;
mod silence;
mod transcription;

use std::time::Duration;

use crate::StageHandler;

pub use chat::ChatService;
pub use endpoint::Endpoint;
pub use transcription::RecognizerSettings;

/// How long looking through a recording may take.
const LOOKING: Duration = Duration::from_hours(6);

/// All stages there are. `chat` finds the topics, if it is given.
pub fn all(
    recognizers: RecognizerSettings,
    chat: Option<ChatService>,
) -> Vec<Box<dyn StageHandler>> {
    vec![
        Box::new(silence::Silence),
        Box::new(transcription::Transcription(recognizers)),
        Box::new(layout::Layout),
        Box::new(content::Content(chat)),
        Box::new(segmentation::Segmentation),
        Box::new(compilation::Compilation),
    ]
}

#[cfg(test)]
mod tests;
