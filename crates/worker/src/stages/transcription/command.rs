//! A command that transcribes.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use lectern_formats::Cue;
use lectern_media::Program;

use super::{Recognizer, read};
use crate::Failure;
use crate::sidecar::{MAX_BYTES, whole};
use crate::stage::StageContext;

/// How long a command may take for a piece of ten minutes.
const LIMIT: Duration = Duration::from_hours(4);
/// What errors call what it answers.
const WRITTEN: &str = "what the command wrote";

/// A command that reads a WAV file and writes Whisper's JSON, SubRip or WebVTT.
#[derive(Debug)]
pub(super) struct Command(Vec<String>);

impl Command {
    /// Takes a command line apart as a shell would; there is no shell.
    pub(super) fn new(line: &str) -> Result<Self, Failure> {
        let words = shlex::split(line).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| {
            Failure::permanent(
                "LECTERN_TRANSCRIBE_COMMAND is no command: a quotation mark is missing",
            )
        })?;
        if !words.iter().any(|word| word.contains("{audio}")) {
            return Err(Failure::permanent(
                "LECTERN_TRANSCRIBE_COMMAND has no {audio}: what is it to transcribe?",
            ));
        }
        Ok(Self(words))
    }
}

impl Recognizer for Command {
    fn hear(&self, audio: &Path, task: &StageContext<'_>) -> Result<Vec<Cue>, Failure> {
        let out = audio.with_extension("out");
        let (from, to) = (audio.to_string_lossy(), out.to_string_lossy());
        let mut words = self
            .0
            .iter()
            .map(|word| word.replace("{audio}", &from).replace("{out}", &to));
        let program = words.next().unwrap_or_default();
        let mut printed = Vec::new();
        // In the worker's own directory: from there whoever named the command named
        // its files.
        let program = Program::new(program).args(words);
        program.run(&task.limits(LIMIT), &mut |bytes| {
            if printed.len() as u64 <= MAX_BYTES {
                printed.extend_from_slice(bytes);
            }
        })?;
        let said = if self.0.iter().any(|word| word.contains("{out}")) {
            whole(WRITTEN, found(&out)?)?
        } else {
            whole(WRITTEN, printed.as_slice())?
        };
        if said.iter().all(u8::is_ascii_whitespace) {
            return Ok(Vec::new());
        }
        read(&said).map_err(|error| Failure::permanent(format!("{WRITTEN}: {error}")))
    }
}

/// What was written under the name, or under the name with an ending: most
/// tools choose one themselves.
fn found(out: &Path) -> Result<File, Failure> {
    let named = ["", "json", "vtt", "srt"].map(|extension| match extension {
        "" => out.to_owned(),
        extension => {
            let mut name = out.as_os_str().to_owned();
            name.push(".");
            name.push(extension);
            name.into()
        }
    });
    match named.iter().find(|file| file.is_file()) {
        Some(file) => Ok(File::open(file)?),
        None => Err(Failure::permanent("the command did not write {out}")),
    }
}
