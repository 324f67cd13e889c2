//! Time expressions of TTML.
//!
//! <https://www.w3.org/TR/ttml2/#timing-value-time-expression>

use super::xml::Element;
use crate::time::MAX_MILLIS;

/// How many frames and ticks a second has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    frames: f64,
    ticks: f64,
}

impl Rates {
    /// The rates that the root element declares.
    pub(super) fn of(root: &Element) -> Self {
        let number = |name| root.attribute(name).and_then(positive);
        let frame_rate = number("frameRate");
        let sub_frames = number("subFrameRate").unwrap_or(1.0);
        let multiplier = root.attribute("frameRateMultiplier").and_then(|ratio| {
            let (numerator, denominator) = ratio.trim().split_once([' ', ':'])?;
            Some(positive(numerator)? / positive(denominator)?)
        });
        let ticks = number("tickRate").or(frame_rate.map(|rate| rate * sub_frames));
        Self {
            frames: frame_rate.unwrap_or(30.0) * multiplier.unwrap_or(1.0),
            ticks: ticks.unwrap_or(1.0),
        }
    }

    /// The milliseconds of a time such as `00:00:01.500`, `00:00:01:15` (frames), `1.5s` or
    /// `1500ms`. A number without a unit is in seconds.
    pub(super) fn millis(self, expression: &str) -> Option<i64> {
        let expression = expression.trim();
        if expression.contains(':') {
            return self.clock_millis(expression);
        }
        let end = expression.find(|c: char| c.is_ascii_alphabetic());
        let (number, unit) = expression.split_at(end.unwrap_or(expression.len()));
        let seconds_per_unit = match unit {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" | "" => 1.0,
            "ms" => 0.001,
            "f" => 1.0 / self.frames,
            "t" => 1.0 / self.ticks,
            _ => return None,
        };
        to_millis(non_negative(number)? * seconds_per_unit)
    }

    fn clock_millis(self, clock: &str) -> Option<i64> {
        let parts: Vec<&str> = clock.split(':').collect();
        let (whole, frames) = match parts[..] {
            [_, _, _, frames] => (&parts[..3], frames),
            [_, _] | [_, _, _] => (&parts[..], "0"),
            _ => return None,
        };
        let mut seconds = 0.0;
        for part in whole {
            seconds = seconds * 60.0 + non_negative(&part.replace(',', "."))?;
        }
        to_millis(seconds + non_negative(frames)? / self.frames)
    }
}

fn non_negative(text: &str) -> Option<f64> {
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_number)
}

fn positive(text: &str) -> Option<f64> {
    non_negative(text.trim()).filter(|number| *number > 0.0)
}

fn to_millis(seconds: f64) -> Option<i64> {
    i64::try_from(crate::time::millis(seconds).min(MAX_MILLIS)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_frames_ticks_and_offsets_are_read() {
        let rates = Rates {
            frames: 25.0,
            ticks: 10_000_000.0,
        };
        for (expression, ms) in [
            ("00:00:01.500", 1_500),
            ("00:01:02", 62_000),
            ("01:02.5", 62_500),
            ("00:00:01:05", 1_200),
            ("1.5s", 1_500),
            ("1500ms", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("50f", 2_000),
            ("15000000t", 1_500),
            ("12.5", 12_500),
        ] {
            assert_eq!(rates.millis(expression), Some(ms), "{expression}");
        }
        for expression in ["", "x", "-1s", "1.5q", "1:2:3:4:5", "::", "infs", "NaN"] {
            assert_eq!(rates.millis(expression), None, "{expression}");
        }
    }
}
