//! The history of the stages on the page for operators: charts over time, and their values in
//! tables. All times are UTC.

mod chart;
mod scale;
mod table;

use chrono::{DateTime, Utc};
use lectern_api::{StageHistoryEntry, StageHistoryPoint, WorkHistoryResponse};
use maud::{Markup, html};

use self::chart::{Area, Chart, Points};
use self::scale::Scale;
use self::table::table;
use crate::duration::duration;
use crate::language::Language;
use crate::operation_words::filled;

/// What the charts of the page for operators show.
#[derive(Debug, Clone, Copy)]
pub struct OperationHistory<'a> {
    /// What `GET /api/v1/work/stats/history` returns.
    pub history: &'a WorkHistoryResponse,
    /// The length of the period in hours.
    pub hours: u16,
}

/// The periods with links, in hours.
const PERIODS: [u16; 4] = [1, 24, 168, 720];

/// The names of the patterns that fill areas.
const READY_PATTERN: &str = "ready-pattern";
const FAILED_PATTERN: &str = "failed-pattern";

/// The part of the page.
pub(crate) fn history(language: Language, shown: OperationHistory<'_>) -> Markup {
    let (all_words, words) = (language.words(), &language.words().operation.history);
    let history = shown.history;
    let (with_runs, without): (Vec<_>, Vec<_>) = history
        .stages
        .iter()
        .partition(|stage| has_runs(&stage.points));
    let without = without.iter().map(|stage| all_words.stage(stage.stage));
    let without = without.collect::<Vec<_>>().join(", ");
    let step = duration(history.bucket_seconds as f64, language);
    html! {
        section data-part="history" aria-labelledby="history" {
            (patterns())
            div .heading .history-heading {
                h2 #history { (words.title) }
                nav .tabs aria-label=(words.period) {
                    ul {
                        @for (hours, name) in PERIODS.iter().zip(words.periods) {
                            @let current = (*hours == shown.hours).then_some("true");
                            li {
                                a id=(format!("period-{hours}")) href=(format!("?hours={hours}"))
                                    aria-current=[current] { (name) }
                            }
                        }
                    }
                }
            }
            p .nothing { (filled(words.step, &[&step])) }
            @for stage in &with_runs { (stage_history(language, history, stage)) }
            @if !without.is_empty() { p .nothing { (filled(words.without_runs, &[&without])) } }
        }
    }
}

/// The patterns of the areas, which differ without colours, too.
fn patterns() -> Markup {
    html! {
        svg .patterns width="0" height="0" aria-hidden="true" {
            defs {
                pattern id=(READY_PATTERN) width="6" height="6" patternUnits="userSpaceOnUse"
                    patternTransform="rotate(45)" {
                    rect .ready .ground width="6" height="6" {}
                    rect .ready width="3" height="6" {}
                }
                pattern id=(FAILED_PATTERN) width="5" height="5" patternUnits="userSpaceOnUse" {
                    rect .failed .ground width="5" height="5" {}
                    circle .failed cx="2.5" cy="2.5" r="1.6" {}
                }
            }
        }
    }
}

fn has_runs(points: &[StageHistoryPoint]) -> bool {
    points.iter().any(|point| {
        point.ready > 0.0 || point.running > 0.0 || point.completed > 0 || point.failed > 0
    })
}

fn stage_history(
    language: Language,
    history: &WorkHistoryResponse,
    stage: &StageHistoryEntry,
) -> Markup {
    let words = &language.words().operation.history;
    let name = language.words().stage(stage.stage);
    let points = Points::new(history, &stage.points);
    let id = format!("history-{}", stage.stage);
    let start = stage.points.first().map(|point| point.start);
    let hidden = start.filter(|start| *start > history.from);
    html! {
        article .stage-history aria-labelledby=(id) {
            h3 id=(id) { (name) }
            @if let Some(start) = hidden {
                p .nothing { (filled(words.hidden, &[&utc(start, language)])) }
            }
            div .charts {
                (runs_chart(language, name, &id, points))
                (completed_chart(language, name, &id, points))
                (duration_chart(language, name, &id, points))
            }
            details id=(format!("{id}-values")) {
                summary id=(format!("{id}-summary")) { (words.values) }
                (table(language, points, name))
            }
        }
    }
}

/// Ready runs on running ones, and failed ones on both.
fn runs_chart(language: Language, name: &str, id: &str, points: Points<'_>) -> Markup {
    let (all_words, words) = (
        language.words().operation,
        &language.words().operation.history,
    );
    let failed = |point: &StageHistoryPoint| point.failed as f64;
    let ready = |point: &StageHistoryPoint| point.running + point.ready;
    let all = |point: &StageHistoryPoint| ready(point) + failed(point);
    let most = |value: fn(&StageHistoryPoint) -> f64| amount(greatest(points, value), language);
    let failures: i64 = points.all.iter().map(|point| point.failed).sum();
    let chart = Chart {
        id: format!("{id}-runs"),
        title: format!("{name}: {}", words.runs),
        description: filled(
            words.runs_text,
            &[
                &most(|point| point.running),
                &most(|point| point.ready),
                &failures.to_string(),
            ],
        ),
        points,
        scale: Scale::of_counts(greatest(points, all)),
        label: &|value| amount(value, language),
        areas: &[
            Area {
                class: "running",
                pattern: None,
                edges: &|point| Some((0.0, point.running)),
                has_line: false,
            },
            Area {
                class: "ready",
                pattern: Some(READY_PATTERN),
                edges: &|point| Some((point.running, ready(point))),
                has_line: false,
            },
            Area {
                class: "failed",
                pattern: Some(FAILED_PATTERN),
                edges: &|point| Some((ready(point), all(point))),
                has_line: false,
            },
        ],
    };
    let legend = [
        ("running", all_words.running, None),
        ("ready", all_words.ready, Some(READY_PATTERN)),
        ("failed", all_words.failed, Some(FAILED_PATTERN)),
    ];
    figure(language, words.runs, &legend, &chart)
}

/// How many runs were completed in each step.
fn completed_chart(language: Language, name: &str, id: &str, points: Points<'_>) -> Markup {
    let words = &language.words().operation.history;
    let completed = |point: &StageHistoryPoint| point.completed as f64;
    let all: i64 = points.all.iter().map(|point| point.completed).sum();
    let most = greatest(points, completed);
    let chart = Chart {
        id: format!("{id}-completed"),
        title: format!("{name}: {}", words.throughput),
        description: filled(
            words.throughput_text,
            &[&all.to_string(), &amount(most, language)],
        ),
        points,
        scale: Scale::of_counts(most),
        label: &|value| amount(value, language),
        areas: &[Area {
            class: "completed",
            pattern: None,
            edges: &|point| Some((0.0, completed(point))),
            has_line: false,
        }],
    };
    let legend = [("completed", words.completed, None)];
    figure(language, words.throughput, &legend, &chart)
}

/// The mean duration of the runs that were completed in each step, and the longest one.
fn duration_chart(language: Language, name: &str, id: &str, points: Points<'_>) -> Markup {
    let words = &language.words().operation.history;
    let longest = |point: &StageHistoryPoint| point.duration.map_or(0.0, |duration| duration.max);
    let sums = points.all.iter().filter_map(|point| {
        let runs = point.completed as f64;
        Some((point.duration?.mean * runs, runs))
    });
    let (sum, runs) = sums.fold((0.0, 0.0), |(sum, runs), more| {
        (sum + more.0, runs + more.1)
    });
    let most = greatest(points, longest);
    let description = if runs > 0.0 {
        let values = [duration(sum / runs, language), duration(most, language)];
        filled(words.duration_text, &values.each_ref().map(String::as_str))
    } else {
        words.no_duration.to_owned()
    };
    let chart = Chart {
        id: format!("{id}-duration"),
        title: format!("{name}: {}", words.durations),
        description,
        points,
        scale: Scale::of_durations(most),
        label: &|value| duration(value, language),
        areas: &[Area {
            class: "duration",
            pattern: None,
            edges: &|point| point.duration.map(|duration| (duration.mean, duration.max)),
            has_line: true,
        }],
    };
    let legend = [
        ("duration line", words.mean_duration, None),
        ("duration", words.longest, None),
    ];
    figure(language, words.durations, &legend, &chart)
}

/// A chart with its name and legend.
fn figure(
    language: Language,
    name: &str,
    legend: &[(&str, &str, Option<&str>)],
    chart: &Chart<'_>,
) -> Markup {
    html! {
        figure {
            figcaption {
                span .chart-name { (name) }
                @for (class, text, pattern) in legend {
                    @let fill = pattern.map(|pattern| format!("url(#{pattern})"));
                    span .key aria-hidden="true" {
                        svg .swatch viewBox="0 0 14 10" width="14" height="10" {
                            @if class.ends_with("line") {
                                path class=(class) d="M0 5H14" {}
                            } @else {
                                rect class=(class) fill=[fill] width="14" height="10" {}
                            }
                        }
                        (text)
                    }
                }
            }
            (chart.render(language))
        }
    }
}

fn greatest(points: Points<'_>, value: impl Fn(&StageHistoryPoint) -> f64) -> f64 {
    points.all.iter().map(value).fold(0.0, f64::max)
}

/// A number of runs, with a decimal if it is a small mean.
fn amount(value: f64, language: Language) -> String {
    // What is rounded to ten has no decimal, and what is rounded to a whole number neither.
    let decimals = usize::from(value < 9.95);
    let text = format!("{value:.decimals$}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    match language {
        Language::English => text.to_owned(),
        Language::German => text.replace('.', ","),
    }
}

/// A time of a text, in UTC.
fn utc(time: DateTime<Utc>, language: Language) -> String {
    let format = match language {
        Language::English => "%-d %b, %H:%M UTC",
        Language::German => "%d.%m., %H:%M UTC",
    };
    time.format(format).to_string()
}

#[cfg(test)]
mod tests;
