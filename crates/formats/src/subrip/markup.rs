//! The markup in the text of a `SubRip` cue. The format has tags, but no way to escape
//! a `<`.

use crate::cue::normalize_line_ends;

/// WORD JOINER, which has no width and is not white space. Players do not recognize
/// markup if a joiner follows the `<`, `{` or `--`, and do not end the cue at an empty
/// line that contains a joiner.
const JOINER: char = '\u{2060}';

/// Removes tags (`b`, `i`, `u`, `s`, `font`, `{\…}`) and the joiners that [`escape`]
/// inserts.
pub(crate) fn unescape(source: &str) -> String {
    let joiner_len = |rest: &str| rest.len() - rest.strip_prefix(JOINER).unwrap_or(rest).len();
    let mut text = String::with_capacity(source.len());
    let mut at = joiner_len(source);
    while let Some(c) = source[at..].chars().next() {
        if let Some(length) = tag_len(&source[at..]) {
            at += length;
            continue;
        }
        text.push(c);
        at += c.len_utf8();
        if may_need_joiner(&text) {
            at += joiner_len(&source[at..]);
        }
    }
    text
}

/// Inserts joiners where the text would otherwise be read as markup. Where
/// [`unescape`] would remove a joiner of the text itself, a second joiner is inserted
/// before that joiner.
pub(crate) fn escape(text: &str) -> String {
    let text = normalize_line_ends(text);
    let mut escaped = String::with_capacity(text.len());
    if first_line_is_blank(&text) || text.starts_with(JOINER) {
        escaped.push(JOINER);
    }
    for (at, c) in text.char_indices() {
        escaped.push(c);
        let (before, after) = text.split_at(at + c.len_utf8());
        let begins_markup = match c {
            '\n' => first_line_is_blank(after),
            '<' | '{' => tag_len(&text[at..]).is_some(),
            _ => after.starts_with('>'),
        };
        if may_need_joiner(before) && (begins_markup || after.starts_with(JOINER)) {
            escaped.push(JOINER);
        }
    }
    escaped
}

/// Whether [`escape`] may have inserted a joiner after this text.
fn may_need_joiner(before: &str) -> bool {
    before.ends_with(['\n', '<', '{']) || before.ends_with("--")
}

/// Whether the first line has only spaces and tabs.
fn first_line_is_blank(text: &str) -> bool {
    let rest = text.trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with('\n')
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
    fn anything_but_a_subrip_tag_is_text() {
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
            ("a\n\n b", "a\n_\n b"),
            ("\na\n \n", "_\na\n_ \n_"),
            ("a\r\rb", "a\n_\nb"),
            ("<_b>", "<__b>"),
            ("--_", "--__"),
            ("_a\n_", "__a\n__"),
            ("a_b", "a_b"),
        ] {
            let with_joiners = |text: &str| text.replace('_', "\u{2060}");
            assert_eq!(escape(&with_joiners(text)), with_joiners(escaped));
            assert_eq!(
                unescape(&with_joiners(escaped)),
                normalize_line_ends(&with_joiners(text))
            );
        }
    }
}
