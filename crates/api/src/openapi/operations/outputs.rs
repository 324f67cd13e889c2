//! What the stages found.

use super::super::operation::Operation;
use super::{get, post, put};
use crate::Code::LayoutAnalysisNotFound;
use crate::{
    ClipsBody, ClipsQuery, ClipsResponse, ContentSegmentsBody, ContentSegmentsQuery,
    ContentSegmentsResponse, LayoutAnalysisBody, LayoutAnalysisResponse, LogEntry, LogEntryBody,
    LogEntryListQuery, LogEntryListResponse, SilenceRegionsBody, SilenceRegionsQuery,
    SilenceRegionsResponse, SubtitlesQuery, SubtitlesResponse, TranscriptQuery, TranscriptResponse,
};

const FILES: &str = "As `Content-Type` says: JSON (ours or Whisper's), WebVTT or SubRip. Files are \
    read leniently: cues may overlap, last no time and come in any order, and what is not Unicode \
    is taken for windows-1252 unless `charset` says otherwise.";
const AS_ASKED: &str = "By time. As `format` says or else `Accept`: JSON, WebVTT, SubRip or plain \
    text; JSON where that names none of them.";

/// What the stages found.
pub(super) fn all() -> Vec<Operation> {
    vec![
        put("/api/v1/jobs/{job_id}/transcripts", "putTranscript")
            .about("Replace the transcript", FILES)
            .leased()
            .body_transcript()
            .answers::<TranscriptResponse>(200),
        post("/api/v1/jobs/{job_id}/transcripts", "appendTranscript")
            .about(
                "Append to the transcript",
                "For one who transcribes while it is said. Answers the segments that were added.",
            )
            .leased()
            .body_transcript()
            .answers::<TranscriptResponse>(201),
        get("/api/v1/jobs/{job_id}/transcripts", "getTranscript")
            .about("Read the transcript", AS_ASKED)
            .query::<TranscriptQuery>()
            .answers_transcript::<TranscriptResponse>(),
        put("/api/v1/jobs/{job_id}/silence-regions", "putSilenceRegions")
            .about("Replace the silence regions", "")
            .leased()
            .body::<SilenceRegionsBody>()
            .answers::<SilenceRegionsResponse>(200),
        get("/api/v1/jobs/{job_id}/silence-regions", "getSilenceRegions")
            .about("Read the silence regions", "By time.")
            .query::<SilenceRegionsQuery>()
            .answers::<SilenceRegionsResponse>(200),
        put("/api/v1/jobs/{job_id}/layout-analysis", "putLayoutAnalysis")
            .about("Replace the layout analysis", "")
            .leased()
            .body::<LayoutAnalysisBody>()
            .answers::<LayoutAnalysisResponse>(200),
        get("/api/v1/jobs/{job_id}/layout-analysis", "getLayoutAnalysis")
            .about("Read the layout analysis", "")
            .answers::<LayoutAnalysisResponse>(200)
            .or([LayoutAnalysisNotFound])
            .later(),
        put(
            "/api/v1/jobs/{job_id}/content-segments",
            "putContentSegments",
        )
        .about("Replace the content segments", "")
        .leased()
        .body::<ContentSegmentsBody>()
        .answers::<ContentSegmentsResponse>(200),
        get(
            "/api/v1/jobs/{job_id}/content-segments",
            "getContentSegments",
        )
        .about(
            "Read the content segments",
            "By their order or, with `top`, by importance.",
        )
        .query::<ContentSegmentsQuery>()
        .answers::<ContentSegmentsResponse>(200),
        put("/api/v1/jobs/{job_id}/clips", "putClips")
            .about("Replace the clips", "")
            .leased()
            .body::<ClipsBody>()
            .answers::<ClipsResponse>(200),
        get("/api/v1/jobs/{job_id}/clips", "getClips")
            .about(
                "Read the clips",
                "By their order or, with `top`, by importance.",
            )
            .query::<ClipsQuery>()
            .answers::<ClipsResponse>(200),
        put("/api/v1/clips/{clip_id}/subtitles", "putSubtitles")
            .about("Replace the subtitles of a clip", FILES)
            .leased()
            .body_transcript()
            .answers::<SubtitlesResponse>(200),
        get("/api/v1/clips/{clip_id}/subtitles", "getSubtitles")
            .about("Read the subtitles of a clip", AS_ASKED)
            .query::<SubtitlesQuery>()
            .answers_transcript::<SubtitlesResponse>(),
        post("/api/v1/jobs/{job_id}/logs", "appendLog")
            .about("Append to the processing log", "")
            .leased()
            .body::<LogEntryBody>()
            .answers::<LogEntry>(201),
        get("/api/v1/jobs/{job_id}/logs", "listLogs")
            .about("Read the processing log", "")
            .query::<LogEntryListQuery>()
            .answers::<LogEntryListResponse>(200),
    ]
}
