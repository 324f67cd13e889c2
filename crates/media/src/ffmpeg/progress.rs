//! ffmpeg's progress report.

/// Parses the seconds of output written so far from a line of `-progress`. The
/// line has microseconds, or `N/A` before the first frame.
pub(super) fn seconds_done(line: &str) -> Option<f64> {
    let micros: f64 = line.strip_prefix("out_time_us=")?.trim().parse().ok()?;
    (micros >= 0.0).then_some(micros / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_of_microseconds_is_progress() {
        assert_eq!(seconds_done("out_time_us=1500000"), Some(1.5));
        for line in [
            "out_time_us=N/A",
            "out_time_us=-23",
            "out_time=00:00:01.5",
            "progress=end",
        ] {
            assert_eq!(seconds_done(line), None, "{line}");
        }
    }
}
