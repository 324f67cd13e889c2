//! The times that both databases can store, and the text that SQLite stores for them.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};

/// The times that both databases and RFC 3339 can represent: the years 1 to 9999.
pub(super) static FIRST: LazyLock<DateTime<Utc>> = LazyLock::new(|| start_of(1));
pub(super) static LAST: LazyLock<DateTime<Utc>> =
    LazyLock::new(|| start_of(10_000) - TimeDelta::microseconds(1));

/// The start of a year; chrono represents all years up to 262,142.
pub(super) fn start_of(year: i32) -> DateTime<Utc> {
    let day = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    day.and_time(NaiveTime::MIN).and_utc()
}

pub(super) fn is_representable(time: &DateTime<Utc>) -> bool {
    (*FIRST..=*LAST).contains(time)
}

/// The text that SQLite stores. The text always has six decimals and a Z, so that texts
/// sort like times.
pub(super) fn sqlite_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The nearest time to `time` that both databases can represent.
pub(super) fn clamped(time: DateTime<Utc>) -> DateTime<Utc> {
    time.clamp(*FIRST, *LAST)
}
