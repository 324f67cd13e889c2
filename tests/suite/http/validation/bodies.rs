//! Every endpoint that takes a body, and every field of every body.

use Kind::{
    AnyObject, Bool, Enum, Id, Integer, Language, NotBlank, Number, Object, Objects, Positive,
    Text, Texts, Time,
};
use lectern_domain::ContentSegmentId;
use serde_json::{Value, json};

use super::field::{Field, Kind, Presence};

const MIB: usize = 1 << 20;
const SECONDS: Kind = Number(0.0, f64::INFINITY);
const RATIO: Kind = Number(0.0, 1.0);
const NON_NEGATIVE: Kind = Integer(0, i32::MAX as i64);
const ANY_INTEGER: Kind = Integer(i32::MIN as i64, i32::MAX as i64);
const ANY_TEXT: Kind = Text(0, usize::MAX);

/// An endpoint that takes a body.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The body limit in bytes.
    pub(crate) limit: usize,
    /// A valid body with every field.
    pub(crate) body: Value,
    pub(crate) fields: Vec<Field>,
    /// Bodies whose fields are valid alone but contradict each other, with the
    /// field the error names.
    pub(crate) contradictions: Vec<(Value, &'static str)>,
}

impl Endpoint {
    pub(crate) fn new(method: &'static str, path: &'static str, limit: usize, body: Value) -> Self {
        Self {
            method,
            path,
            limit,
            body,
            fields: Vec::new(),
            contradictions: Vec::new(),
        }
    }

    pub(crate) fn required(self, path: &'static str, kind: Kind) -> Self {
        self.field(path, kind, Presence::Required)
    }

    pub(crate) fn may_be_absent(self, path: &'static str, kind: Kind) -> Self {
        self.field(path, kind, Presence::MayBeAbsent)
    }

    pub(crate) fn may_be_null(self, path: &'static str, kind: Kind) -> Self {
        self.field(path, kind, Presence::MayBeNull)
    }

    /// Adds the settings of a job. They must not be in the body itself, because some are limits
    /// of others.
    pub(crate) fn processing_config(self) -> Self {
        let counts = Integer(1, 100);
        let seconds = Number(1.0, 3600.0);
        self.may_be_null("processing_config", AnyObject)
            .may_be_null("processing_config.processing_mode", Enum("vision"))
            .may_be_null("processing_config.pipeline", Enum("default"))
            .may_be_null("processing_config.language", Language)
            .may_be_null("processing_config.resolution", Enum("720p"))
            .may_be_null("processing_config.min_clips", counts)
            .may_be_null("processing_config.max_clips", counts)
            .may_be_null("processing_config.min_clip_seconds", seconds)
            .may_be_null("processing_config.max_clip_seconds", seconds)
            .may_be_null("processing_config.clip_share", Number(0.01, 1.0))
            .may_be_null("processing_config.clip_layout", Enum("stack"))
            .may_be_null("processing_config.audio_track", Integer(1, 64))
            .may_be_null("processing_config.silence_level", Number(-120.0, 0.0))
            .may_be_null("processing_config.burn_subtitles", Bool)
            .may_be_null("processing_config.loudness", Number(-70.0, -5.0))
            .rejects(
                "/processing_config",
                &json!({ "min_clips": 3, "max_clips": 2 }),
                "processing_config.max_clips",
            )
            .rejects(
                "/processing_config",
                &json!({ "min_clip_seconds": 3.5, "max_clip_seconds": 3 }),
                "processing_config.max_clip_seconds",
            )
    }

    fn field(mut self, path: &'static str, kind: Kind, presence: Presence) -> Self {
        self.fields.push(Field {
            path,
            kind,
            presence,
        });
        self
    }

    /// Adds a contradiction: with these changes to the object at `pointer`, the
    /// error names `named_field`.
    pub(crate) fn rejects(
        mut self,
        pointer: &str,
        changes: &Value,
        named_field: &'static str,
    ) -> Self {
        let mut body = self.body.clone();
        let object = body.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        object.extend(changes.as_object().unwrap().clone());
        self.contradictions.push((body, named_field));
        self
    }

    /// Adds a contradiction: the body with its only item twice.
    fn rejects_duplicates(mut self, list: &'static str, named_field: &'static str) -> Self {
        let mut body = self.body.clone();
        let item = body[list][0].clone();
        body[list].as_array_mut().unwrap().push(item);
        self.contradictions.push((body, named_field));
        self
    }
}

pub(crate) fn job() -> Endpoint {
    let body = json!({
        "filename": "lecture.mp4",
        "file_size": 734_003_200,
        "s3_key": "uploads/lecture.mp4",
        "content_type": "video/mp4",
        "processing_config": {
            "processing_mode": "audio", "resolution": "1080p", "pipeline": "default", "model": "x",
        },
        "extra_metadata": { "course": "physics" },
        "priority": 5,
    });
    Endpoint::new("POST", "/api/v1/jobs", MIB, body)
        .required("filename", Text(1, 255))
        .required("file_size", Integer(1, i64::MAX))
        .required("s3_key", Text(1, 500))
        .may_be_null("content_type", Text(0, 255))
        .processing_config()
        .may_be_null("extra_metadata", AnyObject)
        .may_be_null("priority", ANY_INTEGER)
}

/// A job over the recording of another one.
pub(crate) fn job_of_source(source: &str) -> Endpoint {
    let body = json!({
        "source_job_id": source,
        "filename": "lecture.mp4",
        "processing_config": { "processing_mode": "audio" },
        "extra_metadata": { "course": "physics" },
        "priority": 5,
    });
    Endpoint::new("POST", "/api/v1/jobs", MIB, body)
        .may_be_absent("filename", Text(1, 255))
        .processing_config()
        .may_be_null("extra_metadata", AnyObject)
        .may_be_null("priority", ANY_INTEGER)
        .rejects(
            "",
            &json!({ "source_job_id": super::UNKNOWN_ID }),
            "source_job_id",
        )
        .rejects("", &json!({ "source_job_id": "1" }), "source_job_id")
        .rejects("", &json!({ "source_job_id": null }), "source_job_id")
        .rejects("", &json!({ "s3_key": "a.mp4" }), "s3_key")
}

pub(crate) fn rerun() -> Endpoint {
    let body = json!({ "from_stage": "segmentation" });
    Endpoint::new("POST", "/api/v1/jobs/{job_id}/rerun", MIB, body)
        .required("from_stage", Enum("compilation"))
        .rejects("", &json!({ "from_stage": "uploading" }), "from_stage")
}

pub(crate) fn change() -> Endpoint {
    let body = json!({
        "filename": "renamed.mp4",
        "status": "running",
        "error_message": "slow",
        "video_duration": 5_400.5,
        "video_metadata": { "codec": "h264" },
        "extra_metadata": { "course": "physics" },
        "celery_task_id": "t-1",
        "priority": -5,
    });
    Endpoint::new("PATCH", "/api/v1/jobs/{job_id}", MIB, body)
        .may_be_absent("filename", Text(1, 255))
        .may_be_absent("status", Enum("cancelled"))
        .may_be_null("error_message", ANY_TEXT)
        .may_be_null("video_duration", Positive)
        .may_be_absent("video_metadata", AnyObject)
        .may_be_absent("extra_metadata", AnyObject)
        .may_be_null("celery_task_id", Text(1, 255))
        .may_be_absent("priority", ANY_INTEGER)
}

pub(crate) fn progress() -> Endpoint {
    let body = json!({
        "stage": "transcription",
        "percent": 0,
        "message": "at 00:12:00",
        "eta_seconds": 600,
        "agent_name": "worker-1",
    });
    Endpoint::new("POST", "/api/v1/jobs/{job_id}/progress", MIB, body)
        .required("stage", Enum("segmentation"))
        .required("percent", Number(0.0, 100.0))
        .may_be_null("message", Text(0, 500))
        .may_be_null("eta_seconds", NON_NEGATIVE)
        .may_be_null("agent_name", Text(0, 50))
}

pub(crate) fn transcripts(method: &'static str) -> Endpoint {
    transcript_body(method, "/api/v1/jobs/{job_id}/transcripts")
}

pub(crate) fn subtitles() -> Endpoint {
    transcript_body("PUT", "/api/v1/clips/{clip_id}/subtitles")
}

fn transcript_body(method: &'static str, path: &'static str) -> Endpoint {
    let body = json!({ "segments": [{
        "start_time": 0.0,
        "end_time": 1.0,
        "text": "Welcome back.",
        "confidence": 0.9,
        "speaker_id": "lecturer",
        "language": "en",
        "words": [{ "start": 0.0, "end": 0.5, "text": "Welcome", "probability": 0.75 }],
    }] });
    Endpoint::new(method, path, 32 * MIB, body)
        .required("segments", Objects)
        .required("segments[0].start_time", SECONDS)
        .required("segments[0].end_time", SECONDS)
        .required("segments[0].text", NotBlank)
        .may_be_null("segments[0].confidence", RATIO)
        .may_be_null("segments[0].speaker_id", Text(0, 50))
        .may_be_null("segments[0].language", Language)
        .may_be_null("segments[0].words", Objects)
        .required("segments[0].words[0].start", SECONDS)
        .required("segments[0].words[0].end", SECONDS)
        .required("segments[0].words[0].text", Text(1, 200))
        .may_be_null("segments[0].words[0].probability", RATIO)
        .rejects(
            "/segments/0/words/0",
            &json!({ "start": 1.5 }),
            "segments[0].words[0].end",
        )
        .rejects(
            "/segments/0",
            &json!({ "start_time": 1.5 }),
            "segments[0].end_time",
        )
}

pub(crate) fn silence_regions() -> Endpoint {
    let body = json!({ "regions": [{
        "start_time": 0.0,
        "end_time": 1.0,
        "silence_type": "both",
        "amplitude_threshold": -42.5,
    }] });
    Endpoint::new(
        "PUT",
        "/api/v1/jobs/{job_id}/silence-regions",
        32 * MIB,
        body,
    )
    .required("regions", Objects)
    .required("regions[0].start_time", SECONDS)
    .required("regions[0].end_time", SECONDS)
    .required("regions[0].silence_type", Enum("blank_screen"))
    .may_be_null(
        "regions[0].amplitude_threshold",
        Number(f64::NEG_INFINITY, f64::INFINITY),
    )
    .rejects(
        "/regions/0",
        &json!({ "start_time": 1.5 }),
        "regions[0].end_time",
    )
}

pub(crate) fn layout_analysis() -> Endpoint {
    let region = json!({ "x": 0, "y": 0, "width": 1280, "height": 1080 });
    let body = json!({
        "layout_type": "side_by_side",
        "screen_region": region,
        "camera_region": region,
        "split_ratio": 0.5,
        "confidence_score": 0.9,
        "sample_frame_time": 12.5,
        "stretches": [{
            "start_time": 0.0,
            "end_time": 1.0,
            "layout_type": "side_by_side",
            "screen_region": region,
            "camera_region": region,
            "split_ratio": 0.5,
            "confidence_score": 0.9,
        }],
    });
    Endpoint::new(
        "PUT",
        "/api/v1/jobs/{job_id}/layout-analysis",
        32 * MIB,
        body,
    )
    .required("layout_type", Enum("screen_only"))
    .may_be_null("screen_region", Object)
    .required("screen_region.x", NON_NEGATIVE)
    .required("screen_region.y", NON_NEGATIVE)
    .required("screen_region.width", NON_NEGATIVE)
    .required("screen_region.height", NON_NEGATIVE)
    .may_be_null("camera_region", Object)
    .required("camera_region.x", NON_NEGATIVE)
    .required("camera_region.y", NON_NEGATIVE)
    .required("camera_region.width", NON_NEGATIVE)
    .required("camera_region.height", NON_NEGATIVE)
    .may_be_null("split_ratio", RATIO)
    .required("confidence_score", RATIO)
    .may_be_null("sample_frame_time", SECONDS)
    .may_be_null("stretches", Objects)
    .required("stretches[0].start_time", SECONDS)
    .required("stretches[0].end_time", SECONDS)
    .required("stretches[0].layout_type", Enum("screen_only"))
    .may_be_null("stretches[0].screen_region", Object)
    .required("stretches[0].screen_region.x", NON_NEGATIVE)
    .required("stretches[0].screen_region.y", NON_NEGATIVE)
    .required("stretches[0].screen_region.width", NON_NEGATIVE)
    .required("stretches[0].screen_region.height", NON_NEGATIVE)
    .may_be_null("stretches[0].camera_region", Object)
    .required("stretches[0].camera_region.x", NON_NEGATIVE)
    .required("stretches[0].camera_region.y", NON_NEGATIVE)
    .required("stretches[0].camera_region.width", NON_NEGATIVE)
    .required("stretches[0].camera_region.height", NON_NEGATIVE)
    .may_be_null("stretches[0].split_ratio", RATIO)
    .required("stretches[0].confidence_score", RATIO)
    .rejects(
        "/stretches/0",
        &json!({ "start_time": 1.5 }),
        "stretches[0].end_time",
    )
}

pub(crate) fn content_segments() -> Endpoint {
    let body = json!({ "segments": [{
        "start_time": 0.0,
        "end_time": 300.0,
        "topic": "Entropy",
        "description": "What it is.",
        "importance_score": 0.5,
        "keywords": ["entropy"],
        "concepts": ["thermodynamics"],
        "segment_order": 0,
    }] });
    Endpoint::new(
        "PUT",
        "/api/v1/jobs/{job_id}/content-segments",
        32 * MIB,
        body,
    )
    .required("segments", Objects)
    .required("segments[0].start_time", SECONDS)
    .required("segments[0].end_time", SECONDS)
    .required("segments[0].topic", Text(1, 200))
    .may_be_null("segments[0].description", ANY_TEXT)
    .required("segments[0].importance_score", RATIO)
    .may_be_null("segments[0].keywords", Texts(1, 200))
    .may_be_null("segments[0].concepts", Texts(1, 200))
    .may_be_null("segments[0].segment_order", NON_NEGATIVE)
    .rejects(
        "/segments/0",
        &json!({ "start_time": 300.5 }),
        "segments[0].end_time",
    )
    .rejects_duplicates("segments", "segments[1].segment_order")
}

/// The clip of the job whose clips are replaced.
pub(crate) const CLIP_ID: &str = "019b76da-a87b-7763-a830-6c97ee0bf061";

/// `own` is a content segment of the job, `foreign` one of another.
pub(crate) fn clips(own: ContentSegmentId, foreign: ContentSegmentId) -> Endpoint {
    let body = json!({ "job_id": super::UNKNOWN_ID, "total": 1, "clips": [{
        "clip_id": CLIP_ID,
        "duration": 90.0,
        "stale": false,
        "created_at": "2026-01-01T00:00:00Z",
        "title": "Entropy",
        "topic": "The second law",
        "importance_score": 0.5,
        "start_time": 0.0,
        "end_time": 90.0,
        "content_segment_id": own,
        "s3_key": "clips/0.mp4",
        "thumbnail_s3_key": "clips/0.jpg",
        "subtitle_s3_key": "clips/0.vtt",
        "clip_order": 0,
        "extra_metadata": { "take": 1 },
    }] });
    Endpoint::new("PUT", "/api/v1/jobs/{job_id}/clips", 32 * MIB, body)
        .may_be_null("job_id", Id)
        .may_be_null("total", Integer(0, i64::MAX))
        .required("clips", Objects)
        .may_be_null("clips[0].clip_id", Id)
        .may_be_null("clips[0].duration", SECONDS)
        .may_be_null("clips[0].stale", Bool)
        .may_be_null("clips[0].created_at", Time)
        .required("clips[0].title", Text(1, 200))
        .may_be_null("clips[0].topic", Text(0, 200))
        .may_be_null("clips[0].importance_score", RATIO)
        .required("clips[0].start_time", SECONDS)
        .required("clips[0].end_time", SECONDS)
        .may_be_null("clips[0].content_segment_id", Id)
        .may_be_null("clips[0].s3_key", Text(1, 500))
        .may_be_null("clips[0].thumbnail_s3_key", Text(1, 500))
        .may_be_null("clips[0].subtitle_s3_key", Text(1, 500))
        .may_be_null("clips[0].clip_order", NON_NEGATIVE)
        .may_be_null("clips[0].extra_metadata", AnyObject)
        .rejects(
            "/clips/0",
            &json!({ "start_time": 90.5 }),
            "clips[0].end_time",
        )
        .rejects(
            "/clips/0",
            &json!({ "content_segment_id": foreign }),
            "clips[0].content_segment_id",
        )
        .rejects(
            "/clips/0",
            &json!({ "content_segment_id": super::UNKNOWN_ID }),
            "clips[0].content_segment_id",
        )
        .rejects(
            "/clips/0",
            &json!({ "clip_id": super::UNKNOWN_ID }),
            "clips[0].clip_id",
        )
        .rejects_duplicates("clips", "clips[1].clip_order")
}

fn clip_without_segment() -> Value {
    json!({
        "title": "Entropy",
        "topic": "The second law",
        "importance_score": 0.5,
        "start_time": 0.0,
        "end_time": 90.0,
        "content_segment_id": null,
        "s3_key": "clips/0.mp4",
        "thumbnail_s3_key": "clips/0.jpg",
        "subtitle_s3_key": "clips/0.vtt",
        "clip_order": 7,
        "extra_metadata": { "take": 1 },
    })
}

pub(crate) fn new_clip() -> Endpoint {
    let mut endpoint = Endpoint::new(
        "POST",
        "/api/v1/jobs/{job_id}/clips",
        MIB,
        clip_without_segment(),
    )
    .required("title", Text(1, 200))
    .may_be_null("topic", Text(0, 200))
    .may_be_null("importance_score", RATIO)
    .required("start_time", SECONDS)
    .required("end_time", SECONDS)
    .may_be_null("content_segment_id", Id)
    .may_be_null("s3_key", Text(1, 500))
    .may_be_null("thumbnail_s3_key", Text(1, 500))
    .may_be_null("subtitle_s3_key", Text(1, 500))
    .may_be_null("clip_order", NON_NEGATIVE)
    .may_be_null("extra_metadata", AnyObject)
    .rejects("", &json!({ "start_time": 90.5 }), "end_time");
    for (field, value) in [
        ("clip_id", json!(CLIP_ID)),
        ("duration", json!(90.0)),
        ("stale", json!(false)),
        ("created_at", json!("2026-01-01T00:00:00Z")),
    ] {
        endpoint = endpoint.rejects("", &json!({ field: value }), field);
    }
    endpoint.rejects(
        "",
        &json!({ "content_segment_id": super::UNKNOWN_ID }),
        "content_segment_id",
    )
}

pub(crate) fn clip_update() -> Endpoint {
    Endpoint::new(
        "PATCH",
        "/api/v1/clips/{clip_id}",
        32 * MIB,
        clip_without_segment(),
    )
    .may_be_absent("title", Text(1, 200))
    .may_be_null("topic", Text(0, 200))
    .may_be_null("importance_score", RATIO)
    .may_be_absent("start_time", SECONDS)
    .may_be_absent("end_time", SECONDS)
    .may_be_null("content_segment_id", Id)
    .may_be_null("s3_key", Text(1, 500))
    .may_be_null("thumbnail_s3_key", Text(1, 500))
    .may_be_null("subtitle_s3_key", Text(1, 500))
    .may_be_absent("clip_order", NON_NEGATIVE)
    .may_be_absent("extra_metadata", AnyObject)
    .rejects("", &json!({ "start_time": 90.5 }), "end_time")
    .rejects(
        "",
        &json!({ "content_segment_id": super::UNKNOWN_ID }),
        "content_segment_id",
    )
}

pub(crate) fn transcript_segment_update() -> Endpoint {
    let body = json!({
        "start_time": 0.0,
        "end_time": 1.0,
        "text": "Welcome back.",
        "confidence": 0.9,
        "speaker_id": "lecturer",
        "language": "en",
        "words": [{ "start": 0.0, "end": 0.5, "text": "Welcome", "probability": 0.75 }],
    });
    Endpoint::new("PATCH", "/api/v1/transcripts/{segment_id}", 32 * MIB, body)
        .may_be_absent("start_time", SECONDS)
        .may_be_absent("end_time", SECONDS)
        .may_be_absent("text", NotBlank)
        .may_be_null("confidence", RATIO)
        .may_be_null("speaker_id", Text(0, 50))
        .may_be_null("language", Language)
        .may_be_null("words", Objects)
        .required("words[0].start", SECONDS)
        .required("words[0].end", SECONDS)
        .required("words[0].text", Text(1, 200))
        .may_be_null("words[0].probability", RATIO)
        .rejects("/words/0", &json!({ "start": 1.5 }), "words[0].end")
        .rejects("", &json!({ "start_time": 1.5 }), "end_time")
}

pub(crate) fn content_segment_update() -> Endpoint {
    let body = json!({
        "start_time": 0.0,
        "end_time": 300.0,
        "topic": "Entropy",
        "description": "What it is.",
        "importance_score": 0.5,
        "keywords": ["entropy"],
        "concepts": ["thermodynamics"],
        "segment_order": 7,
    });
    Endpoint::new(
        "PATCH",
        "/api/v1/content-segments/{segment_id}",
        32 * MIB,
        body,
    )
    .may_be_absent("start_time", SECONDS)
    .may_be_absent("end_time", SECONDS)
    .may_be_absent("topic", Text(1, 200))
    .may_be_null("description", ANY_TEXT)
    .may_be_absent("importance_score", RATIO)
    .may_be_absent("keywords", Texts(1, 200))
    .may_be_absent("concepts", Texts(1, 200))
    .may_be_absent("segment_order", NON_NEGATIVE)
    .rejects("", &json!({ "start_time": 300.5 }), "end_time")
}

pub(crate) fn log() -> Endpoint {
    let body = json!({
        "stage": "transcription",
        "status": "failed",
        "agent_name": "worker-1",
        "message": "out of memory",
        "error_details": { "exit_code": 137 },
        "duration_seconds": 61.5,
    });
    Endpoint::new("POST", "/api/v1/jobs/{job_id}/logs", MIB, body)
        .required("stage", Enum("segmentation"))
        .required("status", Enum("started"))
        .may_be_null("agent_name", Text(0, 50))
        .may_be_null("message", ANY_TEXT)
        .may_be_null("error_details", AnyObject)
        .may_be_null("duration_seconds", SECONDS)
}
