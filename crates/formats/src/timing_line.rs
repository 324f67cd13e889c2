//! Lines such as `00:00:01,000 --> 00:00:02,500`, as people, translators and programs write
//! them.

use crate::time::MAX_MILLIS;

/// WORD JOINER, which the writer of `SubRip` inserts into text that looks like a timing line.
pub(crate) const JOINER: char = '\u{2060}';

/// The longest separator of two complete times that is not an arrow, in characters.
const MAX_SEPARATOR_CHARS: usize = 6;

/// Which arrows a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrows {
    /// Only `-->`, which no other line of a WebVTT file may contain.
    Exact,
    /// Also `->`, `-- >`, `→`, `--&gt;`, dashes and words.
    Any,
}

/// The times of a line, in milliseconds; negative before the start of the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

/// The result of parsing a line as a timing line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TimingLine {
    Valid(Times),
    /// Meant as a timing line, but its times cannot be read.
    Malformed,
    /// The line is text.
    NotTiming,
}

/// Parses a line. Times may have spaces after their colons and marks, wide colons and
/// digits of other scripts. 60 seconds are a minute and 60 minutes an hour. Two complete times
/// may have anything short between them.
pub(crate) fn parse_timing_line(line: &str, arrows: Arrows) -> TimingLine {
    // Most lines of text have few digits.
    let digits = line.chars().filter(|&c| digit(c).is_some()).take(2).count();
    if digits < 2 || line.contains(JOINER) {
        return TimingLine::NotTiming;
    }
    if let Some(times) = parse_times(line, arrows) {
        return TimingLine::Valid(times);
    }
    if arrows == Arrows::Any
        && let Some(line) = with_colons(line)
        && let Some(times) = parse_times(&line, arrows)
    {
        return TimingLine::Valid(times);
    }
    let Some((start, end)) = split_at_arrow(line, arrows) else {
        return TimingLine::NotTiming;
    };
    let is_time = |text: &str| Scanner(text).time().is_some();
    let count_digits = |text: &str| text.chars().filter(|&c| digit(c).is_some()).count();
    let has_parts = |text: &str| count_digits(text) > 0 && text.contains(is_colon);
    // Speech with an arrow between two words or numbers is text.
    let is_start = (has_parts(start) || count_digits(start) > 5) && is_only_time(start);
    if is_start || is_time(end) || (has_parts(start) && has_parts(end)) {
        TimingLine::Malformed
    } else {
        TimingLine::NotTiming
    }
}

/// A line such as `00.00.01,000 --> 00.00.02,000`, with colons. `None` if it is not one.
fn with_colons(line: &str) -> Option<String> {
    let is_dotted = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '>' | ' ');
    if line.contains(':') || !line.chars().all(is_dotted) {
        return None;
    }
    let times: Vec<_> = line
        .split(' ')
        .map(|time| match time.matches('.').count() {
            2 | 3 => time.replacen('.', ":", 2),
            _ => time.to_owned(),
        })
        .collect();
    Some(times.join(" "))
}

/// Parses a single time, such as `0:00:01.50`, in milliseconds.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let mut scanner = Scanner(text);
    let time = scanner.time()?;
    scanner.skip_spaces();
    scanner.0.is_empty().then_some(time.millis)
}

/// Whether the text has no characters but those of a time.
fn is_only_time(text: &str) -> bool {
    text.chars().all(|c| {
        digit(c).is_some() || is_colon(c) || is_decimal_mark(c) || is_space(c) || is_dash(c)
    })
}

fn parse_times(line: &str, arrows: Arrows) -> Option<Times> {
    let mut scanner = Scanner(line);
    let start = scanner.time()?;
    scanner.skip_spaces();
    let after_start = scanner.0;
    let end = match (scanner.arrow(), arrows) {
        (Some(Arrow::Exact), _) => scanner.time()?,
        (Some(Arrow::Pointed), Arrows::Any) => {
            let end = scanner
                .time()
                .filter(|end| start.is_complete && end.is_complete);
            end?
        }
        (_, Arrows::Exact) => return None,
        // Translators replace the arrow by a dash or a word.
        (_, Arrows::Any) => {
            let separator = after_start.find(|c| digit(c).is_some())?;
            if after_start[..separator].chars().count() > MAX_SEPARATOR_CHARS {
                return None;
            }
            scanner.0 = &after_start[separator..];
            let end = scanner.time()?;
            if !(start.has_fraction && start.is_complete && end.has_fraction) {
                return None;
            }
            end
        }
    };
    // Cue settings or coordinates may follow the end, after a space.
    let is_end = scanner.0.chars().next().is_none_or(is_space);
    is_end.then_some(Times {
        start_ms: start.millis,
        end_ms: end.millis,
    })
}

/// The parts before and after an arrow with a point.
fn split_at_arrow(line: &str, arrows: Arrows) -> Option<(&str, &str)> {
    if let Some(parts) = line.split_once("-->") {
        return Some(parts);
    }
    if arrows == Arrows::Exact {
        return None;
    }
    ["--&gt;", "-- >", "->", "→", "⟶", "➔", "➜", "⇒", "–>", "—>"]
        .iter()
        .find_map(|arrow| line.split_once(arrow))
}

enum Arrow {
    /// `-->`.
    Exact,
    /// Another arrow with a point.
    Pointed,
    /// Without a point.
    Dashes,
}

/// A time and how much of it is written.
struct Time {
    millis: i64,
    has_fraction: bool,
    /// Whether it has hours or a fraction, unlike a time of day in speech.
    is_complete: bool,
}

/// The rest of a line.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.0.chars().next()
    }

    fn skip(&mut self, length: usize) {
        self.0 = &self.0[length..];
    }

    fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches(is_space);
    }

    fn eat(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        let found = self.peek().filter(|&c| wanted(c));
        self.skip(found.map_or(0, char::len_utf8));
        found.is_some()
    }

    /// Parses a time, after spaces. `None` leaves the scanner anywhere.
    fn time(&mut self) -> Option<Time> {
        self.skip_spaces();
        let mut is_negative = self.eat(is_minus);
        let mut parts: Vec<(u64, usize)> = Vec::with_capacity(4);
        loop {
            self.skip_spaces();
            // Programs that format each part write `00:00:-1,500`.
            let is_zero = parts.iter().all(|(value, _)| *value == 0);
            is_negative |= is_zero && self.eat(is_minus);
            parts.push(self.digits()?);
            if parts.len() > 4 {
                return None;
            }
            let before = self.0;
            self.skip_spaces();
            if !self.eat(is_colon) {
                self.0 = before;
                break;
            }
        }
        // Some programs write a colon before the milliseconds.
        let mut fraction = None;
        if let [_, _, _, (millis, 3)] = parts[..] {
            fraction = Some(millis);
            parts.pop();
        }
        if !(2..=3).contains(&parts.len()) {
            return None;
        }
        let mut has_fraction = fraction.is_some();
        let mut fraction_ms = fraction.unwrap_or(0);
        if !has_fraction {
            let before = self.0;
            self.skip_spaces();
            if self.eat(is_decimal_mark) {
                let after_mark = self.0;
                self.skip_spaces();
                match self.fraction() {
                    Some(millis) => (has_fraction, fraction_ms) = (true, millis),
                    None => self.0 = after_mark,
                }
            } else {
                self.0 = before;
            }
        }
        let mut total: u64 = 0;
        for (i, (value, len)) in parts.iter().enumerate() {
            // Programs that round write 60 instead of carrying it.
            if i > 0 && (*len > 2 || *value > 60) {
                return None;
            }
            total = total.saturating_mul(60).saturating_add(*value);
        }
        let millis = total.saturating_mul(1000).saturating_add(fraction_ms);
        let millis = i64::try_from(millis.min(MAX_MILLIS)).unwrap_or(i64::MAX);
        Some(Time {
            millis: if is_negative { -millis } else { millis },
            has_fraction,
            is_complete: has_fraction || parts.len() == 3,
        })
    }

    /// One or more digits as a number, and how many there are.
    fn digits(&mut self) -> Option<(u64, usize)> {
        let (mut value, mut len) = (0_u64, 0);
        while let Some(c) = self.peek()
            && let Some(digit) = digit(c)
        {
            value = value.saturating_mul(10).saturating_add(digit);
            len += 1;
            self.skip(c.len_utf8());
        }
        (len > 0).then_some((value, len))
    }

    /// The digits after a decimal mark in milliseconds, rounded half up at the fourth.
    fn fraction(&mut self) -> Option<u64> {
        let (mut millis, mut len) = (0, 0);
        while let Some(c) = self.peek()
            && let Some(digit) = digit(c)
        {
            millis += match len {
                0 => digit * 100,
                1 => digit * 10,
                2 => digit,
                3 => u64::from(digit >= 5),
                _ => 0,
            };
            len += 1;
            self.skip(c.len_utf8());
        }
        (len > 0).then_some(millis)
    }

    fn arrow(&mut self) -> Option<Arrow> {
        if self.0.starts_with("-->") {
            self.skip(3);
            return Some(Arrow::Exact);
        }
        let mut dashes = 0;
        loop {
            if self.0.starts_with("&gt;") {
                self.skip(4);
                return Some(Arrow::Pointed);
            } else if self.eat(|c| matches!(c, '>' | '＞' | '→' | '⟶' | '➔' | '➜' | '⇒'))
            {
                self.0 = self.0.trim_start_matches('>');
                return Some(Arrow::Pointed);
            } else if self.eat(is_dash) {
                dashes += 1;
            } else if !self.eat(is_space) {
                return (dashes > 0).then_some(Arrow::Dashes);
            }
        }
    }
}

/// Spaces, and the marks that programs for languages from right to left insert.
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'
            | '\u{a0}'
            | '\u{3000}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202f}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

pub(crate) fn is_colon(c: char) -> bool {
    matches!(c, ':' | '：' | '﹕' | '∶' | '꞉' | ';' | '；')
}

fn is_decimal_mark(c: char) -> bool {
    matches!(c, ',' | '.' | '，' | '．' | '。' | '、' | '٫' | '،')
}

fn is_minus(c: char) -> bool {
    matches!(c, '-' | '−')
}

fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '－' | '='
    )
}

/// The value of a decimal digit of the scripts that translators write times in.
fn digit(c: char) -> Option<u64> {
    const ZEROS: [char; 8] = ['0', '٠', '۰', '०', '০', '๐', '၀', '０'];
    if c.is_ascii() {
        return c.to_digit(10).map(u64::from);
    }
    let code = u32::from(c);
    ZEROS.iter().find_map(|&zero| {
        let value = code.checked_sub(u32::from(zero))?;
        (value < 10).then_some(u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(line: &str) -> Option<(i64, i64)> {
        match parse_timing_line(line, Arrows::Any) {
            TimingLine::Valid(times) => Some((times.start_ms, times.end_ms)),
            _ => None,
        }
    }

    #[test]
    fn times_changed_by_translators_and_programs_are_read() {
        for line in [
            "00:00:02,500 --> 00:00:03,000",
            "00:02.5-->00:03 align:start",
            "00: 00: 02,500 --> 00: 00: 03,000",
            "00:00:02,500 -> 00:00:03,000",
            "00:00:02,500 -- > 00:00:03,000",
            "00:00:02,500 --&gt; 00:00:03,000",
            "00：00：02，500 --> 00：00：03，000",
            "00:00:02, 500 --> 00:00:03, 000",
            "00:00:02,500 → 00:00:03,000",
            "00:00:02,500 – 00:00:03,000",
            "00:00:02,500 00:00:03,000",
            "00:00:02,500 bis 00:00:03,000",
            "00.00.02,500 --> 00.00.03,000",
            "00;00;02,500 --> 00;00;03,000",
            "00 : 00 : 02 , 500 --> 00 : 00 : 03 , 000",
            "00:00:02,500 => 00:00:03,000",
            "00:00:02:500 --> 00:00:03:000",
            "٠٠:٠٠:٠٢٫٥٠٠ --> ٠٠:٠٠:٠٣٫٠٠٠",
            "\u{200f}00:00:02,500 --> 00:00:03,000\u{200f}",
            "００：００：０２，５００ －－＞ 00:00:03",
        ] {
            assert_eq!(times(line), Some((2_500, 3_000)), "{line}");
        }
    }

    #[test]
    fn sixty_is_carried_and_a_minus_is_read() {
        assert_eq!(
            times("00:00:60,000 --> 00:60:00,000"),
            Some((60_000, 3_600_000))
        );
        assert_eq!(
            times("-00:00:01.500 --> 00:00:-0,500"),
            Some((-1_500, -500))
        );
    }

    #[test]
    fn a_line_that_is_meant_as_times_is_malformed_and_speech_is_text() {
        for line in [
            "00:00:0x,000 --> 00:00:02,000",
            "0O:00:01,000 --> 00:00:02,000",
            "00:00:01,000 --> soon",
            "00:00:61,000 --> 00:00:62,000",
            "0:01:-0 --> 0:02:x",
            "00:00:1x -> 00:00:02,000",
            "00:00:01,000 --> ",
            "00 00 01,000 --> 00 00 02,000",
        ] {
            assert_eq!(
                parse_timing_line(line, Arrows::Any),
                TimingLine::Malformed,
                "{line}"
            );
        }
        for line in [
            "x --> y",
            "5 --> 6",
            "from 10:30 -> noon",
            "10:30 - 11:00",
            "a -> b",
            "f: A → B",
            "2024 -> 2025",
            "at 00:00:01,000 and then at 00:00:02,000",
            "\u{2060}00:01 --> 00:02",
        ] {
            assert_eq!(
                parse_timing_line(line, Arrows::Any),
                TimingLine::NotTiming,
                "{line}"
            );
        }
    }
}
