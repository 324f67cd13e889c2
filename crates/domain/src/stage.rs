//! The stages of a job.

use crate::value::string_enum::string_enum;

string_enum! {
    /// A step on the way from a recording to its clips.
    Stage {
        /// The recording is being uploaded.
        Uploading = "uploading",
        /// Looking for silence and blank screens.
        SilenceDetection = "silence_detection",
        /// Converting the speech to text.
        Transcription = "transcription",
        /// Finding the screen and the camera in the picture.
        LayoutAnalysis = "layout_analysis",
        /// Finding the topics.
        ContentAnalysis = "content_analysis",
        /// Choosing the clips.
        Segmentation = "segmentation",
        /// Cutting and encoding the clips.
        Compilation = "compilation",
        /// All stages are completed.
        Complete = "complete",
    }
}

impl Stage {
    /// The stages that workers claim, in the order of the default pipeline: all
    /// but [`Stage::Uploading`] and [`Stage::Complete`].
    pub const WORK: &'static [Self] = &[
        Self::SilenceDetection,
        Self::Transcription,
        Self::LayoutAnalysis,
        Self::ContentAnalysis,
        Self::Segmentation,
        Self::Compilation,
    ];

    /// Whether workers claim this stage.
    pub fn is_work(self) -> bool {
        Self::WORK.contains(&self)
    }
}
