use lectern_domain::{
    LongText, NonNegativeInt, NoteLevel, NoteText, Percent, Ratio, SilenceType, SpeakerId,
    SpokenText, StageNote, StageRunStatus, Title, Topic,
};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::samples::{a_cursor, a_job, without_styles};

mod editing;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";
const ESCAPED: &str = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u128) -> T {
    Uuid::from_u128(0x0197_a0d2_0000_7000_8000_0000_0000_0000 + number)
        .to_string()
        .parse()
        .unwrap()
}

fn a_line(start: f64, text: &str, speaker: Option<&str>) -> TranscriptSegment {
    TranscriptSegment {
        segment_id: id(1),
        start_time: start,
        end_time: start + 2.0,
        duration: 2.0,
        text: SpokenText::new(text).unwrap(),
        confidence: None,
        speaker_id: speaker.map(|name| SpeakerId::new(name).unwrap()),
        language: None,
        words: None,
        created_at: at("2026-03-04T05:06:07Z"),
    }
}

fn a_topic(topic: &str) -> ContentSegment {
    ContentSegment {
        segment_id: id(2),
        start_time: 0.0,
        end_time: 600.0,
        duration: 600.0,
        topic: Topic::new(topic).unwrap(),
        description: Some(LongText::new(format!("About {topic}")).unwrap()),
        importance_score: Ratio::new(0.75).unwrap(),
        keywords: Vec::new(),
        concepts: Vec::new(),
        segment_order: NonNegativeInt::ZERO,
        created_at: at("2026-03-04T05:06:07Z"),
    }
}

fn a_clip(title: &str) -> ClipWithUrls {
    let clip = Clip {
        clip_id: id(3),
        content_segment_id: Some(id(2)),
        title: Title::new(title).unwrap(),
        topic: None,
        importance_score: Some(Ratio::new(0.5).unwrap()),
        start_time: 60.0,
        end_time: 97.5,
        duration: 37.5,
        s3_key: None,
        thumbnail_s3_key: None,
        subtitle_s3_key: None,
        clip_order: NonNegativeInt::ZERO,
        extra_metadata: lectern_domain::JsonObject::default(),
        stale: true,
        created_at: at("2026-03-04T05:06:07Z"),
    };
    ClipWithUrls {
        clip,
        url: Some("https://objects.test/clip.mp4?a=1&b=2".into()),
        thumbnail_url: None,
    }
}

fn a_run(stage: Stage, status: StageRunStatus, minutes: [&str; 2]) -> StageRunResponse {
    let time = |minute: &str| at(&format!("2026-03-04T05:{minute}:00Z"));
    StageRunResponse {
        job_id: id(4),
        job_status: lectern_domain::JobStatus::Running,
        stage,
        status,
        attempt: 2,
        max_attempts: 3,
        worker: None,
        percent: Percent::new(41.0).unwrap(),
        message: None,
        eta_seconds: None,
        error: None,
        notes: Vec::new(),
        started_at: Some(time(minutes[0])),
        finished_at: (status != StageRunStatus::Running).then(|| time(minutes[1])),
    }
}

fn a_recording(change: &Value) -> Recording {
    Recording {
        job: a_job(change),
        media_url: Some("https://objects.test/lecture.mp4?a=1&b=2".into()),
        transcript: TranscriptPart {
            segments: vec![
                a_line(0.0, "Welcome", Some("Anna")),
                a_line(62.5, "Thanks", Some("Ben")),
                a_line(65.0, "Now", Some("Anna")),
            ],
            total: 3,
            ..TranscriptPart::default()
        },
        waveform_version: None,
        thumbnails_version: None,
        has_layout: false,
        silence_regions: vec![SilenceRegion {
            region_id: id(5),
            start_time: 4.5,
            end_time: 6.0,
            duration: 1.5,
            silence_type: SilenceType::AudioSilence,
            amplitude_threshold: None,
            created_at: at("2026-03-04T05:06:07Z"),
        }],
        topics: vec![a_topic("Entropy")],
        clips: vec![a_clip("Second law")],
        reel_url: None,
        has_outdated_reel: false,
        has_more_clips: false,
        stages: vec![
            a_run(
                Stage::SilenceDetection,
                StageRunStatus::Completed,
                ["00", "10"],
            ),
            a_run(Stage::Transcription, StageRunStatus::Running, ["10", "10"]),
        ],
        log: Vec::new(),
        has_more_log: false,
        events_after: a_cursor(),
        reader: ReaderRights {
            has_owners: false,
            may_change: true,
            header: PageHeader::default(),
        },
        now: at("2026-03-04T05:40:00Z"),
    }
}

fn english(recording: &Recording) -> String {
    without_styles(&recording_page(Language::English, recording))
}

#[test]
fn texts_are_escaped() {
    let mut recording =
        a_recording(&json!({ "filename": HOSTILE, "status": "failed", "error": HOSTILE }));
    recording.transcript.segments = vec![a_line(0.0, HOSTILE, Some(HOSTILE))];
    recording.transcript.search = Some(HOSTILE.into());
    recording.topics = vec![a_topic(HOSTILE)];
    recording.clips = vec![a_clip(HOSTILE)];
    recording.stages[1].error = Some(LongText::new(HOSTILE).unwrap());
    recording.stages[1].notes =
        vec![StageNote::new(NoteLevel::Warning, NoteText::new(HOSTILE).unwrap()).into()];
    let page = english(&recording);
    assert!(!page.contains("<script>"), "{page}");
    assert!(page.matches(ESCAPED).count() >= 10, "{page}");
}

#[test]
fn nothing_is_inline_that_the_policy_forbids() {
    let page = english(&a_recording(&json!({})));
    for inline in [" style=", " onclick=", "javascript:"] {
        assert!(!page.contains(inline), "{inline}");
    }
}

#[test]
fn the_timeline_is_in_shares_of_the_length() {
    // The recording has 3,723 s.
    let page = english(&a_recording(&json!({})));
    for part in [
        "data-seconds=\"3723\"",
        "<svg x=\"0.0000%\" y=\"0\" width=\"16.1160%\" height=\"36\">",
        "<svg x=\"1.6116%\" y=\"44\" width=\"1.0073%\" height=\"24\">",
        "d=\"M4.5 0H6V1H4.5Z\"",
        "y=\"9.0\" width=\"100%\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_waveform_has_a_row_of_its_own_if_there_is_one() {
    let mut recording = a_recording(&json!({}));
    let page = english(&recording);
    assert!(
        page.contains("id=\"bars\" width=\"100%\" height=\"112\""),
        "{page}"
    );
    assert!(
        !page.contains("waveform\"") && !page.contains("of-sound"),
        "{page}"
    );
    recording.waveform_version = Some("\"a1\"".into());
    let page = english(&recording);
    for part in [
        "id=\"bars\" width=\"100%\" height=\"160\"",
        "viewBox=\"0 -128 3723 256\"",
        "data-version=\"&quot;a1&quot;\"",
        "data-address=\"../api/v1/jobs/0197a0d2-0000-7000-8000-000000000001/waveform\"",
        "y1=\"138\" y2=\"143\"",
        ">Sound</span>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn thumbnails_and_regions_are_offered_if_there_are_some() {
    let mut recording = a_recording(&json!({}));
    let page = english(&recording);
    assert!(
        !page.contains("data-thumbnails") && !page.contains("show-regions"),
        "{page}"
    );
    recording.thumbnails_version = Some("7".into());
    recording.has_layout = true;
    let page = english(&recording);
    for part in [
        "data-thumbnails=\"../api/v1/jobs/0197a0d2-0000-7000-8000-000000000001/thumbnails\"",
        "data-thumbnails-version=\"7\"",
        "aria-pressed=\"false\">Mark screen and camera</button>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    recording.job.content_type = lectern_domain::ContentType::new("audio/mpeg").unwrap();
    assert!(
        !english(&recording).contains("show-regions"),
        "there is no picture"
    );
}

#[test]
fn a_speaker_has_one_colour() {
    let page = english(&a_recording(&json!({})));
    assert_eq!(page.matches("speaker-0\">Anna<").count(), 2, "{page}");
    assert_eq!(page.matches("speaker-1\">Ben<").count(), 1, "{page}");
}

#[test]
fn lines_and_clips_lead_to_their_time() {
    let page = english(&a_recording(&json!({})));
    assert!(
        page.contains("href=\"#t=62.5\" data-seek=\"62.5\">1:02</a>"),
        "{page}"
    );
    assert!(
        page.contains("data-play data-start=\"60\" data-end=\"97.5\""),
        "{page}"
    );
    assert!(
        page.contains("1:00–1:37 (0:37) · Score 50\u{a0}%"),
        "{page}"
    );
    assert!(page.contains(">About Entropy<"), "{page}");
    assert!(page.contains("href=\"https://objects.test/clip.mp4?a=1&amp;b=2\" download"));
}

#[test]
fn a_reader_who_may_not_change_anything_has_no_buttons_for_it() {
    for status in ["running", "failed", "completed"] {
        let mut recording = a_recording(&json!({ "status": status }));
        let buttons = [
            "data-action=",
            "data-edit",
            "data-delete",
            "clip-form",
            "data-may-change",
            "data-new-clip",
            "id=\"selection\"",
        ];
        let page = english(&recording);
        assert!(
            buttons.iter().all(|button| page.contains(button)),
            "{status}: {page}"
        );
        recording.reader.may_change = false;
        let page = english(&recording);
        assert!(
            buttons.iter().all(|button| !page.contains(button)),
            "{status}: {page}"
        );
        assert!(page.contains("data-play"), "{status}: {page}");
    }
}

#[test]
fn the_status_decides_the_actions() {
    for (status, expected) in [
        ("pending", &["cancel"][..]),
        ("queued", &["cancel"]),
        ("running", &["cancel"]),
        ("failed", &["retry", "rerun"]),
        ("cancelled", &["retry", "rerun"]),
        ("completed", &["rerun"]),
    ] {
        let page = english(&a_recording(&json!({ "status": status })));
        for action in ["cancel", "retry", "rerun"] {
            let has_button = page.contains(&format!("data-action=\"{action}\""));
            assert_eq!(has_button, expected.contains(&action), "{status}: {action}");
        }
        let has_hint = page.contains("class=\"trouble ");
        assert_eq!(
            has_hint,
            !["running", "completed"].contains(&status),
            "{status}"
        );
    }
}

#[test]
fn sound_has_a_sound_player_and_an_upload_has_none() {
    let mut recording = a_recording(&json!({}));
    assert!(english(&recording).contains("<video id=\"media\""));
    recording.job.content_type = lectern_domain::ContentType::new("audio/mpeg").unwrap();
    assert!(english(&recording).contains("<audio id=\"media\""));
    recording.job.status = lectern_domain::JobStatus::Pending;
    let page = english(&recording);
    assert!(!page.contains("id=\"media\""), "{page}");
    assert!(page.contains("still being uploaded"), "{page}");
}

#[test]
fn stages_have_bars_in_a_common_time() {
    // From 5:00 to 5:40: one ended after ten minutes, the other has run since.
    let page = english(&a_recording(&json!({})));
    for part in [
        "class=\"gantt-bar completed\" x=\"0.0000%\" width=\"25.0000%\"",
        "class=\"gantt-bar running\" x=\"25.0000%\" width=\"75.0000%\"",
        ">30:00</td>",
        ">2 / 3</td>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn the_next_lines_are_a_link_away() {
    let mut recording = a_recording(&json!({}));
    recording.transcript.next_start = Some(70.25);
    recording.transcript.search = Some("a b".into());
    let page = english(&recording);
    assert!(page.contains("href=\"?q=a+b&amp;from=70.25\""), "{page}");
    assert!(page.contains("/transcripts?format=text\""), "{page}");
}

#[test]
fn a_recording_without_results_says_so() {
    let mut recording = a_recording(&json!({ "status": "queued" }));
    recording.transcript = TranscriptPart::default();
    recording.topics.clear();
    recording.clips.clear();
    recording.stages.clear();
    let page = without_styles(&recording_page(Language::German, &recording));
    for part in [
        "Noch kein Transkript",
        "Noch keine Clips",
        "Noch keine Schritte",
        "<html lang=\"de\">",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
