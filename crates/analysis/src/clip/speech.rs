//! Where in the recording which words are said.

use crate::segment_ref::TranscriptSegmentRef;
use crate::span::Span;
use crate::term::terms;

/// The transcript's segments in order, with what their words are compared by.
#[derive(Debug)]
pub(super) struct Speech {
    said: Vec<(Span, Vec<String>)>,
}

impl Speech {
    pub(super) fn new(spoken: &[TranscriptSegmentRef<'_>]) -> Self {
        let keys = |text| terms(text).into_iter().map(|term| term.key).collect();
        let said = spoken
            .iter()
            .map(|segment| (segment.time.into(), keys(segment.text)));
        Self {
            said: said.collect(),
        }
    }

    /// The stretch of at most `length` and at least `shortest` within `part`
    /// that says the most of these words; the first of equals. It begins where
    /// a segment begins and ends where one ends, if that leaves it long enough.
    pub(super) fn densest(&self, keys: &[String], part: Span, length: f64, shortest: f64) -> Span {
        let inside: Vec<&(Span, Vec<String>)> = self
            .said
            .iter()
            .filter(|(span, _)| part.start <= span.start && span.start < part.end)
            .collect();
        // counted[i]: how often the words are said in the first i segments.
        let mut counted = vec![0];
        for (_, said) in &inside {
            let hits = said.iter().filter(|&key| keys.contains(key)).count();
            counted.push(counted[counted.len() - 1] + hits);
        }
        let mut best = (
            0,
            Span::new(part.start, (part.start + length).min(part.end)),
        );
        for (i, (first, _)) in inside.iter().enumerate() {
            if first.start > part.end - shortest {
                break;
            }
            let limit = (first.start + length).min(part.end);
            let count = inside[i..].partition_point(|(span, _)| span.end <= limit);
            let ended = inside[i..i + count]
                .last()
                .map_or(limit, |(span, _)| span.end);
            let end = if ended - first.start >= shortest {
                ended
            } else {
                limit
            };
            let hits = counted[i + count] - counted[i];
            if hits > best.0 {
                best = (hits, Span::new(first.start, end));
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::TimeRange;

    use super::*;

    #[test]
    fn the_stretch_that_says_the_words_most_is_found() {
        let said = [
            "so",
            "now",
            "a fugue",
            "the fugue has voices",
            "voices",
            "thank you",
            "bye",
        ];
        let spoken: Vec<_> = (0_u32..)
            .zip(said)
            .map(|(i, text)| TranscriptSegmentRef {
                time: TimeRange::new(f64::from(i) * 10.0, f64::from(i) * 10.0 + 9.0).unwrap(),
                text,
            })
            .collect();
        let keys = ["fugue".to_owned(), "voice".to_owned()];
        let whole = Span::new(0.0, 70.0);
        let speech = Speech::new(&spoken);
        assert_eq!(
            speech.densest(&keys, whole, 30.0, 10.0),
            Span::new(20.0, 49.0)
        );
        assert_eq!(
            speech.densest(&keys, whole, 31.0, 29.5),
            Span::new(20.0, 51.0)
        );
        assert_eq!(speech.densest(&[], whole, 30.0, 10.0), Span::new(0.0, 30.0));
    }
}
