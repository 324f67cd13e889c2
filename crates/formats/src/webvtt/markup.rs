//! The text of a WebVTT cue: tags, character references, and who speaks.
//!
//! <https://www.w3.org/TR/webvtt1/#webvtt-cue-text-parsing-rules>

use crate::cue::{one_line, unix_lines};
use crate::time;

/// What one voice says in a cue.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Voice {
    /// Whose voice it is, when that is said.
    pub(crate) name: Option<String>,
    /// What it says, without markup.
    pub(crate) text: String,
}

/// Takes the text of a cue apart. All tags are dropped but `<v>`, which begins
/// a voice; a `<` that begins no tag and a `&` that begins no reference are
/// text, as people write them. Voices that say nothing are left out.
pub(crate) fn voices(source: &str) -> Vec<Voice> {
    let mut voices = vec![Voice::default()];
    let mut text = String::new();
    let mut rest = source;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        let marked = &rest[at..];
        if let Some((tag, after)) = tag(marked) {
            if let Some(name) = voice(tag) {
                close(&mut voices, &mut text);
                voices.push(Voice {
                    name,
                    text: String::new(),
                });
            }
            rest = after;
        } else if let Some((meant, after)) = reference(marked) {
            text.push(meant);
            rest = after;
        } else {
            text.push_str(&marked[..1]);
            rest = &marked[1..];
        }
    }
    text.push_str(rest);
    close(&mut voices, &mut text);
    voices.retain(|voice| !voice.text.trim().is_empty());
    if voices.len() > 1 {
        for voice in &mut voices {
            voice.text = voice.text.trim().to_owned();
        }
    }
    voices
}

/// Gives the voice that ends here what was said.
fn close(voices: &mut [Voice], text: &mut String) {
    if let Some(voice) = voices.last_mut() {
        voice.text = std::mem::take(text);
    }
}

/// What is between `<` and `>`, and what follows. Any word is a tag, because
/// whoever writes WebVTT means it.
fn tag(marked: &str) -> Option<(&str, &str)> {
    let inner = marked.strip_prefix('<')?;
    let end = inner.find(['<', '>'])?;
    let after = inner[end..].strip_prefix('>')?;
    let inner = &inner[..end];
    let word = inner.strip_prefix('/').unwrap_or(inner);
    let is_tag =
        word.starts_with(|first: char| first.is_ascii_alphabetic()) || time::parse(word).is_some();
    is_tag.then_some((inner, after))
}

/// The name in a `v` tag, without classes; `Some(None)` when the voice is
/// nobody's, and at its end.
fn voice(tag: &str) -> Option<Option<String>> {
    let head = tag.split(|c: char| c.is_ascii_whitespace()).next()?;
    let annotation = &tag[head.len()..];
    match head.split('.').next()? {
        "v" => {
            let name = one_line(&referenced(annotation));
            Some((!name.is_empty()).then_some(name))
        }
        "/v" => Some(None),
        _ => None,
    }
}

/// A text with its character references replaced.
fn referenced(source: &str) -> String {
    let mut text = String::new();
    let mut rest = source;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        let (meant, after) = reference(&rest[at..]).unwrap_or(('&', &rest[at + 1..]));
        text.push(meant);
        rest = after;
    }
    text + rest
}

/// The character that is meant by the reference a text begins with, and what
/// follows it.
fn reference(marked: &str) -> Option<(char, &str)> {
    let body = marked.strip_prefix('&')?;
    // No reference that is known is longer.
    let end = body.bytes().take(10).position(|byte| byte == b';')?;
    let (name, after) = (&body[..end], &body[end + 1..]);
    let meant = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        _ => numeric(name.strip_prefix('#')?)?,
    };
    Some((meant, after))
}

/// A decimal number, or a hexadecimal one after `x`. What is no character
/// becomes U+FFFD, as in HTML; a carriage return is the line end it was.
fn numeric(number: &str) -> Option<char> {
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

/// Writes a text so that [`voices`] reads it back. A line end that would make
/// a line blank, and thereby end the cue, is written as a reference.
pub(crate) fn escaped(text: &str) -> String {
    let text = unix_lines(text);
    let said = text.trim_end_matches([' ', '\t', '\n']).len();
    let mut written = String::with_capacity(text.len());
    let mut is_blank = true;
    for (at, c) in text.char_indices() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '\n' if is_blank || at >= said => written.push_str("&#10;"),
            _ => written.push(c),
        }
        is_blank = match c {
            ' ' | '\t' => is_blank,
            _ => written.ends_with('\n'),
        };
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        let voices = voices(source);
        assert!(voices.len() <= 1, "{voices:?}");
        voices.into_iter().map(|voice| voice.text).collect()
    }

    #[test]
    fn tags_are_no_text() {
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
    fn what_only_looks_like_a_tag_is_text() {
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
    fn references_are_characters() {
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
    fn each_voice_is_told_apart() {
        let said = |name: Option<&str>, text: &str| Voice {
            name: name.map(str::to_owned),
            text: text.to_owned(),
        };
        assert_eq!(voices("<v Ada> one</v>\n"), [said(Some("Ada"), " one")],);
        assert_eq!(
            voices("so <v.loud  Ada\tL. &amp; Co >one\n<v Bob>two</v> three <v>four"),
            [
                said(None, "so"),
                said(Some("Ada L. & Co"), "one"),
                said(Some("Bob"), "two"),
                said(None, "three"),
                said(None, "four"),
            ],
        );
        assert_eq!(voices("<video x>a<v.x>"), [said(None, "a")]);
    }

    #[test]
    fn no_line_of_an_escaped_text_is_blank() {
        for source in [
            "a\n\nb",
            "\n\n a",
            "a \n \t\n\n b\n",
            "a\n\n\n \n",
            " a\r\r\nb\n ",
        ] {
            let written = escaped(source);
            assert!(
                written.split('\n').all(|line| !line.trim().is_empty()),
                "{written:?}"
            );
            assert_eq!(text(&written), unix_lines(source));
        }
        assert_eq!(escaped("a --> b\nc"), "a --&gt; b\nc");
    }
}
