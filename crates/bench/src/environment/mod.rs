//! The machine and its programs.

mod machine;
mod process;
mod programs;

pub(crate) use machine::Machine;
pub(crate) use process::{
    Guarded, TemporaryDirectory, Usage, free_port, peak_memory, reset_peak_memory, resident_memory,
};
pub(crate) use programs::{PostgresPrograms, output, python, raise_open_file_limit};
