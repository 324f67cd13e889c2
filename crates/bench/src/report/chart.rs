//! Charts.

use std::path::Path;

use anyhow::Result;

use crate::report::Results;

/// Draws the charts; returns the names of the files.
pub(crate) fn draw(_results: &Results, _output: &Path) -> Result<Vec<String>> {
    Ok(Vec::new())
}
