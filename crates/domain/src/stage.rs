//! The steps of the pipeline.

use crate::value::string_enum::string_enum;

string_enum! {
    /// A step on the way from a recording to its clips.
    Stage {
        /// The recording is on its way into the storage.
        Uploading = "uploading",
        /// Looking for silence and blank screens.
        SilenceDetection = "silence_detection",
        /// Writing down what is said.
        Transcription = "transcription",
        /// Finding the screen and the camera in the picture.
        LayoutAnalysis = "layout_analysis",
        /// Finding the topics.
        ContentAnalysis = "content_analysis",
        /// Choosing the clips.
        Segmentation = "segmentation",
        /// Cutting and encoding the clips.
        Compilation = "compilation",
        /// All done.
        Complete = "complete",
    }
}

impl Stage {
    /// The stages a worker can do, in the order of the default pipeline: all
    /// but the upload before and the completion after them.
    pub const WORK: &'static [Self] = &[
        Self::SilenceDetection,
        Self::Transcription,
        Self::LayoutAnalysis,
        Self::ContentAnalysis,
        Self::Segmentation,
        Self::Compilation,
    ];

    /// Whether a worker can do it.
    pub fn is_work(self) -> bool {
        Self::WORK.contains(&self)
    }
}
