//! The list of recordings, and the place for new ones.

mod actions;
mod table;
mod uploads;
pub(crate) mod words;

use std::collections::HashMap;

use lectern_api::{EventCursor, JobListRequest, JobListResponse};
use lectern_domain::{Direction, JobId, JobOrder, JobStatus, Stage};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::assets::RECORDINGS_STYLE;
use crate::display::number;
use crate::language::Language;
use crate::layout::{Layout, PageHeader};
use crate::query::PageQuery;

/// A page of the list of recordings.
#[derive(Debug)]
pub struct Recordings<'a> {
    /// The recordings of the page, as `GET /api/v1/jobs` returns them.
    pub list: &'a JobListResponse,
    /// Where pictures of the recordings can be downloaded, of those that have one.
    pub thumbnail_urls: &'a HashMap<JobId, String>,
    /// What the list was asked for.
    pub request: &'a JobListRequest,
    /// The same as it is in the address bar.
    pub query: &'a PageQuery,
    /// Before the first event that the list may not contain.
    pub events_after: EventCursor,
    /// Whether the reader may see recordings of several owners.
    pub has_owners: bool,
    /// What the header of the page offers.
    pub header: PageHeader,
    /// For a reader who may change and upload recordings. Otherwise the page has nothing that
    /// would be refused.
    pub uploads: Option<Uploads<'a>>,
}

/// What the page has to know for uploads.
#[derive(Debug, Clone, Copy)]
pub struct Uploads<'a> {
    /// Upper bound of a recording, in bytes.
    pub max_size: u64,
    /// Name of the caller, to distinguish unfinished uploads of several people who use one
    /// browser; `None` if no key is required.
    pub caller: Option<&'a str>,
}

impl Recordings<'_> {
    fn may_change(&self) -> bool {
        self.uploads.is_some()
    }
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
        @if let Some(uploads) = &recordings.uploads {
            (uploads::section(language, uploads))
        }
        (filters(language, recordings))
        @if recordings.may_change() { (actions::selection(language)) }
        div #recordings data-events-after=(recordings.events_after) data-labels=(labels(language)) {
            @if recordings.list.jobs.is_empty() {
                (nothing(language, recordings))
            } @else {
                (table::table(language, recordings))
                (pages(language, recordings))
            }
        }
    };
    let layout = Layout {
        language,
        title: words.recordings,
        depth: 0,
        script: Some("recordings"),
        style: Some(RECORDINGS_STYLE),
        header: recordings.header,
    };
    layout.render(&content)
}

fn count(language: Language, list: &JobListResponse) -> Option<String> {
    let words = language.words();
    let total = list.total?;
    let text = match total {
        _ if list.total_is_lower_bound => words.more_recordings,
        1 => words.one_recording,
        _ => words.number_of_recordings,
    };
    Some(text.replace('#', &number(total, language)))
}

/// The words that the script shows.
fn labels(language: Language) -> String {
    let words = language.words();
    let stages = Stage::ALL.iter();
    let stages: Value = stages
        .map(|stage| (stage.to_string(), words.stage(*stage).into()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({ "stages": stages, "actions": actions::labels(language) }).to_string()
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
                @if recordings.uploads.is_some() {
                    p { (language.list_words().none_yet_hint) }
                } @else {
                    p { (words.none_yet_hint) }
                }
            }
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
mod tests;
