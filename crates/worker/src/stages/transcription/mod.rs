//! Transcribes the speech, or takes existing subtitles.

mod chunks;
mod command;
mod embedded_subtitles;
mod openai_service;
mod pocketsphinx;
mod sidecars;

use std::path::Path;

use self::sidecars::Sidecars;
use crate::failure::Failure;
use crate::stage_handler::{StageContext, StageHandler};
use crate::stage_output::{Notes, OutputRows, StageOutput};
use crate::stages::openai::Endpoint;
use crate::work_source::OutputKind;
use lectern_domain::{LanguageTag, NewTranscriptSegment, NoteLevel, Stage, TranscriptSource};
use lectern_formats::{FormatError, InputFormat, ParsedFile, Transcript};
use lectern_media::Confinement;

/// The note about a transcript that is kept.
const GIVEN: &str = "the transcript that was stored before is used; to have the speech \
    recognized, store an empty one and run the stage again";

// Notes about an empty transcript.
const EMPTY_SUBTITLES: &str = "there is no transcript, because the subtitles are empty";
const NO_SPEECH: &str = "there is no transcript, because the speech recognizer found no speech";
const NO_SOUND: &str = "there is no transcript, because the recording has no sound";
const NO_RECOGNIZER: &str = "there is no transcript, because the recording has no subtitles and \
    the worker has no speech recognizer: add subtitles as a track or as a .vtt, .srt or .json \
    file beside the recording, start the worker with --transcribe-command or \
    --transcribe-url, or install pocketsphinx and pocketsphinx-en-us";

const COMMAND: &str = "recognized with the worker's --transcribe-command";
const POCKETSPHINX: &str = "recognized with PocketSphinx, which is of low accuracy: expect many \
    wrong words; for a better transcript, put subtitles beside the recording (such as talk.srt or \
    talk.vtt for talk.mp4) or start the worker with --transcribe-command or --transcribe-url";

const NO_RECOGNIZER_OF_LANGUAGE: &str = "there is no transcript, because the recording has no \
    subtitles in its language and PocketSphinx recognizes English only";

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
    /// Transcribes a short WAV file of this length in seconds. The cues' times are from its
    /// start.
    fn recognize(
        &self,
        audio: &Path,
        seconds: f64,
        context: &StageContext<'_>,
    ) -> Result<Transcript, Failure>;
}

/// A recognizer, how the job names its transcripts, and the note about them.
struct NamedRecognizer {
    recognizer: Box<dyn Recognizer>,
    source: TranscriptSource,
    note: SourceNote,
}

/// A note that says where the words are from.
type SourceNote = (NoteLevel, String);

impl StageHandler for Transcription {
    fn stage(&self) -> Stage {
        Stage::Transcription
    }

    /// Takes the transcript from the first of these that exists: what a client has stored,
    /// a sidecar file, a subtitle track, a recognizer.
    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        if is_given(context)? {
            return Ok(StageOutput::unchanged().with_info(GIVEN));
        }
        context.report_progress(0.0, "looking for subtitles");
        let language = context.options().language;
        let mut sidecars = Sidecars::find(context, language.as_ref())?;
        if let Some(found) = sidecars.read(context)? {
            return store(found, &sidecars, None);
        }
        let probe = context.probe_heard()?;
        let tracks = embedded_subtitles::read(context, &probe, language.as_ref())?;
        if let Some(found) = tracks.found {
            return store(found, &sidecars, tracks.not_used);
        }
        if sidecars.has_unreadable_subtitles {
            return Err(sidecars.into_failure());
        }
        let recognizer = match probe.audio {
            Some(_) => self.recognizer(language.as_ref())?,
            None => None,
        };
        let found = match recognizer {
            Some(NamedRecognizer {
                recognizer,
                source,
                note,
            }) => {
                let transcript = chunks::recognize(recognizer.as_ref(), context, &probe)?;
                Found {
                    // Of no words there is nothing to say but why there are none.
                    note: (!transcript.cues.is_empty()).then_some(note),
                    transcript: in_language(transcript, language.as_ref()),
                    source,
                    why_empty: NO_SPEECH,
                }
            }
            // An empty transcript would hide that a sidecar could not be read.
            None if !sidecars.errors.is_empty() => return Err(sidecars.into_failure()),
            None if sidecars.has_empty => Found::nothing(EMPTY_SUBTITLES),
            None if probe.audio.is_none() => Found::nothing(NO_SOUND),
            None if self.0.are_available() => Found::nothing(NO_RECOGNIZER_OF_LANGUAGE),
            None => Found::nothing(NO_RECOGNIZER),
        };
        store(found, &sidecars, tracks.not_used)
    }
}

impl Transcription {
    /// The first recognizer that is configured or installed, for speech in this language.
    fn recognizer(
        &self,
        language: Option<&LanguageTag>,
    ) -> Result<Option<NamedRecognizer>, Failure> {
        let RecognizerSettings {
            command,
            endpoint,
            confinement,
        } = &self.0;
        if let Some(line) = command {
            let command = command::Command::new(line, confinement)?;
            return Ok(Some(NamedRecognizer {
                recognizer: Box::new(command),
                source: TranscriptSource::Command,
                note: (NoteLevel::Info, COMMAND.to_owned()),
            }));
        }
        if let Some(endpoint) = endpoint {
            let (model, url) = (&endpoint.model, endpoint.public_url());
            let note = format!("recognized with the model {model} of {url}");
            return Ok(Some(NamedRecognizer {
                recognizer: Box::new(endpoint.clone()),
                source: TranscriptSource::Service,
                note: (NoteLevel::Info, note),
            }));
        }
        if language.is_some_and(|language| language.primary() != pocketsphinx::LANGUAGE) {
            return Ok(None);
        }
        let program = pocketsphinx::PocketSphinx::find(confinement);
        Ok(program.map(|program| NamedRecognizer {
            recognizer: Box::new(program),
            source: TranscriptSource::Recognizer,
            note: (NoteLevel::Warning, POCKETSPHINX.to_owned()),
        }))
    }
}

impl Found {
    /// Subtitles in this language, or if it is unknown, in their own.
    fn subtitles(
        transcript: Transcript,
        language: Option<&LanguageTag>,
        source: TranscriptSource,
        note: String,
    ) -> Self {
        Self {
            transcript: in_language(transcript, language),
            source,
            note: Some((NoteLevel::Info, note)),
            why_empty: EMPTY_SUBTITLES,
        }
    }

    fn nothing(why: &'static str) -> Self {
        Self {
            transcript: Transcript::default(),
            source: TranscriptSource::Recognizer,
            note: None,
            why_empty: why,
        }
    }
}

/// The transcript in a language, or in its own if none is known.
fn in_language(transcript: Transcript, language: Option<&LanguageTag>) -> Transcript {
    match language {
        Some(language) => transcript.in_language(language),
        None => transcript,
    }
}

/// Whether a transcript is stored that no worker made.
fn is_given(context: &StageContext<'_>) -> Result<bool, Failure> {
    let stored = context.stored(&[OutputKind::TranscriptSource, OutputKind::Transcript])?;
    let source = stored.transcript_source;
    let is_of_worker = source.is_some_and(|source| source != TranscriptSource::Client);
    Ok(!is_of_worker && !stored.transcript.is_empty())
}

/// A transcript, and where it is from.
struct Found {
    transcript: Transcript,
    source: TranscriptSource,
    note: Option<SourceNote>,
    /// The note if there are no cues.
    why_empty: &'static str,
}

/// Reads a file of any format, recognized by its content.
fn read_any_format(bytes: &[u8]) -> Result<ParsedFile, FormatError> {
    InputFormat::of_content(bytes).read(bytes)
}

/// Stores the transcript. The notes name the sidecars and tracks that were passed over, the source, what
/// was left out or changed in it, and why there are no cues.
fn store(
    found: Found,
    sidecars: &Sidecars,
    tracks_not_used: Option<String>,
) -> Result<StageOutput, Failure> {
    let is_empty = found.transcript.cues.is_empty();
    let source = found.source;
    let changes = found.transcript.notes;
    let segments: Vec<_> = found
        .transcript
        .cues
        .into_iter()
        .map(NewTranscriptSegment::try_from)
        .collect::<Result<_, _>>()?;
    let output = StageOutput::from(OutputRows::Transcript { segments, source });
    let mut notes = Notes::default();
    for error in &sidecars.errors {
        notes.warning(format!("skipped {error}"));
    }
    if let Some((level, note)) = found.note {
        notes.add(level, note);
    }
    if let Some(note) = sidecars.not_used() {
        // The user probably expects the words of these files.
        let level = match source {
            TranscriptSource::Sidecar => NoteLevel::Info,
            _ => NoteLevel::Warning,
        };
        notes.add(level, note);
    }
    if let Some(note) = tracks_not_used {
        let level = match source {
            TranscriptSource::Track => NoteLevel::Info,
            _ => NoteLevel::Warning,
        };
        notes.add(level, note);
    }
    for change in changes.messages() {
        if changes.has_losses() {
            notes.warning(change);
        } else {
            notes.info(change);
        }
    }
    if is_empty {
        notes.warning(found.why_empty);
    }
    Ok(output.with_notes(notes))
}
