//! A command that transcribes.

use std::fs::File;
use std::path::Path;

use lectern_formats::Transcript;
use lectern_media::{Confinement, Program};

use super::{Recognizer, read_any_format};
use crate::failure::Failure;
use crate::sidecar::{MAX_BYTES, read_bounded};
use crate::stage_handler::StageContext;

/// The name of the command's output in errors.
const OUTPUT_NAME: &str = "the command's output";

/// What `{language}` becomes if no language is set: whisper.cpp's name for any language.
const ANY_LANGUAGE: &str = "auto";

/// A command that reads a WAV file and writes Whisper's JSON, SubRip or WebVTT.
#[derive(Debug)]
pub(super) struct Command {
    words: Vec<String>,
    confinement: Confinement,
}

impl Command {
    /// Splits a command line like a shell, but without running one.
    pub(super) fn new(line: &str, confinement: &Confinement) -> Result<Self, Failure> {
        let words = shlex::split(line).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| {
            Failure::permanent(
                "LECTERN_TRANSCRIBE_COMMAND is empty or lacks a closing quotation mark",
            )
        })?;
        if !words.iter().any(|word| word.contains("{audio}")) {
            return Err(Failure::permanent(
                "LECTERN_TRANSCRIBE_COMMAND must contain {audio}, the file to transcribe",
            ));
        }
        Ok(Self {
            words,
            confinement: confinement.clone(),
        })
    }
}

impl Recognizer for Command {
    fn recognize(
        &self,
        audio: &Path,
        seconds: f64,
        context: &StageContext<'_>,
    ) -> Result<Transcript, Failure> {
        let out = audio.with_extension("out");
        let (audio_path, out_path) = (audio.to_string_lossy(), out.to_string_lossy());
        let language = context.options().language;
        let language = language.as_ref().map_or(ANY_LANGUAGE, |language| language);
        let mut words = self.words.iter().map(|word| {
            word.replace("{language}", language)
                .replace("{audio}", &audio_path)
                .replace("{out}", &out_path)
        });
        let program = words.next().unwrap_or_default();
        // Runs in the worker's current directory, because relative paths in the
        // command line refer to it.
        let program = Program::new(program)
            .args(words)
            .confined_by(&self.confinement);
        let mut stdout = Vec::new();
        program.run(&context.limits(), &mut |bytes| {
            if stdout.len() as u64 <= MAX_BYTES {
                stdout.extend_from_slice(bytes);
            }
        })?;
        let output = if self.words.iter().any(|word| word.contains("{out}")) {
            read_bounded(OUTPUT_NAME, open_output(&out)?)?
        } else {
            read_bounded(OUTPUT_NAME, stdout.as_slice())?
        };
        if output.iter().all(u8::is_ascii_whitespace) {
            return Ok(Transcript::default());
        }
        read_any_format(&output)
            .and_then(|file| file.transcript(Some(seconds)))
            .map_err(|error| Failure::permanent(format!("{OUTPUT_NAME}: {error}")))
    }
}

/// Opens the output file, which may have an additional extension: most tools
/// append their own.
fn open_output(out: &Path) -> Result<File, Failure> {
    let candidates = ["", ".json", ".vtt", ".srt"].map(|extension| {
        let mut name = out.as_os_str().to_owned();
        name.push(extension);
        name
    });
    match candidates.iter().map(Path::new).find(|file| file.is_file()) {
        Some(file) => Ok(File::open(file)?),
        None => Err(Failure::permanent("the command did not write {out}")),
    }
}
