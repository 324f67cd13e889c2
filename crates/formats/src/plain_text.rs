//! Plain text for people, which cannot be read back.

use std::fmt::Write;

use crate::cue::{Cue, by_start};
use crate::time::TimestampSeconds;
use crate::word_grouping::is_unspaced;

/// The longest pause within a paragraph.
const MAX_PAUSE_MS: u64 = 2_000;
/// A paragraph of more characters ends with the next sentence.
const LONG_CHARS: usize = 500;
/// The most characters of a paragraph of more than one cue.
const MAX_CHARS: usize = 1_000;

/// Writes the texts in paragraphs. A new paragraph begins after a pause of more than two
/// seconds, where the speaker changes, and where a paragraph becomes too long to read: after
/// the first sentence beyond 500 characters, at the latest at 1000. Each paragraph starts with
/// its time in whole seconds and the name of the speaker:
///
/// ```
/// use lectern_domain::{SpeakerId, SpokenText};
/// use lectern_formats::{Cue, plain_text};
///
/// let cue = Cue::new(61_200, 64_000, SpokenText::new("Welcome\nback.")?)
///     .with_speaker(Some(SpeakerId::new("Ada")?));
/// assert_eq!(plain_text::write(&[cue]), "[00:01:01] Ada: Welcome back.\n");
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn write(cues: &[Cue]) -> String {
    let (mut file, mut paragraph) = (String::new(), LastParagraph::default());
    write_cues(&mut file, cues, &mut paragraph);
    file.push_str(paragraph.end());
    file
}

/// The last paragraph that was written; `None` before the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastParagraph(Option<Paragraph>);

#[derive(Debug, Clone)]
struct Paragraph {
    /// The end in milliseconds.
    end_ms: u64,
    speaker: String,
    /// The number of characters.
    chars: usize,
    last_char: Option<char>,
}

impl LastParagraph {
    /// The text that ends the file.
    pub(crate) fn end(&self) -> &'static str {
        if self.0.is_some() { "\n" } else { "" }
    }
}

impl Paragraph {
    fn continues_with(&self, cue: &Cue, speaker: &str, chars: usize) -> bool {
        let ends_sentence = self.last_char.is_some_and(is_sentence_end);
        self.speaker == speaker
            && cue.start_ms() <= self.end_ms.saturating_add(MAX_PAUSE_MS)
            && self.chars + chars <= MAX_CHARS
            && !(ends_sentence && self.chars > LONG_CHARS)
    }
}

/// Appends cues to a file whose last paragraph is `last`, and updates `last`.
pub(crate) fn write_cues(file: &mut String, cues: &[Cue], last: &mut LastParagraph) {
    for cue in by_start(cues) {
        let speaker = cue.speaker.as_deref().unwrap_or_default();
        let text = single_line(&cue.text);
        let chars = text.chars().count();
        let continued = last
            .0
            .take_if(|paragraph| paragraph.continues_with(cue, speaker, chars));
        let mut paragraph = if let Some(paragraph) = continued {
            if needs_space(paragraph.last_char, text.chars().next()) {
                file.push(' ');
            }
            paragraph
        } else {
            let separator = if last.0.is_some() { "\n\n" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(file, "{separator}[{}] ", TimestampSeconds(cue.start_ms()));
            if !speaker.trim().is_empty() {
                let _ = write!(file, "{}: ", single_line(speaker));
            }
            Paragraph {
                end_ms: 0,
                speaker: speaker.to_owned(),
                chars: 0,
                last_char: None,
            }
        };
        file.push_str(&text);
        paragraph.end_ms = paragraph.end_ms.max(cue.end_ms());
        paragraph.chars += chars;
        paragraph.last_char = text.chars().next_back();
        last.0 = Some(paragraph);
    }
}

fn is_sentence_end(c: char) -> bool {
    matches!(
        c,
        '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '؟' | '"' | '”' | '»' | '」'
    )
}

/// Replaces each run of white space by one space, or by nothing between characters of a script
/// that is written without spaces.
fn single_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if needs_space(line.chars().next_back(), word.chars().next()) {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// Whether a space belongs between two characters at the edges of lines.
fn needs_space(before: Option<char>, after: Option<char>) -> bool {
    let is_tight = |c: char| is_unspaced(c) || is_wide_mark(c);
    match (before, after) {
        (Some(before), Some(after)) => !(is_tight(before) && is_tight(after)),
        _ => false,
    }
}

/// Marks such as 。 and （, which have space of their own.
fn is_wide_mark(c: char) -> bool {
    matches!(u32::from(c), 0x3000..=0x303f | 0xff00..=0xffef)
}

#[cfg(test)]
mod tests {
    use lectern_domain::{SpeakerId, SpokenText};

    use super::*;

    fn cue(start_ms: u64, end_ms: u64, speaker: &str, text: &str) -> Cue {
        Cue::new(start_ms, end_ms, SpokenText::new(text).unwrap())
            .with_speaker(Some(SpeakerId::new(speaker).unwrap()))
    }

    #[test]
    fn a_paragraph_ends_at_a_pause_over_two_seconds_or_another_speaker() {
        let cues = [
            cue(360_000_999, 360_001_000, "", "later"),
            cue(0, 9_000, "", "one\n\ntwo"),
            cue(1_000, 2_000, "", " three "),
            cue(11_000, 12_000, "", "four"),
            cue(14_001, 15_000, "", "five"),
            cue(15_000, 16_000, "Ada  L.", "six"),
            cue(16_000, 17_000, "Ada  L.", "seven"),
        ];
        assert_eq!(
            write(&cues),
            "[00:00:00] one two three four\n\n\
             [00:00:14] five\n\n\
             [00:00:15] Ada L.: six seven\n\n\
             [100:00:00] later\n"
        );
    }

    #[test]
    fn long_speech_is_divided_after_sentences() {
        let sentence = format!("{} end.", "word ".repeat(38).trim());
        let open = "word ".repeat(60);
        let cues: Vec<_> = (0..12)
            .map(|i| {
                cue(
                    i * 5_000,
                    i * 5_000 + 5_000,
                    "",
                    if i < 6 { &sentence } else { &open },
                )
            })
            .collect();
        let file = write(&cues);
        let lengths: Vec<_> = file
            .split("\n\n")
            .map(|text| text.chars().count())
            .collect();
        assert_eq!(lengths, [595, 595, 910, 911], "{file}");
    }

    #[test]
    fn no_space_is_put_between_ideographs() {
        let cues = [
            cue(0, 1_000, "", "树有\n一个根，"),
            cue(1_000, 2_000, "", "还有叶子。\nAB 型"),
            cue(2_000, 3_000, "", "ok"),
        ];
        assert_eq!(write(&cues), "[00:00:00] 树有一个根，还有叶子。 AB 型 ok\n");
    }

    #[test]
    fn no_cues_give_an_empty_file() {
        assert_eq!(write(&[]), "");
    }
}
