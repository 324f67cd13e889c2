//! Lines out of pieces, and how far ffmpeg has come.

/// Puts lines together from pieces of a stream.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes a piece and hands over the lines that it ends.
    pub(crate) fn push(&mut self, piece: &[u8], mut take: impl FnMut(&str)) {
        self.begun.extend_from_slice(piece);
        let Some(last) = self.begun.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let rest = self.begun.split_off(last + 1);
        for line in String::from_utf8_lossy(&self.begun).lines() {
            take(line);
        }
        self.begun = rest;
    }
}

/// Reads how many seconds of output are done off a line of `-progress`, which
/// tells microseconds, and `N/A` before there is any.
pub(crate) fn seconds_done(line: &str) -> Option<f64> {
    let micros: f64 = line.strip_prefix("out_time_us=")?.trim().parse().ok()?;
    (micros >= 0.0).then_some(micros / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_the_stream_is_cut() {
        let text = "out_time_us=N/A\nzwölf\n\nout_time_us=1500000\nhalf";
        for size in 1..text.len() {
            let (mut lines, mut got) = (Lines::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                lines.push(piece, |line| got.push(line.to_owned()));
            }
            assert_eq!(got, ["out_time_us=N/A", "zwölf", "", "out_time_us=1500000"]);
        }
    }

    #[test]
    fn time_is_told_in_microseconds() {
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
