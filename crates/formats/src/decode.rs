//! Bytes to text to lines.

use std::borrow::Cow;

/// A line without its end, and its number; the first is 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
}

impl Line<'_> {
    /// Whether there is nothing on it but spaces and tabs.
    pub(crate) fn is_blank(self) -> bool {
        self.text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
    }
}

/// The text of a file, without its byte order mark. Bytes that mean nothing
/// become U+FFFD: recognizers cut characters in half between two segments.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> = bytes
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => String::from_utf8_lossy(rest),
    }
}

/// The lines of a text, whether they end in LF, CRLF or CR.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .enumerate()
        .map(|(i, text)| Line {
            number: i + 1,
            text,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        lines(text).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn every_line_end_ends_a_line() {
        assert_eq!(texts("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(texts("a\n\r\nb\r\r\nc"), ["a", "", "b", "", "c"]);
        assert_eq!(lines("a\r\rb")[2].number, 3);
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(decode("\u{feff}é".as_bytes()), "é");
        assert_eq!(decode(&[0xff, 0xfe, 0xe9, 0]), "é");
        assert_eq!(decode(&[0xfe, 0xff, 0, 0xe9, 7]), "é");
        assert_eq!(decode(&[b'a', 0xe9]), "a\u{fffd}");
    }
}
