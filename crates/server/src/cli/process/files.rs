//! Files that are written whole, under names that every file system takes.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// The name of a file in a directory, as far as file systems agree on names.
pub(super) fn file_name(text: &str, max_chars: usize) -> String {
    let name: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let words: Vec<_> = name.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(max_chars).collect()
}

/// Moves a file into place when it is whole.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .inspect_err(|_| {
            // Where there is none, none is left.
            let _ = fs::remove_file(&part);
        })
        .with_context(|| format!("cannot write {}", path.display()))
}
