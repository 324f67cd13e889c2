//! The skeleton that WebVTT and `SubRip` share: lines with times, and what
//! stands between them.

mod line;

use crate::error::FormatError;
use crate::time;

pub(crate) use line::{Line, lines};

/// The lines under a line with times, up to the next cue.
#[derive(Debug)]
pub(crate) struct Timed<'a> {
    /// The number of the line with the times.
    pub(crate) line: usize,
    /// In milliseconds; not necessarily in order.
    pub(crate) start_ms: u64,
    /// In milliseconds.
    pub(crate) end_ms: u64,
    lines: &'a [Line<'a>],
}

impl Timed<'_> {
    /// The lines as one text, line ends as LF.
    pub(crate) fn text(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(|line| line.text).collect();
        lines.join("\n")
    }
}

/// Finds the cues. A blank line does not end one: what follows still belongs to
/// it, unless it is the counter or name of the next.
///
/// A line whose times were meant but cannot be read is an error; any other
/// that has an arrow is text.
pub(crate) fn timed<'a>(lines: &'a [Line<'a>]) -> Result<Vec<Timed<'a>>, FormatError> {
    let mut found: Vec<(usize, (u64, u64))> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if let Some(times) = times(line.text) {
            let times = times.ok_or_else(|| {
                FormatError::new(
                    line.number,
                    "expected times such as 00:00:01.000 --> 00:00:02.500",
                )
            })?;
            found.push((i, times));
        }
    }
    let ends = found
        .iter()
        .skip(1)
        .map(|(next, _)| Some(*next))
        .chain([None]);
    Ok(found
        .iter()
        .zip(ends)
        .map(|((i, (start_ms, end_ms)), next)| {
            let below = &lines[i + 1..next.unwrap_or(lines.len())];
            Timed {
                line: lines[*i].number,
                start_ms: *start_ms,
                end_ms: *end_ms,
                lines: trimmed(match next {
                    Some(_) => without_name(below),
                    None => below,
                }),
            }
        })
        .collect())
}

/// The times of a line: `None` when it has none, `Some(None)` when they cannot
/// be read.
fn times(line: &str) -> Option<Option<(u64, u64)>> {
    let (start, end) = line.split_once("-->")?;
    let start = start.trim();
    // Behind the end there may be settings or coordinates.
    let end = end.split_whitespace().next().unwrap_or_default();
    if let (Some(start), Some(end)) = (time::parse(start), time::parse(end)) {
        return Some(Some((start, end)));
    }
    let of_times = |byte: u8| byte.is_ascii_digit() || b":.,-".contains(&byte);
    let meant = start.contains(':') && start.bytes().all(of_times);
    meant.then_some(None)
}

/// Whether the line has times, readable or not.
pub(crate) fn has_times(line: Line<'_>) -> bool {
    times(line.text).is_some()
}

/// Cuts off the last line when it is the counter or name of the cue below: a
/// number directly above the times, or on its own under other text; anything
/// else directly above the times that has a blank line above itself.
fn without_name<'a>(lines: &'a [Line<'a>]) -> &'a [Line<'a>] {
    let text = trimmed(lines);
    let Some(last) = lines.iter().rposition(|line| !line.is_blank()) else {
        return text;
    };
    let touches = last + 1 == lines.len();
    let is_apart = last > 0 && lines[last - 1].is_blank();
    let digits = lines[last].text.trim();
    let is_name = match (touches, digits.bytes().all(|byte| byte.is_ascii_digit())) {
        (true, is_number) => is_number || is_apart,
        (false, is_number) => is_number && is_apart && text.len() > 1,
    };
    if is_name {
        trimmed(&lines[..last])
    } else {
        text
    }
}

/// The lines without blank ones around them.
fn trimmed<'a>(lines: &'a [Line<'a>]) -> &'a [Line<'a>] {
    let is_text = |line: &Line<'_>| !line.is_blank();
    let first = lines.iter().position(is_text).unwrap_or(lines.len());
    let last = lines
        .iter()
        .rposition(is_text)
        .map_or(first, |last| last + 1);
    &lines[first..last]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timed_text::lines;

    fn texts(file: &str) -> Vec<String> {
        let lines = lines(file);
        timed(&lines).unwrap().iter().map(Timed::text).collect()
    }

    #[test]
    fn counters_may_be_missing_wrong_or_words() {
        for name in ["", "1\n", "-7\n", "two\n", "99999999999999999999999\n"] {
            let file = format!("{name}0:01 --> 0:02\na\n\n{name}0:03 --> 0:04\nb\n");
            assert_eq!(texts(&file), ["a", "b"], "{name}");
        }
    }

    #[test]
    fn blank_lines_may_be_missing_or_too_many() {
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
    fn a_number_that_is_said_is_no_counter() {
        assert_eq!(texts("0:01 --> 0:02\n42\n\n0:03 --> 0:04\n7"), ["42", "7"]);
        assert_eq!(
            texts("1\n0:01 --> 0:02\n42\n\n2\n0:03 --> 0:04\n7\n"),
            ["42", "7"]
        );
    }

    #[test]
    fn an_arrow_alone_makes_no_times() {
        assert_eq!(
            texts("0:01 --> 0:02\nx --> y\n5 --> 6"),
            ["x --> y\n5 --> 6"]
        );
        let lines = lines("0:01 --> 0:02\na\n\n0:01:-0 --> 0:02\n");
        assert_eq!(timed(&lines).unwrap_err().line, 4);
    }
}
