//! The markup in the text of a `SubRip` cue. The format has tags, but no way to escape
//! a `<`.

use crate::cue::without_blank_lines;
use crate::timing_line::{Arrows, JOINER, TimingLine, is_colon, parse_timing_line};

/// Removes tags (`b`, `i`, `u`, `s`, `font`, `{\…}`) and the joiners that [`escape`]
/// inserts. `\N` becomes a line break and `\h` a space, as programs for another format write
/// them, except in paths such as `C:\New`.
pub(crate) fn unescape(source: &str) -> String {
    let joiner_len = |rest: &str| rest.len() - rest.strip_prefix(JOINER).unwrap_or(rest).len();
    let mut text = String::with_capacity(source.len());
    let mut word = Word::default();
    let mut at = joiner_len(source);
    while let Some(c) = source[at..].chars().next() {
        if let Some(length) = tag_len(&source[at..]) {
            at += length;
            continue;
        }
        if let Some(sign) = control_sign(&source[at..]).filter(|_| !word.is_path(&text)) {
            text.push(sign);
            at += 2;
            word.begin(text.len());
            continue;
        }
        text.push(c);
        at += c.len_utf8();
        word.push(c, text.len());
        if may_need_joiner(&text) {
            at += joiner_len(&source[at..]);
        }
    }
    text
}

/// Inserts joiners where the text would otherwise be read as markup or as a timing line, and
/// removes blank lines. Where [`unescape`] would remove a joiner of the text itself, a second
/// joiner is inserted before that joiner.
pub(crate) fn escape(text: &str) -> String {
    let text = without_blank_lines(text);
    let mut escaped = String::with_capacity(text.len());
    if text.starts_with(JOINER) {
        escaped.push(JOINER);
    }
    let mut word = Word::default();
    let mut is_before_colon = true;
    let mut line_start = 0;
    for (at, c) in text.char_indices() {
        escaped.push(c);
        let (before, after) = text.split_at(at + c.len_utf8());
        let begins_markup = match c {
            // Some players remove anything that looks like a tag of HTML.
            '<' => {
                after.starts_with(|next: char| next.is_ascii_alphabetic() || "/!?".contains(next))
            }
            '{' => tag_len(&text[at..]).is_some(),
            '\\' => control_sign(&text[at..]).is_some() && !word.is_path(&text[..at]),
            // Libraries look for times anywhere in a line, so that a mark before them would not
            // help.
            _ if is_colon(c) => is_before_colon && is_timing_line(&text[line_start..]),
            _ => after.starts_with('>'),
        };
        if c == '\n' {
            (is_before_colon, line_start) = (true, at + 1);
        } else {
            is_before_colon &= !is_colon(c);
        }
        word.push(c, before.len());
        if may_need_joiner(before) && (begins_markup || after.starts_with(JOINER)) {
            escaped.push(JOINER);
        }
    }
    escaped
}

/// The word at the end of a text that is read or written.
#[derive(Default)]
struct Word {
    start: usize,
    has_backslash: bool,
}

impl Word {
    /// Begins a word at the end of a text of this length.
    fn begin(&mut self, text_len: usize) {
        *self = Self {
            start: text_len,
            has_backslash: false,
        };
    }

    /// Adds the last character of a text of this length.
    fn push(&mut self, c: char, text_len: usize) {
        if c.is_whitespace() {
            self.begin(text_len);
        }
        self.has_backslash |= c == '\\';
    }

    /// Whether the word that ends this text is the beginning of a path, in which a backslash
    /// is a backslash.
    fn is_path(&self, text: &str) -> bool {
        self.has_backslash
            || matches!(&text.as_bytes()[self.start..], [drive, b':', ..] if drive.is_ascii_alphabetic())
    }
}

/// Whether [`escape`] may have inserted a joiner after this text.
fn may_need_joiner(before: &str) -> bool {
    before.ends_with(|c: char| matches!(c, '\n' | '<' | '{' | '\\') || is_colon(c))
        || before.ends_with("--")
}

/// Whether the first line would be read as a timing line.
fn is_timing_line(text: &str) -> bool {
    let line = text.split('\n').next().unwrap_or_default();
    parse_timing_line(line, Arrows::Any) != TimingLine::NotTiming
}

/// The character that `\N` or `\h` at the beginning stands for.
fn control_sign(markup: &str) -> Option<char> {
    match markup.as_bytes() {
        [b'\\', b'N', ..] => Some('\n'),
        [b'\\', b'h', ..] => Some(' '),
        _ => None,
    }
}

/// The length in bytes of the tag at the beginning of a text.
fn tag_len(text: &str) -> Option<usize> {
    let is_html_tag = |inner: &str| {
        let name = inner.strip_prefix('/').unwrap_or(inner);
        let name = name.split(|c: char| c.is_ascii_whitespace()).next();
        ["b", "i", "u", "s", "font"]
            .iter()
            .any(|tag| name.is_some_and(|name| name.eq_ignore_ascii_case(tag)))
    };
    bracketed_len(text, ['<', '>'], is_html_tag)
        .or_else(|| bracketed_len(text, ['{', '}'], |inner| inner.starts_with('\\')))
}

/// The length in bytes of the bracketed part at the beginning of a text, if it has no
/// brackets inside and its content `is_tag`.
fn bracketed_len(text: &str, brackets: [char; 2], is_tag: impl Fn(&str) -> bool) -> Option<usize> {
    let inner = text.strip_prefix(brackets[0])?;
    let end = inner.find(brackets)?;
    let is_closed = inner[end..].starts_with(brackets[1]);
    (is_closed && is_tag(&inner[..end])).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_removed() {
        assert_eq!(
            unescape("<i>a</i> <FONT color=\"#fff\">b</Font>{\\an8}"),
            "a b"
        );
        assert_eq!(unescape("{\\an8}{\\i1}a\n<font\nsize=2>b"), "a\nb");
    }

    #[test]
    fn line_breaks_and_spaces_of_other_formats_are_read() {
        assert_eq!(unescape("{\\an8}On top\\Nsecond"), "On top\nsecond");
        assert_eq!(unescape("a\\h\\hgap"), "a  gap");
        for text in ["C:\\New\\home", "\\\\server\\home", "a\\b\\home", "\\n"] {
            assert_eq!(unescape(text), text);
            assert_eq!(escape(text), text);
        }
    }

    #[test]
    fn blank_lines_are_not_written() {
        assert_eq!(escape("a\r\n\r\n \t\nb\n"), "a\nb");
    }

    #[test]
    fn anything_but_a_subrip_tag_is_text() {
        for text in ["a < b > c", "{a}", "{\\a", "&amp;", "<<>"] {
            assert_eq!(unescape(text), text);
            assert_eq!(escape(text), text);
        }
    }

    #[test]
    fn text_that_looks_like_markup_is_escaped() {
        for (text, escaped) in [
            ("<b>", "<_b>"),
            ("{\\an8}", "{_\\an8}"),
            ("a --> b", "a --_> b"),
            ("--->", "---_>"),
            ("a\n0:01 --> 0:02", "a\n0:_01 --_> 0:02"),
            (
                "00:00:01,000 → 00:00:02,000",
                "00:_00:01,000 → 00:00:02,000",
            ),
            ("Vec<String>", "Vec<_String>"),
            ("a\\Nb C:\\New", "a\\_Nb C:\\New"),
            ("<_b>", "<__b>"),
            ("--_", "--__"),
            ("_a\n_", "__a\n__"),
            ("a_b", "a_b"),
        ] {
            let with_joiners = |text: &str| text.replace('_', "\u{2060}");
            assert_eq!(escape(&with_joiners(text)), with_joiners(escaped));
            assert_eq!(unescape(&with_joiners(escaped)), with_joiners(text));
        }
    }
}
