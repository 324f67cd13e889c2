//! A description of the machine, without which absolute numbers mean nothing.

use std::fs;
use std::process::Command;
use std::thread;

use crate::environment::output;

/// The machine and the versions of the programs.
#[derive(Debug)]
pub(crate) struct Machine(pub(crate) Vec<(&'static str, String)>);

impl Machine {
    /// Reads the description; `versions` are added to it.
    pub(crate) fn read(versions: Vec<(&'static str, String)>) -> Self {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.map(|line| line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
        };
        let cores = thread::available_parallelism().map_or(0, usize::from);
        let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
        let memory = field("/proc/meminfo", "MemTotal")
            .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
            .unwrap_or(0.0);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let date = output(Command::new("date").args(["-u", "+%Y-%m-%d"])).unwrap_or_default();
        let mut lines = vec![
            ("date", date),
            ("processor", format!("{cores} cores, {model}")),
            ("memory", format!("{:.1} GB", memory * 1024.0 / 1e9)),
            ("kernel", format!("Linux {}", kernel.trim())),
        ];
        lines.extend(versions);
        Self(lines)
    }
}
