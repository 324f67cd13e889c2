//! A note on subtitles in the picture that no font of this machine can draw.

use std::collections::{BTreeMap, BTreeSet};

use lectern_domain::{LanguageTag, TranscriptSegment};

use crate::failure::Failure;
use crate::stage_handler::StageContext;
use crate::stage_output::Notes;

/// The greatest number of characters that the note names.
const MAX_NAMED: usize = 10;

/// The characters of a transcript outside of ASCII, by the name of the language. Few fonts lack
/// those of ASCII.
pub(super) struct Alphabets(BTreeMap<&'static str, BTreeSet<char>>);

impl Alphabets {
    pub(super) fn of(transcript: &[TranscriptSegment]) -> Self {
        let mut alphabets = BTreeMap::<_, BTreeSet<char>>::new();
        for segment in transcript {
            let language = segment.language.as_ref();
            if let Some(name) = language.and_then(LanguageTag::english_name) {
                let characters = segment.text.chars().filter(|c| !c.is_ascii());
                alphabets.entry(name).or_default().extend(characters);
            }
        }
        Self(alphabets)
    }

    /// Adds a note if no font has some characters of the subtitles.
    pub(super) fn note_missing_fonts(
        &self,
        context: &StageContext<'_>,
        subtitles: &str,
        notes: &mut Notes,
    ) -> Result<(), Failure> {
        let file = context.scratch_file("characters.vtt");
        let missing = context.media().characters_without_font(subtitles, &file)?;
        if !missing.is_empty() {
            notes.warning(self.describe(&missing));
        }
        Ok(())
    }

    fn describe(&self, missing: &[char]) -> String {
        let with_missing = self.0.iter().filter(|(_, characters)| {
            let mut missing = missing.iter();
            missing.any(|character| characters.contains(character))
        });
        let languages: Vec<&str> = with_missing.map(|(language, _)| *language).collect();
        let languages = if languages.is_empty() {
            String::new()
        } else {
            format!(" in {}", languages.join(", "))
        };
        let named: Vec<String> = missing
            .iter()
            .take(MAX_NAMED)
            .map(char::to_string)
            .collect();
        let more = if missing.len() > MAX_NAMED {
            " and others"
        } else {
            ""
        };
        let package = if missing.iter().any(|character| is_east_asian(*character)) {
            "fonts-noto-cjk"
        } else {
            "fonts-noto-core"
        };
        format!(
            "no font of this machine has the characters {}{more} of the subtitles{languages}: the \
             clips show boxes in their place. Install a font that has them, for example {package}, \
             and process the recording again",
            named.join(" "),
        )
    }
}

/// Whether a character is in Chinese, Japanese or Korean texts only.
fn is_east_asian(character: char) -> bool {
    matches!(
        u32::from(character),
        0x1100..=0x11ff | 0x2e80..=0x9fff | 0xac00..=0xd7ff | 0xf900..=0xfaff | 0xff00..=0xffef
            | 0x20000..=0x3ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_names_the_languages_and_a_font() {
        let characters = |text: &str| text.chars().collect::<BTreeSet<char>>();
        let alphabets = Alphabets(BTreeMap::from([
            ("Hindi", characters("हिन्दी")),
            ("Japanese", characters("日本語")),
        ]));
        let note = alphabets.describe(&['日', '語']);
        let expected = "has the characters 日 語 of the subtitles in Japanese: the clips";
        assert!(
            note.contains(expected) && note.contains("fonts-noto-cjk"),
            "{note}"
        );
        let note = alphabets.describe(&['ह']);
        assert!(
            note.contains("in Hindi: ") && note.contains("fonts-noto-core"),
            "{note}"
        );
        let note = alphabets.describe(&['ก'; 11]);
        assert!(note.contains("ก and others of the subtitles: "), "{note}");
    }
}
