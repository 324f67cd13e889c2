//! `lectern-bench` measures Lectern beside the stack it replaces and beside its databases
//! alone, with one command and no arguments:
//!
//! ```console
//! $ cargo run --release -p lectern-bench
//! ```
//!
//! It needs PostgreSQL's programs and Python 3 with venv, and installs the other stack
//! from the Python Package Index below cargo's target directory. The results are in
//! `docs/performance`.

mod arguments;
mod environment;
mod limit;
mod load;
mod report;
mod run;
mod stack;
mod workload;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::arguments::Arguments;

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(run::run(&arguments))
}
