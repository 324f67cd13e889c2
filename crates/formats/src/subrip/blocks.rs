//! The cues of a `SubRip` file: counters, timing lines, and texts below them.

use crate::lines::{Line, join, trim_blank_lines};
use crate::timing_line::{Arrows, Times, TimingLine, parse_timing_line};

/// A timing line, or a counter whose timing line is missing, and the text below it.
#[derive(Debug)]
pub(super) struct Block<'a> {
    /// The number of that line, counted from 1.
    pub(super) line: usize,
    pub(super) times: BlockTimes,
    lines: &'a [Line<'a>],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockTimes {
    Valid(Times),
    Malformed,
    Missing,
}

impl Block<'_> {
    /// The text with its markup, line ends as LF.
    pub(super) fn text(&self) -> String {
        join(self.lines)
    }
}

/// Splits lines into cues. A blank line does not end a cue: all lines up to the next timing
/// line belong to the cue, except the counter of the next cue. A counter that follows the one
/// before it, but has no timing line, begins a cue as well.
pub(super) fn blocks<'a>(lines: &'a [Line<'a>]) -> Vec<Block<'a>> {
    let mut heads: Vec<(usize, BlockTimes)> = Vec::new();
    let mut last_counter = None;
    for (i, line) in lines.iter().enumerate() {
        let times = match parse_timing_line(line.text, Arrows::Any) {
            TimingLine::Valid(times) => BlockTimes::Valid(times),
            TimingLine::Malformed => BlockTimes::Malformed,
            TimingLine::NotTiming => {
                if is_lonely_counter(lines, i, last_counter) {
                    last_counter = counter(*line);
                    heads.push((i, BlockTimes::Missing));
                }
                continue;
            }
        };
        last_counter = i
            .checked_sub(1)
            .and_then(|above| counter(lines[above]))
            .or(last_counter);
        heads.push((i, times));
    }
    let next_heads = heads
        .iter()
        .skip(1)
        .map(|(next, times)| Some((*next, *times)));
    heads
        .iter()
        .zip(next_heads.chain([None]))
        .map(|(&(i, times), next)| Block {
            line: lines[i].number,
            times,
            lines: match next {
                Some((next, BlockTimes::Missing)) => trim_blank_lines(&lines[i + 1..next]),
                Some((next, _)) => without_counter(&lines[i + 1..next]),
                None => trim_blank_lines(&lines[i + 1..]),
            },
        })
        .collect()
}

fn counter(line: Line<'_>) -> Option<u64> {
    line.text.trim().parse().ok()
}

/// Whether the line between two cues is the next counter, with text below it instead of times.
fn is_lonely_counter(lines: &[Line<'_>], i: usize, last: Option<u64>) -> bool {
    let is_next = last.is_some_and(|last| counter(lines[i]) == last.checked_add(1));
    let is_after_blank = i > 0 && lines[i - 1].is_blank();
    let is_above_text = lines.get(i + 1).is_some_and(|below| {
        !below.is_blank() && parse_timing_line(below.text, Arrows::Any) == TimingLine::NotTiming
    });
    is_next && is_after_blank && is_above_text
}

/// Removes the counter of the next cue from `lines`, the lines between two timing lines. A
/// counter is
///
/// - a number directly above the second timing line;
/// - any other line directly above the second timing line, if it follows a blank line;
/// - a number between blank lines, if there is text above it.
fn without_counter<'a>(lines: &'a [Line<'a>]) -> &'a [Line<'a>] {
    let text = trim_blank_lines(lines);
    let Some(last) = lines.iter().rposition(|line| !line.is_blank()) else {
        return text;
    };
    let is_directly_above = last + 1 == lines.len();
    let is_after_blank = last > 0 && lines[last - 1].is_blank();
    let is_number = lines[last].is_number();
    let is_counter = if is_directly_above {
        is_number || is_after_blank
    } else {
        is_number && is_after_blank && text.len() > 1
    };
    if is_counter {
        trim_blank_lines(&lines[..last])
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::lines;

    fn texts(file: &str) -> Vec<String> {
        let lines = lines(file);
        blocks(&lines).iter().map(Block::text).collect()
    }

    #[test]
    fn counters_may_be_missing_unordered_or_not_numeric() {
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
    fn a_number_in_the_text_is_not_a_counter() {
        assert_eq!(texts("0:01 --> 0:02\n42\n\n0:03 --> 0:04\n7"), ["42", "7"]);
        assert_eq!(
            texts("1\n0:01 --> 0:02\n42\n\n2\n0:03 --> 0:04\n7\n"),
            ["42", "7"]
        );
        assert_eq!(
            texts("1\n0:01 --> 0:02\na\n\n7\nb\n\n2\n0:03 --> 0:04\nc\n"),
            ["a\n\n7\nb", "c"]
        );
    }

    #[test]
    fn a_cue_whose_times_are_unreadable_or_missing_is_a_block_of_its_own() {
        let file =
            "1\n0:01 --> 0:02\na\n\n2\n0:0x --> 0:04\nb\n\n3\nno times\nc\n\n4\n0:05 --> 0:06\nd";
        let lines = lines(file);
        let blocks = blocks(&lines);
        let summary: Vec<_> = blocks
            .iter()
            .map(|block| {
                (
                    block.line,
                    matches!(block.times, BlockTimes::Valid(_)),
                    block.text(),
                )
            })
            .collect();
        assert_eq!(
            summary,
            [
                (2, true, "a".to_owned()),
                (6, false, "b".to_owned()),
                (9, false, "no times\nc".to_owned()),
                (14, true, "d".to_owned()),
            ]
        );
        assert_eq!(blocks[1].times, BlockTimes::Malformed);
        assert_eq!(blocks[2].times, BlockTimes::Missing);
    }

    #[test]
    fn an_arrow_without_a_timestamp_is_text() {
        assert_eq!(
            texts("0:01 --> 0:02\nx --> y\n5 --> 6"),
            ["x --> y\n5 --> 6"]
        );
    }
}
