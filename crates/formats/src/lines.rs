//! The lines of a text file.

/// A line without its line end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) text: &'a str,
}

impl Line<'_> {
    /// Whether the line has only spaces and tabs.
    pub(crate) fn is_blank(self) -> bool {
        self.text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
    }

    /// Whether the line is a number.
    pub(crate) fn is_number(self) -> bool {
        let number = self.text.trim();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Splits a text at LF, CRLF and CR.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let ends = text.bytes().filter(|byte| matches!(byte, b'\n' | b'\r'));
    // A growing list would need up to three times the memory.
    let mut lines = Vec::with_capacity(1 + ends.count());
    let texts = text
        .split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'));
    lines.extend(texts.enumerate().map(|(i, text)| Line {
        number: i + 1,
        text,
    }));
    lines
}

/// Removes blank lines from both ends.
pub(crate) fn trim_blank_lines<'s, 'a>(lines: &'s [Line<'a>]) -> &'s [Line<'a>] {
    let is_text = |line: &Line<'_>| !line.is_blank();
    let first = lines.iter().position(is_text).unwrap_or(lines.len());
    let end = lines
        .iter()
        .rposition(is_text)
        .map_or(first, |last| last + 1);
    &lines[first..end]
}

/// The text of several lines, with LF between them.
pub(crate) fn join(lines: &[Line<'_>]) -> String {
    let texts: Vec<_> = lines.iter().map(|line| line.text).collect();
    texts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_texts(text: &str) -> Vec<&str> {
        lines(text).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lf_crlf_and_cr_end_a_line() {
        assert_eq!(line_texts("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(line_texts("a\n\r\nb\r\r\nc"), ["a", "", "b", "", "c"]);
        assert_eq!(lines("a\r\rb")[2].number, 3);
    }
}
