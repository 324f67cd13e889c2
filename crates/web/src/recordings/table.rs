//! The table of recordings.

use lectern_api::JobResponse;
use lectern_domain::JobStatus;
use maud::{Markup, html};

use super::{Recordings, actions};
use crate::display::{clock, file_size, time};
use crate::language::Language;

/// The columns that not every table has.
#[derive(Clone, Copy)]
struct Columns {
    has_owners: bool,
    has_actions: bool,
}

pub(super) fn table(language: Language, recordings: &Recordings<'_>) -> Markup {
    let (words, own) = (language.words(), language.list_words());
    let jobs = &recordings.list.jobs;
    let columns = Columns {
        has_owners: recordings.has_owners && jobs.iter().any(|job| job.owner_id.is_some()),
        has_actions: recordings.may_change(),
    };
    html! {
        table .recordings {
            caption .unseen { (words.recordings) }
            thead {
                tr {
                    @if columns.has_actions {
                        th .select.needs-script scope="col" {
                            input type="checkbox" data-action="select-all" aria-label=(own.select_all);
                        }
                    }
                    th scope="col" { (words.recording) }
                    th scope="col" { (words.status) }
                    th scope="col" { (words.progress) }
                    @if columns.has_owners { th scope="col" { (words.owner) } }
                    th scope="col" .number { (words.length) }
                    th scope="col" .number { (words.size) }
                    th scope="col" .number { (words.created) }
                    @if columns.has_actions {
                        th .needs-script scope="col" { span .unseen { (own.actions) } }
                    }
                }
            }
            tbody {
                @for job in jobs {
                    @let thumbnail_url = recordings.thumbnail_urls.get(&job.job_id);
                    (row(language, job, thumbnail_url, columns))
                }
            }
        }
    }
}

fn row(
    language: Language,
    job: &JobResponse,
    thumbnail_url: Option<&String>,
    columns: Columns,
) -> Markup {
    let (words, own) = (language.words(), language.list_words());
    let unknown = html! { span .unknown { span aria-hidden="true" { "–" } span .unseen { (words.unknown) } } };
    let size = job.file_size.map(|size| file_size(size.get(), language));
    let length = job.video_duration.map(|length| clock(length.get()));
    html! {
        tr data-job-id=(job.job_id) data-status=(job.status) {
            @if columns.has_actions {
                td .select.needs-script {
                    input type="checkbox" data-action="select"
                        aria-label=(own.select.replace("{name}", &job.filename));
                }
            }
            th scope="row" {
                div .named {
                    (picture(job, thumbnail_url))
                    div {
                        a .filename title=(job.filename) href={ "jobs/" (job.job_id) } { (job.filename) }
                        @if let Some(error) = &job.error_message {
                            span .error { (error) }
                        }
                    }
                }
            }
            td .status-cell {
                span class={ "status " (job.status) } { (words.status(job.status)) }
            }
            td .progress-cell { (progress(language, job)) }
            @if columns.has_owners {
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
            @if columns.has_actions {
                td .actions.needs-script { (actions::buttons(language, job)) }
            }
        }
    }
}

/// The picture of a recording, or a sign in place of it.
fn picture(job: &JobResponse, url: Option<&String>) -> Markup {
    let is_sound = job.content_type.starts_with("audio/");
    html! {
        @match url {
            Some(url) => {
                img .picture src=(url) alt="" loading="lazy" decoding="async" width="96" height="54";
            }
            None if is_sound => span .picture.sound aria-hidden="true" {},
            None => span .picture.video aria-hidden="true" {},
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
