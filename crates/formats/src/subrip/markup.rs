//! The text of a `SubRip` cue, which knows tags but no way to write a `<`.

use crate::cue::unix_lines;

/// WORD JOINER: has no width and is no white space. Behind a character that
/// would begin markup it keeps it from doing so, in any player, and on an empty
/// line it keeps the line from ending the cue.
const JOINER: char = '\u{2060}';

/// A text without its tags (`b`, `i`, `u`, `s`, `font`, `{\…}`) and without the
/// joiners of [`guarded`].
pub(crate) fn plain(source: &str) -> String {
    let unguarded = |rest: &'_ str| rest.len() - rest.strip_prefix(JOINER).unwrap_or(rest).len();
    let mut text = String::with_capacity(source.len());
    let mut at = unguarded(source);
    while let Some(c) = source[at..].chars().next() {
        if let Some(length) = tag(&source[at..]) {
            at += length;
            continue;
        }
        text.push(c);
        at += c.len_utf8();
        if may_need_guard(&text) {
            at += unguarded(&source[at..]);
        }
    }
    text
}

/// Writes a text so that [`plain`] reads it back: with a joiner wherever it
/// would be taken for something else, and wherever it has one of its own that
/// would be taken for ours.
pub(crate) fn guarded(text: &str) -> String {
    let text = unix_lines(text);
    let mut written = String::with_capacity(text.len());
    if begins_blank(&text) || text.starts_with(JOINER) {
        written.push(JOINER);
    }
    for (at, c) in text.char_indices() {
        written.push(c);
        let (before, after) = text.split_at(at + c.len_utf8());
        let needs_guard = match c {
            '\n' => begins_blank(after),
            '<' | '{' => tag(&text[at..]).is_some(),
            _ => after.starts_with('>'),
        };
        if may_need_guard(before) && (needs_guard || after.starts_with(JOINER)) {
            written.push(JOINER);
        }
    }
    written
}

/// Whether a joiner behind this text is a guard.
fn may_need_guard(before: &str) -> bool {
    before.ends_with(['\n', '<', '{']) || before.ends_with("--")
}

/// Whether the first line has nothing but spaces and tabs.
fn begins_blank(text: &str) -> bool {
    let rest = text.trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with('\n')
}

/// The length of the tag a text begins with, in bytes.
fn tag(text: &str) -> Option<usize> {
    let is_tag = |inner: &str| {
        let name = inner.strip_prefix('/').unwrap_or(inner);
        let name = name.split(|c: char| c.is_ascii_whitespace()).next();
        ["b", "i", "u", "s", "font"]
            .iter()
            .any(|tag| name.is_some_and(|name| name.eq_ignore_ascii_case(tag)))
    };
    bracketed(text, ['<', '>'], is_tag)
        .or_else(|| bracketed(text, ['{', '}'], |inner| inner.starts_with('\\')))
}

/// The length of what a text begins with, when that is between these brackets,
/// has none of them inside, and is a tag.
fn bracketed(text: &str, brackets: [char; 2], is_tag: impl Fn(&str) -> bool) -> Option<usize> {
    let inner = text.strip_prefix(brackets[0])?;
    let end = inner.find(brackets)?;
    let is_closed = inner[end..].starts_with(brackets[1]);
    (is_closed && is_tag(&inner[..end])).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_no_text() {
        assert_eq!(
            plain("<i>a</i> <FONT color=\"#fff\">b</Font>{\\an8}"),
            "a b"
        );
        assert_eq!(plain("{\\an8}{\\i1}a\n<font\nsize=2>b"), "a\nb");
    }

    #[test]
    fn what_is_not_a_tag_of_subrip_is_text() {
        for text in [
            "a < b > c",
            "Vec<String>",
            "<b",
            "{a}",
            "{\\a",
            "&amp;",
            "<<>",
            "<bi>",
        ] {
            assert_eq!(plain(text), text);
            assert_eq!(guarded(text), text);
        }
    }

    #[test]
    fn what_would_be_taken_for_markup_is_guarded() {
        for (text, written) in [
            ("<b>", "<_b>"),
            ("{\\an8}", "{_\\an8}"),
            ("a --> b", "a --_> b"),
            ("--->", "---_>"),
            ("a\n\n b", "a\n_\n b"),
            ("\na\n \n", "_\na\n_ \n_"),
            ("a\r\rb", "a\n_\nb"),
            ("<_b>", "<__b>"),
            ("--_", "--__"),
            ("_a\n_", "__a\n__"),
            ("a_b", "a_b"),
        ] {
            let joined = |text: &str| text.replace('_', "\u{2060}");
            assert_eq!(guarded(&joined(text)), joined(written));
            assert_eq!(plain(&joined(written)), unix_lines(&joined(text)));
        }
    }
}
