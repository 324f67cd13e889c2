//! Outputs of the stages.

use super::super::operation::Operation;
use super::{delete, get, patch, post, put};
use crate::clip::{Clip, ClipUpdateBody, ClipsBody, ClipsQuery, ClipsResponse, NewClipBody};
use crate::content_segment::{
    ContentSegment, ContentSegmentUpdateBody, ContentSegmentsBody, ContentSegmentsQuery,
    ContentSegmentsResponse,
};
use crate::layout_analysis::{LayoutAnalysisBody, LayoutAnalysisResponse};
use crate::log_entry::{LogEntry, LogEntryBody, LogEntryListQuery, LogEntryListResponse};
use crate::silence_region::{SilenceRegionsBody, SilenceRegionsQuery, SilenceRegionsResponse};
use crate::subtitles::{SubtitlesQuery, SubtitlesResponse};
use crate::transcript_segment::{
    TranscriptQuery, TranscriptResponse, TranscriptSegment, TranscriptSegmentQuery,
    TranscriptSegmentUpdateBody,
};
use crate::waveform::Waveform;
use crate::wire::Code::{
    LayoutAnalysisNotFound, QuotaExceeded, ThumbnailsNotFound, WaveformNotFound,
};

const TRANSCRIPT_BODY: &str = "The `Content-Type` determines the format: JSON (Lectern's, or that of a speech \
    recognizer), WebVTT, SubRip, TTML, SubStation Alpha, SBV, LRC or text with tabs. Files are parsed leniently: cues may \
    overlap, be empty and come in any order, and what cannot be read is left out and listed in `notes` with its \
    lines. An end that is missing is the next start. Speakers are also taken from texts that begin with names. \
    Text is Unicode, in the `charset` of the header or the XML declaration, or in a charset that can be detected \
    with certainty; other text is refused.";
const REPLACES: &str = "The set in the body replaces the stored set in one transaction. Sending the same set \
    again changes nothing.";
const READ_ONE: &str = "With `If-None-Match`, the response is 304 as long as nothing has changed.";
const CHANGE_ONE: &str = "Fields left out keep their values.";
const TRANSCRIPT_RESPONSE: &str = "Sorted by time. The parameter `format`, or if it is left out `Accept`, selects \
    JSON, WebVTT, SubRip or plain text; JSON if it names none of them.";

/// Operations on the outputs of stages.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn all() -> Vec<Operation> {
    vec![
        put("/api/v1/jobs/{job_id}/transcripts", "putTranscript")
            .describe_as("Replace the transcript", TRANSCRIPT_BODY)
            .leased()
            .body_transcript()
            .responds::<TranscriptResponse>(200)
            .with_problems([QuotaExceeded]),
        post("/api/v1/jobs/{job_id}/transcripts", "appendTranscript")
            .describe_as(
                "Append to the transcript",
                "For live transcription. The response contains the added segments.",
            )
            .idempotent()
            .leased()
            .body_transcript()
            .responds::<TranscriptResponse>(201)
            .with_problems([QuotaExceeded]),
        get("/api/v1/jobs/{job_id}/transcripts", "getTranscript")
            .describe_as("Read the transcript", TRANSCRIPT_RESPONSE)
            .query::<TranscriptQuery>()
            .responds_transcript::<TranscriptResponse>(),
        get("/api/v1/transcripts/{segment_id}", "getTranscriptSegment")
            .describe_as("Read a segment of a transcript", READ_ONE)
            .query::<TranscriptSegmentQuery>()
            .responds::<TranscriptSegment>(200)
            .with_headers(&["ETag"])
            .if_none_match(),
        patch(
            "/api/v1/transcripts/{segment_id}",
            "updateTranscriptSegment",
        )
        .describe_as("Change a segment of a transcript", CHANGE_ONE)
        .if_match()
        .leased()
        .body_patch::<TranscriptSegmentUpdateBody>()
        .responds::<TranscriptSegment>(200)
        .with_headers(&["ETag"]),
        delete(
            "/api/v1/transcripts/{segment_id}",
            "deleteTranscriptSegment",
        )
        .describe_as(
            "Delete a segment of a transcript",
            "The other segments stay as they are.",
        )
        .if_match()
        .leased()
        .responds_empty(204),
        put("/api/v1/jobs/{job_id}/silence-regions", "putSilenceRegions")
            .describe_as("Replace the silence regions", REPLACES)
            .leased()
            .body::<SilenceRegionsBody>()
            .responds::<SilenceRegionsResponse>(200)
            .with_problems([QuotaExceeded]),
        get("/api/v1/jobs/{job_id}/silence-regions", "getSilenceRegions")
            .describe_as("Read the silence regions", "Sorted by time.")
            .query::<SilenceRegionsQuery>()
            .responds::<SilenceRegionsResponse>(200),
        put("/api/v1/jobs/{job_id}/layout-analysis", "putLayoutAnalysis")
            .describe_as(
                "Replace the layout analysis",
                "Sending the same analysis again changes nothing.",
            )
            .leased()
            .body::<LayoutAnalysisBody>()
            .responds::<LayoutAnalysisResponse>(200)
            .with_problems([QuotaExceeded]),
        get("/api/v1/jobs/{job_id}/layout-analysis", "getLayoutAnalysis")
            .describe_as("Read the layout analysis", "A job has at most one.")
            .responds::<LayoutAnalysisResponse>(200)
            .with_problems([LayoutAnalysisNotFound])
            .exclude_from_links(),
        get("/api/v1/jobs/{job_id}/waveform", "getWaveform")
            .describe_as(
                "Read the waveform",
                "The sound that is heard, for drawing, in version 2 of the JSON format of \
                 audiowaveform. `silence_detection` stores it as the file `waveform.json` of the \
                 job. With `If-None-Match`, the response is 304 as long as nothing has changed.",
            )
            .responds::<Waveform>(200)
            .with_headers(&["ETag"])
            .if_none_match()
            .with_problems([WaveformNotFound])
            .exclude_from_links(),
        get("/api/v1/jobs/{job_id}/thumbnails", "getThumbnails")
            .describe_as(
                "Read the times of the thumbnails",
                "WebVTT with a cue for each thumbnail along the recording: its picture, and its \
                 place there, such as `thumbnails.jpg#xywh=160,0,160,90` (Media Fragments URI). \
                 `silence_detection` stores it as the file `thumbnails.vtt` of the job.",
            )
            .responds_text("text/vtt")
            .with_headers(&["ETag"])
            .if_none_match()
            .with_problems([ThumbnailsNotFound])
            .exclude_from_links(),
        get(
            "/api/v1/jobs/{job_id}/thumbnails.jpg",
            "getThumbnailPicture",
        )
        .describe_as(
            "Fetch the picture of the thumbnails",
            "A JPEG with all thumbnails side by side, the file `thumbnails.jpg` of the job.",
        )
        .header("Range")
        .responds_bytes(200)
        .or_responds(206, "The requested part.")
        .with_headers(&["Content-Range"])
        .if_none_match()
        .with_problems([ThumbnailsNotFound])
        .exclude_from_links(),
        put(
            "/api/v1/jobs/{job_id}/content-segments",
            "putContentSegments",
        )
        .describe_as("Replace the content segments", REPLACES)
        .leased()
        .body::<ContentSegmentsBody>()
        .responds::<ContentSegmentsResponse>(200)
        .with_problems([QuotaExceeded]),
        get(
            "/api/v1/jobs/{job_id}/content-segments",
            "getContentSegments",
        )
        .describe_as(
            "Read the content segments",
            "Sorted by position or, with `top`, by importance.",
        )
        .query::<ContentSegmentsQuery>()
        .responds::<ContentSegmentsResponse>(200),
        get("/api/v1/content-segments/{segment_id}", "getContentSegment")
            .describe_as("Read a content segment", READ_ONE)
            .responds::<ContentSegment>(200)
            .with_headers(&["ETag"])
            .if_none_match(),
        patch(
            "/api/v1/content-segments/{segment_id}",
            "updateContentSegment",
        )
        .describe_as("Change a content segment", CHANGE_ONE)
        .if_match()
        .leased()
        .body_patch::<ContentSegmentUpdateBody>()
        .responds::<ContentSegment>(200)
        .with_headers(&["ETag"]),
        delete(
            "/api/v1/content-segments/{segment_id}",
            "deleteContentSegment",
        )
        .describe_as(
            "Delete a content segment",
            "Clips that refer to it lose the reference.",
        )
        .if_match()
        .leased()
        .responds_empty(204),
        put("/api/v1/jobs/{job_id}/clips", "putClips")
            .describe_as(
                "Replace the clips",
                "Takes back the response to a request for the clips. A clip with a `clip_id` keeps \
                 its id.",
            )
            .leased()
            .body::<ClipsBody>()
            .responds::<ClipsResponse>(200)
            .with_problems([QuotaExceeded]),
        get("/api/v1/jobs/{job_id}/clips", "getClips")
            .describe_as(
                "Read the clips",
                "Sorted by position or, with `top`, by importance.",
            )
            .query::<ClipsQuery>()
            .responds::<ClipsResponse>(200),
        post("/api/v1/jobs/{job_id}/clips", "addClip")
            .describe_as(
                "Add a clip",
                "By default after the last one. It is cut when `compilation` runs again.",
            )
            .leased()
            .body::<NewClipBody>()
            .idempotent()
            .responds::<Clip>(201)
            .with_headers(&["Location", "ETag"])
            .with_problems([QuotaExceeded]),
        get("/api/v1/jobs/{job_id}/clips/archive", "getClipsArchive")
            .describe_as(
                "Download all clips",
                "One ZIP file, with the clips in their order. Those that are not cut, or whose files \
                 are not in the storage, are left out.",
            )
            .responds_bytes(200),
        get("/api/v1/clips/{clip_id}", "getClip")
            .describe_as("Read a clip", READ_ONE)
            .responds::<Clip>(200)
            .with_headers(&["ETag"])
            .if_none_match(),
        patch("/api/v1/clips/{clip_id}", "updateClip")
            .describe_as(
                "Change a clip",
                "Fields left out keep their values. A clip whose times change is `stale` until it is \
                 cut again.",
            )
            .if_match()
            .leased()
            .body_patch::<ClipUpdateBody>()
            .responds::<Clip>(200)
            .with_headers(&["ETag"]),
        delete("/api/v1/clips/{clip_id}", "deleteClip")
            .describe_as("Delete a clip", "The other clips keep their positions.")
            .if_match()
            .leased()
            .responds_empty(204),
        put("/api/v1/clips/{clip_id}/subtitles", "putSubtitles")
            .describe_as("Replace the subtitles of a clip", TRANSCRIPT_BODY)
            .leased()
            .body_transcript()
            .responds::<SubtitlesResponse>(200),
        get("/api/v1/clips/{clip_id}/subtitles", "getSubtitles")
            .describe_as("Read the subtitles of a clip", TRANSCRIPT_RESPONSE)
            .query::<SubtitlesQuery>()
            .responds_transcript::<SubtitlesResponse>(),
        post("/api/v1/jobs/{job_id}/logs", "appendLog")
            .describe_as("Append to the processing log", "Entries are never changed.")
            .idempotent()
            .leased()
            .body::<LogEntryBody>()
            .responds::<LogEntry>(201)
            .with_problems([QuotaExceeded]),
        get("/api/v1/jobs/{job_id}/logs", "listLogs")
            .describe_as("Read the processing log", "Oldest first, in pages.")
            .query::<LogEntryListQuery>()
            .responds::<LogEntryListResponse>(200),
    ]
}
