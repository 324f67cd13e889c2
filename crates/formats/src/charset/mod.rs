//! Character encodings of subtitle files.

mod detection;

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

use crate::error::FormatError;
use crate::lines::lines;

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
    /// Another charset of the web, such as windows-1251, `Shift_JIS` or GBK.
    Legacy(&'static Encoding),
}

impl Charset {
    /// The charset of a label such as the `utf-8` in `text/vtt; charset=utf-8`; labels are
    /// those of browsers, <https://encoding.spec.whatwg.org/#names-and-labels>.
    pub fn from_label(label: &str) -> Option<Self> {
        let label = label.trim();
        let is_ascii = ["ascii", "us-ascii"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(label));
        if is_ascii {
            return Some(Self::Utf8);
        }
        let encoding = Encoding::for_label(label.as_bytes())
            // Names that Java and Python write, such as `cp1251` and `windows_1251`.
            .or_else(|| Encoding::for_label(label.replace('_', "-").as_bytes()))?;
        if encoding == UTF_8 {
            Some(Self::Utf8)
        } else if encoding == UTF_16LE || encoding == UTF_16BE {
            Some(Self::Utf16)
        } else if encoding == REPLACEMENT || encoding == X_USER_DEFINED {
            None
        } else {
            Some(Self::Legacy(encoding))
        }
    }

    /// Decodes bytes that are declared to be in this charset; a byte order mark is
    /// removed. UTF-16, and UTF-8 with a byte order mark, are recognized whatever
    /// charset was declared.
    ///
    /// # Errors
    ///
    /// The bytes are invalid in the charset. The error names the line of the first invalid
    /// byte, or line 1 if a file is declared to be in UTF-16 and is not.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
        if let Some(text) = decode_utf16(bytes) {
            return Ok(text);
        }
        match (self, bytes.strip_prefix(UTF8_BOM)) {
            (_, Some(rest)) => decode_utf8(rest),
            (Self::Utf8, None) => decode_utf8(bytes),
            (Self::Legacy(encoding), None) => {
                let (text, has_errors) = encoding.decode_without_bom_handling(bytes);
                if has_errors {
                    let valid = text.split('\u{fffd}').next().unwrap_or_default();
                    let message = format!("expected {}, as declared", encoding.name());
                    return Err(FormatError::new(lines(valid).len(), message));
                }
                Ok(text)
            }
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
/// one of them, otherwise in the charset that its letters are certainly in.
///
/// # Errors
///
/// No charset is certain.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
    if let Some(text) = decode_utf16(bytes) {
        return Ok(text);
    }
    if looks_like_utf8(bytes) {
        return Ok(decode_utf8_lossy(bytes));
    }
    if let Some(encoding) = detection::certain_encoding(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        return Ok(text);
    }
    let ascii_len = bytes
        .iter()
        .position(|byte| !byte.is_ascii())
        .unwrap_or(bytes.len());
    let before = String::from_utf8_lossy(&bytes[..ascii_len]);
    Err(FormatError::new(
        lines(&before).len(),
        "the file is not UTF-8 and its charset cannot be detected with certainty: convert it to \
         UTF-8, or declare the charset as in Content-Type: text/vtt; charset=windows-1251",
    ))
}

/// Decodes XML, which is UTF-8 unless a byte order mark or its declaration says otherwise.
///
/// # Errors
///
/// The declared charset is unknown, or the bytes are invalid in it.
pub(crate) fn decode_xml(bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
    let start = &bytes[..bytes.len().min(200)];
    let start = String::from_utf8_lossy(start.strip_prefix(UTF8_BOM).unwrap_or(start));
    let declaration = start
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split("?>").next());
    let label = declaration.and_then(|declaration| {
        let (_, value) = declaration.split_once("encoding")?;
        value
            .trim_start()
            .strip_prefix('=')?
            .trim()
            .split(['"', '\''])
            .nth(1)
    });
    match label {
        // Without a declaration, other charsets occur all the same.
        None => decode(bytes),
        Some(label) => match Charset::from_label(label) {
            Some(Charset::Utf16) => decode(bytes),
            Some(charset) => charset.decode(bytes),
            None => Err(FormatError::new(
                1,
                "the charset of the XML declaration is unknown",
            )),
        },
    }
}

/// Decodes a file that is UTF-8 or UTF-16. Invalid sequences become U+FFFD.
pub(crate) fn decode_unicode(bytes: &[u8]) -> Cow<'_, str> {
    decode_utf16(bytes).unwrap_or_else(|| decode_utf8_lossy(bytes))
}

/// Whether a file begins with the byte order mark of UTF-8, or has at least as many valid
/// characters outside ASCII as invalid sequences. A few invalid sequences are common, because
/// speech recognizers cut characters in half between segments.
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
    let (text, _) = encoding.decode_without_bom_handling(&bytes[..even_len]);
    Some(text)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{KOI8_R, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    use super::*;

    fn detected(bytes: &[u8]) -> String {
        decode(bytes).unwrap().into_owned()
    }

    #[test]
    fn a_byte_order_mark_is_removed_and_overrides_the_declared_charset() {
        for file in [
            "\u{feff}é".as_bytes(),
            &[0xff, 0xfe, 0xe9, 0],
            &[0xfe, 0xff, 0, 0xe9, 7],
        ] {
            assert_eq!(detected(file), "é");
            assert_eq!(decode_unicode(file), "é");
            for charset in [Charset::Utf8, Charset::Utf16, Charset::Legacy(WINDOWS_1252)] {
                assert_eq!(charset.decode(file).unwrap(), "é");
            }
        }
    }

    #[test]
    fn utf_16_without_a_byte_order_mark_is_recognized_by_an_ascii_character() {
        assert_eq!(detected(&[b'1', 0, 0xe9, 0]), "1é");
        assert_eq!(detected(&[0, b'\n', 0x6f, 0x22]), "\n漢");
        assert_eq!(Charset::Utf16.decode(&[b'1', 0]).unwrap(), "1");
        let error = Charset::Utf16.decode(b"WEBVTT").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1: expected UTF-16 with a byte order mark"
        );
    }

    #[test]
    fn unpaired_surrogates_are_replaced() {
        let text = [0xff, 0xfe, 0x3d, 0xd8, b'a', 0, 0x00, 0xdc, 0x3d, 0xd8];
        assert_eq!(detected(&text), "\u{fffd}a\u{fffd}\u{fffd}");
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
        assert_eq!(detected(&cut), "你好\u{fffd}\n\u{fffd}");
        assert_eq!(detected(b"\xef\xbb\xbfd\xe9j\xe0"), "d\u{fffd}j\u{fffd}");
        assert_eq!(decode_unicode(b"caf\xe9"), "caf\u{fffd}");
    }

    #[test]
    fn bytes_that_are_invalid_in_the_declared_charset_are_refused() {
        assert_eq!(Charset::Utf8.decode("né".as_bytes()).unwrap(), "né");
        let windows_1252 = Charset::Legacy(WINDOWS_1252);
        assert_eq!(windows_1252.decode("né".as_bytes()).unwrap(), "nÃ©");
        let error = Charset::Utf8.decode(b"\xc3\xa9\r\n\rcaf\xe9");
        assert_eq!(
            error.unwrap_err().to_string(),
            "line 3: expected UTF-8, as declared"
        );
        let error = Charset::Legacy(SHIFT_JIS).decode(b"a\n\xff\xff");
        assert_eq!(
            error.unwrap_err().to_string(),
            "line 2: expected Shift_JIS, as declared"
        );
    }

    #[test]
    fn the_labels_of_browsers_are_known() {
        assert_eq!(Charset::from_label("UTF-8"), Some(Charset::Utf8));
        assert_eq!(Charset::from_label("us-ascii"), Some(Charset::Utf8));
        assert_eq!(Charset::from_label("utf-16"), Some(Charset::Utf16));
        for label in ["Windows-1252", "ISO-8859-1", "latin1"] {
            assert_eq!(
                Charset::from_label(label),
                Some(Charset::Legacy(WINDOWS_1252)),
                "{label}"
            );
        }
        for label in ["windows-1251", "cp1251", "x-cp1251", "windows_1251"] {
            assert_eq!(
                Charset::from_label(label),
                Some(Charset::Legacy(WINDOWS_1251)),
                "{label}"
            );
        }
        assert_eq!(Charset::from_label("koi8-r"), Some(Charset::Legacy(KOI8_R)));
        for label in ["", "klingon", "utf-7", "x-user-defined"] {
            assert_eq!(Charset::from_label(label), None, "{label}");
        }
    }
}
