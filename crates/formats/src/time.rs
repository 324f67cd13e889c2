//! Milliseconds, seconds and the timestamps of subtitle files.

use std::fmt;

/// The latest end of a cue in milliseconds: one million hours. As seconds, an `f64`
/// represents every millisecond up to here unambiguously.
pub const MAX_MILLIS: u64 = 3_600_000 * 1_000_000;

/// Converts milliseconds to the nearest `f64` number of seconds, from which
/// [`millis`] restores the same milliseconds.
#[expect(clippy::cast_precision_loss, reason = "MAX_MILLIS is far below 2^53")]
pub fn seconds(millis: u64) -> f64 {
    millis.min(MAX_MILLIS) as f64 / 1000.0
}

/// Converts seconds to milliseconds, half a millisecond rounded up. Negative
/// numbers and NaN become 0; the result is at most [`MAX_MILLIS`].
///
/// Rounds the shortest decimal number that represents the `f64`, because multiplying
/// the `f64` by 1000 would add a rounding error:
///
/// ```
/// # use lectern_formats::millis;
/// assert_eq!(millis(0.5005), 501);
/// assert_eq!((0.5005_f64 * 1000.0).round(), 500.0);
/// ```
pub fn millis(seconds: f64) -> u64 {
    if seconds.is_nan() || seconds <= 0.0 {
        return 0;
    }
    if seconds >= self::seconds(MAX_MILLIS) {
        return MAX_MILLIS;
    }
    let decimal = seconds.to_string();
    let (whole, fraction) = decimal.split_once('.').unwrap_or((&decimal, ""));
    parse_saturating(whole).saturating_mul(1000) + fraction_millis(fraction)
}

/// Milliseconds that may be before the start of the recording, cut there.
pub(crate) fn non_negative(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}

/// Parses a timestamp `HH:MM:SS.mmm` to milliseconds. Hours and decimals may be
/// missing, the decimal mark may be a comma, and the first number has no upper
/// limit. `None` if the text is not a timestamp.
pub(crate) fn parse_timestamp(text: &str) -> Option<u64> {
    let (clock, fraction) = text.split_once([',', '.']).unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(fraction) {
        return None;
    }
    let mut total: u64 = 0;
    let mut part_count = 0;
    for part in clock.split(':') {
        part_count += 1;
        let value = parse_saturating(part);
        let is_in_range = part_count == 1 || (part.len() <= 2 && value < 60);
        if part.is_empty() || !is_digits(part) || !is_in_range || part_count > 3 {
            return None;
        }
        total = total.saturating_mul(60).saturating_add(value);
    }
    let millis = total
        .saturating_mul(1000)
        .saturating_add(fraction_millis(fraction));
    (part_count > 1).then_some(millis.min(MAX_MILLIS))
}

/// Converts the digits after a decimal mark to milliseconds, rounding half up at the
/// fourth digit.
fn fraction_millis(digits: &str) -> u64 {
    let digit = |i| {
        digits
            .as_bytes()
            .get(i)
            .map_or(0, |byte| u64::from(byte - b'0'))
    };
    digit(0) * 100 + digit(1) * 10 + digit(2) + u64::from(digit(3) >= 5)
}

/// Parses digits; a larger number becomes `u64::MAX`.
fn parse_saturating(digits: &str) -> u64 {
    digits.parse().unwrap_or(u64::MAX)
}

/// Displays milliseconds as `HH:MM:SS` and three decimals, with the decimal mark in the
/// second field.
pub(crate) struct Timestamp(pub(crate) u64, pub(crate) char);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(millis, mark) = self;
        write!(f, "{}{mark}{:03}", TimestampSeconds(*millis), millis % 1000)
    }
}

/// Displays milliseconds as `HH:MM:SS`, rounded down to whole seconds.
pub(crate) struct TimestampSeconds(pub(crate) u64);

impl fmt::Display for TimestampSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}", seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100,000 pseudo-random times of all magnitudes up to the limit.
    fn times() -> impl Iterator<Item = u64> {
        let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
        (0..100_000).map(move |i| {
            // Xorshift (Marsaglia, 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let bound = [100_000, 14_400_000, 360_000_000, MAX_MILLIS + 1][i % 4];
            state % bound
        })
    }

    #[test]
    fn milliseconds_survive_the_conversion_to_seconds() {
        for ms in times().chain([0, 1, MAX_MILLIS - 1, MAX_MILLIS]) {
            assert_eq!(millis(seconds(ms)), ms);
        }
    }

    #[test]
    fn a_displayed_timestamp_is_parsed_to_the_same_time() {
        for ms in times().chain([0, 1, MAX_MILLIS - 1, MAX_MILLIS]) {
            assert_eq!(parse_timestamp(&Timestamp(ms, '.').to_string()), Some(ms));
            assert_eq!(parse_timestamp(&Timestamp(ms, ',').to_string()), Some(ms));
        }
    }

    #[test]
    fn half_a_millisecond_is_rounded_up() {
        // An odd number of half milliseconds is a time such as 0.0005 s, which an `f64`
        // rarely represents exactly.
        for half in 1..200_000_u64 {
            let decimal = format!("{}.{:04}", half / 2000, half % 2000 * 5);
            assert_eq!(
                millis(decimal.parse().unwrap()),
                half.div_ceil(2),
                "{decimal}"
            );
        }
        assert_eq!(millis(59.9996), 60_000);
        assert_eq!(parse_timestamp("00:59.9996"), Some(60_000));
    }

    #[test]
    fn seconds_outside_the_range_of_cues_are_limited() {
        for too_small in [f64::NAN, f64::NEG_INFINITY, -1.0, -0.0, 5e-324] {
            assert_eq!(millis(too_small), 0);
        }
        for too_large in [f64::INFINITY, f64::MAX, 3.7e9] {
            assert_eq!(millis(too_large), MAX_MILLIS);
        }
    }

    #[test]
    fn common_variants_of_timestamps_are_parsed() {
        for (text, ms) in [
            ("01:02.345", 62_345),
            ("00:01:02,345", 62_345),
            ("0:1:2", 62_000),
            ("100:00:00.5", 360_000_500),
            ("90:00.000", 5_400_000),
            ("00:01.", 1_000),
            ("99999999999999999999999:00:00.000", MAX_MILLIS),
        ] {
            assert_eq!(parse_timestamp(text), Some(ms), "{text}");
        }
        for text in [
            "",
            ":",
            "5",
            "5.0",
            "00:60.000",
            "00:60:00.000",
            "1:2:3:4",
            "-0:01.000",
            "00:001.000",
            "00:01.00x",
            "00:01.000.0",
            "+0:01",
            "٠٠:٠١",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }
}
