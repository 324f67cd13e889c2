//! Outputs of stages, as the API takes them.

use lectern_domain::{
    ClipFiles, ClipItem, JsonValue as _, NewContentSegment, NewLayoutAnalysis, NewSilenceRegion,
    NewTranscriptSegment, Patch, StageNotes, StageResults, StorageKey, TimedWords,
};
use serde_json::{Map, Value, json};

use crate::stage_output::OutputRows;

/// The path below the job, and the body, of the request that stores the set of an output.
pub(super) fn set(rows: &OutputRows) -> Option<(&'static str, Value)> {
    match rows {
        OutputRows::SilenceRegions { regions, .. } => {
            let regions: Vec<_> = regions.iter().map(silence_region).collect();
            Some(("/silence-regions", json!({ "regions": regions })))
        }
        OutputRows::Transcript { segments, .. } => {
            let segments: Vec<_> = segments.iter().map(transcript_segment).collect();
            Some(("/transcripts", json!({ "segments": segments })))
        }
        OutputRows::LayoutAnalysis(layout) => Some(("/layout-analysis", layout_analysis(layout))),
        OutputRows::ContentSegments(segments) => {
            let segments: Vec<_> = segments.iter().map(content_segment).collect();
            Some(("/content-segments", json!({ "segments": segments })))
        }
        OutputRows::Clips(clips) => {
            let clips: Vec<_> = clips.iter().map(clip).collect();
            Some(("/clips", json!({ "clips": clips })))
        }
        OutputRows::Unchanged | OutputRows::ClipFiles { .. } => None,
    }
}

/// The body of the request that completes the stage.
pub(super) fn completion(rows: &OutputRows, notes: &StageNotes) -> Value {
    let notes = notes
        .as_slice()
        .iter()
        .map(|note| json!({ "level": note.level, "message": note.message.as_str() }));
    let mut body = Map::from_iter([("notes".to_owned(), notes.collect())]);
    let StageResults {
        video_duration,
        video_metadata,
        transcript_source,
        clip_files,
        reel,
    } = rows.results();
    if let Some(duration) = video_duration {
        body.insert("video_duration".to_owned(), json!(duration));
    }
    if let Some(metadata) = video_metadata {
        body.insert("video_metadata".to_owned(), json!(metadata.get()));
    }
    if let Some(source) = transcript_source {
        body.insert("transcript_source".to_owned(), json!(source));
    }
    if !clip_files.is_empty() {
        let files = clip_files.iter().map(files_of_clip).collect();
        body.insert("clip_files".to_owned(), files);
    }
    insert_patch(&mut body, "highlight_s3_key", &reel);
    Value::Object(body)
}

fn silence_region(region: &NewSilenceRegion) -> Value {
    json!({
        "start_time": region.time.start(),
        "end_time": region.time.end(),
        "silence_type": region.silence_type,
        "amplitude_threshold": region.amplitude_threshold,
    })
}

fn transcript_segment(segment: &NewTranscriptSegment) -> Value {
    json!({
        "start_time": segment.time.start(),
        "end_time": segment.time.end(),
        "text": segment.text,
        "confidence": segment.confidence,
        "speaker_id": segment.speaker_id,
        "language": segment.language,
        "words": segment.words.as_ref().map(TimedWords::to_json),
    })
}

fn layout_analysis(layout: &NewLayoutAnalysis) -> Value {
    json!({
        "layout_type": layout.layout_type,
        "screen_region": layout.screen_region.map(|region| region.to_json()),
        "camera_region": layout.camera_region.map(|region| region.to_json()),
        "split_ratio": layout.split_ratio,
        "confidence_score": layout.confidence_score,
        "sample_frame_time": layout.sample_frame_time,
        "stretches": layout.stretches.to_json(),
    })
}

fn content_segment(segment: &NewContentSegment) -> Value {
    json!({
        "start_time": segment.time.start(),
        "end_time": segment.time.end(),
        "topic": segment.topic,
        "description": segment.description,
        "importance_score": segment.importance_score,
        "keywords": segment.keywords,
        "concepts": segment.concepts,
        "segment_order": segment.segment_order,
    })
}

fn clip(item: &ClipItem) -> Value {
    let clip = &item.clip;
    json!({
        "clip_id": item.clip_id,
        "content_segment_id": clip.content_segment_id,
        "title": clip.title,
        "topic": clip.topic,
        "importance_score": clip.importance_score,
        "start_time": clip.time.start(),
        "end_time": clip.time.end(),
        "s3_key": clip.media.s3_key,
        "thumbnail_s3_key": clip.media.thumbnail_s3_key,
        "subtitle_s3_key": clip.media.subtitle_s3_key,
        "clip_order": clip.clip_order,
        "extra_metadata": clip.extra_metadata.get(),
    })
}

fn files_of_clip(files: &ClipFiles) -> Value {
    let mut body = Map::from_iter([("clip_id".to_owned(), json!(files.clip_id))]);
    insert_patch(&mut body, "s3_key", &files.media.s3_key);
    insert_patch(&mut body, "thumbnail_s3_key", &files.media.thumbnail_s3_key);
    insert_patch(&mut body, "subtitle_s3_key", &files.media.subtitle_s3_key);
    if let Some(record) = &files.record {
        body.insert("cut_record".to_owned(), json!(record));
    }
    Value::Object(body)
}

fn insert_patch(body: &mut Map<String, Value>, field: &str, key: &Patch<StorageKey>) {
    match key {
        Patch::Keep => {}
        Patch::Clear => {
            body.insert(field.to_owned(), Value::Null);
        }
        Patch::Set(key) => {
            body.insert(field.to_owned(), json!(key));
        }
    }
}
