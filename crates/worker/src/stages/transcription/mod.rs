//! Transcribes the speech, or takes existing subtitles.

mod chunks;
mod command;
mod embedded_subtitles;
mod openai_service;
mod pocketsphinx;

use std::path::Path;

use lectern_db::Tx;
use lectern_domain::{NewTranscriptSegment, Stage};
use lectern_formats::{Cue, Format};
use lectern_media::Confinement;
use lectern_storage::ObjectKey;

use crate::failure::Failure;
use crate::sidecar;
use crate::stage_handler::{Notes, StageContext, StageHandler, StageOutput};
use crate::stages::openai::Endpoint;

// Notes about an empty transcript.
const EMPTY_SUBTITLES: &str = "there is no transcript, because the subtitles are empty";
const NO_SPEECH: &str = "there is no transcript, because the speech recognizer found no speech";
const NO_SOUND: &str = "there is no transcript, because the recording has no sound";
const NO_RECOGNIZER: &str = "there is no transcript, because the recording has no subtitles and \
    the worker has no speech recognizer: add subtitles as a track or as a .vtt, .srt or .json \
    file beside the recording, start the worker with --transcribe-command or \
    --transcribe-url, or install pocketsphinx and pocketsphinx-en-us";

/// The speech recognizer for recordings without subtitles: the command, else the
/// service, else PocketSphinx if it is installed.
#[derive(Debug, Clone, Default)]
pub struct RecognizerSettings {
    /// A command line, with `{audio}` for the file that the command reads and
    /// optionally `{out}` for the file that it writes.
    pub command: Option<String>,
    /// A service with an API like OpenAI's audio transcriptions.
    pub endpoint: Option<Endpoint>,
    /// Resource limits and environment of the command and of `PocketSphinx`.
    pub confinement: Confinement,
}

impl RecognizerSettings {
    /// Whether a recording without subtitles gets a transcript.
    pub fn are_available(&self) -> bool {
        let is_set = self.command.is_some() || self.endpoint.is_some();
        is_set || pocketsphinx::PocketSphinx::find(&self.confinement).is_some()
    }

    /// Checks the command line, so that an error is found when the worker starts.
    ///
    /// # Errors
    ///
    /// If a closing quotation mark or `{audio}` is missing.
    pub fn check(&self) -> Result<(), Failure> {
        match &self.command {
            Some(line) => command::Command::new(line, &self.confinement).map(drop),
            None => Ok(()),
        }
    }
}

/// Transcribes the speech.
#[derive(Debug)]
pub(super) struct Transcription(pub(super) RecognizerSettings);

/// A speech recognizer.
trait Recognizer: Sync {
    /// Transcribes a short WAV file. The cues' times are from its start.
    fn recognize(&self, audio: &Path, context: &StageContext<'_>) -> Result<Vec<Cue>, Failure>;
}

impl StageHandler for Transcription {
    fn stage(&self) -> Stage {
        Stage::Transcription
    }

    /// Takes the transcript from the first of these that exists: a sidecar file, a
    /// subtitle track, a recognizer.
    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        context.report_progress(0.0, "looking for subtitles");
        let mut unreadable = UnreadableSidecars::default();
        if let Some((cues, source)) = read_sidecar(context, &mut unreadable)? {
            return store(cues, unreadable, Some(source), EMPTY_SUBTITLES);
        }
        let probe = context.probe()?;
        if let Some(cues) = embedded_subtitles::read(context, &probe)? {
            let source = "taken from a track of the recording".to_owned();
            return store(cues, unreadable, Some(source), EMPTY_SUBTITLES);
        }
        if unreadable.has_subtitles {
            return Err(unreadable.into());
        }
        let recognizer: Option<Box<dyn Recognizer>> = match (&self.0.command, &self.0.endpoint) {
            _ if probe.audio.is_none() => None,
            (Some(command), _) => Some(Box::new(command::Command::new(
                command,
                &self.0.confinement,
            )?)),
            (None, Some(endpoint)) => Some(Box::new(endpoint.clone())),
            (None, None) => pocketsphinx::PocketSphinx::find(&self.0.confinement)
                .map(|program| Box::new(program) as _),
        };
        match recognizer {
            Some(recognizer) => {
                let cues = chunks::recognize(recognizer.as_ref(), context, &probe)?;
                store(cues, unreadable, None, NO_SPEECH)
            }
            // An empty transcript would hide that a sidecar could not be read.
            None if !unreadable.errors.is_empty() => Err(unreadable.into()),
            None if probe.audio.is_none() => store(Vec::new(), unreadable, None, NO_SOUND),
            None => store(Vec::new(), unreadable, None, NO_RECOGNIZER),
        }
    }
}

/// Sidecar files that could not be read.
#[derive(Default)]
struct UnreadableSidecars {
    errors: Vec<String>,
    /// Whether one of them is a subtitle file, which a recognizer must not replace.
    /// A `.json` file does not count: it may be something other than a transcript.
    has_subtitles: bool,
}

impl UnreadableSidecars {
    fn add(&mut self, extension: &str, error: String) {
        self.errors.push(error);
        self.has_subtitles |= extension != "json";
    }
}

impl From<UnreadableSidecars> for Failure {
    fn from(unreadable: UnreadableSidecars) -> Self {
        Self::permanent(unreadable.errors.join("; "))
    }
}

/// Returns the cues of the first sidecar file that can be read, and a note that
/// names it. Adds the files that cannot be read to `unreadable`.
fn read_sidecar(
    context: &StageContext<'_>,
    unreadable: &mut UnreadableSidecars,
) -> Result<Option<(Vec<Cue>, String)>, Failure> {
    let storage = context.storage();
    for extension in sidecar::EXTENSIONS {
        let Some(key) = sidecar::key(context.recording_key(), extension) else {
            continue;
        };
        let bytes = match storage.read(&key, sidecar::MAX_BYTES, context.cancellation()) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => continue,
            Err(Failure::Permanent { message, .. }) => {
                unreadable.add(extension, message);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        match read_any_format(&bytes) {
            Ok(cues) => return Ok(Some((cues, format!("taken from {}", file_name(&key))))),
            Err(error) => unreadable.add(extension, format!("{}: {error}", file_name(&key))),
        }
    }
    Ok(None)
}

/// The name of an object without its directories.
fn file_name(key: &ObjectKey) -> &str {
    let key = key.as_str();
    key.rsplit_once('/').map_or(key, |(_, name)| name)
}

/// Reads Whisper's JSON, WebVTT or SubRip, recognized by its first characters.
fn read_any_format(bytes: &[u8]) -> Result<Vec<Cue>, lectern_formats::FormatError> {
    // Skips byte order marks and the zero bytes of UTF-16.
    let letters = bytes.iter().copied().filter(u8::is_ascii_graphic);
    let format = match letters.take(6).collect::<Vec<_>>().as_slice() {
        [b'{' | b'[', ..] => Format::WhisperJson,
        b"WEBVTT" => Format::Vtt,
        _ => Format::Srt,
    };
    format.read(bytes)
}

/// Stores the transcript. The notes name the unreadable sidecars, the source, and if there
/// are no cues, `why_empty`.
fn store(
    cues: Vec<Cue>,
    unreadable: UnreadableSidecars,
    source: Option<String>,
    why_empty: &str,
) -> Result<StageOutput, Failure> {
    let is_empty = cues.is_empty();
    let segments: Vec<_> = cues
        .into_iter()
        .map(NewTranscriptSegment::try_from)
        .collect::<Result<_, _>>()?;
    let output = StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
        tx.transcripts()
            .replace_for_job(job_id, &segments)
            .map(drop)
    });
    let mut notes = Notes::default();
    for error in unreadable.errors {
        notes.warning(format!("skipped {error}"));
    }
    if let Some(source) = source {
        notes.info(source);
    }
    if is_empty {
        notes.warning(why_empty);
    }
    Ok(output.with_notes(notes))
}
