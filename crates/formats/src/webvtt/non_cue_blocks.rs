//! The blocks of a WebVTT file that are not cues.

use crate::timed_text::{Line, is_timing_line};

/// Removes `NOTE`, `STYLE` and `REGION` blocks. A block extends from one blank line to
/// the next. A line with one of these words directly above a timing line is kept, because
/// such a line is the identifier of a cue.
pub(crate) fn without_other_blocks<'a>(lines: &[Line<'a>]) -> Vec<Line<'a>> {
    let mut kept = Vec::with_capacity(lines.len());
    let (mut is_after_blank, mut is_in_block) = (true, false);
    for (i, &line) in lines.iter().enumerate() {
        if line.is_blank() || is_timing_line(line) {
            is_in_block = false;
        } else if is_after_blank && begins_block(line) {
            is_in_block = !lines.get(i + 1).is_some_and(|&next| is_timing_line(next));
        }
        if !is_in_block {
            kept.push(line);
        }
        is_after_blank = line.is_blank();
    }
    kept
}

/// Whether the line is the first of a `NOTE`, `STYLE` or `REGION` block.
fn begins_block(line: Line<'_>) -> bool {
    let (word, rest) = line.text.split_once([' ', '\t']).unwrap_or((line.text, ""));
    match word {
        "NOTE" => true,
        "STYLE" | "REGION" => rest.trim().is_empty(),
        _ => false,
    }
}
