//! Numbers and times as people read them.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

use crate::language::Language;

/// A time in a recording, or its length: `7:05`, or `1:02:03`.
pub(crate) fn clock(seconds: f64) -> String {
    // Beyond a million hours, which no recording has, the cast saturates.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    #[expect(clippy::cast_sign_loss, reason = "times are not negative")]
    let whole = seconds as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A part of a recording: `0:07–1:37`.
pub(crate) fn clock_range(start: f64, end: f64) -> String {
    format!("{}–{}", clock(start), clock(end))
}

/// A part of a whole as an SVG coordinate, with four decimals: `12.5000%`. Outside of it, its
/// nearest end.
pub(crate) fn share(part: f64, whole: f64) -> String {
    let share = if whole > 0.0 { part / whole } else { 0.0 };
    format!("{:.4}%", share.clamp(0.0, 1.0) * 100.0)
}

/// A size in the largest decimal unit that leaves at least 1, with one decimal below 10.
pub(crate) fn file_size(bytes: i64, language: Language) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1_000.0;
    let mut unit = 0;
    // What is rounded to 1000 is shown in the next unit.
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1_000.0;
        unit += 1;
    }
    let decimals = usize::from(size < 9.95);
    let number = format!("{size:.decimals$}");
    let number = match language {
        Language::English => number,
        Language::German => number.replace('.', ","),
    };
    format!("{number} {}", UNITS[unit])
}

/// A number with its digits in groups of three, if it has more than four: `9999`, `10,000`.
pub(crate) fn number(number: i64, language: Language) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mark = match language {
        Language::English => ',',
        Language::German => '.',
    };
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    text
}

/// A point in time in UTC, which the script shows in the reader's time zone.
pub(crate) fn time(at: DateTime<Utc>, language: Language) -> Markup {
    let format = match language {
        Language::English => "%-d %b %Y, %H:%M UTC",
        Language::German => "%d.%m.%Y, %H:%M UTC",
    };
    let machine = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    html! { time datetime=(machine) { (at.format(format)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_a_recording_have_hours_only_if_needed() {
        for (seconds, expected) in [
            (0.0, "0:00"),
            (59.99, "0:59"),
            (425.0, "7:05"),
            (3723.4, "1:02:03"),
            (360_000.0, "100:00:00"),
        ] {
            assert_eq!(clock(seconds), expected);
        }
    }

    #[test]
    fn sizes_have_two_or_three_digits() {
        for (bytes, english, german) in [
            (999, "999 B", "999 B"),
            (1_500, "1.5 kB", "1,5 kB"),
            (9_990, "10 kB", "10 kB"),
            (999_600, "1.0 MB", "1,0 MB"),
            (734_003_200, "734 MB", "734 MB"),
            (2_147_483_648, "2.1 GB", "2,1 GB"),
            (i64::MAX, "9223 PB", "9223 PB"),
        ] {
            assert_eq!(file_size(bytes, Language::English), english);
            assert_eq!(file_size(bytes, Language::German), german);
        }
    }

    #[test]
    fn large_numbers_have_groups_of_digits() {
        for (value, english, german) in [
            (0, "0", "0"),
            (9_999, "9999", "9999"),
            (10_000, "10,000", "10.000"),
            (1_234_567, "1,234,567", "1.234.567"),
        ] {
            assert_eq!(number(value, Language::English), english);
            assert_eq!(number(value, Language::German), german);
        }
    }

    #[test]
    fn a_time_names_its_zone() {
        let at = "2026-03-04T05:06:07Z".parse().unwrap();
        assert_eq!(
            time(at, Language::German).into_string(),
            "<time datetime=\"2026-03-04T05:06:07Z\">04.03.2026, 05:06 UTC</time>"
        );
    }
}
