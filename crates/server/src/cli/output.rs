//! Lines on the standard output.

use std::io::{self, Write as _};

use anyhow::Context as _;

/// Writes a line to the standard output.
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        // Whoever was reading has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to the standard output"),
    }
}
