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
use crate::task::{Findings, StageWork, Task};
use crate::{Failure, sidecar};

/// What to say when nobody here can transcribe.
const NOBODY: &str = "there is no transcript: give the recording subtitles (a track, or a .vtt, \
    .srt or .json beside it), or the worker --transcribe-command or --transcribe-url, or install \
    pocketsphinx and pocketsphinx-en-us";

/// Who transcribes what has no subtitles: the first of these that is given, or
/// else PocketSphinx where it is installed.
#[derive(Debug, Clone, Default)]
pub struct Recognizers {
    /// A command, with `{audio}` for the file it reads and `{out}` for the one
    /// it may write.
    pub command: Option<String>,
    /// A service.
    pub endpoint: Option<Endpoint>,
}

/// Writes down what is said.
#[derive(Debug)]
pub(super) struct Transcription(pub(super) Recognizers);

/// What hears words in a short WAV file; times are told from its beginning.
trait Recognizer: Sync {
    fn hear(&self, audio: &Path, task: &Task<'_>) -> Result<Vec<Cue>, Failure>;
}

impl StageWork for Transcription {
    fn stage(&self) -> Stage {
        Stage::Transcription
    }

    fn run(&self, task: &Task<'_>) -> Result<Findings, Failure> {
        task.tell(0.0, "looking for subtitles");
        if let Some((cues, from)) = beside(task)? {
            return keep(cues, Some(from));
        }
        let probe = task.probe()?;
        if let Some(cues) = embedded::read(task, &probe)? {
            return keep(cues, Some("taken from a track of the recording".to_owned()));
        }
        if probe.audio.is_none() {
            return keep(Vec::new(), Some("the recording has no sound".to_owned()));
        }
        let recognizer: Box<dyn Recognizer> = match (&self.0.command, &self.0.endpoint) {
            (Some(command), _) => Box::new(command::Command::new(command)?),
            (None, Some(endpoint)) => Box::new(endpoint.clone()),
            (None, None) => match sphinx::Sphinx::find() {
                Some(sphinx) => Box::new(sphinx),
                None => return keep(Vec::new(), Some(NOBODY.to_owned())),
            },
        };
        keep(recognize(recognizer.as_ref(), task, &probe)?, None)
    }
}

/// What lies beside the recording in the storage.
fn beside(task: &Task<'_>) -> Result<Option<(Vec<Cue>, String)>, Failure> {
    for extension in sidecar::EXTENSIONS {
        let Some(key) = sidecar::key(task.original(), extension) else {
            continue;
        };
        let bytes = task.store().read(&key, sidecar::MOST, task.cancel())?;
        if let Some(bytes) = bytes {
            let cues = read(&bytes).map_err(|error| Failure::last(format!("{key}: {error}")))?;
            return Ok(Some((cues, format!("taken from {key}"))));
        }
    }
    Ok(None)
}

/// Reads whichever of the formats it is.
fn read(bytes: &[u8]) -> Result<Vec<Cue>, lectern_formats::FormatError> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
    let start = start.map_or(bytes, |start| &bytes[start..]);
    let without_mark = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    let format = match without_mark {
        [b'{' | b'[', ..] => Format::WhisperJson,
        _ if without_mark.starts_with(b"WEBVTT") => Format::Vtt,
        _ => Format::Srt,
    };
    format.read(bytes)
}

fn keep(cues: Vec<Cue>, note: Option<String>) -> Result<Findings, Failure> {
    let segments: Vec<_> = cues
        .into_iter()
        .map(NewTranscriptSegment::try_from)
        .collect::<Result<_, _>>()?;
    let found = Findings::new(move |tx: &mut Tx<'_>, job_id| {
        tx.transcripts()
            .replace_for_job(job_id, &segments)
            .map(drop)
    });
    Ok(match note {
        Some(note) => found.saying(note),
        None => found,
    })
}
