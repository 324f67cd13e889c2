//! The last words of a child.

use std::collections::VecDeque;

/// How many bytes are kept.
const BYTES: usize = 4 * 1024;
/// How many lines are told.
const LINES: usize = 20;

/// The end of a stream of text, however long the stream is.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    kept: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    /// Takes more of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
        if let Some(over @ 1..) = self.kept.len().checked_sub(BYTES) {
            self.kept.drain(..over);
            self.cut = true;
        }
    }

    /// The last lines that have something in them; a line whose beginning was
    /// lost is left out unless it is all there is.
    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> = self.kept.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let whole = match text.split_once(['\n', '\r']) {
            Some((_, rest)) if self.cut && !rest.trim().is_empty() => rest,
            _ => &text,
        };
        let lines: Vec<&str> = whole
            .split(['\n', '\r'])
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_twenty_lines_are_kept() {
        let mut tail = Tail::default();
        for line in 0..1000 {
            tail.push(format!("line {line}\r\n\n").as_bytes());
        }
        let text = tail.text();
        assert_eq!(text.lines().count(), 20);
        assert!(text.starts_with("line 980\n") && text.ends_with("line 999"));
    }

    #[test]
    fn no_more_than_four_kibibytes_are_kept_of_one_line() {
        let mut tail = Tail::default();
        for _ in 0..100 {
            tail.push(&[b'x'; 1000]);
        }
        assert_eq!(tail.text(), "x".repeat(4096));
    }

    #[test]
    fn a_line_without_its_beginning_is_left_out() {
        let mut tail = Tail::default();
        tail.push("é".repeat(3000).as_bytes());
        tail.push("\nthe reason\n".as_bytes());
        assert_eq!(tail.text(), "the reason");
    }
}
