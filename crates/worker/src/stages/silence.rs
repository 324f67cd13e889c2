//! Where nothing is heard or seen, and what is known of the recording.

use lectern_analysis::silence_region::{SilenceRules, merge};
use lectern_db::Tx;
use lectern_domain::{
    Decibels, JobUpdate, JsonObject, NewSilenceRegion, Patch, Stage, TimeRange, VideoDuration,
};
use lectern_media::{Probe, SilenceRegions, SilenceSettings};
use serde_json::{Value, json};

use crate::Failure;
use crate::stage::{StageContext, StageHandler, StageOutput};

/// What is said to be done meanwhile.
pub(super) const DOING: &str = "looking for silence";

/// Finds silences and black pictures.
#[derive(Debug)]
pub(super) struct Silence;

impl StageHandler for Silence {
    fn stage(&self) -> Stage {
        Stage::SilenceDetection
    }

    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let probe = task.probe()?;
        let mut told = task.telling(probe.duration, 0.0..100.0, DOING);
        let (regions, silences) = regions(task, &probe, &mut told)?;
        let update = JobUpdate {
            video_duration: Patch::Set(VideoDuration::new(probe.duration)?),
            video_metadata: Some(JsonObject::new(metadata(&probe))?),
            ..JobUpdate::default()
        };
        let note = note(&probe, &silences);
        let found = StageOutput::new(move |tx: &mut Tx<'_>, job_id| {
            tx.jobs().update(job_id, &update, None)?;
            tx.silence_regions()
                .replace_for_job(job_id, &regions)
                .map(drop)
        });
        Ok(StageOutput { note, ..found })
    }
}

/// The regions, and what they were made of; `progress` is told how many seconds
/// are done.
pub(super) fn regions(
    task: &StageContext<'_>,
    probe: &Probe,
    progress: &mut dyn FnMut(f64),
) -> Result<(Vec<NewSilenceRegion>, SilenceRegions), Failure> {
    let settings = SilenceSettings::default();
    let media = task.media(super::LOOKING);
    let silences = media.detect_silence(probe, settings, progress)?;
    let pairs = |ranges: &Option<Vec<TimeRange>>| -> Vec<_> {
        let ranges = ranges.iter().flatten();
        ranges.map(|range| (range.start(), range.end())).collect()
    };
    let rules = SilenceRules {
        min_length: settings.min_duration,
        amplitude_threshold: Some(Decibels::new(settings.threshold_dbfs)?),
    };
    let regions = merge(&pairs(&silences.audio), &pairs(&silences.blank), &rules)?;
    Ok((regions, silences))
}

/// What is known of the recording, as it is told with the job.
fn metadata(probe: &Probe) -> serde_json::Map<String, Value> {
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

/// What whoever wonders about the result should know.
fn note(probe: &Probe, silences: &SilenceRegions) -> Option<String> {
    let mut notes = Vec::new();
    if silences.audio.is_none() {
        notes.push("the recording has no sound".to_owned());
    }
    if silences.blank.is_none() {
        notes.push("the recording has no picture".to_owned());
    }
    if !silences.warnings.is_empty() {
        let why = silences.warnings.join("; ");
        notes.push(if silences.read_to < probe.duration {
            let (to, of) = (silences.read_to, probe.duration);
            format!("the recording is damaged; it was read to {to:.1} s of {of:.1} s: {why}")
        } else {
            format!("the recording is damaged: {why}")
        });
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}
