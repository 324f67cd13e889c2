//! The last lines a child process wrote to stderr.

use std::collections::VecDeque;

/// Greatest length of the tail, in bytes.
const MAX_BYTES: usize = 4 * 1024;
/// Greatest number of lines in the tail.
const MAX_LINES: usize = 20;

/// The end of a text stream of any length.
#[derive(Debug, Default)]
pub(crate) struct StderrTail {
    bytes: VecDeque<u8>,
    is_truncated: bool,
}

impl StderrTail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        if let Some(excess @ 1..) = self.bytes.len().checked_sub(MAX_BYTES) {
            self.bytes.drain(..excess);
            self.is_truncated = true;
        }
    }

    /// The last lines that are not empty. A line whose beginning was discarded is
    /// omitted unless it is the only line.
    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let complete = match text.split_once(['\n', '\r']) {
            Some((_, rest)) if self.is_truncated && !rest.trim().is_empty() => rest,
            _ => &text,
        };
        let lines: Vec<&str> = complete
            .split(['\n', '\r'])
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(MAX_LINES)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_twenty_lines_are_kept() {
        let mut tail = StderrTail::default();
        for line in 0..1000 {
            tail.push(format!("line {line}\r\n\n").as_bytes());
        }
        let text = tail.text();
        assert_eq!(text.lines().count(), 20);
        assert!(text.starts_with("line 980\n") && text.ends_with("line 999"));
    }

    #[test]
    fn a_single_long_line_is_cut_to_four_kibibytes() {
        let mut tail = StderrTail::default();
        for _ in 0..100 {
            tail.push(&[b'x'; 1000]);
        }
        assert_eq!(tail.text(), "x".repeat(4096));
    }

    #[test]
    fn a_line_without_its_beginning_is_omitted() {
        let mut tail = StderrTail::default();
        tail.push("é".repeat(3000).as_bytes());
        tail.push("\nthe reason\n".as_bytes());
        assert_eq!(tail.text(), "the reason");
    }
}
