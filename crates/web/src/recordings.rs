//! The list of recordings.

use lectern_api::{JobListRequest, JobListResponse, JobResponse};
use lectern_domain::{Direction, JobOrder, JobStatus, Stage};
use maud::{Markup, html};

use crate::display::{clock, file_size, time};
use crate::language::Language;
use crate::layout::Layout;
use crate::query::PageQuery;

/// A page of the list of recordings.
#[derive(Debug)]
pub struct Recordings<'a> {
    /// The recordings of the page, as `GET /api/v1/jobs` returns them.
    pub list: &'a JobListResponse,
    /// What the list was asked for.
    pub request: &'a JobListRequest,
    /// The same as it is in the address bar.
    pub query: &'a PageQuery,
    /// Whether the reader may see recordings of several owners.
    pub has_owners: bool,
    /// Whether the reader may see the page for operators.
    pub sees_operation: bool,
}

/// The page, which is at the root of the service.
pub fn recordings_page(language: Language, recordings: &Recordings<'_>) -> String {
    let words = language.words();
    let content = html! {
        div .heading {
            h1 { (words.recordings) }
            @if let Some(count) = count(language, recordings.list) {
                p .count { (count) }
            }
        }
        (filters(language, recordings))
        div #recordings data-labels=(labels(language)) {
            @if recordings.list.jobs.is_empty() {
                (nothing(language, recordings))
            } @else {
                (table(language, recordings))
                (pages(language, recordings))
            }
        }
    };
    let layout = Layout {
        language,
        title: words.recordings,
        depth: 0,
        script: Some("recordings"),
        style: None,
    };
    if recordings.sees_operation {
        layout.render_for_operators(&content)
    } else {
        layout.render(&content)
    }
}

fn count(language: Language, list: &JobListResponse) -> Option<String> {
    let words = language.words();
    let total = list.total?;
    let text = match total {
        _ if list.total_is_lower_bound => words.more_recordings,
        1 => words.one_recording,
        _ => words.number_of_recordings,
    };
    Some(text.replace('#', &total.to_string()))
}

/// The names of stages for the script, which shows progress as it is reported.
fn labels(language: Language) -> String {
    let words = language.words();
    let stages = Stage::ALL.iter();
    let stages = stages.map(|stage| (stage.to_string(), words.stage(*stage).into()));
    serde_json::Value::Object(stages.collect()).to_string()
}

fn filters(language: Language, recordings: &Recordings<'_>) -> Markup {
    let words = language.words();
    let Recordings { request, query, .. } = recordings;
    let selected = &request.filter.statuses;
    let tab = |status: Option<JobStatus>| {
        let is_current = match status {
            Some(status) => **selected == [status],
            None => selected.is_empty(),
        };
        let value = status.map_or("", JobStatus::as_str);
        let name = status.map_or(words.all, |status| words.status(status));
        html! {
            li {
                a href=(query.link(&[("status", value)])) aria-current=[is_current.then_some("page")] {
                    (name)
                }
            }
        }
    };
    let is_field = |name: &str| ["filename", "order", "direction", "cursor"].contains(&name);
    let directions = [
        (Direction::Descending, words.newest_first),
        (Direction::Ascending, words.oldest_first),
    ];
    html! {
        div .filters {
            nav .tabs aria-label=(words.status) {
                ul {
                    (tab(None))
                    @for status in JobStatus::ALL { (tab(Some(*status))) }
                }
            }
            form .search method="get" action="./" role="search" {
                @for (name, value) in query.pairs().filter(|(name, _)| !is_field(name)) {
                    input type="hidden" name=(name) value=(value);
                }
                input type="search" name="filename" value=[query.get("filename")]
                    placeholder=(words.search_label) aria-label=(words.search_label) maxlength="255";
                select name="order" aria-label=(words.order) {
                    @for order in JobOrder::ALL {
                        option value=(order) selected[*order == request.page.order] {
                            (words.order(*order))
                        }
                    }
                }
                select name="direction" aria-label=(words.direction) {
                    @for (direction, name) in directions {
                        option value=(direction) selected[direction == request.page.direction] {
                            (name)
                        }
                    }
                }
                button type="submit" { (words.show) }
            }
        }
    }
}

fn nothing(language: Language, recordings: &Recordings<'_>) -> Markup {
    let words = language.words();
    let is_filtered = recordings.query.pairs().next().is_some();
    html! {
        div .empty {
            @if is_filtered {
                h2 { (words.none_found) }
                p { a href="./" { (words.show_all) } }
            } @else {
                h2 { (words.none_yet) }
                p { (words.none_yet_hint) }
            }
        }
    }
}

fn table(language: Language, recordings: &Recordings<'_>) -> Markup {
    let words = language.words();
    let jobs = &recordings.list.jobs;
    let has_owners = recordings.has_owners && jobs.iter().any(|job| job.owner_id.is_some());
    html! {
        table .recordings {
            caption .unseen { (words.recordings) }
            thead {
                tr {
                    th scope="col" { (words.recording) }
                    th scope="col" { (words.status) }
                    th scope="col" { (words.progress) }
                    @if has_owners { th scope="col" { (words.owner) } }
                    th scope="col" .number { (words.length) }
                    th scope="col" .number { (words.size) }
                    th scope="col" .number { (words.created) }
                }
            }
            tbody {
                @for job in jobs { (row(language, job, has_owners)) }
            }
        }
    }
}

fn row(language: Language, job: &JobResponse, has_owners: bool) -> Markup {
    let words = language.words();
    let unknown = html! { span .unknown { span aria-hidden="true" { "–" } span .unseen { (words.unknown) } } };
    let size = job.file_size.map(|size| file_size(size.get(), language));
    let length = job.video_duration.map(|length| clock(length.get()));
    html! {
        tr data-job-id=(job.job_id) data-status=(job.status) {
            th scope="row" {
                a .filename title=(job.filename) href={ "jobs/" (job.job_id) } { (job.filename) }
                @if let Some(error) = &job.error_message {
                    span .error { (error) }
                }
            }
            td .status-cell {
                span class={ "status " (job.status) } { (words.status(job.status)) }
            }
            td .progress-cell { (progress(language, job)) }
            @if has_owners {
                td data-label=(words.owner) {
                    @if let Some(owner) = &job.owner_id { (owner) } @else { (unknown) }
                }
            }
            td .number data-label=(words.length) {
                @if let Some(length) = length { (length) } @else { (unknown) }
            }
            td .number data-label=(words.size) {
                @if let Some(size) = size { (size) } @else { (unknown) }
            }
            td .number data-label=(words.created) { (time(job.created_at, language)) }
        }
    }
}

/// Stage and percentage of a recording that is being worked on. Empty for others, whose
/// status says everything.
fn progress(language: Language, job: &JobResponse) -> Markup {
    let words = language.words();
    let is_shown = matches!(job.status, JobStatus::Running | JobStatus::Failed);
    let Some(progress) = job.progress.as_ref().filter(|_| is_shown) else {
        return html! {};
    };
    let stage = words.stage(progress.stage);
    // The API shows percentages without a fraction, too.
    let percent = format!("{:.0}", progress.percent.get().floor());
    html! {
        span .stage { (stage) }
        @if job.status == JobStatus::Running {
            progress max="100" value=(percent) aria-label=(stage) {}
            span .percent { (percent) " %" }
        }
    }
}

fn pages(language: Language, recordings: &Recordings<'_>) -> Markup {
    let words = language.words();
    let query = recordings.query;
    let is_first = recordings.request.page.after.is_none();
    let next = recordings.list.next_cursor.as_ref();
    html! {
        @if !is_first || next.is_some() {
            nav .pages aria-label=(words.pages) {
                @if !is_first {
                    a .first href=(query.link(&[])) { (words.first_page) }
                }
                @if let Some(cursor) = next {
                    a .next rel="next" href=(query.link(&[("cursor", &cursor.to_string())])) {
                        (words.next_page)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lectern_api::{JobListQuery, JobPageCursor, Request};
    use lectern_domain::{Cursor, JobCursor};
    use serde_json::{Value, json};

    use super::*;
    use crate::samples::a_job;

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
            request: &request.into_domain().unwrap(),
            query: &PageQuery::parse(&pairs.collect::<Vec<_>>().join("&")),
            has_owners,
            sees_operation: has_owners,
        };
        recordings_page(language, &recordings)
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
}
