//! Transcribes the speech, or takes existing subtitles.

mod chunks;
mod command;
mod embedded_subtitles;
mod openai_service;
mod pocketsphinx;

use std::path::Path;

use lectern_db::Tx;
use lectern_domain::{NewTranscriptSegment, Stage};
use lectern_formats::{FormatError, InputFormat, ParsedFile, Transcript};
use lectern_media::Confinement;

use crate::failure::Failure;
use crate::sidecar;
use crate::stage_handler::{StageContext, StageHandler, StageOutput};
use crate::stages::openai::Endpoint;

/// The note about an empty transcript.
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
    /// Transcribes a short WAV file of this length in seconds. The cues' times are from its
    /// start.
    fn recognize(
        &self,
        audio: &Path,
        seconds: f64,
        context: &StageContext<'_>,
    ) -> Result<Transcript, Failure>;
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
        if let Some((transcript, source)) = read_sidecar(context, &mut unreadable)? {
            return store(transcript, unreadable, Some(source));
        }
        let probe = context.probe()?;
        if let Some(transcript) = embedded_subtitles::read(context, &probe)? {
            let source = "taken from a track of the recording".to_owned();
            return store(transcript, unreadable, Some(source));
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
                let transcript = chunks::recognize(recognizer.as_ref(), context, &probe)?;
                store(transcript, unreadable, None)
            }
            // An empty transcript would hide that a sidecar could not be read.
            None if !unreadable.errors.is_empty() => Err(unreadable.into()),
            None if probe.audio.is_none() => {
                let note = "the recording has no sound".to_owned();
                store(Transcript::default(), unreadable, Some(note))
            }
            None => store(
                Transcript::default(),
                unreadable,
                Some(NO_RECOGNIZER.to_owned()),
            ),
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

/// Returns the transcript of the first sidecar file that can be read, and a note that
/// names it. Adds the files that cannot be read to `unreadable`.
fn read_sidecar(
    context: &StageContext<'_>,
    unreadable: &mut UnreadableSidecars,
) -> Result<Option<(Transcript, String)>, Failure> {
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
        let file = match read_any_format(&bytes) {
            Ok(file) => file,
            Err(error) => {
                unreadable.add(extension, format!("{key}: {error}"));
                continue;
            }
        };
        // Most files can be read without the recording, which need not be downloaded then.
        let seconds = if file.needs_recording_length() {
            Some(context.probe()?.duration)
        } else {
            None
        };
        match file.transcript(seconds) {
            Ok(transcript) => return Ok(Some((transcript, format!("taken from {key}")))),
            Err(error) => unreadable.add(extension, format!("{key}: {error}")),
        }
    }
    Ok(None)
}

/// Reads a file of any format, recognized by its content.
fn read_any_format(bytes: &[u8]) -> Result<ParsedFile, FormatError> {
    InputFormat::of_content(bytes).read(bytes)
}

/// Stores the transcript. The notes name the unreadable sidecars, the source, and what was left
/// out or changed in it.
fn store(
    transcript: Transcript,
    unreadable: UnreadableSidecars,
    note: Option<String>,
) -> Result<StageOutput, Failure> {
    let Transcript { cues, notes } = transcript;
    let segments: Vec<_> = cues
        .into_iter()
        .map(NewTranscriptSegment::try_from)
        .collect::<Result<_, _>>()?;
    let output = StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
        tx.transcripts()
            .replace_for_job(job_id, &segments)
            .map(drop)
    });
    let errors = unreadable.errors.into_iter();
    let skipped = errors.map(|error| format!("skipped {error}"));
    let notes: Vec<_> = skipped.chain(note).chain(notes.messages()).collect();
    Ok(output.with_notes(&notes))
}
