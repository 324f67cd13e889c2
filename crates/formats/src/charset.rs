//! Bytes to text.

use std::borrow::Cow;

use crate::error::FormatError;
use crate::timed_text::lines;

/// A charset that subtitles may be declared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, and ASCII, which is part of it.
    Utf8,
    /// UTF-16 of either order of bytes, which has to be told by a byte order
    /// mark or, in a text that begins with ASCII, by the NUL beside its letter.
    /// Half of a pair of surrogates becomes U+FFFD.
    Utf16,
    /// What Windows calls "ANSI" in the west of Europe and America, and
    /// ISO 8859-1, the letters of which are part of it.
    Windows1252,
}

impl Charset {
    /// The charset of a label, as in `Content-Type: …; charset=utf-8`.
    pub fn from_label(label: &str) -> Option<Self> {
        match label.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "us-ascii" | "ascii" => Some(Self::Utf8),
            "utf-16" => Some(Self::Utf16),
            // As on the web, which takes them all for the same.
            "windows-1252" | "cp1252" | "iso-8859-1" | "iso8859-1" | "latin1" => {
                Some(Self::Windows1252)
            }
            _ => None,
        }
    }

    /// The text of bytes that are declared to be in this charset, without a
    /// byte order mark. What tells UTF-16, and the mark of UTF-8, outweigh what
    /// is declared.
    ///
    /// The error is for bytes that mean nothing in the charset; it is the line
    /// of the first. In windows-1252, every byte means something.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
        if let Some(text) = utf16(bytes) {
            return Ok(text.into());
        }
        match (self, bytes.strip_prefix(MARK)) {
            (_, Some(rest)) => utf8(rest),
            (Self::Utf8, None) => utf8(bytes),
            (Self::Windows1252, None) => Ok(windows_1252(bytes).into()),
            (Self::Utf16, None) => {
                let expected = "expected UTF-16 with a byte order mark";
                Err(FormatError::new(1, expected))
            }
        }
    }
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of a file whose charset nobody told, without its byte order mark:
/// Unicode if it can be, else windows-1252, in which every byte is a letter.
///
/// It can be UTF-8 when, ASCII aside, no more of it is broken than whole:
/// recognizers cut characters in half between two segments.
pub(crate) fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match utf16(bytes) {
        Some(text) => text.into(),
        None if may_be_utf8(bytes) => utf8_lossy(bytes),
        None => windows_1252(bytes).into(),
    }
}

/// The text of a file that is Unicode, without its byte order mark. Bytes that
/// mean nothing become U+FFFD.
pub(crate) fn unicode(bytes: &[u8]) -> Cow<'_, str> {
    utf16(bytes).map_or_else(|| utf8_lossy(bytes), Cow::Owned)
}

fn may_be_utf8(bytes: &[u8]) -> bool {
    let (mut whole, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    bytes.starts_with(MARK) || broken <= whole
}

fn utf8_lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(MARK).unwrap_or(bytes))
}

/// The text of bytes that have to be UTF-8.
fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let whole = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = lines(&whole).len();
        FormatError::new(line, "expected UTF-8, as declared")
    })?;
    Ok(text.into())
}

/// The text of a file in UTF-16; `None` when nothing says that it is one.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (bytes, unit): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xff, 0xfe, rest @ ..] | rest @ [b'\n'..=b'~', 0, ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] | rest @ [0, b'\n'..=b'~', ..] => (rest, u16::from_be_bytes),
        _ => return None,
    };
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let letters = char::decode_utf16(units);
    Some(
        letters
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
}

/// What windows-1252 has where ISO 8859-1 has control characters, from 0x80 on.
/// It leaves five of them.
const LETTERS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252(bytes: &[u8]) -> String {
    let letter = |&byte: &u8| match byte {
        0x80..=0x9f => LETTERS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    };
    bytes.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_text() {
        for file in [
            "\u{feff}é".as_bytes(),
            &[0xff, 0xfe, 0xe9, 0],
            &[0xfe, 0xff, 0, 0xe9, 7],
        ] {
            assert_eq!(guess(file), "é");
            assert_eq!(unicode(file), "é");
            // It says more than what was declared.
            for charset in [Charset::Utf8, Charset::Utf16, Charset::Windows1252] {
                assert_eq!(charset.decode(file).unwrap(), "é");
            }
        }
    }

    #[test]
    fn utf_16_is_known_without_a_mark_by_its_first_letter() {
        assert_eq!(guess(&[b'1', 0, 0xe9, 0]), "1é");
        assert_eq!(guess(&[0, b'\n', 0x6f, 0x22]), "\n漢");
        assert_eq!(Charset::Utf16.decode(&[b'1', 0]).unwrap(), "1");
        let error = Charset::Utf16.decode(b"WEBVTT").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1: expected UTF-16 with a byte order mark"
        );
    }

    #[test]
    fn what_cannot_be_unicode_is_windows_1252() {
        assert_eq!(guess(b"caf\xe9"), "café");
        assert_eq!(
            guess(b"\x93d\xe9j\xe0 vu\x94 \x80\x85\x9f"),
            "“déjà vu” €…Ÿ"
        );
        // By chance, the last two bytes are UTF-8.
        assert_eq!(guess(b"\xe0 l\xe0 CAF\xc9\xbb"), "à là CAFÉ»");
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let text = Charset::Windows1252.decode(&all).unwrap();
        assert_eq!(text.chars().count(), 256);
        assert!(text.starts_with("\0\x01\x02") && text.ends_with("ýþÿ"));
    }

    #[test]
    fn a_character_cut_in_half_does_not_make_utf_8_windows_1252() {
        let cut = [
            "你好".as_bytes(),
            &"世".as_bytes()[..2],
            b"\n",
            &"世".as_bytes()[2..],
        ]
        .concat();
        assert_eq!(guess(&cut), "你好\u{fffd}\n\u{fffd}");
        assert_eq!(guess(b"\xef\xbb\xbfd\xe9j\xe0"), "d\u{fffd}j\u{fffd}");
        assert_eq!(unicode(b"caf\xe9"), "caf\u{fffd}");
    }

    #[test]
    fn what_is_declared_is_held_to() {
        assert_eq!(Charset::Utf8.decode("né".as_bytes()).unwrap(), "né");
        assert_eq!(Charset::Windows1252.decode("né".as_bytes()).unwrap(), "nÃ©");
        let error = Charset::Utf8.decode(b"\xc3\xa9\r\n\rcaf\xe9");
        assert_eq!(
            error.unwrap_err().to_string(),
            "line 3: expected UTF-8, as declared"
        );
    }

    #[test]
    fn labels_are_taken_in_upper_and_lower_case() {
        assert_eq!(Charset::from_label("UTF-8"), Some(Charset::Utf8));
        assert_eq!(Charset::from_label("us-ascii"), Some(Charset::Utf8));
        assert_eq!(Charset::from_label("utf-16"), Some(Charset::Utf16));
        for label in ["Windows-1252", "ISO-8859-1", "latin1"] {
            assert_eq!(
                Charset::from_label(label),
                Some(Charset::Windows1252),
                "{label}"
            );
        }
        for label in ["", "iso-8859-15", "windows-1251", "gbk"] {
            assert_eq!(Charset::from_label(label), None, "{label}");
        }
    }
}
