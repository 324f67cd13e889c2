//! Selects the parts of the recording that become clips.

use lectern_analysis::clip::{self, ClipRules};
use lectern_analysis::silence_region::{audio_silences, is_silent};
use lectern_analysis::{ContentSegmentRef, TranscriptSegmentRef};
use lectern_domain::{
    Clip, ClipCount, ClipItem, ClipSeconds, ClipShare, Invalid, Job, JsonObject, NewClip,
    ProcessingOptions, Stage, TranscriptSegment, VideoDuration,
};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::stage_handler::{StageContext, StageHandler};
use crate::stage_output::{Notes, OutputRows, StageOutput};
use crate::work_source::{OutputKind, StoredOutputs};

/// Selects the clips.
#[derive(Debug)]
pub(super) struct Segmentation;

impl StageHandler for Segmentation {
    fn stage(&self) -> Stage {
        Stage::Segmentation
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        let StoredOutputs {
            clips: stored,
            content_segments: segments,
            transcript,
            silence_regions,
            ..
        } = context.stored(&[
            OutputKind::Clips,
            OutputKind::ContentSegments,
            OutputKind::Transcript,
            OutputKind::SilenceRegions,
        ])?;
        let duration = match context.job().video_duration {
            Some(duration) => duration,
            None => VideoDuration::new(context.probe()?.duration)?,
        };
        let segment_refs: Vec<_> = segments
            .iter()
            .map(|segment| ContentSegmentRef {
                time: segment.time,
                topic: &segment.topic,
                importance_score: segment.importance_score,
                keywords: &segment.keywords,
            })
            .collect();
        let is_inside = |segment: &&TranscriptSegment| segment.time.start() < duration.get();
        let transcript = transcript.iter().filter(is_inside);
        let transcript_refs: Vec<_> = transcript.map(TranscriptSegmentRef::from).collect();
        let silences = silence_regions
            .iter()
            .map(|region| (region.time, region.silence_type));
        let rules = clip_rules(&context.options());
        let silences = audio_silences(silences);
        let selected = clip::select(&segment_refs, &transcript_refs, &silences, duration, &rules)?;
        let notes = notes(
            context.job(),
            selected.is_empty(),
            !transcript_refs.is_empty(),
            is_silent(&silences, duration.get()),
            &rules,
        );
        let clips: Vec<ClipItem> = selected
            .into_iter()
            .map(|selected| {
                let segment = selected.segment_index.and_then(|index| segments.get(index));
                let clip = NewClip {
                    content_segment_id: segment.map(|segment| segment.segment_id),
                    extra_metadata: metadata(selected.description)?,
                    ..selected.clip
                };
                Ok(keep_files(clip, &stored))
            })
            .collect::<Result<_, Invalid>>()?;
        let output = StageOutput::from(OutputRows::Clips(clips));
        Ok(output.with_notes(notes))
    }
}

/// Notes on clips, or the lack of them, that users may not expect.
fn notes(
    job: &Job,
    is_empty: bool,
    has_transcript: bool,
    is_silent: bool,
    rules: &ClipRules,
) -> Notes {
    let mut notes = Notes::default();
    // Written by the stage that detects silence.
    let has_no_sound = job.video_metadata.get().get("audio") == Some(&Value::Null);
    if !is_empty {
        if has_no_sound && has_transcript {
            notes.info("the recording has no sound: clips follow the transcript alone");
        }
    } else if is_silent && has_transcript {
        notes.warning(
            "no clip was selected: all of the sound is silent, although there is a transcript. If \
             the clips should follow the transcript, process the recording without its audio \
             track; if there should be sound, look for it in the original recording",
        );
    } else if is_silent {
        notes.warning("no clip was selected: all of the sound is silent, and there is no text");
    } else {
        notes.warning(format!(
            "no clip was selected: no part of {} to {} seconds begins and ends with a \
             sentence, or between silences where there is no text",
            rules.min_length, rules.max_length
        ));
    }
    notes
}

/// The longest clip must be able to be this many times as long as the shortest, or hardly any
/// sentences would end within the bounds. Only options of both bounds override it.
const MIN_LENGTH_RATIO: f64 = 2.0;

/// The default rules with the options in their places. A default that contradicts an option
/// gives way.
fn clip_rules(options: &ProcessingOptions) -> ClipRules {
    let default = ClipRules::default();
    let at_most = options.max_clips.map(ClipCount::get);
    let at_least = options.min_clips.map(ClipCount::get);
    let longest = options.max_clip_seconds.map(ClipSeconds::get);
    let shortest = options.min_clip_seconds.map(ClipSeconds::get);
    ClipRules {
        min_clips: at_least.unwrap_or(default.min_clips.min(at_most.unwrap_or(usize::MAX))),
        max_clips: at_most.unwrap_or(default.max_clips.max(at_least.unwrap_or(0))),
        min_length: shortest.unwrap_or_else(|| {
            let bound = longest.map_or(f64::INFINITY, |longest| longest / MIN_LENGTH_RATIO);
            default.min_length.min(bound)
        }),
        max_length: longest.unwrap_or_else(|| {
            let bound = shortest.map_or(0.0, |shortest| shortest * MIN_LENGTH_RATIO);
            default.max_length.max(bound)
        }),
        max_share: options.clip_share.map_or(default.max_share, ClipShare::get),
    }
}

/// The clip's `extra_metadata`: the sentence that describes it.
fn metadata(description: Option<String>) -> Result<JsonObject, Invalid> {
    match description {
        Some(description) => JsonObject::try_from(json!({ "description": description })),
        None => Ok(JsonObject::default()),
    }
}

/// The clip with the id and the files of a stored clip, if this one shows the same part of the
/// recording under the same title: then `compilation` need not cut it again.
fn keep_files(clip: NewClip, stored: &[Clip]) -> ClipItem {
    let is_same = |stored: &&Clip| stored.time == clip.time && stored.title == clip.title;
    match stored.iter().find(is_same) {
        None => clip.into(),
        Some(stored) => ClipItem {
            clip_id: Some(stored.clip_id),
            clip: NewClip {
                media: stored.media.clone(),
                extra_metadata: stored.extra_metadata.clone(),
                ..clip
            },
        },
    }
}
