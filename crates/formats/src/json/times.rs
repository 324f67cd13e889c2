//! Times in JSON, under the names and in the units of many programs.

use super::document::{Object, Raw, list, number, text};
use crate::time::parse_timestamp;

/// The times of an item, in milliseconds.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ItemTimes {
    pub(super) start_ms: Option<i64>,
    pub(super) end_ms: Option<i64>,
    /// Whether the item names its unit, or has times in a form that implies one.
    pub(super) is_unit_declared: bool,
}

/// A unit of time, and how many milliseconds it has.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    /// Seconds, unless the file turns out to mean something else.
    Undeclared,
    Seconds,
    Milliseconds,
    /// Hundredths of a second, as whisper.cpp counts.
    Centiseconds,
    /// 100 nanoseconds, as Azure counts.
    Ticks,
}

const STARTS: [(&str, Unit); 27] = [
    ("start", Unit::Undeclared),
    ("start_time", Unit::Undeclared),
    ("startTime", Unit::Undeclared),
    ("begin", Unit::Undeclared),
    ("from", Unit::Undeclared),
    ("ts", Unit::Seconds),
    ("startOffset", Unit::Undeclared),
    ("start_offset", Unit::Undeclared),
    ("start_ms", Unit::Milliseconds),
    ("startMs", Unit::Milliseconds),
    ("start_time_ms", Unit::Milliseconds),
    ("startTimeMs", Unit::Milliseconds),
    ("startMillis", Unit::Milliseconds),
    ("tStartMs", Unit::Milliseconds),
    ("BeginOffsetMillis", Unit::Milliseconds),
    ("beginOffsetMillis", Unit::Milliseconds),
    ("offsetMilliseconds", Unit::Milliseconds),
    ("offsetInTicks", Unit::Ticks),
    ("Offset", Unit::Ticks),
    ("offset", Unit::Undeclared),
    ("t0", Unit::Centiseconds),
    ("time", Unit::Undeclared),
    ("Time", Unit::Seconds),
    ("timestamp", Unit::Undeclared),
    ("start_seconds", Unit::Seconds),
    ("startTimeInSeconds", Unit::Seconds),
    ("startSeconds", Unit::Seconds),
];

const ENDS: [(&str, Unit); 19] = [
    ("end", Unit::Undeclared),
    ("end_time", Unit::Undeclared),
    ("endTime", Unit::Undeclared),
    ("stop", Unit::Undeclared),
    ("to", Unit::Undeclared),
    ("end_ts", Unit::Seconds),
    ("endOffset", Unit::Undeclared),
    ("end_offset", Unit::Undeclared),
    ("end_ms", Unit::Milliseconds),
    ("endMs", Unit::Milliseconds),
    ("end_time_ms", Unit::Milliseconds),
    ("endTimeMs", Unit::Milliseconds),
    ("endMillis", Unit::Milliseconds),
    ("EndOffsetMillis", Unit::Milliseconds),
    ("endOffsetMillis", Unit::Milliseconds),
    ("t1", Unit::Centiseconds),
    ("end_seconds", Unit::Seconds),
    ("endTimeInSeconds", Unit::Seconds),
    ("endSeconds", Unit::Seconds),
];

const DURATIONS: [(&str, Unit); 9] = [
    ("duration", Unit::Undeclared),
    ("dur", Unit::Undeclared),
    ("dDurationMs", Unit::Milliseconds),
    ("duration_ms", Unit::Milliseconds),
    ("durationMs", Unit::Milliseconds),
    ("CaptionDuration", Unit::Seconds),
    ("durationMilliseconds", Unit::Milliseconds),
    ("durationInTicks", Unit::Ticks),
    ("Duration", Unit::Ticks),
];

/// Fields with both times, as a list or as an object.
const PAIRS: [&str; 5] = ["timestamp", "timestamps", "time", "interval", "span"];

/// The times of an item. An item with a duration instead of an end ends after it.
pub(super) fn item_times(item: &Object<'_>, is_in_milliseconds: bool) -> ItemTimes {
    let pair = pair_of(item);
    let declared = |unit| match unit {
        Unit::Undeclared if is_in_milliseconds => Unit::Milliseconds,
        unit => unit,
    };
    let find = |names: &[(&str, Unit)]| {
        names.iter().find_map(|(name, unit)| {
            let time = time(item.get(name)?, declared(*unit))?;
            Some(time)
        })
    };
    if let Some(((start, end), unit)) = pair {
        let unit = declared(unit);
        let time = |raw: Option<Raw<'_>>| raw.and_then(|raw| time(raw, unit));
        let (start, end) = (time(start), time(end));
        return ItemTimes {
            start_ms: start.map(|time| time.ms),
            end_ms: end.map(|time| time.ms),
            is_unit_declared: start.is_some_and(|time| time.is_declared),
        };
    }
    let start = find(&STARTS);
    let end = find(&ENDS);
    let end_ms = end.map(|time| time.ms).or_else(|| {
        let duration = find(&DURATIONS)?;
        Some(start?.ms.saturating_add(duration.ms))
    });
    ItemTimes {
        start_ms: start.map(|time| time.ms),
        end_ms,
        is_unit_declared: start.is_some_and(|time| time.is_declared),
    }
}

/// Start and end that are in one field.
type Pair<'a> = ((Option<Raw<'a>>, Option<Raw<'a>>), Unit);

fn pair_of<'a>(item: &Object<'a>) -> Option<Pair<'a>> {
    // whisper.cpp
    if let Some(offsets) = item.object("offsets") {
        return Some(((offsets.get("from"), offsets.get("to")), Unit::Milliseconds));
    }
    let time = PAIRS.iter().find_map(|name| {
        let raw = item.get(name)?;
        raw.get().starts_with(['[', '{']).then_some(raw)
    })?;
    if let Some(times) = Object::of(time) {
        let start = times.first(&["from", "start", "begin"]);
        return Some((
            (start, times.first(&["to", "end", "stop"])),
            Unit::Undeclared,
        ));
    }
    // transformers
    let times = list(time)?;
    let time = |i: usize| {
        let time = times.get(i).copied();
        time.filter(|raw: &Raw<'_>| raw.get() != "null")
    };
    Some(((time(0), time(1)), Unit::Undeclared))
}

#[derive(Debug, Clone, Copy)]
struct TimeValue {
    ms: i64,
    is_declared: bool,
}

/// The time in a number, in a string such as `1.5`, `0.400s`, `PT1M2.5S` or `00:00:01,500`, or
/// in an object with `seconds` and `nanos`.
fn time(raw: Raw<'_>, unit: Unit) -> Option<TimeValue> {
    let seconds = |seconds: f64| TimeValue {
        ms: millis(seconds),
        is_declared: true,
    };
    if let Some(parts) = Object::of(raw) {
        let whole = parts.number(&["seconds"]).unwrap_or(0.0);
        let nanos = parts.number(&["nanos"]).unwrap_or(0.0);
        let is_time = parts.has("seconds") || parts.has("nanos");
        return is_time.then(|| seconds(whole + nanos / 1e9));
    }
    if let Some(value) = number(raw) {
        return Some(TimeValue {
            ms: match unit {
                Unit::Undeclared | Unit::Seconds => millis(value),
                Unit::Milliseconds => millis(value / 1e3),
                Unit::Centiseconds => millis(value / 1e2),
                Unit::Ticks => millis(value / 1e7),
            },
            is_declared: unit != Unit::Undeclared,
        });
    }
    let text = text(raw)?;
    let text = text.trim();
    if let Some(ms) = parse_timestamp(text) {
        return i64::try_from(ms).ok().map(|ms| TimeValue {
            ms,
            is_declared: true,
        });
    }
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some(value) = text.strip_suffix("ms").and_then(number) {
        return Some(seconds(value / 1e3));
    }
    if let Some(value) = text.strip_suffix('s').and_then(number) {
        return Some(seconds(value));
    }
    iso_duration(text).map(seconds)
}

/// The seconds of an ISO 8601 duration of hours, minutes and seconds.
fn iso_duration(text: &str) -> Option<f64> {
    let mut rest = text.strip_prefix("PT")?;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let value: f64 = rest[..end].parse().ok()?;
        total += value
            * match rest.as_bytes()[end] {
                b'H' => 3_600.0,
                b'M' => 60.0,
                b'S' => 1.0,
                _ => return None,
            };
        rest = &rest[end + 1..];
    }
    total.is_finite().then_some(total)
}

/// Seconds as milliseconds, possibly negative.
fn millis(seconds: f64) -> i64 {
    let ms = i64::try_from(crate::time::millis(seconds.abs())).unwrap_or(i64::MAX);
    if seconds < 0.0 { -ms } else { ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(json: &str) -> (Option<i64>, Option<i64>, bool) {
        let item: Object<'_> = serde_json::from_str(json).unwrap();
        let times = item_times(&item, false);
        (times.start_ms, times.end_ms, times.is_unit_declared)
    }

    #[test]
    fn times_of_all_programs_are_read() {
        for (json, expected) in [
            (r#"{"start": 1.5, "end": 2}"#, (1_500, 2_000, false)),
            (r#"{"start": 1.5, "duration": 0.5}"#, (1_500, 2_000, false)),
            (
                r#"{"start_time": "1.5", "end_time": "2"}"#,
                (1_500, 2_000, false),
            ),
            (
                r#"{"startTime": "1.500s", "endTime": "2s"}"#,
                (1_500, 2_000, true),
            ),
            (
                r#"{"startTime": {"seconds": "1", "nanos": 500000000}, "endTime": {"seconds": 2}}"#,
                (1_500, 2_000, true),
            ),
            (
                r#"{"offset": "PT1.5S", "duration": "PT0.5S"}"#,
                (1_500, 2_000, true),
            ),
            (
                r#"{"Offset": 15000000, "Duration": 5000000}"#,
                (1_500, 2_000, true),
            ),
            (
                r#"{"tStartMs": 1500, "dDurationMs": 500}"#,
                (1_500, 2_000, true),
            ),
            (r#"{"t0": 150, "t1": 200}"#, (1_500, 2_000, true)),
            (
                r#"{"offsets": {"from": 1500, "to": 2000}}"#,
                (1_500, 2_000, true),
            ),
            (
                r#"{"timestamps": {"from": "00:00:01,500", "to": "00:00:02,000"}}"#,
                (1_500, 2_000, true),
            ),
            (r#"{"timestamp": [1.5, 2.0]}"#, (1_500, 2_000, false)),
            (
                r#"{"time": {"start": 1.5, "end": 2}}"#,
                (1_500, 2_000, false),
            ),
            (
                r#"{"start": "00:01.5", "end": "00:02"}"#,
                (1_500, 2_000, true),
            ),
        ] {
            let (start, end, is_declared) = expected;
            assert_eq!(times(json), (Some(start), Some(end), is_declared), "{json}");
        }
        assert_eq!(
            times(r#"{"start": null, "end": 1}"#),
            (None, Some(1_000), false)
        );
        assert_eq!(
            times(r#"{"timestamp": [3, null]}"#),
            (Some(3_000), None, false)
        );
        assert_eq!(times(r#"{"start": -0.25}"#), (Some(-250), None, false));
        assert_eq!(iso_duration("PT1H2M3.5S"), Some(3_723.5));
        assert_eq!(iso_duration("P1D"), None);
    }
}
