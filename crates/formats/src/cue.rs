//! Cues: texts with a start and an end.

use lectern_domain::{Invalid, LanguageTag, NewTranscriptSegment, Ratio, SpeakerId, SpokenText};
use lectern_domain::{TimeRange, TimedWord, TimedWords, TranscriptSegment, WordText};

use crate::time::{MAX_MILLIS, millis, seconds};

/// A word of a cue, with its times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Not before the start of the cue.
    pub start_ms: u64,
    /// Not before the start of the word.
    pub end_ms: u64,
    /// Without white space around it.
    pub text: String,
    /// The recognizer's probability that this is the word; `None` if it is unknown.
    pub probability: Option<Ratio>,
}

/// An entry of a subtitle file or a segment of a transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    start_ms: u64,
    end_ms: u64,
    /// The words that are spoken or shown.
    pub text: SpokenText,
    /// `None` if the speaker is unknown.
    pub speaker: Option<SpeakerId>,
    /// Confidence of the speech recognizer; `None` if it is unknown.
    pub confidence: Option<Ratio>,
    /// The words with their times, if the file has them.
    pub words: Vec<Word>,
    /// The language; `None` if it is unknown.
    pub language: Option<LanguageTag>,
}

impl Cue {
    /// A cue without speaker and confidence, times in milliseconds. An end before
    /// the start is moved to the start. The end is at most [`MAX_MILLIS`], the start
    /// at most one millisecond less.
    pub fn new(start_ms: u64, end_ms: u64, text: SpokenText) -> Self {
        let start_ms = start_ms.min(MAX_MILLIS - 1);
        Self {
            start_ms,
            end_ms: end_ms.clamp(start_ms, MAX_MILLIS),
            text,
            speaker: None,
            confidence: None,
            words: Vec::new(),
            language: None,
        }
    }

    /// The same cue with this speaker.
    pub fn with_speaker(self, speaker: Option<SpeakerId>) -> Self {
        Self { speaker, ..self }
    }

    /// The same cue in this language.
    pub fn with_language(self, language: Option<LanguageTag>) -> Self {
        Self { language, ..self }
    }

    /// The same cue with this confidence.
    pub fn with_confidence(self, confidence: Option<Ratio>) -> Self {
        Self { confidence, ..self }
    }

    /// The start in milliseconds.
    pub fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// The end in milliseconds, not before the start.
    pub fn end_ms(&self) -> u64 {
        self.end_ms
    }

    /// The same cue with the times of these words.
    pub fn with_words(self, words: Vec<Word>) -> Self {
        Self { words, ..self }
    }

    /// The same cue at other times, limited as in [`Cue::new`]. The words keep their times.
    pub fn with_times(self, start_ms: u64, end_ms: u64) -> Self {
        Self {
            words: self.words,
            speaker: self.speaker,
            confidence: self.confidence,
            language: self.language,
            ..Self::new(start_ms, end_ms, self.text)
        }
    }

    /// The same cue with each of its times, and those of its words, changed by `change`.
    pub fn map_times(mut self, change: impl Fn(u64) -> u64) -> Self {
        for word in &mut self.words {
            (word.start_ms, word.end_ms) = (change(word.start_ms), change(word.end_ms));
        }
        let (start_ms, end_ms) = (change(self.start_ms), change(self.end_ms));
        self.with_times(start_ms, end_ms)
    }

    /// Moves the cue by `by_ms` milliseconds, which may be negative. The part before 0
    /// is cut off; `None` if nothing remains.
    pub fn shift(self, by_ms: i64) -> Option<Self> {
        let is_before_zero = match by_ms {
            ..0 if self.start_ms == self.end_ms => self.start_ms < by_ms.unsigned_abs(),
            ..0 => self.end_ms <= by_ms.unsigned_abs(),
            0.. => false,
        };
        (!is_before_zero).then(|| self.map_times(|ms| ms.saturating_add_signed(by_ms)))
    }
}

/// Returns the cues that overlap `part`, cut at the edges of the part and with times
/// relative to its start. A cue of zero length overlaps the part if
/// `part.start <= cue.start < part.end`. Of a cue whose words have times, only the words in the
/// part are kept, if they are the words of its text.
///
/// ```
/// use lectern_domain::{SpokenText, TimeRange};
/// use lectern_formats::{Cue, clip_to};
///
/// let cue = Cue::new(9_000, 12_000, SpokenText::new("and so")?);
/// let clip = clip_to(&[cue], TimeRange::new(10.0, 70.0)?);
/// assert_eq!((clip[0].start_ms(), clip[0].end_ms()), (0, 2_000));
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn clip_to(cues: &[Cue], part: TimeRange) -> Vec<Cue> {
    let (from, to) = (millis(part.start()), millis(part.end()));
    cues.iter()
        .filter(|cue| {
            let ends_inside_or_later =
                cue.end_ms > from || (cue.start_ms == cue.end_ms && cue.end_ms == from);
            ends_inside_or_later && cue.start_ms < to && from < to
        })
        .filter_map(|cue| {
            let mut cue = cue.clone();
            let is_inside = |word: &Word| word.end_ms > from && word.start_ms < to;
            if cue.start_ms < from || cue.end_ms > to {
                cue.text = spoken_words(&cue, is_inside)?;
            }
            cue.words.retain(is_inside);
            Some(cue.map_times(|ms| ms.clamp(from, to) - from))
        })
        .collect()
}

/// The text of the words that are inside of a part; `None` if none is. The whole text if it has
/// other words than the cue.
fn spoken_words(cue: &Cue, is_inside: impl Fn(&Word) -> bool) -> Option<SpokenText> {
    let tokens: Vec<&str> = cue.text.split_whitespace().collect();
    let letters = |text: &str| -> String {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let are_same = tokens.len() == cue.words.len()
        && tokens
            .iter()
            .zip(&cue.words)
            .all(|(token, word)| letters(token) == letters(&word.text));
    if !are_same || cue.words.iter().all(&is_inside) {
        return Some(cue.text.clone());
    }
    let inside = tokens.iter().zip(&cue.words);
    let inside = inside.filter(|(_, word)| is_inside(word));
    let inside: Vec<&str> = inside.map(|(token, _)| *token).collect();
    SpokenText::new(inside.join(" ")).ok()
}

/// References to the cues, sorted by start; the sort is stable.
pub(crate) fn by_start(cues: &[Cue]) -> Vec<&Cue> {
    let mut cues: Vec<_> = cues.iter().collect();
    cues.sort_by_key(|cue| cue.start_ms);
    cues
}

/// The text of a cue; `None` if it is blank. NUL, which the domain refuses, becomes
/// U+FFFD.
pub(crate) fn spoken_text(text: &str) -> Option<SpokenText> {
    SpokenText::new(text.replace('\0', "\u{fffd}")).ok()
}

/// The speaker of a cue, white space collapsed, and whether the name had to be cut; `None` if
/// the name is blank.
pub(crate) fn speaker_id(name: &str) -> (Option<SpeakerId>, bool) {
    let name = collapse_whitespace(&name.replace('\0', "\u{fffd}"));
    let end = name.char_indices().nth(SpeakerId::MAX);
    let is_cut = end.is_some();
    let name = match end {
        Some((end, _)) => name[..end].trim_end(),
        None => &name,
    };
    let speaker = SpeakerId::new(name).ok().filter(|_| !name.is_empty());
    (speaker, is_cut)
}

/// Trims the text and replaces each run of ASCII white space by one space.
pub(crate) fn collapse_whitespace(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Removes blank lines, at which players end a cue, and ends lines with LF.
pub(crate) fn without_blank_lines(text: &str) -> String {
    let text = normalize_line_ends(text);
    let is_blank = |line: &&str| line.chars().all(char::is_whitespace);
    let lines: Vec<_> = text.split('\n').filter(|line| !is_blank(line)).collect();
    lines.join("\n")
}

/// Replaces CRLF and CR by LF.
pub(crate) fn normalize_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

impl From<NewTranscriptSegment> for Cue {
    fn from(segment: NewTranscriptSegment) -> Self {
        let (start, end) = (segment.time.start(), segment.time.end());
        let words = segment.words.into_iter().flatten().map(|word| Word {
            start_ms: millis(word.time.start()),
            end_ms: millis(word.time.end()),
            text: word.text.into_string(),
            probability: word.probability,
        });
        Self::new(millis(start), millis(end), segment.text)
            .with_speaker(segment.speaker_id)
            .with_confidence(segment.confidence)
            .with_language(segment.language)
            .with_words(words.collect())
    }
}

impl From<TranscriptSegment> for Cue {
    fn from(segment: TranscriptSegment) -> Self {
        segment.data.into()
    }
}

/// Converts times to seconds. Fails only if the domain refuses the time range. A cue with more
/// words than the domain allows loses them.
impl TryFrom<Cue> for NewTranscriptSegment {
    type Error = Invalid;

    fn try_from(cue: Cue) -> Result<Self, Invalid> {
        Ok(Self {
            time: TimeRange::new(seconds(cue.start_ms), seconds(cue.end_ms))?,
            text: cue.text,
            confidence: cue.confidence,
            speaker_id: cue.speaker,
            language: cue.language,
            words: TimedWords::new(cue.words.iter().filter_map(timed_word).collect()).ok(),
        })
    }
}

/// The word in the domain; `None` if it has no text. A text that is too long is cut.
fn timed_word(word: &Word) -> Option<TimedWord> {
    let text = word.text.trim().replace('\0', "\u{fffd}");
    let text: String = text.chars().take(WordText::MAX).collect();
    Some(TimedWord {
        time: TimeRange::new(seconds(word.start_ms), seconds(word.end_ms)).ok()?,
        text: WordText::new(text).ok()?,
        probability: word.probability,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(start_ms: u64, end_ms: u64) -> Cue {
        Cue::new(start_ms, end_ms, SpokenText::new(" hi ").unwrap())
            .with_speaker(Some(SpeakerId::new("Ada").unwrap()))
            .with_confidence(Some(Ratio::new(0.5).unwrap()))
    }

    #[test]
    fn times_are_ordered_and_limited() {
        assert_eq!(cue(5, 3), cue(5, 5));
        assert_eq!(cue(u64::MAX, 0), cue(MAX_MILLIS - 1, MAX_MILLIS - 1));
        assert_eq!(cue(0, u64::MAX).end_ms(), MAX_MILLIS);
    }

    #[test]
    fn a_segment_and_its_cue_convert_into_each_other() {
        let segment = NewTranscriptSegment::try_from(cue(1_001, 2_999)).unwrap();
        assert_eq!(segment.time, TimeRange::new(1.001, 2.999).unwrap());
        assert_eq!(Cue::from(segment), cue(1_001, 2_999));
    }

    #[test]
    fn a_shift_cuts_off_the_part_before_zero() {
        assert_eq!(cue(10, 20).shift(5), Some(cue(15, 25)));
        assert_eq!(cue(10, 20).shift(-10), Some(cue(0, 10)));
        assert_eq!(cue(10, 20).shift(-15), Some(cue(0, 5)));
        assert_eq!(cue(10, 20).shift(-20), None);
        assert_eq!(cue(10, 10).shift(-10), Some(cue(0, 0)));
        assert_eq!(cue(10, 10).shift(-11), None);
        assert_eq!(cue(10, 20).shift(i64::MIN), None);
        assert_eq!(cue(0, 20).shift(i64::MAX).unwrap().end_ms(), MAX_MILLIS);
    }

    #[test]
    fn clip_to_keeps_the_cues_that_overlap_the_part() {
        let cues = [
            cue(0, 1_000),
            cue(500, 1_500),
            cue(1_000, 1_000),
            cue(1_200, 1_300),
            cue(1_900, 2_500),
            cue(2_000, 2_000),
            cue(2_000, 3_000),
        ];
        assert_eq!(
            clip_to(&cues, TimeRange::new(1.0, 2.0).unwrap()),
            [cue(0, 500), cue(0, 0), cue(200, 300), cue(900, 1_000)]
        );
        assert_eq!(clip_to(&cues, TimeRange::new(1.0, 1.0).unwrap()), []);
    }

    #[test]
    fn clip_to_keeps_the_words_that_are_in_the_part() {
        let word = |start_ms, text: &str| Word {
            start_ms,
            end_ms: start_ms + 500,
            text: text.to_owned(),
            probability: None,
        };
        let texts = |text: &str, words: &[Word]| {
            let text = SpokenText::new(text).unwrap();
            let cue = Cue::new(0, 4_000, text).with_words(words.to_vec());
            let clip = clip_to(&[cue], TimeRange::new(1.0, 2.0).unwrap());
            let text = |cue: &Cue| (cue.text.to_string(), cue.words.len());
            clip.iter().map(text).collect::<Vec<_>>()
        };
        let words = [
            word(0, "that"),
            word(500, "was"),
            word(1_000, "it"),
            word(3_000, "now"),
        ];
        assert_eq!(texts("That was\nit. Now", &words), [("it.".to_owned(), 1)]);
        // Corrected since.
        let corrected = "This was it. Now";
        assert_eq!(texts(corrected, &words), [(corrected.to_owned(), 1)]);
        assert_eq!(texts("That was", &words[..2]), []);
    }
}
