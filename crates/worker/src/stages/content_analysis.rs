//! Finds the topics of a recording.

use lectern_analysis::content_segment;
use lectern_analysis::hallucination::{self, Hallucination, HallucinationSign};
use lectern_analysis::silence_region::audio_silences;
use lectern_domain::{Stage, TranscriptSegment, TranscriptSource};

use super::openai::ChatService;
use super::transcript_end;
use crate::chapters;
use crate::failure::Failure;
use crate::stage_handler::{StageContext, StageHandler};
use crate::stage_output::{Notes, OutputRows, StageOutput};
use crate::work_source::{OutputKind, StoredOutputs};

/// The maximum number of characters of a text in a note.
const MAX_QUOTE: usize = 60;
/// The maximum number of invented texts that a note names.
const MAX_NAMED: usize = 5;

/// Finds the topics in the transcript: with a service if there is one and it
/// succeeds, otherwise locally. A service with a language model writes better titles and
/// descriptions. Chapters of the recording are its topics in either case. The notes name them, and
/// text that nobody has spoken, which is not used.
#[derive(Debug)]
pub(super) struct ContentAnalysis(pub(super) Option<ChatService>);

impl StageHandler for ContentAnalysis {
    fn stage(&self) -> Stage {
        Stage::ContentAnalysis
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let StoredOutputs {
            transcript_source: source,
            mut transcript,
            silence_regions,
            ..
        } = context.stored(&[
            OutputKind::TranscriptSource,
            OutputKind::Transcript,
            OutputKind::SilenceRegions,
        ])?;
        let silences = audio_silences(
            silence_regions
                .iter()
                .map(|region| (region.time, region.silence_type)),
        );
        let mut notes = Notes::default();
        if let Some(duration) = context.job().video_duration {
            transcript_end::cut(&mut transcript, duration, &silences, &mut notes);
        }
        let invented = hallucination::find(&transcript, &silences);
        if let Some(note) = hallucination_note(&invented, source) {
            notes.warning(note);
        }
        let is_invented = |segment: &&TranscriptSegment| {
            let (start, end) = (segment.time.start(), segment.time.end());
            invented
                .iter()
                .any(|text| text.time.start() <= start && end <= text.time.end())
        };
        let chapters = context.chapters(&mut notes)?;
        let find_locally = || content_segment::find_in_chapters(&transcript, &silences, &chapters);
        let spoken: Vec<_> = transcript
            .iter()
            .filter(|segment| !is_invented(segment))
            .collect();
        let segments = match &self.0 {
            Some(chat) if !spoken.is_empty() => match chat.topics(&spoken, context) {
                Ok(segments) if chapters.is_empty() => segments,
                Ok(segments) => chapters::described(find_locally()?, &segments, &chapters),
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(failure) => {
                    notes.warning(format!(
                        "the chat service failed, and topics were found locally: {failure}"
                    ));
                    find_locally()?
                }
            },
            _ => find_locally()?,
        };
        chapters::note_use(&chapters, &segments, &mut notes);
        let output = StageOutput::from(OutputRows::ContentSegments(segments));
        Ok(output.with_notes(notes))
    }
}

/// A note that names the invented text, if there is any, in a transcript of this source. Files,
/// tracks and clients may have their text from a recognizer, or repeat what is spoken.
fn hallucination_note(
    invented: &[Hallucination],
    source: Option<TranscriptSource>,
) -> Option<String> {
    if invented.is_empty() {
        return None;
    }
    let named = invented.iter().take(MAX_NAMED).map(|text| {
        let quote: String = text.text.chars().take(MAX_QUOTE).collect();
        let ellipsis = if quote.len() < text.text.len() {
            "…"
        } else {
            ""
        };
        let reason = match text.sign {
            HallucinationSign::Repetition => "repeated",
            HallucinationSign::Silence => "on a silence",
        };
        let (start, end) = (text.time.start(), text.time.end());
        format!("\"{quote}{ellipsis}\", {reason}, {start:.0} s to {end:.0} s")
    });
    let named = named.collect::<Vec<_>>().join("; ");
    let more = match invented.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        count => format!("; and {count} more"),
    };
    let mut signs = invented.iter().map(|text| text.sign);
    let what = match source {
        Some(
            TranscriptSource::Command | TranscriptSource::Service | TranscriptSource::Recognizer,
        ) => "the recognizer has probably invented text, which was left out",
        _ if signs.all(|sign| sign == HallucinationSign::Repetition) => {
            "text that repeats itself was left out"
        }
        _ => "text that repeats itself or is on a silence was left out",
    };
    Some(format!(
        "{what} of topics and clips, but stays in the transcript: {named}{more}"
    ))
}
