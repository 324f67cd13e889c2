//! Plain text for people, which cannot be read back.

use std::fmt::Write;

use crate::cue::{Cue, by_start};
use crate::time::TimestampSeconds;

/// The longest pause within a paragraph.
const MAX_PAUSE_MS: u64 = 2_000;

/// Writes the texts in paragraphs. A new paragraph begins after a pause of more than two
/// seconds and where the speaker changes. Each paragraph starts with its time in whole
/// seconds and the name of the speaker:
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

/// The end in milliseconds and the speaker of the last paragraph that was written; `None`
/// before the first paragraph.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastParagraph(Option<(u64, String)>);

impl LastParagraph {
    /// The text that ends the file.
    pub(crate) fn end(&self) -> &'static str {
        if self.0.is_some() { "\n" } else { "" }
    }

    fn continues_with(&self, cue: &Cue, speaker: &str) -> bool {
        self.0.as_ref().is_some_and(|(end_ms, paragraph_speaker)| {
            paragraph_speaker == speaker && cue.start_ms() <= end_ms.saturating_add(MAX_PAUSE_MS)
        })
    }
}

/// Appends cues to a file whose last paragraph is `paragraph`, and updates `paragraph`.
pub(crate) fn write_cues(file: &mut String, cues: &[Cue], paragraph: &mut LastParagraph) {
    for cue in by_start(cues) {
        let speaker = cue.speaker.as_deref().unwrap_or_default();
        if !paragraph.continues_with(cue, speaker) {
            let separator = if paragraph.0.is_some() { "\n\n" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(file, "{separator}[{}]", TimestampSeconds(cue.start_ms()));
            if !speaker.trim().is_empty() {
                let _ = write!(file, " {}:", single_line(speaker));
            }
        }
        let _ = write!(file, " {}", single_line(&cue.text));
        let end_ms = paragraph.0.as_ref().map_or(0, |(end_ms, _)| *end_ms);
        paragraph.0 = Some((end_ms.max(cue.end_ms()), speaker.to_owned()));
    }
}

/// Replaces each run of white space by one space.
fn single_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
    fn no_cues_give_an_empty_file() {
        assert_eq!(write(&[]), "");
    }
}
