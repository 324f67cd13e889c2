//! The markup in the text of a WebVTT cue: tags, character references and voices.
//!
//! <https://www.w3.org/TR/webvtt1/#webvtt-cue-text-parsing-rules>

use crate::cue::{collapse_whitespace, normalize_line_ends};
use crate::time::parse_timestamp;

/// The text of one voice in a cue.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Voice {
    /// `None` if the text is outside of a voice tag or the tag has no name.
    pub(crate) name: Option<String>,
    /// Without markup.
    pub(crate) text: String,
}

/// Splits the text of a cue into voices. `<v>` begins a voice; other tags are removed.
/// A `<` that begins no tag and a `&` that begins no character reference are text,
/// because people write them unescaped. Voices without text are left out.
pub(crate) fn parse_voices(source: &str) -> Vec<Voice> {
    let mut voices = vec![Voice::default()];
    let mut text = String::new();
    let mut rest = source;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        let markup = &rest[at..];
        if let Some((tag, after)) = split_tag(markup) {
            if let Some(name) = voice_name(tag) {
                finish_voice(&mut voices, &mut text);
                voices.push(Voice {
                    name,
                    text: String::new(),
                });
            }
            rest = after;
        } else if let Some((character, after)) = split_reference(markup) {
            text.push(character);
            rest = after;
        } else {
            text.push_str(&markup[..1]);
            rest = &markup[1..];
        }
    }
    text.push_str(rest);
    finish_voice(&mut voices, &mut text);
    voices.retain(|voice| !voice.text.trim().is_empty());
    if voices.len() > 1 {
        for voice in &mut voices {
            voice.text = voice.text.trim().to_owned();
        }
    }
    voices
}

/// Moves the collected text to the last voice.
fn finish_voice(voices: &mut [Voice], text: &mut String) {
    if let Some(voice) = voices.last_mut() {
        voice.text = std::mem::take(text);
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

/// Replaces character references by their characters.
fn unescape_references(source: &str) -> String {
    let mut text = String::new();
    let mut rest = source;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        let (character, after) = split_reference(&rest[at..]).unwrap_or(('&', &rest[at + 1..]));
        text.push(character);
        rest = after;
    }
    text + rest
}

/// The character of the reference at the beginning, and the text after it.
fn split_reference(markup: &str) -> Option<(char, &str)> {
    let body = markup.strip_prefix('&')?;
    // No supported reference is longer; the limit keeps parsing linear.
    let end = body.bytes().take(10).position(|byte| byte == b';')?;
    let (name, after) = (&body[..end], &body[end + 1..]);
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        _ => numeric_reference(name.strip_prefix('#')?)?,
    };
    Some((character, after))
}

/// The character of a decimal number, or of a hexadecimal one after `x`. An invalid
/// code point becomes U+FFFD, as in HTML; a carriage return becomes LF.
fn numeric_reference(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    Some(match u32::from_str_radix(digits, radix).unwrap_or(0) {
        0 => '\u{fffd}',
        13 => '\n',
        code => char::from_u32(code).unwrap_or('\u{fffd}'),
    })
}

/// Escapes a text so that [`parse_voices`] restores it, with every line end as LF. The line
/// ends of blank lines, which would end the cue, and the line ends at the end of the text,
/// which would be lost, become character references.
pub(crate) fn escape(text: &str) -> String {
    let text = normalize_line_ends(text);
    let trimmed_len = text.trim_end_matches([' ', '\t', '\n']).len();
    let mut escaped = String::with_capacity(text.len());
    let mut line_is_blank = true;
    for (at, c) in text.char_indices() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' if line_is_blank || at >= trimmed_len => escaped.push_str("&#10;"),
            _ => escaped.push(c),
        }
        line_is_blank = match c {
            ' ' | '\t' => line_is_blank,
            _ => escaped.ends_with('\n'),
        };
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        let voices = parse_voices(source);
        assert!(voices.len() <= 1, "{voices:?}");
        voices.into_iter().map(|voice| voice.text).collect()
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
    fn character_references_are_replaced() {
        assert_eq!(text("&lt;b&gt; &amp;amp; &quot;&apos;"), "<b> &amp; \"'");
        assert_eq!(text("a&nbsp;b&lrm;&rlm;"), "a\u{a0}b\u{200e}\u{200f}");
        assert_eq!(text("&#228;&#xE4;&#XE4;&#10;x"), "äää\nx");
        assert_eq!(text("&#0;&#xD800;&#99999999;"), "\u{fffd}\u{fffd}\u{fffd}");
        for source in [
            "&",
            "&;",
            "&amp",
            "&foo;",
            "&#;",
            "&#x;",
            "&#+1;",
            "R&D; &é;",
        ] {
            assert_eq!(text(source), source);
        }
    }

    #[test]
    fn text_is_split_into_voices() {
        let voice = |name: Option<&str>, text: &str| Voice {
            name: name.map(str::to_owned),
            text: text.to_owned(),
        };
        assert_eq!(
            parse_voices("<v Ada> one</v>\n"),
            [voice(Some("Ada"), " one")],
        );
        assert_eq!(
            parse_voices("so <v.loud  Ada\tL. &amp; Co >one\n<v Bob>two</v> three <v>four"),
            [
                voice(None, "so"),
                voice(Some("Ada L. & Co"), "one"),
                voice(Some("Bob"), "two"),
                voice(None, "three"),
                voice(None, "four"),
            ],
        );
        assert_eq!(parse_voices("<video x>a<v.x>"), [voice(None, "a")]);
    }

    #[test]
    fn an_escaped_text_has_no_blank_line() {
        for source in [
            "a\n\nb",
            "\n\n a",
            "a \n \t\n\n b\n",
            "a\n\n\n \n",
            " a\r\r\nb\n ",
        ] {
            let escaped = escape(source);
            assert!(
                escaped.split('\n').all(|line| !line.trim().is_empty()),
                "{escaped:?}"
            );
            assert_eq!(text(&escaped), normalize_line_ends(source));
        }
        assert_eq!(escape("a --> b\nc"), "a --&gt; b\nc");
    }
}
