//! Character references such as `&amp;`, `&eacute;` and `&#39;`.

use quick_xml::escape::resolve_html5_entity;

/// The length of the longest name of HTML, with its semicolon.
const MAX_NAME_BYTES: usize = 32;

/// Replaces character references by their characters. A `&` that begins none is text.
pub(crate) fn unescape_references(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = split_reference(rest, &mut text).unwrap_or_else(|| {
            text.push('&');
            &rest[1..]
        });
    }
    text + rest
}

/// Appends the characters of the reference at the beginning to `text`, and returns what
/// follows it. `None` if there is none.
pub(crate) fn split_reference<'a>(markup: &'a str, text: &mut String) -> Option<&'a str> {
    let body = markup.strip_prefix('&')?;
    // The limit keeps parsing linear.
    let end = body
        .bytes()
        .take(MAX_NAME_BYTES)
        .position(|byte| byte == b';')?;
    let (name, after) = (&body[..end], &body[end + 1..]);
    match name.strip_prefix('#') {
        Some(number) => text.push(numeric_reference(number)?),
        None => text.push_str(resolve_html5_entity(name)?),
    }
    Some(after)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_of_html_is_replaced() {
        for (source, text) in [
            ("&lt;b&gt; &amp;amp; &quot;&apos;", "<b> &amp; \"'"),
            (
                "20&deg; caf&eacute;&hellip; &mdash; &copy;",
                "20° café… — ©",
            ),
            ("a&nbsp;b&lrm;&rlm;", "a\u{a0}b\u{200e}\u{200f}"),
            ("&#228;&#xE4;&#XE4;&#10;x", "äää\nx"),
            ("&#0;&#xD800;&#99999999;", "\u{fffd}\u{fffd}\u{fffd}"),
            ("&CounterClockwiseContourIntegral;", "∳"),
        ] {
            assert_eq!(unescape_references(source), text);
        }
    }

    #[test]
    fn anything_else_is_text() {
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
            assert_eq!(unescape_references(source), source);
        }
    }
}
