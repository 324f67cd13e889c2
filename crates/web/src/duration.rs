//! Durations as people read them.

use crate::language::Language;

/// A duration with its two largest units, such as `2 min 5 s` or `3 d 4 h`; below ten seconds
/// with a decimal.
pub(crate) fn duration(seconds: f64, language: Language) -> String {
    let units = &language.words().operation.units;
    // Beyond billions of years, the cast saturates.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    #[expect(clippy::cast_sign_loss, reason = "durations are not negative")]
    let whole = seconds.round() as u64;
    // What is rounded to 10.0 is shown without a decimal.
    if seconds < 9.95 {
        let text = format!("{seconds:.1}");
        let text = text.strip_suffix(".0").unwrap_or(&text);
        let text = match language {
            Language::English => text.to_owned(),
            Language::German => text.replace('.', ","),
        };
        return format!("{text} {}", units.seconds);
    }
    let (large, large_unit, small, small_unit) = match whole {
        0..60 => return format!("{whole} {}", units.seconds),
        60..3_600 => (whole / 60, units.minutes, whole % 60, units.seconds),
        3_600..86_400 => (whole / 3_600, units.hours, whole / 60 % 60, units.minutes),
        _ => (whole / 86_400, units.days, whole / 3_600 % 24, units.hours),
    };
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_at_most_two_units() {
        for (seconds, english, german) in [
            (0.0, "0 s", "0 s"),
            (0.04, "0 s", "0 s"),
            (1.25, "1.2 s", "1,2 s"),
            (9.96, "10 s", "10 s"),
            (59.4, "59 s", "59 s"),
            (59.6, "1 min", "1 min"),
            (125.0, "2 min 5 s", "2 min 5 s"),
            (3_600.0, "1 h", "1 h"),
            (12_000.0, "3 h 20 min", "3 h 20 min"),
            (187_200.0, "2 d 4 h", "2 T 4 h"),
        ] {
            assert_eq!(duration(seconds, Language::English), english);
            assert_eq!(duration(seconds, Language::German), german);
        }
    }
}
