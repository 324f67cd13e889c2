//! What is said, by whoever can tell.

mod command;
mod embedded;
mod pieces;
mod service;
mod sphinx;

use std::path::Path;

use lectern_db::Tx;
use lectern_domain::{NewTranscriptSegment, Stage};
use lectern_formats::{Cue, Format};

use self::pieces::recognize;
use super::Endpoint;
use crate::stage::{StageContext, StageHandler, StageOutput};
use crate::{Failure, sidecar};

/// What to say when nobody here can transcribe.
const NOBODY: &str = "there is no transcript: give the recording subtitles (a track, or a .vtt, \
    .srt or .json beside it), or the worker --transcribe-command or --transcribe-url, or install \
    pocketsphinx and pocketsphinx-en-us";

/// Who transcribes what has no subtitles: the first of these that is given, or
/// else PocketSphinx where it is installed.
#[derive(Debug, Clone, Default)]
pub struct RecognizerSettings {
    /// A command, with `{audio}` for the file it reads and `{out}` for the one
    /// it may write.
    pub command: Option<String>,
    /// A service.
    pub endpoint: Option<Endpoint>,
}

impl RecognizerSettings {
    /// Whether the command can be one: better told at the start than when the
    /// first recording has come that far.
    ///
    /// # Errors
    ///
    /// When a quotation mark is missing, or `{audio}`.
    pub fn check(&self) -> Result<(), Failure> {
        match &self.command {
            Some(line) => command::Command::new(line).map(drop),
            None => Ok(()),
        }
    }
}

/// Writes down what is said.
#[derive(Debug)]
pub(super) struct Transcription(pub(super) RecognizerSettings);

/// What hears words in a short WAV file; times are told from its beginning.
trait Recognizer: Sync {
    fn hear(&self, audio: &Path, task: &StageContext<'_>) -> Result<Vec<Cue>, Failure>;
}

impl StageHandler for Transcription {
    fn stage(&self) -> Stage {
        Stage::Transcription
    }

    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
        task.tell(0.0, "looking for subtitles");
        let mut unread = Unread::default();
        if let Some((cues, from)) = beside(task, &mut unread)? {
            return keep(cues, unread, Some(from));
        }
        let probe = task.probe()?;
        if let Some(cues) = embedded::read(task, &probe)? {
            let from = "taken from a track of the recording".to_owned();
            return keep(cues, unread, Some(from));
        }
        if unread.subtitles {
            return Err(unread.into());
        }
        let recognizer: Option<Box<dyn Recognizer>> = match (&self.0.command, &self.0.endpoint) {
            _ if probe.audio.is_none() => None,
            (Some(command), _) => Some(Box::new(command::Command::new(command)?)),
            (None, Some(endpoint)) => Some(Box::new(endpoint.clone())),
            (None, None) => sphinx::Sphinx::find().map(|sphinx| Box::new(sphinx) as _),
        };
        match recognizer {
            Some(recognizer) => {
                let cues = recognize(recognizer.as_ref(), task, &probe)?;
                keep(cues, unread, None)
            }
            // A transcript without a word would look as if there were none.
            None if !unread.why.is_empty() => Err(unread.into()),
            None if probe.audio.is_none() => {
                let why = "the recording has no sound".to_owned();
                keep(Vec::new(), unread, Some(why))
            }
            None => keep(Vec::new(), unread, Some(NOBODY.to_owned())),
        }
    }
}

/// What lies beside a recording and cannot be read.
#[derive(Default)]
struct Unread {
    why: Vec<String>,
    /// Whether subtitles are among it. Those are there to be taken, and nobody is
    /// to listen in their stead; what ends in `.json` may be something else.
    subtitles: bool,
}

impl Unread {
    fn add(&mut self, extension: &str, why: String) {
        self.why.push(why);
        self.subtitles |= extension != "json";
    }
}

impl From<Unread> for Failure {
    fn from(unread: Unread) -> Self {
        Self::permanent(unread.why.join("; "))
    }
}

/// What lies beside the recording in the storage, and where. What cannot be read
/// is passed over and added to `unread`.
fn beside(
    task: &StageContext<'_>,
    unread: &mut Unread,
) -> Result<Option<(Vec<Cue>, String)>, Failure> {
    for extension in sidecar::EXTENSIONS {
        let Some(key) = sidecar::key(task.original(), extension) else {
            continue;
        };
        let bytes = match task.store().read(&key, sidecar::MAX_BYTES, task.cancel()) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(Failure::Permanent { message, .. }) => {
                unread.add(extension, message);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        match read(&bytes) {
            Ok(cues) => return Ok(Some((cues, format!("taken from {key}")))),
            Err(error) => unread.add(extension, format!("{key}: {error}")),
        }
    }
    Ok(None)
}

/// Reads whichever of the formats it is, whatever it is called.
fn read(bytes: &[u8]) -> Result<Vec<Cue>, lectern_formats::FormatError> {
    // Without byte order marks and the other half of UTF-16.
    let letters = bytes.iter().copied().filter(u8::is_ascii_graphic);
    let format = match letters.take(6).collect::<Vec<_>>().as_slice() {
        [b'{' | b'[', ..] => Format::WhisperJson,
        b"WEBVTT" => Format::Vtt,
        _ => Format::Srt,
    };
    format.read(bytes)
}

/// Stores the transcript; says what was passed over, and `note`.
fn keep(cues: Vec<Cue>, unread: Unread, note: Option<String>) -> Result<StageOutput, Failure> {
    let segments: Vec<_> = cues
        .into_iter()
        .map(NewTranscriptSegment::try_from)
        .collect::<Result<_, _>>()?;
    let found = StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
        tx.transcripts()
            .replace_for_job(job_id, &segments)
            .map(drop)
    });
    let passed = unread
        .why
        .into_iter()
        .map(|why| format!("passed over {why}"));
    let notes: Vec<_> = passed.chain(note).collect();
    let note = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(StageOutput { note, ..found })
}
