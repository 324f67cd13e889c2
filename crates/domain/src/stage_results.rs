//! What stages store besides the rows of their outputs: at the job, and files of its clips.

use crate::clip::{ClipMediaUpdate, CutRecord};
use crate::id::ClipId;
use crate::stage::Stage;
use crate::transcript_source::TranscriptSource;
use crate::value::{Invalid, JsonObject, Patch, StorageKey, VideoDuration};

/// The properties of a recording that a stage has measured.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingProperties {
    /// The length of the recording.
    pub duration: VideoDuration,
    /// Its tracks and format.
    pub metadata: JsonObject,
}

/// The files of a clip that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipFiles {
    /// The clip.
    pub clip_id: ClipId,
    /// The keys that change.
    pub media: ClipMediaUpdate,
    /// How the files were made. `None`: not at all.
    pub record: Option<CutRecord>,
}

/// What a stage stores besides the rows of its output, when it is completed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StageResults {
    /// The length of the recording; `None` keeps what is stored.
    pub video_duration: Option<VideoDuration>,
    /// The tracks and the format of the recording; `None` keeps what is stored.
    pub video_metadata: Option<JsonObject>,
    /// Who made the transcript; `None` keeps what is stored.
    pub transcript_source: Option<TranscriptSource>,
    /// The clips that get other files.
    pub clip_files: Vec<ClipFiles>,
    /// The file with all clips.
    pub reel: Patch<StorageKey>,
}

impl StageResults {
    /// Checks that a stage may store this.
    ///
    /// # Errors
    ///
    /// Names the field that belongs to another stage.
    pub fn check(&self, stage: Stage) -> Result<(), Invalid> {
        let is_of_clips = matches!(stage, Stage::Segmentation | Stage::Compilation);
        let fields = [
            (
                "transcript_source",
                self.transcript_source.is_some() && stage != Stage::Transcription,
            ),
            ("clip_files", !self.clip_files.is_empty() && !is_of_clips),
            ("highlight_s3_key", self.reel != Patch::Keep && !is_of_clips),
        ];
        match fields.iter().find(|(_, is_of_other)| *is_of_other) {
            Some((field, _)) => {
                let message = format!("must be left out by the stage {stage}");
                Err(Invalid::field(*field, message))
            }
            None => Ok(()),
        }
    }

    /// Whether there is nothing to be stored.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
