//! `PocketSphinx`: offline speech recognition for English.

use std::path::{Path, PathBuf};

use lectern_domain::{LanguageTag, Ratio, SpokenText};
use lectern_formats::{Cue, Transcript, millis};
use lectern_media::{Confinement, Program};

use super::Recognizer;
use crate::failure::Failure;
use crate::stage_handler::StageContext;

/// The program of Debian's package `pocketsphinx`.
const PROGRAM: &str = "pocketsphinx_continuous";
/// The language of the model.
pub(super) const LANGUAGE: &str = "en";
/// Files that the model must have.
const MODEL_FILES: [&str; 3] = ["en-us/mdef", "en-us.lm.bin", "cmudict-en-us.dict"];

/// `PocketSphinx` with the model of Debian's package `pocketsphinx-en-us`.
#[derive(Debug)]
pub(super) struct PocketSphinx {
    program: PathBuf,
    confinement: Confinement,
}

impl PocketSphinx {
    /// Finds the program on `PATH`. `None` if it or its model is not installed.
    pub(super) fn find(confinement: &Confinement) -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let program = Self::find_in(&std::env::split_paths(&path).collect::<Vec<_>>())?;
        let confinement = confinement.clone();
        Some(Self {
            program,
            confinement,
        })
    }

    /// Finds the program in these directories. Its default model must be installed
    /// relative to one of them; without a model the program fails.
    fn find_in(dirs: &[PathBuf]) -> Option<PathBuf> {
        let has_model = |dir: &PathBuf| {
            let model = dir.join("../share/pocketsphinx/model/en-us");
            MODEL_FILES.iter().all(|file| model.join(file).is_file())
        };
        let mut programs = dirs.iter().map(|dir| dir.join(PROGRAM));
        let program = programs.find(|program| program.is_file())?;
        dirs.iter().any(has_model).then_some(program)
    }
}

impl Recognizer for PocketSphinx {
    fn recognize(
        &self,
        audio: &Path,
        _: f64,
        context: &StageContext<'_>,
    ) -> Result<Transcript, Failure> {
        let output = Program::new(&self.program)
            .confined_by(&self.confinement)
            .arg("-infile")
            .arg(audio)
            .args(["-time", "yes"])
            .output(&context.limits())?;
        let transcript = Transcript {
            cues: utterances(&String::from_utf8_lossy(&output)),
            ..Transcript::default()
        };
        Ok(transcript.in_language(&LanguageTag::new(LANGUAGE)?))
    }
}

/// Reads the program's output. Each utterance is a line with its text, which is
/// ignored, and a line for each word: the word, its start and end in seconds, and
/// its probability. `<s>` and `</s>` surround an utterance. Fillers have brackets
/// of any kind. Alternative pronunciations are numbered, as in `the(2)`.
fn utterances(output: &str) -> Vec<Cue> {
    let mut cues = Vec::new();
    let mut words: Vec<Word<'_>> = Vec::new();
    for line in output.lines() {
        let Some(word) = Word::read(line) else {
            continue;
        };
        match word.text {
            "<s>" => words.clear(),
            "</s>" => cues.extend(utterance(&std::mem::take(&mut words))),
            text if text.starts_with(['<', '[', '+']) => {}
            _ => words.push(word),
        }
    }
    cues.extend(utterance(&words));
    cues
}

struct Word<'a> {
    text: &'a str,
    start: f64,
    end: f64,
    probability: f64,
}

impl<'a> Word<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let text = fields.next()?;
        let mut number = || fields.next()?.parse::<f64>().ok().filter(|n| n.is_finite());
        let (start, end, probability) = (number()?, number()?, number()?);
        Some(Self {
            text: text.split('(').next().unwrap_or(text),
            start,
            end,
            probability,
        })
    }
}

fn utterance(words: &[Word<'_>]) -> Option<Cue> {
    let (first, last) = (words.first()?, words.last()?);
    let text: Vec<_> = words.iter().map(|word| word.text).collect();
    let mean_probability =
        words.iter().map(|word| word.probability).sum::<f64>() / words.len() as f64;
    let text = SpokenText::new(text.join(" ")).ok()?;
    let mut cue = Cue::new(millis(first.start), millis(last.end), text);
    cue.confidence = Ratio::new(mean_probability.clamp(0.0, 1.0)).ok();
    let timed = words.iter().map(|word| lectern_formats::Word {
        start_ms: millis(word.start),
        end_ms: millis(word.end),
        text: word.text.to_owned(),
        probability: Ratio::new(word.probability.clamp(0.0, 1.0)).ok(),
    });
    Some(cue.with_words(timed.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pocketsphinx_is_found_only_with_its_model() {
        let prefix = tempfile::tempdir().unwrap();
        let model = prefix.path().join("share/pocketsphinx/model/en-us");
        std::fs::create_dir_all(model.join("en-us")).unwrap();
        let (bin, other) = (prefix.path().join("bin"), prefix.path().join("other"));
        for dir in [&bin, &other] {
            std::fs::create_dir(dir).unwrap();
        }
        let dirs = [other.clone(), bin];
        assert!(PocketSphinx::find_in(&dirs).is_none());
        let program = other.join(PROGRAM);
        std::fs::write(&program, "").unwrap();
        for file in MODEL_FILES {
            assert!(PocketSphinx::find_in(&dirs).is_none(), "without {file}");
            std::fs::write(model.join(file), "").unwrap();
        }
        assert_eq!(PocketSphinx::find_in(&dirs).unwrap(), program);
        assert!(PocketSphinx::find_in(&[]).is_none());
    }

    #[test]
    fn words_are_grouped_into_utterances() {
        let output = "the first\n<s> 0.000 0.600 0.998\nthe(2) 0.610 1.180 0.5\n<sil> 1.2 1.3 0.9\n\
                       first 1.370 1.640 0.7\n</s> 4.880 5.370 1.0\n\
                       and on\n<s> 7.230 7.310 0.9\n[NOISE] 7.3 7.4 0.5\nand 7.4 7.5 0.1\n";
        let cues = utterances(output);
        let texts: Vec<_> = cues
            .iter()
            .map(|cue| (cue.start_ms(), cue.end_ms(), cue.text.as_str()))
            .collect();
        assert_eq!(texts, [(610, 1640, "the first"), (7400, 7500, "and")]);
        assert_eq!(cues[0].confidence.map(Ratio::get), Some(0.6));
    }
}
