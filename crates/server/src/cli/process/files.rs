//! Atomic writes and portable file names.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Reduces a text to characters that all common file systems accept.
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

/// Writes a temporary file and renames it, so that no partial file is visible.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .inspect_err(|_| {
            // The temporary file may not exist.
            let _ = fs::remove_file(&part);
        })
        .with_context(|| format!("cannot write {}", path.display()))
}
