//! The markup in the text of a WebVTT cue: tags, character references, voices and languages.
//!
//! <https://www.w3.org/TR/webvtt1/#webvtt-cue-text-parsing-rules>

use std::collections::HashMap;

use lectern_domain::LanguageTag;

use crate::cue::{Word, collapse_whitespace, without_blank_lines};
use crate::html_references::{split_reference, unescape_references};
use crate::time::parse_timestamp;

/// The text of one voice in a cue.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Voice {
    /// `None` if the text is outside of a voice tag or the tag has no name.
    pub(crate) name: Option<String>,
    /// Without markup.
    pub(crate) text: String,
    /// The words with their times, if the text has tags with times.
    pub(crate) words: Vec<Word>,
    /// The language of most of the text, as `<lang>` says; `None` for that of the file.
    pub(crate) language: Option<LanguageTag>,
}

/// Splits the text of a cue, which lasts from `start_ms` to `end_ms`, into voices. `<v>` begins
/// a voice, and `<lang>` a part in another language, also in several voices; other tags are removed. A `<` that begins no tag and a `&` that begins no
/// character reference are text, because people write them unescaped. Voices without text are
/// left out.
pub(crate) fn parse_voices(source: &str, start_ms: u64, end_ms: u64) -> Vec<Voice> {
    let mut voices = vec![Voice::default()];
    let mut text = TimedText::default();
    let mut languages = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['<', '&']) {
        text.text.push_str(&rest[..at]);
        let markup = &rest[at..];
        if let Some((tag, after)) = split_tag(markup) {
            if let Some(name) = voice_name(tag) {
                text.finish(&mut voices, start_ms, end_ms);
                voices.push(Voice {
                    name,
                    ..Voice::default()
                });
            } else if let Some(change) = language_change(tag) {
                match change {
                    Some(name) => languages.push(LanguageTag::of_name(name)),
                    None => drop(languages.pop()),
                }
                text.begin_language(languages.last().cloned().flatten());
            } else if let Some(time) = parse_timestamp(tag) {
                text.marks.push((text.text.len(), time));
            }
            rest = after;
        } else if let Some(after) = split_reference(markup, &mut text.text) {
            rest = after;
        } else {
            text.text.push_str(&markup[..1]);
            rest = &markup[1..];
        }
    }
    text.text.push_str(rest);
    text.finish(&mut voices, start_ms, end_ms);
    voices.retain(|voice| !voice.text.trim().is_empty());
    if voices.len() > 1 {
        for voice in &mut voices {
            voice.text = voice.text.trim().to_owned();
        }
    }
    voices
}

/// The text of a voice while it is collected.
#[derive(Default)]
struct TimedText {
    text: String,
    /// Times, in milliseconds, and where in the text they are.
    marks: Vec<(usize, u64)>,
    /// Languages, and where in the text they begin.
    languages: Vec<(usize, Option<LanguageTag>)>,
}

impl TimedText {
    fn begin_language(&mut self, language: Option<LanguageTag>) {
        self.languages.push((self.text.len(), language));
    }

    /// The language with the most characters, of equal ones the first.
    fn main_language(&self) -> Option<LanguageTag> {
        let ends = self.languages.iter().skip(1).map(|(start, _)| *start);
        let mut lengths: HashMap<Option<&LanguageTag>, (usize, usize)> = HashMap::new();
        let first = self
            .languages
            .first()
            .map_or(self.text.len(), |(start, _)| *start);
        let parts = self.languages.iter().zip(ends.chain([self.text.len()]));
        let parts = parts.map(|((start, language), end)| (*start..end, language.as_ref()));
        for (order, (range, language)) in [(0..first, None)].into_iter().chain(parts).enumerate() {
            let letters = self.text[range].chars().filter(|c| !c.is_whitespace());
            let length = letters.count();
            if length > 0 {
                lengths.entry(language).or_insert((0, order)).0 += length;
            }
        }
        let longest = lengths
            .into_iter()
            .max_by_key(|(_, (length, order))| (*length, std::cmp::Reverse(*order)));
        longest.and_then(|(language, _)| language.cloned())
    }

    /// Moves the text to the last voice.
    fn finish(&mut self, voices: &mut [Voice], start_ms: u64, end_ms: u64) {
        let language = self.main_language();
        let current = self
            .languages
            .last()
            .and_then(|(_, language)| language.clone());
        let Self { text, marks, .. } = std::mem::take(self);
        self.begin_language(current);
        let Some(voice) = voices.last_mut() else {
            return;
        };
        if let Some((first, _)) = marks.first() {
            // Lines above the first time have been shown before.
            let line_start = text[..*first].trim_end_matches('\n').rfind('\n');
            let first_mark = (line_start.map_or(0, |at| at + 1), start_ms);
            let ends = marks.iter().copied().chain([(text.len(), end_ms)]);
            voice.words = [first_mark]
                .iter()
                .chain(&marks)
                .zip(ends)
                .map(|(&(from, start), (to, end))| Word {
                    start_ms: start,
                    end_ms: end.max(start),
                    text: text[from..to].trim().to_owned(),
                    probability: None,
                })
                .filter(|word| !word.text.is_empty())
                .collect();
        }
        voice.text = text;
        voice.language = language;
    }
}

/// Splits the tag at the beginning from the rest; the tag is returned without `<` and
/// `>`. Any word in angle brackets that begins with an ASCII letter is a tag, and so is a
/// timestamp.
fn split_tag(markup: &str) -> Option<(&str, &str)> {
    let inner = markup.strip_prefix('<')?;
    let end = inner.find(['<', '>'])?;
    let after = inner[end..].strip_prefix('>')?;
    let inner = &inner[..end];
    let word = inner.strip_prefix('/').unwrap_or(inner);
    let is_tag = word.starts_with(|first: char| first.is_ascii_alphabetic())
        || parse_timestamp(word).is_some();
    is_tag.then_some((inner, after))
}

/// The name in a `v` tag, classes removed. `None` for any other tag; `Some(None)` for a
/// `v` tag without a name and for `/v`, which ends the voice.
fn voice_name(tag: &str) -> Option<Option<String>> {
    let head = tag.split(|c: char| c.is_ascii_whitespace()).next()?;
    let annotation = &tag[head.len()..];
    match head.split('.').next()? {
        "v" => {
            let name = collapse_whitespace(&unescape_references(annotation));
            Some((!name.is_empty()).then_some(name))
        }
        "/v" => Some(None),
        _ => None,
    }
}

/// The language that a `lang` tag begins, classes removed; `Some(None)` for `/lang`, which ends
/// one. `None` for any other tag.
fn language_change(tag: &str) -> Option<Option<&str>> {
    let head = tag.split(|c: char| c.is_ascii_whitespace()).next()?;
    match head.split('.').next()? {
        "lang" => Some(Some(tag[head.len()..].trim())),
        "/lang" => Some(None),
        _ => None,
    }
}

/// Escapes a text so that [`parse_voices`] restores it, without its blank lines, which would
/// end the cue, and with every line end as LF.
pub(crate) fn escape(text: &str) -> String {
    escape_characters(&without_blank_lines(text))
}

/// Escapes the characters that begin or end markup.
pub(crate) fn escape_characters(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        let voices = parse_voices(source, 0, 1);
        assert!(voices.len() <= 1, "{voices:?}");
        voices.into_iter().map(|voice| voice.text).collect()
    }

    /// The languages of the voices, "-" for that of the file.
    fn languages(source: &str) -> Vec<String> {
        let voices = parse_voices(source, 0, 1);
        let language = |voice: Voice| voice.language.map_or("-".to_owned(), |tag| tag.to_string());
        voices.into_iter().map(language).collect()
    }

    #[test]
    fn the_language_of_a_voice_is_that_of_most_of_its_text() {
        assert_eq!(languages("<lang de>Guten Morgen</lang>"), ["de"]);
        assert_eq!(languages("<lang.a de>Guten Morgen"), ["de"]);
        assert_eq!(languages("He says <lang de>ja</lang> to it"), ["-"]);
        assert_eq!(languages("Hm, <lang de>guten Morgen</lang>"), ["de"]);
        let nested = "<lang de>guten <lang fr>jour</lang> Morgen</lang> yes";
        assert_eq!(languages(nested), ["de"]);
        // The time is no text, and of equal languages the first counts.
        assert_eq!(languages("<lang de><00:00:01.000>ja</lang> no"), ["de"]);
        assert_eq!(languages("no </lang>change"), ["-"]);
        assert_eq!(languages("<lang>no name</lang>"), ["-"]);
        assert_eq!(languages("<lang !>no language</lang>"), ["-"]);
    }

    #[test]
    fn a_language_continues_in_the_next_voice() {
        let voices = "<v A>Yes <lang de><v B>ja, ja</v></lang><v C>no";
        assert_eq!(languages(voices), ["-", "de", "-"]);
    }

    #[test]
    fn tags_are_removed() {
        assert_eq!(
            text("<b>a</b> <c.yellow.bg_blue>b</c> <lang en-GB>c</lang>"),
            "a b c"
        );
        assert_eq!(text("<ruby>漢<rt>kan</rt></ruby>"), "漢kan");
        assert_eq!(
            text("one <00:00:02.000>two <00:03,5>three"),
            "one two three"
        );
        assert_eq!(text("<i.a\nb>x"), "x");
    }

    #[test]
    fn anything_but_a_tag_is_text() {
        for source in [
            "5 < 6",
            "a <",
            "<>",
            "</>",
            "<3 you",
            "<3>",
            "x << y >> z",
            "<b",
        ] {
            assert_eq!(text(source), source);
        }
    }

    #[test]
    fn text_is_split_into_voices() {
        let voice = |name: Option<&str>, text: &str| Voice {
            name: name.map(str::to_owned),
            text: text.to_owned(),
            language: None,
            words: Vec::new(),
        };
        assert_eq!(
            parse_voices("<v Ada> one</v>\n", 0, 1),
            [voice(Some("Ada"), " one")],
        );
        assert_eq!(
            parse_voices(
                "so <v.loud  Ada\tL. &amp; Co >one\n<v Bob>two</v> three <v>four",
                0,
                1
            ),
            [
                voice(None, "so"),
                voice(Some("Ada L. & Co"), "one"),
                voice(Some("Bob"), "two"),
                voice(None, "three"),
                voice(None, "four"),
            ],
        );
        assert_eq!(parse_voices("<video x>a<v.x>", 0, 1), [voice(None, "a")]);
    }

    #[test]
    fn times_in_a_text_are_the_times_of_its_words() {
        let source = "so far\na<00:01.500><c> hash</c><00:02.000><c> table &amp; more</c>";
        let voices = parse_voices(source, 1_000, 3_000);
        let word = |start_ms, end_ms, text: &str| Word {
            start_ms,
            end_ms,
            text: text.to_owned(),
            probability: None,
        };
        assert_eq!(voices[0].text, "so far\na hash table & more");
        assert_eq!(
            voices[0].words,
            [
                word(1_000, 1_500, "a"),
                word(1_500, 2_000, "hash"),
                word(2_000, 3_000, "table & more")
            ]
        );
    }

    #[test]
    fn an_escaped_text_has_no_blank_line() {
        for (source, lines) in [
            ("a\n\nb", "a\nb"),
            ("\n\n a", " a"),
            ("a \n \t\n\n b\n", "a \n b"),
            (" a\r\r\nb\n ", " a\nb"),
        ] {
            assert_eq!(escape(source), lines);
        }
        assert_eq!(escape("a --> b\nc"), "a --&gt; b\nc");
    }
}
