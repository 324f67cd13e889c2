//! What a run has made, in words.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use lectern_domain::Clip;

/// How to get a transcript when a recording came without one.
const NO_TRANSCRIPT: &str = "There is no transcript: the subtitles are empty. Put subtitles \
with the recording's name beside it (such as talk.srt, talk.vtt or talk.json for talk.mp4), or give \
--transcribe-command or --transcribe-url (see `lectern help transcripts`), and run the command \
again with --fresh.";

/// The results of a run.
#[derive(Debug)]
pub(super) struct Summary {
    /// Titles and times of the clips, in their order.
    clips: Vec<ClipLine>,
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
    pub(super) fn new(clips: &[Clip], has_transcript: bool) -> Self {
        let clips = clips.iter().map(|clip| ClipLine {
            title: clip.data.title.as_str().to_owned(),
            start: clip.data.time.start(),
            end: clip.data.time.end(),
        });
        Self {
            clips: clips.collect(),
            has_transcript,
        }
    }

    /// A line for each clip, what is missing, and where the results are.
    pub(super) fn text(&self, out: &Path, elapsed: Duration) -> String {
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
        if !self.has_transcript {
            let _ = writeln!(text, "{NO_TRANSCRIPT}");
        }
        let _ = writeln!(text, "Took {}.", clock(elapsed.as_secs_f64()));
        let _ = writeln!(text, "{} is ready", out.display());
        text
    }
}

/// A title without characters that would control the terminal.
fn one_line(title: &str) -> String {
    title
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Hours, minutes and seconds; without hours for less than one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are positive and the cast saturates"
)]
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(has_transcript: bool) -> String {
        let clips = vec![ClipLine {
            title: "Why\nindexes\u{1b}help".to_owned(),
            start: 59.6,
            end: 3723.4,
        }];
        let summary = Summary {
            clips,
            has_transcript,
        };
        summary.text(Path::new("talk-clips"), Duration::from_secs(75))
    }

    #[test]
    fn each_clip_has_a_line_with_times_length_and_title() {
        assert_eq!(
            text(true),
            "  1  1:00 to 1:02:03  1:01:04  Why indexes help\nTook 1:15.\ntalk-clips is ready\n"
        );
    }

    #[test]
    fn a_missing_transcript_is_mentioned_with_the_ways_to_get_one() {
        for way in [
            "talk.srt",
            "--transcribe-command",
            "--transcribe-url",
            "--fresh",
        ] {
            assert!(
                text(false).contains(way) && !text(true).contains(way),
                "{way}"
            );
        }
    }
}
