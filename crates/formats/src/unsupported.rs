//! Names files in formats that are not read, so that the error is not about the syntax of a
//! format that they do not have.

use crate::error::FormatError;

/// The formats that are read, for errors.
const READ: &str = "read are WebVTT, SubRip, JSON of speech recognizers, TTML, SubStation Alpha, \
    SBV, LRC and TSV";

/// The error for a file that could not be read: `error`, or one that names its format.
/// `is_recognized`: the file looks like one of the format as which it was read.
pub(crate) fn explain(
    error: FormatError,
    is_recognized: bool,
    bytes: &[u8],
    text: Option<&str>,
) -> FormatError {
    let of_text = || {
        let text = text?;
        let is_untimed = || !is_recognized && is_untimed(text);
        name(text).or_else(|| is_untimed().then_some("text without times"))
    };
    match of_bytes(bytes).or_else(of_text) {
        Some(name) => FormatError::new(error.line, format!("{name} is not read; {READ}")),
        None => error,
    }
}

/// The name of a binary format.
fn of_bytes(bytes: &[u8]) -> Option<&'static str> {
    // The disk format code in the header of EBU Tech 3264.
    let code = bytes.get(3..11)?;
    (code.starts_with(b"STL") && code.ends_with(b".01")).then_some("EBU STL")
}

/// The name of a format of text, by its first line that is not blank.
fn name(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let lower = first.to_lowercase();
    let fields = |separator: char| {
        lower
            .split(separator)
            .map(|field| field.trim_matches(['"', ' ']))
    };
    let has_column = |separator: char| {
        let is_text = |name: &str| matches!(name, "text" | "transcript" | "content" | "caption");
        fields(separator).any(|name| name.starts_with("start")) && fields(separator).any(is_text)
    };
    let is_number = |field: &str| field.parse::<f64>().is_ok();
    let words: Vec<&str> = first.split_whitespace().collect();
    if has_numbers(first, '{', '}') {
        Some("MicroDVD")
    } else if has_numbers(first, '[', ']') {
        Some("MPL2")
    } else if lower.starts_with("<sami") {
        Some("SAMI")
    } else if lower.starts_with("scenarist_scc") {
        Some("SCC (Scenarist closed captions)")
    } else if lower.starts_with("# vobsub") {
        Some("VobSub, which has pictures,")
    } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        Some("HTML")
    } else if first.starts_with("{\\rtf") {
        Some("RTF")
    } else if first.starts_with('$') && first.contains('=') || is_spruce_cue(first) {
        Some("Spruce STL")
    } else if words.len() >= 9 && words[0] == "SPEAKER" && is_number(words[3]) {
        Some("RTTM, which has no texts,")
    } else if has_column(',') || has_column(';') {
        Some("CSV")
    } else {
        None
    }
}

/// Whether a text, and no binary file, has nothing like a time.
fn is_untimed(text: &str) -> bool {
    let is_binary = |c: char| c.is_control() && !c.is_whitespace() && c != '\u{feff}';
    let is_binary = text.contains(is_binary) || text.contains(char::REPLACEMENT_CHARACTER);
    !is_binary && !text.lines().any(has_time)
}

/// Whether a line begins with two numbers in such brackets, as in `{12}{35}text`.
fn has_numbers(line: &str, open: char, close: char) -> bool {
    let mut rest = line;
    for _ in 0..2 {
        let number = rest
            .strip_prefix(open)
            .and_then(|rest| rest.split_once(close));
        match number {
            Some((digits, after)) if is_digits(digits) => rest = after,
            _ => return false,
        }
    }
    true
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a line is such as `00:00:01:12 , 00:00:03:00 , text`.
fn is_spruce_cue(line: &str) -> bool {
    let mut fields = line.split(',').map(str::trim);
    let is_timecode = |field: &str| {
        field.split([':', ';']).count() == 4 && field.split([':', ';']).all(is_digits)
    };
    fields.next().is_some_and(is_timecode) && fields.next().is_some_and(is_timecode)
}

/// Whether a line has two numbers with a colon between, as times have, or an arrow.
fn has_time(line: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = line.as_bytes();
    let is_between_digits = |(i, byte): (usize, &u8)| {
        *byte == b':'
            && is_digit(i.checked_sub(1).and_then(|i| bytes.get(i)))
            && is_digit(bytes.get(i + 1))
    };
    line.contains("-->") || bytes.iter().enumerate().any(is_between_digits)
}
