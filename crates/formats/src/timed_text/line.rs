//! Text to lines.

/// A line without its end, and its number; the first is 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
}

impl Line<'_> {
    /// Whether there is nothing on it but spaces and tabs.
    pub(crate) fn is_blank(self) -> bool {
        self.text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
    }
}

/// The lines of a text, whether they end in LF, CRLF or CR.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .enumerate()
        .map(|(i, text)| Line {
            number: i + 1,
            text,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        lines(text).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn every_line_end_ends_a_line() {
        assert_eq!(texts("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(texts("a\n\r\nb\r\r\nc"), ["a", "", "b", "", "c"]);
        assert_eq!(lines("a\r\rb")[2].number, 3);
    }
}
