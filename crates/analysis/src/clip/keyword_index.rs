//! Finds the part of a segment in which its keywords occur most often.

use crate::segment_ref::TranscriptSegmentRef;
use crate::term::tokenize;
use crate::time_span::TimeSpan;

/// The transcript as terms.
#[derive(Debug)]
pub(super) struct KeywordIndex {
    /// Sorted by start.
    segments: Vec<IndexedSegment>,
}

#[derive(Debug)]
struct IndexedSegment {
    span: TimeSpan,
    /// The keys of the terms in its text.
    keys: Vec<String>,
}

impl KeywordIndex {
    /// `transcript` is sorted by start.
    pub(super) fn new(transcript: &[TranscriptSegmentRef<'_>]) -> Self {
        let segments = transcript.iter().map(|segment| IndexedSegment {
            span: segment.time.into(),
            keys: tokenize(segment.text)
                .into_iter()
                .map(|term| term.key)
                .collect(),
        });
        Self {
            segments: segments.collect(),
        }
    }

    /// The window within `part` in which the terms `keys` occur most often; the
    /// first of equal windows.
    ///
    /// The window starts where a transcript segment starts, and ends where the last
    /// segment that fits into `max_length` ends. A window that would be shorter than
    /// `min_length` has the length `max_length` instead, but ends with the part at the
    /// latest. If no term occurs, the window is at the start of the part. The running
    /// time is `O(n log n)` in the number of transcript segments.
    pub(super) fn densest_window(
        &self,
        keys: &[String],
        part: TimeSpan,
        max_length: f64,
        min_length: f64,
    ) -> TimeSpan {
        let inside: Vec<&IndexedSegment> = self
            .segments
            .iter()
            .filter(|segment| part.start <= segment.span.start && segment.span.start < part.end)
            .collect();
        // cumulative[i]: occurrences in the first i segments.
        let mut cumulative = vec![0];
        for segment in &inside {
            let count = segment.keys.iter().filter(|key| keys.contains(key)).count();
            cumulative.push(cumulative[cumulative.len() - 1] + count);
        }
        let mut max_occurrences = 0;
        let mut best = TimeSpan::new(part.start, (part.start + max_length).min(part.end));
        for (i, segment) in inside.iter().enumerate() {
            let start = segment.span.start;
            if start > part.end - min_length {
                break;
            }
            let limit = (start + max_length).min(part.end);
            let count = inside[i..].partition_point(|segment| segment.span.end <= limit);
            let last_end = inside[i..i + count]
                .last()
                .map_or(limit, |last| last.span.end);
            let end = if last_end - start >= min_length {
                last_end
            } else {
                limit
            };
            let occurrences = cumulative[i + count] - cumulative[i];
            if occurrences > max_occurrences {
                max_occurrences = occurrences;
                best = TimeSpan::new(start, end);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::TimeRange;

    use super::*;

    #[test]
    fn the_densest_window_has_the_most_occurrences() {
        let texts = [
            "so",
            "now",
            "a fugue",
            "the fugue has voices",
            "voices",
            "thank you",
            "bye",
        ];
        let transcript: Vec<_> = (0_u32..)
            .zip(texts)
            .map(|(i, text)| TranscriptSegmentRef {
                time: TimeRange::new(f64::from(i) * 10.0, f64::from(i) * 10.0 + 9.0).unwrap(),
                text,
            })
            .collect();
        let keys = ["fugue".to_owned(), "voice".to_owned()];
        let part = TimeSpan::new(0.0, 70.0);
        let index = KeywordIndex::new(&transcript);
        assert_eq!(
            index.densest_window(&keys, part, 30.0, 10.0),
            TimeSpan::new(20.0, 49.0)
        );
        assert_eq!(
            index.densest_window(&keys, part, 31.0, 29.5),
            TimeSpan::new(20.0, 51.0)
        );
        assert_eq!(
            index.densest_window(&[], part, 30.0, 10.0),
            TimeSpan::new(0.0, 30.0)
        );
    }
}
