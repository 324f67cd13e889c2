//! The stages on the page for operators, with their bars and buttons.

use lectern_api::{StageDuration, StageStatsEntry};
use maud::{Markup, html};

use crate::duration::duration;
use crate::language::Language;
use crate::operation_words::filled;

/// Counts end here; see `RunCounts::MAX`.
const MAX_COUNT: i64 = lectern_domain::RunCounts::MAX;

/// Width of the bars, in units of their drawing.
const BAR_WIDTH: f64 = 100.0;

/// The table of the stages, with buttons if the reader may pause them.
pub(crate) fn stages(language: Language, stages: &[StageStatsEntry], may_pause: bool) -> Markup {
    let words = language.words().operation;
    // All bars have the same scale.
    let longest = stages.iter().map(open_runs).max();
    let longest = longest.unwrap_or(0).max(1);
    html! {
        section data-part="stages" aria-labelledby="stages" {
            div .heading {
                h2 #stages { (words.stages) }
                ul .legend aria-hidden="true" {
                    li .running { (words.running) }
                    li .ready { (words.ready) }
                    li .waiting { (words.waiting) }
                }
            }
            table .facts .stages {
                thead {
                    tr {
                        th scope="col" { (words.stage) }
                        th scope="col" .bar-cell { span .unseen { (words.runs) } }
                        th scope="col" .number { (words.running) }
                        th scope="col" .number { (words.ready) }
                        th scope="col" .number { (words.oldest_ready) }
                        th scope="col" .number { (words.waiting) }
                        th scope="col" .number { (words.failed) }
                        th scope="col" .number { (words.last_hour) }
                        th scope="col" .number title=(words.duration_hint) { (words.duration) }
                        @if may_pause {
                            th scope="col" .action {
                                span .unseen { (words.pause) " / " (words.resume) }
                            }
                        }
                    }
                }
                tbody {
                    @for stage in stages {
                        (row(language, stage, longest, may_pause))
                    }
                }
            }
        }
    }
}

fn row(language: Language, stage: &StageStatsEntry, longest: i64, may_pause: bool) -> Markup {
    let (all_words, words) = (language.words(), language.words().operation);
    let name = all_words.stage(stage.stage);
    let runs = &stage.runs;
    let none =
        html! { span .unknown { span aria-hidden="true" { "–" } span .unseen { (words.none) } } };
    let oldest = stage
        .oldest_ready_seconds
        .map(|seconds| duration(seconds.round(), language));
    html! {
        tr data-stage=(stage.stage) {
            th scope="row" {
                (name)
                @if stage.paused_at.is_some() { " " span .status .paused { (words.paused) } }
            }
            td .bar-cell { (bar(language, stage, longest)) }
            td .number data-label=(words.running) { (count(runs.running)) }
            td .number data-label=(words.ready) {
                (count(runs.ready))
                @if runs.scheduled > 0 {
                    span .scheduled { " " (filled(words.scheduled, &[&count(runs.scheduled)])) }
                }
            }
            td .number data-label=(words.oldest_ready) {
                @if let Some(oldest) = oldest { (oldest) } @else { (none) }
            }
            td .number data-label=(words.waiting) { (count(runs.waiting)) }
            td .number .has-failed[runs.failed > 0] data-label=(words.failed) { (count(runs.failed)) }
            td .number data-label=(words.last_hour) { (count(stage.completed.last_hour)) }
            td .number data-label=(words.duration) {
                @if let Some(durations) = &stage.duration {
                    (median_and_most(language, durations))
                } @else { (none) }
            }
            @if may_pause { td .action { (button(language, stage, name)) } }
        }
    }
}

/// A number that is counted up to a bound.
fn count(count: i64) -> String {
    if count >= MAX_COUNT {
        format!("{MAX_COUNT}+")
    } else {
        count.to_string()
    }
}

fn median_and_most(language: Language, durations: &StageDuration) -> Markup {
    html! { (duration(durations.p50, language)) " / " (duration(durations.p95, language)) }
}

/// The button works without scripts: the response to the form is the page.
fn button(language: Language, stage: &StageStatsEntry, name: &str) -> Markup {
    let words = language.words().operation;
    let (action, text, label) = match stage.paused_at {
        None => ("pause", words.pause, words.pause_stage),
        Some(_) => ("resume", words.resume, words.resume_stage),
    };
    html! {
        form method="post" action=(format!("operation/{}/{action}", stage.stage)) {
            button type="submit" aria-label=(filled(label, &[name])) { (text) }
        }
    }
}

/// Runs that have not ended.
fn open_runs(stage: &StageStatsEntry) -> i64 {
    let runs = &stage.runs;
    runs.running + runs.ready + runs.scheduled + runs.waiting
}

/// A bar with a part for each kind of runs, as a drawing of its own. The numbers are in the
/// table, too.
fn bar(language: Language, stage: &StageStatsEntry, longest: i64) -> Markup {
    let words = language.words().operation;
    let runs = &stage.runs;
    let kinds = [
        ("running", words.running, runs.running),
        ("ready", words.ready, runs.ready + runs.scheduled),
        ("waiting", words.waiting, runs.waiting),
    ];
    let label = kinds
        .map(|(_, word, count)| format!("{word} {count}"))
        .join(", ");
    let mut from = 0.0;
    let parts = kinds.map(|(kind, _, count)| {
        let width = count as f64 / longest as f64 * BAR_WIDTH;
        let part = (kind, format!("{from:.2}"), format!("{width:.2}"));
        from += width;
        part
    });
    html! {
        svg .runs viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label=(label) {
            rect .ground width="100" height="10" {}
            @for (kind, from, width) in &parts {
                @if width != "0.00" { rect class=(kind) x=(from) width=(width) height="10" {} }
            }
        }
    }
}
