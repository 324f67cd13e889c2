//! The structure that WebVTT and `SubRip` share: counters or identifiers and timing lines,
//! each followed by the text of its cue.

use crate::error::FormatError;
use crate::time::parse_timestamp;

/// A timing line and the lines of text below it.
#[derive(Debug)]
pub(crate) struct CueBlock<'a> {
    /// The number of the timing line, counted from 1.
    pub(crate) line: usize,
    pub(crate) start_ms: u64,
    /// May be before the start.
    pub(crate) end_ms: u64,
    lines: &'a [Line<'a>],
}

impl CueBlock<'_> {
    /// The text with its markup, line ends as LF.
    pub(crate) fn text(&self) -> String {
        let size = self.lines.iter().map(|line| line.text.len() + 1).sum();
        let mut text = String::with_capacity(size);
        for (i, line) in self.lines.iter().enumerate() {
            if i > 0 {
                text.push('\n');
            }
            text.push_str(line.text);
        }
        text
    }
}

/// Splits lines into cues. A blank line does not end a cue: all lines up to the next
/// timing line belong to the cue, except the counter or identifier of the next cue.
///
/// Fails on a malformed timing line. A line with an arrow, but no timestamp before it, is
/// text.
pub(crate) fn cue_blocks<'a>(lines: &'a [Line<'a>]) -> Result<Vec<CueBlock<'a>>, FormatError> {
    let mut timing_lines: Vec<(usize, Times)> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        match parse_timing_line(line.text) {
            TimingLine::Valid(times) => timing_lines.push((i, times)),
            TimingLine::Malformed => {
                let expected = "expected times such as 00:00:01.000 --> 00:00:02.500";
                return Err(FormatError::new(line.number, expected));
            }
            TimingLine::NotTiming => {}
        }
    }
    let next_lines = timing_lines.iter().skip(1).map(|(next, _)| Some(*next));
    let blocks = timing_lines
        .iter()
        .zip(next_lines.chain([None]))
        .map(|((i, times), next)| CueBlock {
            line: lines[*i].number,
            start_ms: times.start_ms,
            end_ms: times.end_ms,
            lines: match next {
                Some(next) => without_identifier(&lines[i + 1..next]),
                None => trim_blank_lines(&lines[i + 1..]),
            },
        });
    Ok(blocks.collect())
}

/// Whether the line is a timing line, well-formed or not.
pub(crate) fn is_timing_line(line: Line<'_>) -> bool {
    !matches!(parse_timing_line(line.text), TimingLine::NotTiming)
}

struct Times {
    start_ms: u64,
    end_ms: u64,
}

/// The result of parsing a line as a timing line.
enum TimingLine {
    Valid(Times),
    Malformed,
    /// The line is text.
    NotTiming,
}

fn parse_timing_line(line: &str) -> TimingLine {
    let Some((start, end)) = line.split_once("-->") else {
        return TimingLine::NotTiming;
    };
    let start = start.trim();
    // Cue settings or coordinates may follow the end.
    let end = end.split_whitespace().next().unwrap_or_default();
    if let (Some(start_ms), Some(end_ms)) = (parse_timestamp(start), parse_timestamp(end)) {
        return TimingLine::Valid(Times { start_ms, end_ms });
    }
    let is_timestamp_byte = |byte: u8| byte.is_ascii_digit() || b":.,-".contains(&byte);
    if start.contains(':') && start.bytes().all(is_timestamp_byte) {
        TimingLine::Malformed
    } else {
        TimingLine::NotTiming
    }
}

/// Removes the identifier of the next cue from `lines`, the lines between two timing
/// lines. An identifier is
///
/// - a number directly above the second timing line;
/// - any other line directly above the second timing line, if it follows a blank line;
/// - a number between blank lines, if there is text above it.
fn without_identifier<'a>(lines: &'a [Line<'a>]) -> &'a [Line<'a>] {
    let text = trim_blank_lines(lines);
    let Some(last) = lines.iter().rposition(|line| !line.is_blank()) else {
        return text;
    };
    let is_directly_above = last + 1 == lines.len();
    let is_after_blank = last > 0 && lines[last - 1].is_blank();
    let is_number = lines[last]
        .text
        .trim()
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    let is_identifier = if is_directly_above {
        is_number || is_after_blank
    } else {
        is_number && is_after_blank && text.len() > 1
    };
    if is_identifier {
        trim_blank_lines(&lines[..last])
    } else {
        text
    }
}

/// Removes blank lines from both ends.
fn trim_blank_lines<'a>(lines: &'a [Line<'a>]) -> &'a [Line<'a>] {
    let is_text = |line: &Line<'_>| !line.is_blank();
    let first = lines.iter().position(is_text).unwrap_or(lines.len());
    let end = lines
        .iter()
        .rposition(is_text)
        .map_or(first, |last| last + 1);
    &lines[first..end]
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(file: &str) -> Vec<String> {
        let lines = lines(file);
        cue_blocks(&lines)
            .unwrap()
            .iter()
            .map(CueBlock::text)
            .collect()
    }

    #[test]
    fn identifiers_may_be_missing_unordered_or_not_numeric() {
        for name in ["", "1\n", "-7\n", "two\n", "99999999999999999999999\n"] {
            let file = format!("{name}0:01 --> 0:02\na\n\n{name}0:03 --> 0:04\nb\n");
            assert_eq!(texts(&file), ["a", "b"], "{name}");
        }
    }

    #[test]
    fn blank_lines_may_be_missing_or_repeated() {
        assert_eq!(
            texts("1\n0:01 --> 0:02\na\n2\n0:03 --> 0:04\nb"),
            ["a", "b"]
        );
        assert_eq!(
            texts("1\n\n0:01 --> 0:02\n\na\n\n2\n\n0:03 --> 0:04\n\nb\n\n"),
            ["a", "b"]
        );
        assert_eq!(
            texts("0:01 --> 0:02\na\n\nstill a\n\n2\n0:03 --> 0:04\nb"),
            ["a\n\nstill a", "b"]
        );
    }

    #[test]
    fn a_number_in_the_text_is_not_an_identifier() {
        assert_eq!(texts("0:01 --> 0:02\n42\n\n0:03 --> 0:04\n7"), ["42", "7"]);
        assert_eq!(
            texts("1\n0:01 --> 0:02\n42\n\n2\n0:03 --> 0:04\n7\n"),
            ["42", "7"]
        );
    }

    #[test]
    fn an_arrow_without_a_timestamp_is_text() {
        assert_eq!(
            texts("0:01 --> 0:02\nx --> y\n5 --> 6"),
            ["x --> y\n5 --> 6"]
        );
        let lines = lines("0:01 --> 0:02\na\n\n0:01:-0 --> 0:02\n");
        assert_eq!(cue_blocks(&lines).unwrap_err().line, 4);
    }

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
