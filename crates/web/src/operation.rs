//! The page for operators: what waits for each stage, now and over time, which workers process
//! what, what has failed, and how the service is.

use chrono::{DateTime, Utc};
use lectern_api::{
    ActiveWorker, HeldLease, JobListResponse, JobResponse, WorkStatsResponse, WorkersResponse,
};
use maud::{Markup, html};

use crate::assets::OPERATION_STYLE;
use crate::display::{file_size, time};
use crate::duration::duration;
use crate::language::Language;
use crate::layout::{Layout, PageHeader};
use crate::operation_history::{OperationHistory, history};
use crate::operation_stages::stages;
use crate::operation_words::filled;

/// The page for operators.
#[derive(Debug)]
pub struct Operation<'a> {
    /// The time of the database, with which ages are computed.
    pub now: DateTime<Utc>,
    /// What `GET /api/v1/work/stats` returns.
    pub stats: &'a WorkStatsResponse,
    /// The charts over time; `None`: they are left out, because the reader's page has them.
    pub history: Option<OperationHistory<'a>>,
    /// The first page of what `GET /api/v1/workers` returns.
    pub workers: &'a WorkersResponse,
    /// The recordings that have failed in the last day, the latest first.
    pub failures: &'a JobListResponse,
    /// The state of the service, for readers who may see its metrics.
    pub service: Option<&'a ServiceState<'a>>,
    /// Whether the reader may pause and resume stages.
    pub may_pause: bool,
    /// What the header of the page offers.
    pub header: PageHeader,
}

/// The state of the server that the page comes from.
#[derive(Debug, Clone)]
pub struct ServiceState<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// Name of the database management system.
    pub database: &'a str,
    /// Connections to the database that are used now.
    pub connections_in_use: u32,
    /// Open connections that are not used now.
    pub connections_idle: u32,
    /// Upper bound of open connections.
    pub connections_max: u32,
    /// Claims that wait for work at this server.
    pub waiting_claims: usize,
    /// Whether objects are in a bucket, and not on a disk.
    pub is_bucket: bool,
    /// Bytes of all recordings.
    pub recording_bytes: i64,
    /// Free and all bytes of the disk with the objects; `None`: unknown, or a bucket.
    pub disk: Option<(u64, u64)>,
}

/// The page, which is at `/operation`.
pub fn operation_page(language: Language, operation: &Operation<'_>) -> String {
    let words = language.words().operation;
    let (before, after) = words.as_of.split_once('#').unwrap_or((words.as_of, ""));
    let content = html! {
        div #operation data-stale=(words.stale) {
            div .heading data-part="heading" {
                h1 { (words.title) }
                p .count { (before) (time(operation.now, language)) (after) }
            }
            (stages(language, &operation.stats.stages, operation.may_pause))
            @if let Some(shown) = operation.history { (history(language, shown)) }
            (workers(language, operation))
            (failures(language, operation.failures))
            @if let Some(service) = operation.service { (service_state(language, service)) }
        }
    };
    let layout = Layout {
        language,
        title: words.title,
        depth: 0,
        script: Some("operation"),
        style: Some(OPERATION_STYLE),
        header: operation.header,
    };
    layout.render(&content)
}

fn workers(language: Language, operation: &Operation<'_>) -> Markup {
    let words = language.words().operation;
    let list = operation.workers;
    html! {
        section data-part="workers" aria-labelledby="workers" {
            h2 #workers { (words.workers) }
            @if list.workers.is_empty() {
                p .nothing { (words.no_workers) }
            } @else {
                table .facts {
                    thead {
                        tr {
                            th scope="col" { (words.worker) }
                            th scope="col" { (words.stage) }
                            th scope="col" { (words.recording) }
                            th scope="col" .number { (words.attempt) }
                            th scope="col" .number { (words.for_how_long) }
                            th scope="col" .number { (words.lease_ends) }
                            th scope="col" .number { (words.last_seen) }
                        }
                    }
                    tbody {
                        @for worker in &list.workers {
                            @for lease in &worker.leases {
                                (held(language, operation.now, worker, lease))
                            }
                            (more_leases(language, worker))
                        }
                    }
                }
                @if list.next_cursor.is_some() { p .nothing { (words.more_workers) } }
            }
        }
    }
}

fn held(
    language: Language,
    now: DateTime<Utc>,
    worker: &ActiveWorker,
    lease: &HeldLease,
) -> Markup {
    let (all_words, words) = (language.words(), language.words().operation);
    let seconds = |from: DateTime<Utc>, to: DateTime<Utc>| (to - from).as_seconds_f64().max(0.0);
    let whole = |from, to| duration(seconds(from, to).round(), language);
    let stage = all_words.stage(lease.stage);
    let percent = format!("{:.0}", lease.percent.floor());
    let job_id = lease.job_id.to_string();
    // The end of an id differs most: its beginning is a time.
    let short_id = job_id.rsplit('-').next().unwrap_or(&job_id);
    let ends = if lease.expires_at <= now {
        words.expired.to_owned()
    } else {
        filled(words.ends_in, &[&whole(now, lease.expires_at)])
    };
    html! {
        tr {
            th scope="row" { span .worker-name { (worker.worker) } }
            td .work-cell {
                span .stage { (stage) }
                progress max="100" value=(percent) aria-label=(stage) {}
                span .percent { (percent) " %" }
            }
            td .job-cell data-label=(words.recording) {
                a href=(format!("jobs/{job_id}")) title=(job_id) { "…" (short_id) }
            }
            td .number data-label=(words.attempt) { (lease.attempt) " / " (lease.max_attempts) }
            td .number data-label=(words.for_how_long) { (whole(lease.claimed_at, now)) }
            td .number data-label=(words.lease_ends) { (ends) }
            td .number data-label=(words.last_seen) {
                @if let Some(seen) = worker.last_seen_at {
                    (filled(words.ago, &[&whole(seen, now)]))
                }
            }
        }
    }
}

fn more_leases(language: Language, worker: &ActiveWorker) -> Markup {
    let words = language.words().operation;
    let listed = i64::try_from(worker.leases.len()).unwrap_or(i64::MAX);
    let more = worker.lease_count - listed;
    html! {
        @if more > 0 {
            tr {
                th scope="row" { span .worker-name { (worker.worker) } }
                td colspan="6" { (filled(words.more_leases, &[&more.to_string()])) }
            }
        }
    }
}

fn failures(language: Language, list: &JobListResponse) -> Markup {
    let words = language.words().operation;
    let failure = |job: &JobResponse| {
        html! {
            tr {
                th scope="row" {
                    a .filename href=(format!("jobs/{}", job.job_id)) { (job.filename) }
                }
                td .failure {
                    @if let Some(error) = &job.error_message { (error) }
                }
                td .number data-label=(words.failed_at) { (time(job.updated_at, language)) }
            }
        }
    };
    html! {
        section data-part="failures" aria-labelledby="failures" {
            h2 #failures { (words.failures) }
            @if list.jobs.is_empty() {
                p .nothing { (words.no_failures) }
            } @else {
                table .facts {
                    thead {
                        tr {
                            th scope="col" { (words.recording) }
                            th scope="col" { (words.error) }
                            th scope="col" .number { (words.failed_at) }
                        }
                    }
                    tbody {
                        @for job in &list.jobs { (failure(job)) }
                    }
                }
                @if list.next_cursor.is_some() {
                    p .nothing {
                        a href="./?status=failed&order=updated_at" { (words.more_failures) }
                    }
                }
            }
        }
    }
}

fn service_state(language: Language, service: &ServiceState<'_>) -> Markup {
    let words = language.words().operation;
    let connections = [
        service.connections_in_use,
        service.connections_idle,
        service.connections_max,
    ]
    .map(|count| count.to_string());
    let connections = connections.each_ref().map(String::as_str);
    let bytes = |bytes: u64| file_size(i64::try_from(bytes).unwrap_or(i64::MAX), language);
    let free = match service.disk {
        Some((free, all)) => filled(words.free_of, &[&bytes(free), &bytes(all)]),
        None => words.not_known.to_owned(),
    };
    html! {
        section data-part="service" aria-labelledby="service" {
            h2 #service { (words.service) }
            dl .service {
                div { dt { (words.version) } dd { "Lectern " (service.version) } }
                div { dt { (words.database) } dd { (service.database) } }
                div {
                    dt { (words.connections) }
                    dd { (filled(words.connection_counts, &connections)) }
                }
                div { dt { (words.waiting_claims) } dd { (service.waiting_claims) } }
                div {
                    dt { (words.storage) }
                    dd { @if service.is_bucket { (words.bucket) } @else { (words.disk) } }
                }
                div {
                    dt { (words.recordings_size) }
                    dd { (file_size(service.recording_bytes, language)) }
                }
                @if !service.is_bucket { div { dt { (words.free_space) } dd { (free) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests;
