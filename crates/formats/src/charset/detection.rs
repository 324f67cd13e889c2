//! The charset of a file that does not declare it and is not Unicode.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, WINDOWS_1252};

/// The fewest bytes outside ASCII from which a charset other than windows-1252 is inferred.
const MIN_BYTES: usize = 8;

/// The charset that a file is certainly in.
///
/// The detector of Firefox always has a guess. The guess is certain if both halves of the file
/// lead to the same one, and if the decoded text consists of words as people write them.
pub(super) fn certain_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let encoding = guess(bytes);
    let (text, has_errors) = encoding.decode_without_bom_handling(bytes);
    if has_errors || !has_plausible_words(&text) {
        return None;
    }
    let is_western = encoding == WINDOWS_1252;
    let foreign = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    if is_western && !is_plausibly_western(&text) {
        return None;
    }
    if !is_western && foreign < MIN_BYTES {
        return None;
    }
    let agrees = |half: &[u8]| {
        let foreign = half.iter().filter(|byte| !byte.is_ascii()).count();
        // Charsets share many characters, so another guess may be the same text.
        foreign < MIN_BYTES / 2
            || guess(half).decode_without_bom_handling(half).0
                == encoding.decode_without_bom_handling(half).0
    };
    let (first, second) = halves(bytes);
    (agrees(first) && agrees(second)).then_some(encoding)
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Splits at a white space so that both parts have about as many bytes outside ASCII.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let foreign = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let mut seen = 0;
    let half = bytes.iter().position(|byte| {
        seen += usize::from(!byte.is_ascii());
        seen * 2 >= foreign && byte.is_ascii_whitespace()
    });
    bytes.split_at(half.unwrap_or(bytes.len()))
}

/// Whether every word outside of ASCII has an ASCII letter or is a single letter, as in the
/// languages of Western Europe. Text of other charsets is decoded to words without one.
fn is_plausibly_western(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    words.all(|word| {
        word.chars().nth(1).is_none() || word.contains(|c: char| c.is_ascii_alphanumeric())
    })
}

/// Whether letters of different kinds do not mix: inside of words are no signs and no
/// capitals after small letters, and no word has letters of two scripts.
fn has_plausible_words(text: &str) -> bool {
    let mut words = text.split(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
    words.all(|word| word.is_ascii() || is_plausible_word(word))
}

fn is_plausible_word(word: &str) -> bool {
    let word = word.trim_matches(|c| !char::is_alphanumeric(c));
    let is_control = |c: char| c.is_control() || matches!(u32::from(c), 0xe000..=0xf8ff | 0xfffd);
    if word.contains(is_control) {
        return false;
    }
    let is_latin = |c: char| matches!(u32::from(c), 0x41..=0x24f | 0x1e00..=0x1eff);
    let letters: Vec<char> = word.chars().filter(|c| c.is_alphabetic()).collect();
    let latin = letters.iter().filter(|&&c| is_latin(c)).count();
    if latin > 0 && latin < letters.len() && !letters.iter().any(|&c| is_wide(c)) {
        return false;
    }
    // Signs such as those that mojibake puts between letters.
    let is_sign = |c: char| {
        !c.is_ascii()
            && !c.is_alphanumeric()
            && !matches!(
                c,
                '’' | '‘' | '·' | '–' | '—' | '\u{ad}' | '…' | '“' | '”' | '«' | '»'
            )
            && !is_mark(c)
            && !is_wide(c)
    };
    if word.contains(is_sign) {
        return false;
    }
    // Half of the capitals of one Cyrillic charset are small letters of another.
    let flips = letters
        .windows(2)
        .filter(|pair| pair[0].is_lowercase() && pair[1].is_uppercase() && !pair[1].is_ascii())
        .count();
    flips == 0
}

/// Thai vowels and other marks that are no letters of their own.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036f | 0x05b0..=0x05c7 | 0x064b..=0x065f | 0x0e31..=0x0e4e)
}

/// Chinese, Japanese and Korean characters and signs.
fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x2e80..=0xd7ff | 0xf900..=0xfaff | 0xfe30..=0xffef | 0x2_0000..=0x3_ffff)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{
        BIG5, EUC_KR, GBK, ISO_8859_2, KOI8_R, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1253,
        WINDOWS_1255, WINDOWS_1256,
    };

    use super::*;

    fn decoded(bytes: &[u8]) -> Option<String> {
        let encoding = certain_encoding(bytes)?;
        Some(encoding.decode_without_bom_handling(bytes).0.into_owned())
    }

    #[test]
    fn a_text_of_some_words_is_detected() {
        for (encoding, text) in [
            (WINDOWS_1251, "Сегодня мы говорим о деревьях и корнях."),
            (KOI8_R, "Сегодня мы говорим о деревьях и корнях."),
            (WINDOWS_1253, "Σήμερα μιλάμε για δέντρα και ρίζες."),
            (WINDOWS_1255, "היום נדבר על עצים ועל שורשים שלהם"),
            (WINDOWS_1256, "نتحدث اليوم عن الأشجار وجذورها العميقة"),
            (SHIFT_JIS, "今日は木と根について話しましょう。"),
            (EUC_KR, "오늘은 나무와 뿌리에 대해 이야기합니다."),
            (GBK, "今天我们来谈谈树和它们的根，还有叶子。"),
            (BIG5, "今天我們來談談樹和它們的根，還有葉子。"),
            (
                WINDOWS_1250,
                "Dziś mówimy o drzewach, żeby każdy wiedział, skąd są liście i gałęzie.",
            ),
            (
                ISO_8859_2,
                "Dziś mówimy o drzewach, żeby każdy wiedział, skąd są liście i gałęzie.",
            ),
            (WINDOWS_1252, "“Déjà vu” – où est-il passé ?"),
        ] {
            let (bytes, _, has_errors) = encoding.encode(text);
            assert!(!has_errors, "{text}");
            let file = [b"1\n00:00:01,000 --> 00:00:02,000\n", &*bytes].concat();
            let detected = decoded(&file);
            assert!(
                detected.as_ref().is_some_and(|file| file.ends_with(text)),
                "{}: {detected:?}",
                encoding.name()
            );
        }
    }

    #[test]
    fn few_or_implausible_letters_are_not_certain() {
        for bytes in [&b"a\xbfb c\x81d"[..], b"\xc4\xee\xe1", b"x\x81y\x8dz\x8f"] {
            assert_eq!(decoded(bytes), None, "{bytes:x?}");
        }
        let all: Vec<u8> = (0x80..=0xff).collect();
        assert_eq!(decoded(&all), None);
    }
}
