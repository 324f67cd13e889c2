//! What a run has made, in words.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use lectern_domain::{JobResults, NoteLevel, NoteOfStage};

use crate::cli::text::{clock, one_line};

/// How to get a transcript when a recording came without one.
const NO_TRANSCRIPT: &str = "To get a transcript, put subtitles with the recording's name beside \
it (such as talk.srt, talk.vtt or talk.json for talk.mp4), or give --transcribe-command or \
--transcribe-url (see `lectern help transcripts`), and run the command again.";

/// The results of a run.
#[derive(Debug)]
pub(super) struct Summary {
    /// Titles and times of the clips, in their order.
    clips: Vec<ClipLine>,
    /// What the stages say about their output.
    notes: Vec<NoteOfStage>,
    has_transcript: bool,
}

#[derive(Debug)]
struct ClipLine {
    title: String,
    /// In seconds of the recording.
    start: f64,
    /// In seconds of the recording.
    end: f64,
}

impl Summary {
    pub(super) fn new(results: &JobResults) -> Self {
        let clips = results.clips.iter().map(|clip| ClipLine {
            title: clip.data.title.as_str().to_owned(),
            start: clip.data.time.start(),
            end: clip.data.time.end(),
        });
        Self {
            clips: clips.collect(),
            notes: results.notes.clone(),
            has_transcript: !results.transcript.is_empty(),
        }
    }

    /// A line for each clip, the notes of the stages, what is left elsewhere, and where the
    /// results are.
    pub(super) fn text(&self, out: &Path, elapsed: Duration, left: Option<&str>) -> String {
        let mut text = String::new();
        for (index, clip) in self.clips.iter().enumerate() {
            let _ = writeln!(
                text,
                "{:>3}  {} to {}  {:>7}  {}",
                index + 1,
                clock(clip.start),
                clock(clip.end),
                clock((clip.end - clip.start).max(0.0)),
                one_line(&clip.title),
            );
        }
        for NoteOfStage { stage, note } in &self.notes {
            let level = match note.level {
                NoteLevel::Info => "",
                NoteLevel::Warning => "warning: ",
            };
            let _ = writeln!(text, "{stage}: {level}{}", one_line(&note.message));
        }
        if !self.has_transcript {
            let _ = writeln!(text, "{NO_TRANSCRIPT}");
        }
        if let Some(left) = left {
            let _ = writeln!(text, "{left}");
        }
        let _ = writeln!(text, "Took {}.", clock(elapsed.as_secs_f64()));
        let _ = writeln!(text, "{} is ready", out.display());
        text
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::{NoteText, Stage, StageNote};

    use super::*;

    fn text(has_transcript: bool) -> String {
        let clips = vec![ClipLine {
            title: "Why\nindexes\u{1b}help".to_owned(),
            start: 59.6,
            end: 3723.4,
        }];
        let note = |level, message| NoteOfStage {
            stage: Stage::Transcription,
            note: StageNote::new(level, NoteText::new(message).unwrap()),
        };
        let summary = Summary {
            clips,
            notes: vec![
                note(NoteLevel::Warning, "3 cues\ndropped"),
                note(NoteLevel::Info, "taken from a track"),
            ],
            has_transcript,
        };
        summary.text(Path::new("talk-clips"), Duration::from_secs(75), None)
    }

    #[test]
    fn clips_and_notes_have_a_line_each() {
        let lines = [
            "  1  1:00 to 1:02:03  1:01:04  Why indexes help",
            "transcription: warning: 3 cues dropped",
            "transcription: taken from a track",
            "Took 1:15.",
            "talk-clips is ready",
        ];
        assert!(text(true).lines().eq(lines), "{}", text(true));
    }

    #[test]
    fn a_missing_transcript_is_mentioned_with_the_ways_to_get_one() {
        for way in ["talk.srt", "--transcribe-command", "--transcribe-url"] {
            assert!(
                text(false).contains(way) && !text(true).contains(way),
                "{way}"
            );
        }
    }
}
