//! Recognizing speech in chunks of the recording, in parallel.

use lectern_analysis::chunking::{self, ChunkRules};
use lectern_analysis::silence_region::audio_silences;
use lectern_domain::{TimeRange, VideoDuration};
use lectern_formats::{Cue, Transcript, millis};
use lectern_media::{MediaInfo, SampledFiles};
use parking_lot::Mutex;

use super::Recognizer;
use crate::failure::Failure;
use crate::parallel;
use crate::stage_handler::StageContext;
use crate::stages::silence_detection::{self, PROGRESS_MESSAGE};
use crate::work_source::OutputKind;

/// The stage's percentage after silence detection, when recognition starts.
const SILENCE_PERCENT: f64 = 5.0;

/// Cuts the recording at silences, and recognizes the speech in each chunk.
pub(super) fn recognize(
    recognizer: &dyn Recognizer,
    context: &StageContext<'_>,
    probe: &MediaInfo,
) -> Result<Transcript, Failure> {
    let (probe, silences) = silences(context, probe)?;
    let probe = &probe;
    let duration = VideoDuration::new(probe.duration)?;
    let chunks = chunking::split(duration, &silences, &ChunkRules::default())?;
    let total_seconds = chunks.iter().map(|chunk| chunk.duration()).sum();
    let reporter = context.progress_reporter(total_seconds, SILENCE_PERCENT..100.0, "listening");
    let progress = Mutex::new((0.0, reporter));
    let transcripts = parallel::map(context.cancellation(), &chunks, |i, chunk| {
        let transcript = recognize_chunk(recognizer, context, probe, i, *chunk)?;
        // Keeps the lock while reporting, so that the percentage never decreases.
        let (seconds_done, report) = &mut *progress.lock();
        *seconds_done += chunk.duration();
        report(*seconds_done);
        Ok::<_, Failure>(transcript)
    })?;
    let mut whole = Transcript::default();
    for transcript in transcripts {
        whole.cues.extend(transcript.cues);
        whole.notes.add_counts(&transcript.notes);
    }
    Ok(whole)
}

/// The recording with the sound that is heard, and its silent parts, as stored by the stage that
/// detects silence. If none are stored, detects them here.
fn silences(
    context: &StageContext<'_>,
    probe: &MediaInfo,
) -> Result<(MediaInfo, Vec<TimeRange>), Failure> {
    let stored = context.stored(&[OutputKind::SilenceRegions])?;
    let stored = stored.silence_regions;
    if !stored.is_empty() {
        let regions = stored.iter();
        let silences = audio_silences(regions.map(|region| (region.time, region.silence_type)));
        return Ok((probe.clone(), silences));
    }
    // Black pictures are not needed here, and decoding the picture would take many
    // times as long.
    let audio_only = MediaInfo {
        video: None,
        ..probe.clone()
    };
    // Reported without a remaining time: an estimate would cover only the detection,
    // and not the whole stage.
    let mut progress = |done: f64| {
        let percent = SILENCE_PERCENT * (done / probe.duration).min(1.0);
        context.report_progress(percent, PROGRESS_MESSAGE);
    };
    let files = SampledFiles::default();
    let (regions, detected) =
        silence_detection::detect(context, &audio_only, files, &mut progress)?;
    let heard = MediaInfo {
        audio: detected.sound.map(|sound| sound.audio),
        ..probe.clone()
    };
    let regions = regions.iter();
    let silences = audio_silences(regions.map(|region| (region.time, region.silence_type)));
    Ok((heard, silences))
}

/// Recognizes the speech in a chunk. The cues' times are from the start of the
/// recording.
fn recognize_chunk(
    recognizer: &dyn Recognizer,
    context: &StageContext<'_>,
    probe: &MediaInfo,
    i: usize,
    chunk: TimeRange,
) -> Result<Transcript, Failure> {
    context.check()?;
    let file = context.scratch_file(&format!("chunk-{i}.wav"));
    let media = context.media();
    media.extract_audio(probe, chunk, &file, &mut |_| {})?;
    let transcript = recognizer.recognize(&file, chunk.duration(), context)?;
    std::fs::remove_file(&file)?;
    // Some recognizers let the last cue end after its chunk: it is cut there.
    let (start, end) = (millis(chunk.start()), millis(chunk.end()));
    let in_recording = |ms: u64| start.saturating_add(ms).min(end);
    let cues = transcript.cues.into_iter();
    Ok(Transcript {
        cues: cues.map(|cue: Cue| cue.map_times(in_recording)).collect(),
        notes: transcript.notes,
        language: transcript.language,
    })
}
