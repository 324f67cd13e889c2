//! Finds silence and black pictures, and stores the recording's properties.

use lectern_analysis::silence_region::{SilenceRules, merge};
use lectern_db::Tx;
use lectern_domain::{
    Decibels, JobUpdate, JsonObject, NewSilenceRegion, Patch, Stage, TimeRange, VideoDuration,
};
use lectern_media::{MediaInfo, SilenceRegions, SilenceSettings};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::stage_handler::{Notes, StageContext, StageHandler, StageOutput};

/// The progress message while silence is detected, in this and other stages.
pub(super) const PROGRESS_MESSAGE: &str = "looking for silence";

/// Finds silence and black pictures.
#[derive(Debug)]
pub(super) struct SilenceDetection;

impl StageHandler for SilenceDetection {
    fn stage(&self) -> Stage {
        Stage::SilenceDetection
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let probe = context.probe()?;
        let mut progress = context.progress_reporter(probe.duration, 0.0..100.0, PROGRESS_MESSAGE);
        let (regions, detected) = detect(context, &probe, &mut progress)?;
        let update = JobUpdate {
            video_duration: Patch::Set(VideoDuration::new(probe.duration)?),
            video_metadata: Some(JsonObject::new(metadata(&probe))?.into()),
            ..JobUpdate::default()
        };
        let notes = notes(&probe, &detected);
        let output = StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
            tx.jobs().update(job_id, &update, None)?;
            tx.silence_regions()
                .replace_for_job(job_id, &regions)
                .map(drop)
        });
        Ok(output.with_notes(notes))
    }
}

/// Detects silent and black regions. Returns them merged, and as ffmpeg detected
/// them. `progress` gets the seconds done.
pub(super) fn detect(
    context: &StageContext<'_>,
    probe: &MediaInfo,
    progress: &mut dyn FnMut(f64),
) -> Result<(Vec<NewSilenceRegion>, SilenceRegions), Failure> {
    let settings = SilenceSettings::default();
    let media = context.media();
    let detected = media.detect_silence(probe, settings, progress)?;
    let pairs = |ranges: &Option<Vec<TimeRange>>| -> Vec<_> {
        let ranges = ranges.iter().flatten();
        ranges.map(|range| (range.start(), range.end())).collect()
    };
    let rules = SilenceRules {
        min_length: settings.min_duration,
        amplitude_threshold: Some(Decibels::new(settings.threshold_dbfs)?),
    };
    let regions = merge(&pairs(&detected.audio), &pairs(&detected.blank), &rules)?;
    Ok((regions, detected))
}

/// The job's `video_metadata`.
fn metadata(probe: &MediaInfo) -> serde_json::Map<String, Value> {
    let video = probe.video.as_ref().map(|video| {
        json!({
            "codec": video.codec,
            "width": video.width,
            "height": video.height,
            "rotation": video.rotation,
            "frame_rate": video.frame_rate.get(),
            "variable_frame_rate": video.variable_frame_rate,
        })
    });
    let audio = probe.audio.as_ref().map(|audio| {
        json!({
            "codec": audio.codec,
            "sample_rate": audio.sample_rate,
            "channels": audio.channels,
        })
    });
    let subtitles: Vec<_> = probe
        .subtitles
        .iter()
        .map(|track| json!({ "codec": track.codec, "language": track.language }))
        .collect();
    serde_json::Map::from_iter([
        ("format".to_owned(), json!(probe.format_name)),
        ("size".to_owned(), json!(probe.size)),
        ("video".to_owned(), json!(video)),
        ("audio".to_owned(), json!(audio)),
        ("subtitles".to_owned(), json!(subtitles)),
    ])
}

/// Notes that explain an unexpected result.
fn notes(probe: &MediaInfo, detected: &SilenceRegions) -> Notes {
    let mut notes = Notes::default();
    if detected.audio.is_none() {
        notes.warning("the recording has no sound");
    }
    if detected.blank.is_none() {
        notes.info("the recording has no picture");
    }
    if !detected.warnings.is_empty() {
        let warnings = detected.warnings.join("; ");
        notes.warning(if detected.read_to < probe.duration {
            let (read_to, duration) = (detected.read_to, probe.duration);
            format!(
                "the recording is damaged; it was read to {read_to:.1} s of {duration:.1} s: \
                 {warnings}"
            )
        } else {
            format!("the recording is damaged: {warnings}")
        });
    }
    notes
}
