//! The blocks of a WebVTT file that nobody says.

use crate::timed_text::Line;
use crate::timed_text::has_times;

/// The lines without `NOTE`, `STYLE` and `REGION` blocks, which begin after a
/// blank line and end before one. A cue may have such a word for its name.
pub(crate) fn without_comments<'a>(lines: &[Line<'a>]) -> Vec<Line<'a>> {
    let mut kept = Vec::with_capacity(lines.len());
    let (mut after_blank, mut inside) = (true, false);
    for (i, &line) in lines.iter().enumerate() {
        if line.is_blank() || has_times(line) {
            inside = false;
        } else if after_blank && opens_comment(line) {
            inside = !lines.get(i + 1).is_some_and(|&next| has_times(next));
        }
        if !inside {
            kept.push(line);
        }
        after_blank = line.is_blank();
    }
    kept
}

fn opens_comment(line: Line<'_>) -> bool {
    let (word, rest) = line.text.split_once([' ', '\t']).unwrap_or((line.text, ""));
    match word {
        "NOTE" => true,
        "STYLE" | "REGION" => rest.trim().is_empty(),
        _ => false,
    }
}
