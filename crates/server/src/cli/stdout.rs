//! Standard output of the commands.

use std::io::{self, Write as _};

use anyhow::Context as _;

/// Writes a line to standard output.
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        // The reader has closed the pipe, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to the standard output"),
    }
}
