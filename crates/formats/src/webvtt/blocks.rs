//! The blocks of a WebVTT file, separated by empty lines.

use crate::lines::{Line, trim_blank_lines};
use crate::timing_line::{Arrows, Times, TimingLine, parse_timing_line};

/// A block, or the part of a block that has a timing line.
#[derive(Debug)]
pub(super) enum Block<'s, 'a> {
    Cue {
        /// The number of the timing line, counted from 1.
        line: usize,
        identifier: Option<&'a str>,
        times: Times,
        text: &'s [Line<'a>],
    },
    /// A cue whose times cannot be read.
    Malformed { line: usize },
    /// A block that is no cue, no comment and no style.
    NoTimes { line: usize },
    /// The header of a file, at the beginning or where files were joined.
    Header(Vec<&'a str>),
}

/// Splits the lines of a file, or of several joined files.
pub(super) fn blocks<'s, 'a>(lines: &'s [Line<'a>]) -> Vec<Block<'s, 'a>> {
    let mut blocks = Vec::new();
    for block in lines.split(|line| line.text.is_empty()) {
        // Segments of HTTP Live Streaming are joined without an empty line, too.
        let mut rest = block;
        while let Some(at) = rest.windows(2).skip(1).position(is_segment_header) {
            let (before, after) = rest.split_at(at + 1);
            push_block(before, &mut blocks);
            rest = after;
        }
        push_block(rest, &mut blocks);
    }
    blocks
}

/// Whether two lines begin a segment of HTTP Live Streaming.
fn is_segment_header(lines: &[Line<'_>]) -> bool {
    is_signature(lines[0].text) && lines[1].text.starts_with("X-TIMESTAMP-MAP")
}

/// Whether the line is the first of a file.
pub(super) fn is_signature(line: &str) -> bool {
    let rest = line.trim_start_matches('\u{feff}').strip_prefix("WEBVTT");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

fn push_block<'s, 'a>(mut lines: &'s [Line<'a>], blocks: &mut Vec<Block<'s, 'a>>) {
    if lines.iter().all(|line| line.is_blank()) {
        return;
    }
    if is_signature(lines[0].text) {
        let end = lines[1..].iter().position(|line| is_timing_line(*line));
        let (header, rest) = lines.split_at(end.map_or(lines.len(), |end| end + 1));
        blocks.push(Block::Header(header.iter().map(|line| line.text).collect()));
        lines = rest;
    } else if begins_other_block(lines[0].text)
        && !lines.get(1).is_some_and(|next| is_timing_line(*next))
    {
        // A comment extends to the end of the block, but must not contain an arrow.
        let end = lines.iter().position(|line| is_timing_line(*line));
        lines = &lines[end.unwrap_or(lines.len())..];
    }
    let Some(first) = lines.iter().position(|line| !line.is_blank()) else {
        return;
    };
    let mut heads: Vec<(usize, TimingLine)> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        // Translators change arrows, but a line of text may have such an arrow as well.
        let arrows = if heads.is_empty() && i <= first + 1 {
            Arrows::Any
        } else {
            Arrows::Exact
        };
        match parse_timing_line(line.text, arrows) {
            TimingLine::NotTiming => {}
            timing => heads.push((i, timing)),
        }
    }
    let Some((first_head, _)) = heads.first() else {
        // A counter above an empty line and a cue says nothing.
        if !(lines.len() == first + 1 && lines[first].is_number()) {
            blocks.push(Block::NoTimes {
                line: lines[first].number,
            });
        }
        return;
    };
    // More than an identifier above the times.
    if *first_head > first + 1 {
        blocks.push(Block::NoTimes {
            line: lines[first].number,
        });
    }
    for (n, (i, timing)) in heads.iter().enumerate() {
        let line = lines[*i].number;
        let next = heads.get(n + 1).map(|(next, _)| *next);
        let text = &lines[i + 1..next.map_or(lines.len(), |next| text_end(lines, *i, next))];
        let above_start = if n == 0 {
            0
        } else {
            text_end(lines, heads[n - 1].0, *i)
        };
        let identifier = lines[above_start..*i]
            .last()
            .map(|line| line.text.trim())
            .filter(|identifier| !identifier.is_empty());
        blocks.push(match timing {
            TimingLine::Valid(times) => Block::Cue {
                line,
                identifier,
                times: *times,
                text: trim_blank_lines(text),
            },
            _ => Block::Malformed { line },
        });
    }
}

/// Where the text below the timing line `head` ends, if `next` is the next timing line with no
/// empty line between: above its identifier, which is a number or follows a blank line.
fn text_end(lines: &[Line<'_>], head: usize, next: usize) -> usize {
    let last = next - 1;
    let is_identifier = last > head
        && (lines[last].is_number() || (last > head + 1 && lines[last - 1].is_blank()))
        && !lines[last].is_blank();
    if is_identifier { last } else { next }
}

fn is_timing_line(line: Line<'_>) -> bool {
    parse_timing_line(line.text, Arrows::Exact) != TimingLine::NotTiming
}

/// Whether the line is the first of a `NOTE`, `STYLE` or `REGION` block.
fn begins_other_block(line: &str) -> bool {
    let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    match word {
        "NOTE" => true,
        "STYLE" | "REGION" => rest.trim().is_empty(),
        _ => false,
    }
}
