//! Times: milliseconds, seconds, and how subtitles write them.

use std::fmt;

/// The last millisecond a cue may end at: a million hours. Up to here no two
/// milliseconds share a number of seconds, by a wide margin.
pub const MAX_MILLIS: u64 = 3_600_000 * 1_000_000;

/// Whole milliseconds as seconds: the `f64` nearest to them, which
/// [`millis`] turns into the same milliseconds again.
#[expect(clippy::cast_precision_loss, reason = "MAX_MILLIS is far below 2^53")]
pub fn seconds(millis: u64) -> f64 {
    millis.min(MAX_MILLIS) as f64 / 1000.0
}

/// Seconds as whole milliseconds, half a millisecond away from zero. What is
/// below 0 or not a number becomes 0, what is above the limit [`MAX_MILLIS`].
///
/// Rounded is the decimal number that the `f64` is written as, not the product
/// with 1000, which has a rounding error of its own:
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
    let written = seconds.to_string();
    let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
    from_digits(whole).saturating_mul(1000) + fraction_millis(fraction)
}

/// Reads `HH:MM:SS.mmm`, where hours and decimals may be missing, the decimal
/// mark may be a comma, and the leading number may be as large as it likes.
/// `None` when the text is no such time.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (clock, fraction) = text.split_once([',', '.']).unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(fraction) {
        return None;
    }
    let mut total: u64 = 0;
    let mut units = 0;
    for part in clock.split(':') {
        units += 1;
        let value = from_digits(part);
        let fits = units == 1 || (part.len() <= 2 && value < 60);
        if part.is_empty() || !is_digits(part) || !fits || units > 3 {
            return None;
        }
        total = total.saturating_mul(60).saturating_add(value);
    }
    let millis = total
        .saturating_mul(1000)
        .saturating_add(fraction_millis(fraction));
    (units > 1).then_some(millis.min(MAX_MILLIS))
}

/// The milliseconds of the digits behind a decimal mark, rounded by the fourth.
fn fraction_millis(digits: &str) -> u64 {
    let digit = |i| {
        digits
            .as_bytes()
            .get(i)
            .map_or(0, |byte| u64::from(byte - b'0'))
    };
    digit(0) * 100 + digit(1) * 10 + digit(2) + u64::from(digit(3) >= 5)
}

/// A number of digits only; too many are as much as fits.
fn from_digits(digits: &str) -> u64 {
    digits.parse().unwrap_or(u64::MAX)
}

/// Milliseconds as `HH:MM:SS` with the given decimal mark and three decimals.
pub(crate) struct Written(pub(crate) u64, pub(crate) char);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(millis, mark) = self;
        write!(f, "{}{mark}{:03}", Clock(*millis), millis % 1000)
    }
}

/// Milliseconds as `HH:MM:SS`, cut down to whole seconds.
pub(crate) struct Clock(pub(crate) u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}", seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100,000 times, spread over all magnitudes up to the limit.
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
    fn milliseconds_survive_being_seconds() {
        for ms in times().chain([0, 1, MAX_MILLIS - 1, MAX_MILLIS]) {
            assert_eq!(millis(seconds(ms)), ms);
        }
    }

    #[test]
    fn a_written_time_is_read_exactly() {
        for ms in times().chain([0, 1, MAX_MILLIS - 1, MAX_MILLIS]) {
            assert_eq!(parse(&Written(ms, '.').to_string()), Some(ms));
            assert_eq!(parse(&Written(ms, ',').to_string()), Some(ms));
        }
    }

    #[test]
    fn decimals_are_rounded_half_away_from_zero() {
        // Every other of these is a tie in decimals and hardly one in binary.
        for half in 1..200_000_u64 {
            let written = format!("{}.{:04}", half / 2000, half % 2000 * 5);
            assert_eq!(
                millis(written.parse().unwrap()),
                half.div_ceil(2),
                "{written}"
            );
        }
        assert_eq!(millis(59.9996), 60_000);
        assert_eq!(parse("00:59.9996"), Some(60_000));
    }

    #[test]
    fn what_no_cue_can_have_is_brought_to_the_nearest_that_one_can() {
        for nothing in [f64::NAN, f64::NEG_INFINITY, -1.0, -0.0, 5e-324] {
            assert_eq!(millis(nothing), 0);
        }
        for much in [f64::INFINITY, f64::MAX, 3.7e9] {
            assert_eq!(millis(much), MAX_MILLIS);
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, ms) in [
            ("01:02.345", 62_345),
            ("00:01:02,345", 62_345),
            ("0:1:2", 62_000),
            ("100:00:00.5", 360_000_500),
            ("90:00.000", 5_400_000),
            ("00:01.", 1_000),
            ("99999999999999999999999:00:00.000", MAX_MILLIS),
        ] {
            assert_eq!(parse(text), Some(ms), "{text}");
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
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
