//! The output of a stage, as data: a worker stores it in the database or sends it to a server.

use lectern_domain::{
    ClipFiles, ClipItem, Invalid, NewContentSegment, NewLayoutAnalysis, NewSilenceRegion,
    NewTranscriptSegment, NoteLevel, NoteText, Patch, RecordingProperties, StageNote, StageNotes,
    StageResults, StorageKey, TranscriptSource,
};

/// The result of a stage: what it stores, and notes on it.
#[derive(Debug, Clone, Default)]
pub struct StageOutput {
    pub(crate) rows: OutputRows,
    pub(crate) notes: Notes,
}

/// What a stage stores. Each set replaces the one that the job has.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum OutputRows {
    /// What is stored stays.
    #[default]
    Unchanged,
    /// Silences, and the properties of the recording.
    SilenceRegions {
        /// The regions.
        regions: Vec<NewSilenceRegion>,
        /// The length and the tracks of the recording.
        recording: Option<RecordingProperties>,
    },
    /// The transcript, and who made it.
    Transcript {
        /// The segments.
        segments: Vec<NewTranscriptSegment>,
        /// Where the words are from. Without segments, no source is stored.
        source: TranscriptSource,
    },
    /// Where screen and camera are.
    LayoutAnalysis(Box<NewLayoutAnalysis>),
    /// Topics.
    ContentSegments(Vec<NewContentSegment>),
    /// Clips. An item with the id of a stored clip keeps it.
    Clips(Vec<ClipItem>),
    /// The files of stored clips.
    ClipFiles {
        /// The clips that get other files.
        clips: Vec<ClipFiles>,
        /// The file with all clips.
        reel: Patch<StorageKey>,
    },
}

impl OutputRows {
    /// What is stored besides the sets.
    pub(crate) fn results(&self) -> StageResults {
        let mut results = StageResults::default();
        match self {
            Self::SilenceRegions {
                recording: Some(recording),
                ..
            } => {
                results.video_duration = Some(recording.duration);
                results.video_metadata = Some(recording.metadata.clone());
            }
            Self::Transcript { segments, source } => {
                // Without segments there is no transcript.
                results.transcript_source = Some(*source).filter(|_| !segments.is_empty());
            }
            Self::ClipFiles { clips, reel } => {
                results.clip_files.clone_from(clips);
                results.reel = reel.clone();
            }
            Self::SilenceRegions { .. }
            | Self::Unchanged
            | Self::LayoutAnalysis(_)
            | Self::ContentSegments(_)
            | Self::Clips(_) => {}
        }
        results
    }
}

/// What a stage says about its output, for people to read.
#[derive(Debug, Clone, Default)]
pub struct Notes(Vec<(NoteLevel, String)>);

impl Notes {
    /// Adds a note on how the output was made.
    pub fn info(&mut self, message: impl Into<String>) {
        self.add(NoteLevel::Info, message);
    }

    /// Adds a note on what is missing from the output, or may be wrong.
    pub fn warning(&mut self, message: impl Into<String>) {
        self.add(NoteLevel::Warning, message);
    }

    /// Adds a note of this level.
    pub fn add(&mut self, level: NoteLevel, message: impl Into<String>) {
        self.0.push((level, message.into()));
    }

    /// The notes as they are stored: without NUL, and cut to what fits.
    pub(crate) fn to_stored(&self) -> Result<StageNotes, Invalid> {
        let messages = self.0.iter().map(|(level, message)| {
            let message = message.chars().filter(|c| *c != '\0');
            (*level, message.take(NoteText::MAX).collect::<String>())
        });
        let messages = messages.filter(|(_, message)| !message.is_empty());
        let mut notes = Vec::new();
        for (level, message) in messages.take(StageNotes::MAX) {
            notes.push(StageNote::new(level, NoteText::new(message)?));
        }
        StageNotes::new(notes)
    }
}

impl StageOutput {
    /// A result that stores nothing: what is stored stays.
    pub fn unchanged() -> Self {
        Self::default()
    }

    /// Adds a note on how the output was made.
    pub fn with_info(mut self, message: impl Into<String>) -> Self {
        self.notes.info(message);
        self
    }

    /// Adds a note on what is missing from the output, or may be wrong.
    pub fn with_warning(mut self, message: impl Into<String>) -> Self {
        self.notes.warning(message);
        self
    }

    /// Sets the notes, in place of earlier ones.
    pub fn with_notes(self, notes: Notes) -> Self {
        Self { notes, ..self }
    }

    /// What is stored.
    pub fn rows(&self) -> &OutputRows {
        &self.rows
    }
}

impl From<OutputRows> for StageOutput {
    fn from(rows: OutputRows) -> Self {
        Self {
            rows,
            notes: Notes::default(),
        }
    }
}
