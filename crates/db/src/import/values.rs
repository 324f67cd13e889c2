//! Reads the values of a row of the source. Each value that must be changed is noted.

use std::str::FromStr;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use lectern_domain::{
    BoundedText, JsonObject, Keyword, LongText, Ratio, Region, Seconds, TextValue, TimeRange,
};
use serde_json::{Map, Value};

use super::source::{MAX_VALUE, SourceRow, beginning, note_dropped};
use super::{ImportAction, ImportNote};

/// Replaces NUL, which PostgreSQL cannot store.
const REPLACEMENT: &str = "\u{fffd}";

pub(super) const REASON_CUT: &str = "too long: cut";
const REASON_NUL: &str = "a NUL character was replaced";
const REASON_NUMBER: &str = "not a number in the allowed range";
const REASON_CLAMPED: &str = "outside the allowed range: set to its nearest bound";
const REASON_TIME: &str = "not a time of the years 1 to 9999";
const REASON_JSON: &str = "not the expected JSON";
const REASON_UNKNOWN: &str = "unknown value: mapped";

/// A row whose values are read.
pub(super) struct Fields<'r> {
    pub(super) table: &'static str,
    pub(super) row: &'r SourceRow,
    pub(super) notes: &'r mut Vec<ImportNote>,
}

impl Fields<'_> {
    pub(super) fn raw(&self, column: &str) -> Option<&str> {
        self.row.values.get(column).map(String::as_str)
    }

    pub(super) fn changed(&mut self, column: &'static str, reason: &'static str) {
        self.notes.push(ImportNote {
            column: Some(column),
            action: ImportAction::Changed,
            value: self.raw(column).map(beginning),
            ..note_dropped(self.table, self.row, reason)
        });
    }

    pub(super) fn dropped(&mut self, reason: &'static str) {
        self.notes.push(note_dropped(self.table, self.row, reason));
    }

    /// A text without NUL and with at most `max` characters.
    fn cleaned(&mut self, column: &'static str, max: usize) -> Option<String> {
        let mut text = self.raw(column)?.to_owned();
        if text.contains('\0') {
            text = text.replace('\0', REPLACEMENT);
            self.changed(column, REASON_NUL);
        }
        if text.len() > max
            && let Some((end, _)) = text.char_indices().nth(max)
        {
            text.truncate(end);
            self.changed(column, REASON_CUT);
        }
        Some(text)
    }

    /// A text, cut to its greatest length. One that is too short is absent.
    pub(super) fn text<T: BoundedText>(&mut self, column: &'static str) -> Option<T> {
        let text = self.cleaned(column, T::MAX)?;
        T::from_text(text).ok()
    }

    /// As [`Fields::text`], for names of which a part means something else: one that is too
    /// long is absent.
    pub(super) fn name<T: BoundedText>(&mut self, column: &'static str) -> Option<T> {
        let text = self.raw(column)?;
        if text.is_empty() {
            return None;
        }
        let name = T::from_text(text.to_owned()).ok();
        if name.is_none() {
            self.changed(column, "too long, or with a NUL character: not imported");
        }
        name
    }

    /// A text of any length, cut if it is longer than what is read.
    pub(super) fn long<T: TextValue>(&mut self, column: &'static str) -> Option<T> {
        let text = self.cleaned(column, MAX_VALUE)?;
        T::from_text(text).ok()
    }

    /// A text of any length after words that say what a value was in the source.
    pub(super) fn long_after(&mut self, words: &str, column: &'static str) -> Option<LongText> {
        let text = self.cleaned(column, MAX_VALUE);
        if words.is_empty() {
            return text.and_then(|text| LongText::new(text).ok());
        }
        let text = text.map(|text| format!(" {text}")).unwrap_or_default();
        LongText::new(format!("{words}{text}").replace('\0', REPLACEMENT)).ok()
    }

    fn parsed_number(&self, column: &str) -> Option<f64> {
        self.raw(column)?.trim().parse().ok()
    }

    /// A number that `make` accepts; another one is absent.
    pub(super) fn number<T>(
        &mut self,
        column: &'static str,
        make: impl Fn(f64) -> Option<T>,
    ) -> Option<T> {
        self.raw(column)?;
        let valid = self.parsed_number(column).and_then(make);
        if valid.is_none() {
            self.changed(column, REASON_NUMBER);
        }
        valid
    }

    /// A whole number that `make` accepts; another one is absent.
    pub(super) fn integer<T>(
        &mut self,
        column: &'static str,
        make: impl Fn(i64) -> Option<T>,
    ) -> Option<T> {
        let text = self.raw(column)?.trim().to_owned();
        let whole = |number: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
        };
        let number = text
            .parse()
            .ok()
            .or_else(|| text.parse().ok().and_then(whole));
        let valid = number.and_then(make);
        if valid.is_none() {
            self.changed(column, REASON_NUMBER);
        }
        valid
    }

    /// A number within bounds; a finite one outside is set to the nearest bound.
    pub(super) fn clamped(&mut self, column: &'static str, max: f64) -> Option<f64> {
        self.raw(column)?;
        let Some(number) = self
            .parsed_number(column)
            .filter(|number| number.is_finite())
        else {
            self.changed(column, REASON_NUMBER);
            return None;
        };
        if !(0.0..=max).contains(&number) {
            self.changed(column, REASON_CLAMPED);
        }
        Some(number.clamp(0.0, max))
    }

    pub(super) fn ratio(&mut self, column: &'static str) -> Option<Ratio> {
        self.clamped(column, 1.0)
            .and_then(|ratio| Ratio::new(ratio).ok())
    }

    pub(super) fn seconds(&mut self, column: &'static str) -> Option<Seconds> {
        self.number(column, |seconds| Seconds::new(seconds).ok())
    }

    /// The range from `start_time` to `end_time`. A negative time is set to 0. Without a range
    /// the row cannot be imported.
    pub(super) fn range(&mut self) -> Option<TimeRange> {
        let (start, end) = (
            self.parsed_number("start_time"),
            self.parsed_number("end_time"),
        );
        let finite = |time: Option<f64>| time.filter(|time| time.is_finite());
        let (Some(start), Some(end)) = (finite(start), finite(end)) else {
            self.dropped("a time is missing or not finite");
            return None;
        };
        let Ok(range) = TimeRange::new(start.max(0.0), end.max(0.0)) else {
            self.dropped("it ends before it starts");
            return None;
        };
        if start < 0.0 {
            self.changed("start_time", REASON_CLAMPED);
        }
        if end < 0.0 {
            self.changed("end_time", REASON_CLAMPED);
        }
        let duration = self.parsed_number("duration");
        if duration.is_some_and(|d| d.is_nan() || (d - range.duration()).abs() > 0.001) {
            self.changed("duration", "not end_time - start_time, which it is now");
        }
        Some(range)
    }

    /// A time. One without an offset is UTC.
    pub(super) fn time(&mut self, column: &'static str) -> Option<DateTime<Utc>> {
        let text = self.raw(column)?;
        let time = parse_time(text);
        if time.is_none() {
            self.changed(column, REASON_TIME);
        }
        time
    }

    /// One of a set of words, with other words for it. A word in capitals is the same.
    pub(super) fn choice<T: FromStr + Copy>(
        &mut self,
        column: &'static str,
        others: &[(&str, T)],
    ) -> Choice<T> {
        let Some(text) = self
            .raw(column)
            .map(str::to_owned)
            .filter(|text| !text.is_empty())
        else {
            return Choice::Missing;
        };
        let word = normalized(&text);
        if let Ok(known) = word.parse() {
            return Choice::Known(known);
        }
        self.changed(column, REASON_UNKNOWN);
        match others.iter().find(|(other, _)| *other == word) {
            Some((_, value)) => Choice::Known(*value),
            None => Choice::Unknown(beginning(&text.replace('\0', REPLACEMENT))),
        }
    }

    fn json(&mut self, column: &'static str) -> Option<Value> {
        let text = self.raw(column)?.to_owned();
        match serde_json::from_str(&text) {
            Ok(Value::Null) => None,
            Ok(mut json) => {
                if replace_nul(&mut json) {
                    self.changed(column, REASON_NUL);
                }
                Some(json)
            }
            Err(_) => {
                self.changed(column, REASON_JSON);
                Some(Value::String(text.replace('\0', REPLACEMENT)))
            }
        }
    }

    /// A JSON object. Another value is kept in an object, as `legacy_value`.
    pub(super) fn object(&mut self, column: &'static str) -> Option<Map<String, Value>> {
        let value = self.json(column)?;
        let map = match value {
            Value::Object(map) => map,
            other => {
                if !other.is_string() {
                    self.changed(column, REASON_JSON);
                }
                Map::from_iter([("legacy_value".to_owned(), other)])
            }
        };
        if JsonObject::new(map.clone()).is_err() {
            self.changed(column, "nested too deeply: not imported");
            return None;
        }
        Some(map)
    }

    /// A rectangle; numbers are rounded to whole pixels.
    pub(super) fn region(&mut self, column: &'static str) -> Option<Region> {
        let value = self.json(column)?;
        let number = |name: &str| {
            let number = value.get(name)?.as_f64()?.round();
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            (0.0..=f64::from(i32::MAX))
                .contains(&number)
                .then_some(number as i32)
        };
        let region = (|| {
            Region::new(
                number("x")?,
                number("y")?,
                number("width")?,
                number("height")?,
            )
            .ok()
        })();
        if region.is_none() {
            self.changed(column, "not a rectangle: not imported");
        }
        region
    }

    /// A list of words: JSON, or a text with commas.
    pub(super) fn words(&mut self, column: &'static str) -> Vec<Keyword> {
        let items = match self.raw(column).map(serde_json::from_str) {
            None | Some(Ok(Value::Null)) => return Vec::new(),
            Some(Ok(Value::Array(items))) => items,
            _ => {
                self.changed(column, REASON_JSON);
                let text = self.raw(column).unwrap_or_default();
                text.split(',')
                    .map(|word| Value::from(word.trim()))
                    .collect()
            }
        };
        let mut words = Vec::new();
        let mut all_same = true;
        for item in items {
            let text = match item {
                Value::String(text) => text,
                other => {
                    all_same = false;
                    other.to_string()
                }
            };
            let cut: String = text.chars().take(Keyword::MAX).collect();
            let cut = cut.replace('\0', REPLACEMENT);
            all_same &= cut == text && !cut.is_empty();
            words.extend(Keyword::new(cut).ok());
        }
        if !all_same {
            self.changed(column, "some words were not texts of 1 to 200 characters");
        }
        words
    }
}

/// A word that was read.
pub(super) enum Choice<T> {
    Known(T),
    Unknown(String),
    Missing,
}

/// `JobStatus.COMPLETED`, `Completed` and `COMPLETED` are `completed`.
pub(super) fn normalized(word: &str) -> String {
    let word = word.rsplit('.').next().unwrap_or_default();
    word.trim().to_lowercase().replace(['-', ' '], "_")
}

/// Replaces NUL in all texts and keys.
fn replace_nul(value: &mut Value) -> bool {
    match value {
        Value::String(text) if text.contains('\0') => {
            *text = text.replace('\0', REPLACEMENT);
            true
        }
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |any, item| replace_nul(item) | any),
        Value::Object(map) => {
            let mut any = false;
            let entries = std::mem::take(map).into_iter();
            *map = entries
                .map(|(key, mut value)| {
                    any |= replace_nul(&mut value) | key.contains('\0');
                    (key.replace('\0', REPLACEMENT), value)
                })
                .collect();
            any
        }
        _ => false,
    }
}

/// Reads the texts of both databases, RFC 3339, and seconds since 1970.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim().replacen(' ', "T", 1);
    let time = DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%#z")
        .map(|time| time.to_utc())
        .or_else(|_| DateTime::parse_from_rfc3339(&text).map(|time| time.to_utc()))
        .or_else(|_| {
            NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc())
        })
        .or_else(|_| {
            NaiveDate::parse_from_str(&text, "%Y-%m-%d")
                .map(|date| date.and_time(NaiveTime::MIN).and_utc())
        })
        .ok()
        .or_else(|| {
            let seconds: f64 = text
                .parse()
                .ok()
                .filter(|seconds: &f64| seconds.is_finite())?;
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
            DateTime::from_timestamp_micros((seconds * 1e6).round() as i64)
        })?;
    let time = DateTime::from_timestamp_micros(time.timestamp_micros())?;
    (1..=9999).contains(&time.year()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naive_times_are_utc() {
        let at = |text| parse_time(text).map(|time| time.to_rfc3339());
        for text in [
            "2026-01-02 03:04:05",
            "2026-01-02T03:04:05Z",
            "2026-01-02 03:04:05.000000",
            "2026-01-02 03:04:05+00",
            "2026-01-02 05:04:05+02:00",
            "1767323045",
        ] {
            assert_eq!(
                at(text).as_deref(),
                Some("2026-01-02T03:04:05+00:00"),
                "{text}"
            );
        }
        for text in [
            "infinity",
            "-infinity",
            "nan",
            "0044-03-15 00:00:00 BC",
            "10000-01-01",
            "",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn names_of_enumerations_in_python_are_words() {
        assert_eq!(normalized("JobStatus.IN_PROGRESS"), "in_progress");
        assert_eq!(normalized("Side by side"), "side_by_side");
    }
}
