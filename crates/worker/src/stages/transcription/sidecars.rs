//! Reads the sidecar files of a recording, best first.

use lectern_domain::{LanguageTag, TranscriptSource, VideoDuration};
use lectern_formats::{Cue, ParsedFile, Transcript};
use lectern_storage::ObjectKey;

use super::{Found, read_any_format};
use crate::failure::Failure;
use crate::sidecar::{self, OTHER_LANGUAGE, PassedOver, Selection, Sidecar, language_rank};
use crate::stage_handler::StageContext;

/// The most names of files in a note.
const MAX_NAMES: usize = 10;

/// An object, and the name of the file in notes.
type NamedObject = (String, ObjectKey);

/// The sidecar files of a recording, and what became of them.
#[derive(Debug, Default)]
pub(super) struct Sidecars {
    /// Files that were not read yet, the best one last.
    candidates: Vec<Sidecar<NamedObject>>,
    /// The language of the transcript, if it is known.
    wanted: Option<LanguageTag>,
    /// Names of files that are not used, and why.
    passed_over: Vec<String>,
    /// Why files cannot be read, with their names.
    pub(super) errors: Vec<String>,
    /// Whether one that cannot be read is a subtitle file, which a recognizer must not replace.
    /// A `.json` or `.tsv` file does not count: it may be something other than a transcript.
    pub(super) has_unreadable_subtitles: bool,
    /// Whether one has no text.
    pub(super) has_empty: bool,
}

impl Sidecars {
    /// Finds the files that may be read when subtitles in this language are wanted.
    pub(super) fn find(
        context: &StageContext<'_>,
        wanted: Option<&LanguageTag>,
    ) -> Result<Self, Failure> {
        let recording = context.recording_key();
        let name = file_name(recording);
        let beside = context.storage();
        let beside = beside.list_beside(recording, sidecar::common_start(name))?;
        let beside = beside.into_iter().map(|object| {
            let name = file_name(&object.key).to_owned();
            let file = (name.clone(), object.key);
            (name, object.last_modified, file)
        });
        let Selection {
            sidecars: mut candidates,
            mut passed_over,
        } = sidecar::select(name, beside);
        passed_over.extend(PassedOver::stored(context.job()));
        for sidecar in &mut candidates {
            if let Some(original) = sidecar::original(context.job(), &sidecar.name.suffix) {
                (sidecar.file.0, sidecar.modified) = original;
            }
        }
        sidecar::sort_by_preference(&mut candidates, wanted);
        let is_in_other_language =
            |sidecar: &Sidecar<NamedObject>| is_other(sidecar.name.language.as_ref(), wanted);
        let (other, mut candidates): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(is_in_other_language);
        candidates.reverse();
        let other = other.iter().map(|sidecar| {
            let (name, _) = &sidecar.file;
            format!("{name} (another language)")
        });
        let unread = passed_over
            .into_iter()
            .map(|PassedOver { name, reason }| format!("{name} ({reason})"));
        Ok(Self {
            passed_over: other.chain(unread).collect(),
            candidates,
            wanted: wanted.cloned(),
            ..Self::default()
        })
    }

    /// The transcript of the first file that can be read and has text.
    pub(super) fn read(&mut self, context: &StageContext<'_>) -> Result<Option<Found>, Failure> {
        while let Some(candidate) = self.candidates.pop() {
            let (name, key) = candidate.file;
            let storage = context.storage();
            let bytes = match storage.read(&key, sidecar::MAX_BYTES, context.cancellation()) {
                Ok(Some(bytes)) => bytes,
                // Deleted in the meantime.
                Ok(None) => continue,
                Err(Failure::Permanent { message, .. }) => {
                    self.add_unreadable(&name, message);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            if bytes.iter().all(u8::is_ascii_whitespace) {
                self.add_empty(&name);
                continue;
            }
            let transcript = match read_any_format(&bytes) {
                Ok(file) => transcript(file, context)?,
                Err(error) => Err(error.to_string()),
            };
            match transcript.map(|transcript| self.wanted_part(transcript)) {
                Ok(transcript) if transcript.cues.is_empty() => self.add_empty(&name),
                // The name does not say the language, but the file does.
                Ok(transcript)
                    if candidate.name.language.is_none() && !self.has_wanted(&transcript) =>
                {
                    self.passed_over.push(format!("{name} (another language)"));
                }
                Ok(transcript) => {
                    let note = format!("taken from {name}");
                    let source = TranscriptSource::Sidecar;
                    if transcript.has_several_languages() {
                        return Ok(Some(Found::subtitles(transcript, None, source, note)));
                    }
                    let language = candidate.name.language;
                    let language = language.or_else(|| transcript.language.clone());
                    let language = language.or_else(|| self.wanted.clone());
                    return Ok(Some(Found::subtitles(
                        transcript,
                        language.as_ref(),
                        source,
                        note,
                    )));
                }
                Err(error) => self.add_unreadable(&name, format!("{name}: {error}")),
            }
        }
        Ok(None)
    }

    fn has_wanted(&self, transcript: &Transcript) -> bool {
        if transcript.has_several_languages() {
            return transcript.cues.iter().any(|cue| self.is_wanted(cue));
        }
        !is_other(transcript.language.as_ref(), self.wanted.as_ref())
    }

    fn is_wanted(&self, cue: &Cue) -> bool {
        !is_other(cue.language.as_ref(), self.wanted.as_ref())
    }

    /// Of a transcript in several languages, the cues in the wanted one; all of them if none is in
    /// it.
    fn wanted_part(&self, mut transcript: Transcript) -> Transcript {
        if transcript.has_several_languages() && self.has_wanted(&transcript) {
            transcript.cues.retain(|cue| self.is_wanted(cue));
        }
        transcript
    }

    fn add_unreadable(&mut self, name: &str, error: String) {
        self.errors.push(error);
        let name = name.to_lowercase();
        let extension = name.rsplit('.').next().unwrap_or_default();
        self.has_unreadable_subtitles |= !sidecar::is_data(extension);
    }

    fn add_empty(&mut self, name: &str) {
        self.has_empty = true;
        self.passed_over.push(format!("{name} (empty)"));
    }

    /// A note with the files that were not used, and why; `None` if there are none.
    pub(super) fn not_used(&self) -> Option<String> {
        let remaining = self.candidates.iter().rev();
        let remaining = remaining.map(|sidecar| format!("{} (another goes first)", sidecar.file.0));
        let mut names: Vec<_> = self.passed_over.iter().cloned().chain(remaining).collect();
        if names.len() > MAX_NAMES {
            let more = names.len() - MAX_NAMES;
            names.truncate(MAX_NAMES);
            names.push(format!("{more} more"));
        }
        (!names.is_empty()).then(|| format!("not used: {}", names.join(", ")))
    }

    /// The failure of the stage because of files that cannot be read.
    pub(super) fn into_failure(self) -> Failure {
        Failure::permanent(self.errors.join("; "))
    }
}

/// The cues of a file that are within the recording, or why it has none. The stored length of
/// the recording is enough for most files, so that a remote recording need not be downloaded.
fn transcript(
    file: ParsedFile,
    context: &StageContext<'_>,
) -> Result<Result<Transcript, String>, Failure> {
    let stored = context.job().video_duration.map(VideoDuration::get);
    let seconds = match stored.filter(|_| !file.needs_recording_length()) {
        Some(seconds) => seconds,
        None => context.probe()?.duration,
    };
    let transcript = file.transcript(Some(seconds));
    let transcript = transcript.map_err(|error| error.to_string());
    Ok(transcript.and_then(|transcript| {
        let part = transcript.within_recording(seconds);
        part.map_err(|error| error.to_string())
    }))
}

/// Whether subtitles in a language are not in the one that is wanted.
fn is_other(language: Option<&LanguageTag>, wanted: Option<&LanguageTag>) -> bool {
    language_rank(language, wanted) == OTHER_LANGUAGE
}

/// The name of an object without its directories.
fn file_name(key: &ObjectKey) -> &str {
    let key = key.as_str();
    key.rsplit_once('/').map_or(key, |(_, name)| name)
}
