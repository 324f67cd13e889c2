//! `PocketSphinx`, which hears English without any account.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lectern_domain::{Ratio, SpokenText};
use lectern_formats::{Cue, millis};
use lectern_media::Program;

use super::Recognizer;
use crate::Failure;
use crate::stage::StageContext;

/// The program of Debian's package `pocketsphinx`.
const PROGRAM: &str = "pocketsphinx_continuous";
/// What it cannot do without, of the files of its model.
const MODEL: [&str; 3] = ["en-us/mdef", "en-us.lm.bin", "cmudict-en-us.dict"];
/// How long it may take for a piece of ten minutes.
const LIMIT: Duration = Duration::from_hours(2);

/// `PocketSphinx` with the model of Debian's package `pocketsphinx-en-us`.
#[derive(Debug)]
pub(super) struct Sphinx(PathBuf);

impl Sphinx {
    /// The program, if it is on `PATH`, and its model where it is installed.
    pub(super) fn find() -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        Self::among(&std::env::split_paths(&path).collect::<Vec<_>>())
    }

    /// The program in one of these directories, if the model it takes when it is
    /// told of none belongs to one of them. Without it, it does nothing but fail.
    fn among(dirs: &[PathBuf]) -> Option<Self> {
        let has_model = |dir: &PathBuf| {
            let model = dir.join("../share/pocketsphinx/model/en-us");
            MODEL.iter().all(|file| model.join(file).is_file())
        };
        let mut programs = dirs.iter().map(|dir| dir.join(PROGRAM));
        let program = programs.find(|program| program.is_file())?;
        dirs.iter().any(has_model).then_some(Self(program))
    }
}

impl Recognizer for Sphinx {
    fn hear(&self, audio: &Path, task: &StageContext<'_>) -> Result<Vec<Cue>, Failure> {
        let printed = Program::new(&self.0)
            .without_secrets()
            .arg("-infile")
            .arg(audio)
            .args(["-time", "yes"])
            .output(&task.limits(LIMIT))?;
        Ok(utterances(&String::from_utf8_lossy(&printed)))
    }
}

/// Reads what it prints: for each utterance a line with its text, which is
/// passed over, and then a line for each word with its times in seconds and the
/// probability that it was this one. `<s>` and `</s>` are around an utterance;
/// fillers are in brackets of any kind, and variants of how a word is
/// pronounced are numbered, as in `the(2)`.
fn utterances(printed: &str) -> Vec<Cue> {
    let mut cues = Vec::new();
    let mut words: Vec<Word<'_>> = Vec::new();
    for line in printed.lines() {
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
    let sure = words.iter().map(|word| word.probability).sum::<f64>() / words.len() as f64;
    let text = SpokenText::new(text.join(" ")).ok()?;
    let mut cue = Cue::new(millis(first.start), millis(last.end), text);
    cue.confidence = Ratio::new(sure.clamp(0.0, 1.0)).ok();
    Some(cue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_installed_when_its_model_is() {
        let prefix = tempfile::tempdir().unwrap();
        let model = prefix.path().join("share/pocketsphinx/model/en-us");
        std::fs::create_dir_all(model.join("en-us")).unwrap();
        let (bin, other) = (prefix.path().join("bin"), prefix.path().join("other"));
        for dir in [&bin, &other] {
            std::fs::create_dir(dir).unwrap();
        }
        let dirs = [other.clone(), bin];
        assert!(Sphinx::among(&dirs).is_none());
        let program = other.join(PROGRAM);
        std::fs::write(&program, "").unwrap();
        for file in MODEL {
            assert!(Sphinx::among(&dirs).is_none(), "without {file}");
            std::fs::write(model.join(file), "").unwrap();
        }
        assert_eq!(Sphinx::among(&dirs).unwrap().0, program);
        assert!(Sphinx::among(&[]).is_none());
    }

    #[test]
    fn words_become_utterances() {
        let printed = "the first\n<s> 0.000 0.600 0.998\nthe(2) 0.610 1.180 0.5\n<sil> 1.2 1.3 0.9\n\
                       first 1.370 1.640 0.7\n</s> 4.880 5.370 1.0\n\
                       and on\n<s> 7.230 7.310 0.9\n[NOISE] 7.3 7.4 0.5\nand 7.4 7.5 0.1\n";
        let cues = utterances(printed);
        let told: Vec<_> = cues
            .iter()
            .map(|cue| (cue.start_ms(), cue.end_ms(), cue.text.as_str()))
            .collect();
        assert_eq!(told, [(610, 1640, "the first"), (7400, 7500, "and")]);
        assert_eq!(cues[0].confidence.map(Ratio::get), Some(0.6));
    }
}
