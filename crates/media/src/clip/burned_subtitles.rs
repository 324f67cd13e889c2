//! Subtitles that are drawn into the picture of a clip.

use std::path::Path;

/// The filter that draws the subtitles of a file, with a comma before it. The times in the file
/// are those of the filter's input.
pub(super) fn filter(file: &Path) -> String {
    // With the encoding -1, libass takes the direction of a line from its first letter, so
    // that a full stop ends Arabic and Hebrew lines on the left.
    format!(
        ",subtitles=force_style=Encoding=-1:filename={}",
        escape_value(&file.to_string_lossy())
    )
}

/// Escapes the value of a filter's option, first for the list of options, then for the graph
/// of filters.
fn escape_value(value: &str) -> String {
    escape(&escape(value, "\\':"), "\\'[],;")
}

fn escape(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
