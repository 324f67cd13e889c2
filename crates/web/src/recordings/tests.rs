use lectern_api::{JobListQuery, JobPageCursor, JobResponse, Request};
use lectern_domain::{Cursor, JobCursor};
use serde_json::{Value, json};

use super::*;
use crate::samples::{a_cursor, a_job, without_styles};

fn page(language: Language, jobs: Vec<JobResponse>, query: &Value) -> String {
    page_with(language, jobs, query, None, true)
}

fn page_with(
    language: Language,
    jobs: Vec<JobResponse>,
    query: &Value,
    next_cursor: Option<JobPageCursor>,
    has_owners: bool,
) -> String {
    page_for(language, jobs, query, next_cursor, (has_owners, None))
}

fn page_for(
    language: Language,
    jobs: Vec<JobResponse>,
    query: &Value,
    next_cursor: Option<JobPageCursor>,
    (has_owners, uploads): (bool, Option<Uploads<'_>>),
) -> String {
    let request = JobListQuery::read(query.clone()).unwrap();
    let pairs = query.as_object().unwrap().iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
    let recordings = Recordings {
        list: &JobListResponse {
            total: Some(jobs.len().try_into().unwrap()),
            total_is_lower_bound: false,
            jobs,
            next_cursor,
        },
        thumbnail_urls: &HashMap::from([(
            "0197a0d2-0000-7000-8000-000000000001".parse().unwrap(),
            "https://bucket/1.jpg?a=1&b=2".to_owned(),
        )]),
        request: &request.into_domain().unwrap(),
        query: &PageQuery::parse(&pairs.collect::<Vec<_>>().join("&")),
        events_after: a_cursor(),
        has_owners,
        header: PageHeader {
            operation: has_owners,
            sign_out: false,
        },
        uploads,
    };
    without_styles(&recordings_page(language, &recordings))
}

#[test]
fn texts_are_escaped() {
    let text = "<script>alert(1)</script>\"'&.mp4";
    let job = a_job(&json!({ "filename": text, "status": "failed", "error": text }));
    let page = page(
        Language::English,
        vec![job],
        &json!({ "filename": "\"><script>" }),
    );
    assert!(!page.contains("<script>"), "{page}");
    assert_eq!(
        page.matches("&lt;script&gt;alert(1)&lt;/script&gt;")
            .count(),
        3
    );
    assert!(
        page.contains("value=\"&quot;&gt;&lt;script&gt;\""),
        "{page}"
    );
}

#[test]
fn a_row_has_the_words_of_the_language() {
    let jobs = || vec![a_job(&json!({}))];
    let english = page(Language::English, jobs(), &json!({}));
    for part in [
        "<html lang=\"en\">",
        "Transcribing</span>",
        "<progress max=\"100\" value=\"41\" aria-label=\"Transcribing\"></progress>",
        "Running</span>",
        ">1:02:03</td>",
        ">2.1 GB</td>",
        "1 recording</p>",
    ] {
        assert!(english.contains(part), "{part}: {english}");
    }
    let german = page(Language::German, jobs(), &json!({}));
    for part in [
        "<html lang=\"de\">",
        "Läuft</span>",
        ">2,1 GB</td>",
        "1 Aufnahme</p>",
    ] {
        assert!(german.contains(part), "{part}: {german}");
    }
}

#[test]
fn only_a_running_recording_has_a_bar() {
    for (status, has_bar, has_stage) in [
        ("running", true, true),
        ("failed", false, true),
        ("completed", false, false),
        ("queued", false, false),
    ] {
        let job = a_job(&json!({ "status": status }));
        let page = page(Language::English, vec![job], &json!({}));
        assert_eq!(page.contains("<progress"), has_bar, "{status}");
        assert_eq!(page.contains("class=\"stage\""), has_stage, "{status}");
    }
}

#[test]
fn owners_are_shown_to_readers_who_see_several() {
    let jobs = || vec![a_job(&json!({ "owner": "physics" })), a_job(&json!({}))];
    let page = |has_owners| page_with(Language::English, jobs(), &json!({}), None, has_owners);
    assert!(page(true).contains(">physics<"));
    assert!(page(true).contains("href=\"./operation\""));
    assert!(!page(false).contains("operation\""));
    assert!(!page(false).contains("physics"));
}

#[test]
fn links_keep_the_filters() {
    let query = json!({ "status": "failed", "filename": "a b" });
    let cursor = JobPageCursor::from(JobCursor {
        order: JobOrder::CreatedAt,
        direction: Direction::Descending,
        position: Cursor {
            time: "2026-03-04T05:06:07Z".parse().unwrap(),
            id: uuid::Uuid::max(),
        },
        is_uncompleted: false,
    });
    let jobs = vec![a_job(&json!({}))];
    let page = page_with(Language::English, jobs, &query, Some(cursor), true);
    let next = format!("href=\"?filename=a+b&amp;status=failed&amp;cursor={cursor}\"");
    assert!(page.contains(&next), "{page}");
    assert!(page.contains("href=\"?filename=a+b\">All</a>"), "{page}");
    assert!(page.contains("aria-current=\"page\">Failed</a>"), "{page}");
    assert!(page.contains("<input type=\"hidden\" name=\"status\" value=\"failed\">"));
}

#[test]
fn an_empty_list_says_whether_it_is_filtered() {
    let all = page(Language::English, Vec::new(), &json!({}));
    assert!(all.contains("No recordings yet"));
    let failed = page(
        Language::English,
        Vec::new(),
        &json!({ "status": "failed" }),
    );
    assert!(failed.contains("No recording matches"));
}

#[test]
fn only_a_reader_who_may_upload_has_a_place_for_files() {
    let page =
        |language, uploads| page_for(language, Vec::new(), &json!({}), None, (true, uploads));
    let of = |caller| {
        Some(Uploads {
            max_size: 2_147_483_648,
            caller,
        })
    };
    let viewer = page(Language::English, None);
    assert!(!viewer.contains("type=\"file\""), "{viewer}");
    assert!(viewer.contains("uploaded over the API appear here"));
    let german = page(Language::German, of(None));
    for part in [
        "type=\"file\" multiple accept=\".mp4,",
        "Je Datei höchstens 2,1 GB.",
        "Angenommen werden .mp4 ",
        "hier oder über die API",
    ] {
        assert!(german.contains(part), "{part}: {german}");
    }
    assert!(!german.contains("{types}"), "{german}");
    let caller = |name| {
        let page = page(Language::English, of(name));
        let (_, rest) = page.split_once("data-caller=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let people = [None, Some("ada"), Some("bob")].map(caller);
    assert!(people.iter().all(|tag| tag.len() == 8), "{people:?}");
    assert_ne!(people[0], people[1]);
    assert_ne!(people[1], people[2]);
}

#[test]
fn a_recording_has_a_picture_that_is_loaded_when_it_is_in_view() {
    let page = page(Language::English, vec![a_job(&json!({}))], &json!({}));
    let picture =
        "<img class=\"picture\" src=\"https://bucket/1.jpg?a=1&amp;b=2\" alt=\"\" loading=\"lazy\"";
    assert!(page.contains(picture), "{page}");
}

#[test]
fn rows_have_the_actions_that_their_status_allows() {
    let actions = |status: &str, stage: &str, uploads| {
        let job = a_job(&json!({ "status": status, "stage": stage }));
        let options = (true, uploads);
        let page = page_for(Language::English, vec![job], &json!({}), None, options);
        let (_, row) = page.split_once("<tr data-job-id").unwrap();
        let buttons = row.split("<button type=\"button\" data-action=\"").skip(1);
        let names: Vec<_> = buttons
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        (names.join(" "), page.contains("id=\"selection\""))
    };
    let uploads = Some(Uploads {
        max_size: 1,
        caller: None,
    });
    for (status, stage, expected) in [
        ("pending", "uploading", "cancel delete"),
        ("queued", "transcription", "cancel delete"),
        ("running", "transcription", "cancel delete"),
        ("completed", "complete", "delete"),
        ("failed", "transcription", "retry delete"),
        ("cancelled", "transcription", "retry delete"),
        ("cancelled", "uploading", "delete"),
    ] {
        let found = actions(status, stage, uploads);
        assert_eq!(found, (expected.to_owned(), true), "{status} {stage}");
        assert_eq!(actions(status, stage, None), (String::new(), false));
    }
}

#[test]
fn both_languages_have_the_same_places() {
    let places = |language: Language| {
        let words = format!("{:?}", language.list_words());
        let parts = words.split('{').skip(1);
        let names = parts.filter_map(|part| Some(part.split_once('}')?.0.to_owned()));
        let is_name = |name: &String| name.chars().all(|c| c.is_ascii_lowercase());
        let mut names: Vec<_> = names.filter(is_name).collect();
        names.sort();
        names
    };
    let english = places(Language::English);
    assert!(english.len() > 10, "{english:?}");
    assert_eq!(english, places(Language::German));
}
