//! Character encodings of subtitle files.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::cue_blocks::lines;
use crate::error::FormatError;

/// A charset that subtitles may be declared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, which includes ASCII.
    Utf8,
    /// UTF-16 in either byte order. The order follows from the byte order mark. Without
    /// one, the first character has to be an ASCII character from LF to `~`, and the
    /// order follows from the position of its zero byte. Unpaired surrogates become
    /// U+FFFD.
    Utf16,
    /// Windows-1252, which includes the letters of ISO 8859-1.
    Windows1252,
}

impl Charset {
    /// The charset of a label such as the `utf-8` in `text/vtt; charset=utf-8`.
    pub fn from_label(label: &str) -> Option<Self> {
        match label.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "us-ascii" | "ascii" => Some(Self::Utf8),
            "utf-16" => Some(Self::Utf16),
            // Browsers treat these labels as one charset, too:
            // https://encoding.spec.whatwg.org/#names-and-labels
            "windows-1252" | "cp1252" | "iso-8859-1" | "iso8859-1" | "latin1" => {
                Some(Self::Windows1252)
            }
            _ => None,
        }
    }

    /// Decodes bytes that are declared to be in this charset; a byte order mark is
    /// removed. UTF-16, and UTF-8 with a byte order mark, are recognized whatever
    /// charset was declared.
    ///
    /// The error names the line of the first invalid byte, or line 1 if a file is declared
    /// to be in UTF-16 and is not. In windows-1252 every byte is valid.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
        if let Some(text) = decode_utf16(bytes) {
            return Ok(text);
        }
        match (self, bytes.strip_prefix(UTF8_BOM)) {
            (_, Some(rest)) => decode_utf8(rest),
            (Self::Utf8, None) => decode_utf8(bytes),
            (Self::Windows1252, None) => Ok(decode_windows_1252(bytes)),
            (Self::Utf16, None) => {
                let expected = "expected UTF-16 with a byte order mark";
                Err(FormatError::new(1, expected))
            }
        }
    }
}

/// The byte order mark of UTF-8.
const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// Decodes a file whose charset is not declared: as UTF-16 or UTF-8 if it looks like
/// one of them, otherwise as windows-1252, in which every byte is valid.
pub(crate) fn decode_detected(bytes: &[u8]) -> Cow<'_, str> {
    if let Some(text) = decode_utf16(bytes) {
        text
    } else if looks_like_utf8(bytes) {
        decode_utf8_lossy(bytes)
    } else {
        decode_windows_1252(bytes)
    }
}

/// Decodes a file that is UTF-8 or UTF-16. Invalid sequences become U+FFFD.
pub(crate) fn decode_unicode(bytes: &[u8]) -> Cow<'_, str> {
    decode_utf16(bytes).unwrap_or_else(|| decode_utf8_lossy(bytes))
}

/// Whether a file begins with the byte order mark of UTF-8, or has at least as many valid
/// characters outside ASCII as invalid sequences. A few invalid sequences are common, because speech recognizers cut
/// characters in half between segments.
fn looks_like_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    bytes.starts_with(UTF8_BOM) || invalid <= valid
}

fn decode_utf8_lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(UTF8_BOM).unwrap_or(bytes))
}

fn decode_utf8(bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        FormatError::new(lines(&valid).len(), "expected UTF-8, as declared")
    })?;
    Ok(text.into())
}

/// Decodes UTF-16; `None` if the bytes begin neither with a byte order mark nor with an
/// ASCII character from LF to `~` in UTF-16. An odd byte at the end is ignored.
fn decode_utf16(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let (bytes, encoding): (_, &Encoding) = match bytes {
        [0xff, 0xfe, rest @ ..] | rest @ [b'\n'..=b'~', 0, ..] => (rest, UTF_16LE),
        [0xfe, 0xff, rest @ ..] | rest @ [0, b'\n'..=b'~', ..] => (rest, UTF_16BE),
        _ => return None,
    };
    let even_len = bytes.len() - bytes.len() % 2;
    Some(decode_without_bom(encoding, &bytes[..even_len]))
}

fn decode_windows_1252(bytes: &[u8]) -> Cow<'_, str> {
    decode_without_bom(WINDOWS_1252, bytes)
}

fn decode_without_bom<'b>(encoding: &'static Encoding, bytes: &'b [u8]) -> Cow<'b, str> {
    let (text, _had_errors) = encoding.decode_without_bom_handling(bytes);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_removed_and_overrides_the_declared_charset() {
        for file in [
            "\u{feff}é".as_bytes(),
            &[0xff, 0xfe, 0xe9, 0],
            &[0xfe, 0xff, 0, 0xe9, 7],
        ] {
            assert_eq!(decode_detected(file), "é");
            assert_eq!(decode_unicode(file), "é");
            for charset in [Charset::Utf8, Charset::Utf16, Charset::Windows1252] {
                assert_eq!(charset.decode(file).unwrap(), "é");
            }
        }
    }

    #[test]
    fn utf_16_without_a_byte_order_mark_is_recognized_by_an_ascii_character() {
        assert_eq!(decode_detected(&[b'1', 0, 0xe9, 0]), "1é");
        assert_eq!(decode_detected(&[0, b'\n', 0x6f, 0x22]), "\n漢");
        assert_eq!(Charset::Utf16.decode(&[b'1', 0]).unwrap(), "1");
        let error = Charset::Utf16.decode(b"WEBVTT").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1: expected UTF-16 with a byte order mark"
        );
    }

    #[test]
    fn invalid_unicode_is_decoded_as_windows_1252() {
        assert_eq!(decode_detected(b"caf\xe9"), "café");
        assert_eq!(
            decode_detected(b"\x93d\xe9j\xe0 vu\x94 \x80\x85\x9f"),
            "“déjà vu” €…Ÿ"
        );
        // The last two bytes are valid UTF-8 by chance.
        assert_eq!(decode_detected(b"\xe0 l\xe0 CAF\xc9\xbb"), "à là CAFÉ»");
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let text = Charset::Windows1252.decode(&all).unwrap();
        assert_eq!(text.chars().count(), 256);
        assert!(text.starts_with("\0\x01\x02") && text.ends_with("ýþÿ"));
        // windows-1252 does not assign these bytes; they decode to control characters.
        for byte in [0x81_u8, 0x8d, 0x8f, 0x90, 0x9d] {
            assert_eq!(text.chars().nth(byte.into()), Some(byte.into()));
        }
    }

    #[test]
    fn unpaired_surrogates_are_replaced() {
        let text = [0xff, 0xfe, 0x3d, 0xd8, b'a', 0, 0x00, 0xdc, 0x3d, 0xd8];
        assert_eq!(decode_detected(&text), "\u{fffd}a\u{fffd}\u{fffd}");
    }

    #[test]
    fn utf_8_with_characters_cut_in_half_stays_utf_8() {
        let cut = [
            "你好".as_bytes(),
            &"世".as_bytes()[..2],
            b"\n",
            &"世".as_bytes()[2..],
        ]
        .concat();
        assert_eq!(decode_detected(&cut), "你好\u{fffd}\n\u{fffd}");
        assert_eq!(
            decode_detected(b"\xef\xbb\xbfd\xe9j\xe0"),
            "d\u{fffd}j\u{fffd}"
        );
        assert_eq!(decode_unicode(b"caf\xe9"), "caf\u{fffd}");
    }

    #[test]
    fn bytes_that_are_invalid_in_the_declared_charset_are_refused() {
        assert_eq!(Charset::Utf8.decode("né".as_bytes()).unwrap(), "né");
        assert_eq!(Charset::Windows1252.decode("né".as_bytes()).unwrap(), "nÃ©");
        let error = Charset::Utf8.decode(b"\xc3\xa9\r\n\rcaf\xe9");
        assert_eq!(
            error.unwrap_err().to_string(),
            "line 3: expected UTF-8, as declared"
        );
    }

    #[test]
    fn labels_are_case_insensitive() {
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
