//! The history of a stage as a table, with a row for several points.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::amount;
use super::chart::Points;
use crate::duration::duration;
use crate::language::Language;

/// Lengths of rows, in seconds. A row has whole points: for each period, the shortest length that
/// gives at most [`MAX_ROWS`] rows is a multiple of the length of its points.
const ROW_LENGTHS: [i64; 10] = [
    300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];

/// The most rows besides the first and the last, which are parts.
const MAX_ROWS: i64 = 31;

/// The points of a row together.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    start: DateTime<Utc>,
    /// In seconds.
    length: f64,
    ready: f64,
    running: f64,
    completed: i64,
    failed: i64,
    /// The sum of the durations, and the longest one, in seconds.
    durations: Option<(f64, f64)>,
}

/// The rows, and their length in seconds.
fn rows(points: Points<'_>) -> (Vec<Row>, i64) {
    let [.., longest] = ROW_LENGTHS;
    let period = (points.to - points.from).num_seconds();
    let length = ROW_LENGTHS.into_iter().find(|row| period / row <= MAX_ROWS);
    let length = length.unwrap_or(longest);
    let mut rows: Vec<Row> = Vec::new();
    for (point, end) in points.with_ends() {
        let seconds = (end - point.start).as_seconds_f64();
        let number = |time: DateTime<Utc>| time.timestamp().div_euclid(length);
        let is_same = |row: &&mut Row| number(row.start) == number(point.start);
        let durations = point.duration.map(|durations| {
            let sum = durations.mean * point.completed as f64;
            (sum, durations.max)
        });
        match rows.last_mut().filter(is_same) {
            Some(row) => {
                // Sums until the row is complete.
                row.length += seconds;
                row.ready += point.ready * seconds;
                row.running += point.running * seconds;
                row.completed += point.completed;
                row.failed += point.failed;
                row.durations = match (row.durations, durations) {
                    (Some((sum, max)), Some((more, other))) => Some((sum + more, max.max(other))),
                    (one, other) => one.or(other),
                };
            }
            None => rows.push(Row {
                start: point.start,
                length: seconds,
                ready: point.ready * seconds,
                running: point.running * seconds,
                completed: point.completed,
                failed: point.failed,
                durations,
            }),
        }
    }
    for row in &mut rows {
        let length = row.length.max(f64::MIN_POSITIVE);
        row.ready /= length;
        row.running /= length;
    }
    (rows, length)
}

/// The table, whose times are UTC.
pub(super) fn table(language: Language, points: Points<'_>, name: &str) -> Markup {
    let words = language.words().operation;
    let (rows, length) = rows(points);
    let format = match (length >= 86_400, language) {
        (true, Language::English) => "%-d %b",
        (true, Language::German) => "%d.%m.",
        (false, Language::English) => "%-d %b, %H:%M",
        (false, Language::German) => "%d.%m., %H:%M",
    };
    let none =
        html! { span .unknown { span aria-hidden="true" { "–" } span .unseen { (words.none) } } };
    html! {
        table .facts .history-values {
            caption .unseen { (name) }
            thead {
                tr {
                    th scope="col" { (words.history.from_time) }
                    th scope="col" .number { (words.running) }
                    th scope="col" .number { (words.ready) }
                    th scope="col" .number { (words.failed) }
                    th scope="col" .number { (words.history.completed) }
                    th scope="col" .number { (words.history.mean_duration) }
                    th scope="col" .number { (words.history.longest) }
                }
            }
            tbody {
                @for row in &rows {
                    tr {
                        th scope="row" { (row.start.format(format)) }
                        td .number data-label=(words.running) { (amount(row.running, language)) }
                        td .number data-label=(words.ready) { (amount(row.ready, language)) }
                        td .number data-label=(words.failed) { (row.failed) }
                        td .number data-label=(words.history.completed) { (row.completed) }
                        @match row.durations {
                            Some((sum, max)) => {
                                td .number data-label=(words.history.mean_duration) {
                                    (duration(sum / row.completed.max(1) as f64, language))
                                }
                                td .number data-label=(words.history.longest) {
                                    (duration(max, language))
                                }
                            }
                            None => {
                                td .number data-label=(words.history.mean_duration) { (none) }
                                td .number data-label=(words.history.longest) { (none) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use lectern_api::{PointDuration, StageHistoryPoint};

    use super::*;

    #[test]
    fn a_row_has_the_means_and_the_sums_of_its_points() {
        let from: DateTime<Utc> = "2026-03-04T11:03:00Z".parse().unwrap();
        let point = |minute: i64, ready, completed, mean: f64| StageHistoryPoint {
            start: from + TimeDelta::minutes(minute),
            ready,
            running: 1.0,
            completed,
            failed: 1,
            duration: (completed > 0).then_some(PointDuration {
                mean,
                max: 2.0 * mean,
            }),
        };
        let points = [
            point(0, 2.0, 0, 0.0),
            point(1, 4.0, 1, 10.0),
            point(2, 6.0, 3, 20.0),
            point(3, 9.0, 1, 6.0),
        ];
        let points = Points {
            all: &points,
            from,
            // The last point has half a minute.
            to: from + TimeDelta::seconds(210),
        };
        let (rows, length) = rows(points);
        assert_eq!((rows.len(), length), (2, 300));
        let of = |row: &Row| {
            (
                row.ready,
                row.running,
                row.completed,
                row.failed,
                row.durations,
            )
        };
        assert_eq!(of(&rows[0]), (3.0, 1.0, 1, 2, Some((10.0, 20.0))));
        let last = &rows[1];
        assert_eq!(last.start, from + TimeDelta::minutes(2));
        assert_eq!(of(last), (7.0, 1.0, 4, 2, Some((66.0, 40.0))));
    }
}
