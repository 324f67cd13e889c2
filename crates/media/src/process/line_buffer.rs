//! Lines of a stream that arrives in pieces.

/// Greatest length of a line, in bytes. Only lines that contain texts of the recording
/// can be longer, and these are not needed.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Collects pieces of a stream until they form lines. The beginning of a line that is
/// longer than [`MAX_LINE_BYTES`] is discarded.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    unfinished: Vec<u8>,
}

impl LineBuffer {
    /// Appends a piece and passes each line that it completes to `on_line`.
    pub(crate) fn push(&mut self, piece: &[u8], mut on_line: impl FnMut(&str)) {
        if self.unfinished.len() > MAX_LINE_BYTES {
            self.unfinished.clear();
        }
        self.unfinished.extend_from_slice(piece);
        let Some(last) = self.unfinished.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let rest = self.unfinished.split_off(last + 1);
        for line in String::from_utf8_lossy(&self.unfinished).lines() {
            on_line(line);
        }
        self.unfinished = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_line_takes_bounded_memory() {
        let (mut buffer, mut lines) = (LineBuffer::default(), Vec::new());
        for _ in 0..1000 {
            buffer.push(&[b'x'; 4096], |line| lines.push(line.len()));
            assert!(buffer.unfinished.len() <= MAX_LINE_BYTES + 4096);
        }
        buffer.push(b"\nout_time_us=1\n", |line| lines.push(line.len()));
        assert_eq!(lines.last(), Some(&13));
    }

    #[test]
    fn lines_do_not_depend_on_the_size_of_the_pieces() {
        let text = "out_time_us=N/A\nzwölf\n\nout_time_us=1500000\nunfinished";
        for size in 1..text.len() {
            let (mut buffer, mut lines) = (LineBuffer::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                buffer.push(piece, |line| lines.push(line.to_owned()));
            }
            assert_eq!(
                lines,
                ["out_time_us=N/A", "zwölf", "", "out_time_us=1500000"]
            );
        }
    }
}
