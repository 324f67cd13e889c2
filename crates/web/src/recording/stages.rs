//! What happened to a recording: its stages and its log.

use chrono::{DateTime, TimeDelta, Utc};
use lectern_api::{LogEntry, StageRunResponse};
use lectern_domain::{JobStatus, LogStatus, StageRunStatus};
use maud::{Markup, html};

use super::Recording;
use super::failure_hint::Cause;
use crate::display::{clock, share, time};
use crate::duration::duration;
use crate::language::Language;

pub(super) fn section(language: Language, recording: &Recording) -> Markup {
    let own = language.recording_words();
    html! {
        section #stages .stages aria-labelledby="stages-title" {
            h2 #stages-title { (own.what_happened) }
            @if recording.stages.is_empty() {
                p .nothing { (own.no_stages) }
            } @else {
                (table(language, recording))
            }
            @if !recording.log.is_empty() { (log(language, recording)) }
        }
    }
}

/// The time that the bars of all stages are drawn in.
struct Span {
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    seconds: f64,
}

impl Span {
    fn of(recording: &Recording) -> Option<Self> {
        let runs = recording.stages.iter();
        let start = runs.clone().filter_map(|run| run.started_at).min()?;
        let now = recording.now.max(start);
        let mut span = Self {
            start,
            now,
            seconds: 0.0,
        };
        let ends = runs.filter_map(|run| Some(span.seconds_of(run.started_at?, run)));
        // At least a second, so that stages without a duration have a bar.
        span.seconds = ends
            .map(|(start, length)| start + length)
            .fold(1.0, f64::max);
        Some(span)
    }

    /// When a run began after the start of the span, and how long it took, in seconds.
    fn seconds_of(&self, started_at: DateTime<Utc>, run: &StageRunResponse) -> (f64, f64) {
        let is_running = run.status == StageRunStatus::Running;
        let end = run.finished_at.filter(|_| !is_running).unwrap_or(self.now);
        let seconds = |delta: TimeDelta| delta.as_seconds_f64().max(0.0);
        (seconds(started_at - self.start), seconds(end - started_at))
    }
}

fn table(language: Language, recording: &Recording) -> Markup {
    let (words, own) = (language.words(), language.recording_words());
    let span = Span::of(recording);
    html! {
        table .runs {
            caption .unseen { (own.what_happened) }
            thead {
                tr {
                    th scope="col" { (own.stage) }
                    th scope="col" { (words.status) }
                    th scope="col" .number { (own.attempts) }
                    th scope="col" .number { (own.duration) }
                    th scope="col" .gantt-cell { (own.when) }
                }
            }
            tbody {
                @for run in &recording.stages { (row(language, recording, run, span.as_ref())) }
            }
        }
    }
}

/// What to do about a failed stage.
fn advice(language: Language, recording: &Recording, run: &StageRunResponse) -> Markup {
    let own = language.recording_words();
    let error = run.error.as_ref().map_or("", |error| error.as_str());
    let may_rerun =
        recording.reader.may_change && JobStatus::RERUNNABLE.contains(&recording.job.status);
    html! {
        p .hint { (Cause::of(error).hint(language)) }
        @if may_rerun {
            button .needs-script type="button" data-action="rerun" data-from-stage=(run.stage)
                data-confirm=(own.confirm_rerun) { (language.editing_words().rerun_from_here) }
        }
    }
}

fn row(
    language: Language,
    recording: &Recording,
    run: &StageRunResponse,
    span: Option<&Span>,
) -> Markup {
    let (words, own) = (language.words(), language.recording_words());
    let bar = span.zip(run.started_at).map(|(span, started_at)| {
        let (start, length) = span.seconds_of(started_at, run);
        (span, started_at, start, length)
    });
    html! {
        tr data-stage=(run.stage) {
            th scope="row" {
                (words.stage(run.stage))
                @if let Some(worker) = &run.worker { span .soft.worker { (own.worker) " " (worker) } }
                @if let Some(message) = run.message.as_ref().filter(|_| run.status == StageRunStatus::Running) {
                    span .soft.worker { (message) }
                }
                @if let Some(error) = run.error.as_ref().filter(|_| run.status != StageRunStatus::Completed) {
                    span .error { (error) }
                }
                @if run.status == StageRunStatus::Failed { (advice(language, recording, run)) }
                @if !run.notes.is_empty() {
                    ul .notes {
                        @for note in &run.notes { li class=(note.level) { (note.message) } }
                    }
                }
            }
            td {
                span class={ "status " (run.status) } { (own.run_status(run.status)) }
                @if run.status == StageRunStatus::Running {
                    span .percent { " " (format!("{:.0}", run.percent.get().floor())) " %" }
                }
            }
            td .number data-label=(own.attempts) { (run.attempt) " / " (run.max_attempts) }
            td .number data-label=(own.duration) {
                @if let Some((.., length)) = bar { (clock(length)) } @else { "–" }
            }
            td .gantt-cell {
                @if let Some((span, started_at, start, length)) = bar {
                    svg .gantt width="100%" height="14" aria-hidden="true" {
                        rect .gantt-ground width="100%" height="14" rx="4" {}
                        rect class={ "gantt-bar " (run.status) } x=(share(start, span.seconds))
                            width=(share(length.max(span.seconds / 200.0), span.seconds)) height="14" rx="4" {}
                    }
                    span .soft { (time(started_at, language)) }
                }
            }
        }
    }
}

fn log(language: Language, recording: &Recording) -> Markup {
    let own = language.recording_words();
    let count = recording.log.len().to_string();
    html! {
        details #log .log {
            summary { (own.log) " (" (own.log_entries.replace('#', &count)) ")" }
            ol {
                @for entry in &recording.log { (log_entry(language, entry)) }
            }
            @if recording.has_more_log {
                p { a href={ (recording.api()) "/logs" } { (own.more_log_entries) } }
            }
        }
    }
}

fn log_entry(language: Language, entry: &LogEntry) -> Markup {
    let (words, own) = (language.words(), language.recording_words());
    let details = entry.error_details.as_ref();
    let details = details.and_then(|details| serde_json::to_string_pretty(details).ok());
    html! {
        li {
            (time(entry.timestamp, language)) " "
            strong { (words.stage(entry.stage)) } " "
            span .failed[entry.status == LogStatus::Failed] { (own.log_status(entry.status)) }
            @if let Some(agent) = &entry.agent_name { span .soft { " · " (agent) } }
            @if let Some(seconds) = entry.duration_seconds {
                span .soft { " · " (duration(seconds.get(), language)) }
            }
            @if let Some(message) = &entry.message { p { (message) } }
            @if let Some(details) = details { pre { (details) } }
        }
    }
}
