//! Talks made of several texts, so the true boundaries are known.

use lectern_domain::{NewTranscriptSegment, TimeRange};

pub(super) struct Talk {
    pub(super) transcript: Vec<NewTranscriptSegment>,
    /// The index of the text that each transcript segment is from.
    pub(super) topics: Vec<usize>,
}

/// How the recognizer splits and writes the text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Transcription {
    /// One segment per sentence.
    Sentences,
    /// One segment per eight words, in lower case and without punctuation.
    PlainEightWordSegments,
}

impl Talk {
    /// Concatenates the texts at 150 words a minute. All segments are 0.3 s apart, so
    /// that the length of the pause does not show a change of topic.
    pub(super) fn new(texts: &[&str], transcription: Transcription) -> Self {
        let mut talk = Self {
            transcript: Vec::new(),
            topics: Vec::new(),
        };
        for (topic, text) in texts.iter().enumerate() {
            for segment in split(text, transcription) {
                let start = talk
                    .transcript
                    .last()
                    .map_or(0.0, |last| last.time.end() + 0.3);
                // Japanese text has no spaces; eight characters take as long as
                // a word of the other languages.
                let words = segment.split(' ').count().max(segment.chars().count() / 8);
                let end = start + words as f64 * 0.4;
                let time = TimeRange::new(start, end).unwrap();
                talk.transcript
                    .push(NewTranscriptSegment::new(segment, time).unwrap());
                talk.topics.push(topic);
            }
        }
        talk
    }

    /// Adds a pause of `seconds` before the transcript segment.
    pub(super) fn insert_pause_before(&mut self, segment: usize, seconds: f64) {
        for segment in &mut self.transcript[segment..] {
            let (start, end) = (segment.time.start(), segment.time.end());
            segment.time = TimeRange::new(start + seconds, end + seconds).unwrap();
        }
    }

    /// Doubles the distances between the starts of the segments from `segment`
    /// on.
    pub(super) fn slow_down_from(&mut self, segment: usize) {
        let first = self.transcript[segment].time.start();
        for segment in &mut self.transcript[segment..] {
            let start = first + (segment.time.start() - first) * 2.0;
            segment.time = TimeRange::new(start, start + segment.time.duration()).unwrap();
        }
    }
}

fn split(text: &str, transcription: Transcription) -> Vec<String> {
    match transcription {
        Transcription::Sentences => text.lines().map(str::to_owned).collect(),
        Transcription::PlainEightWordSegments => {
            let plain = text.to_lowercase().replace(['.', ','], "");
            let words: Vec<&str> = plain.split_whitespace().collect();
            words.chunks(8).map(|words| words.join(" ")).collect()
        }
    }
}

pub(super) fn permutations<'a>(texts: &[&'a str]) -> Vec<Vec<&'a str>> {
    if texts.is_empty() {
        return vec![Vec::new()];
    }
    (0..texts.len())
        .flat_map(|first| {
            let mut others = texts.to_vec();
            let first = others.remove(first);
            permutations(&others)
                .into_iter()
                .map(move |mut permutation| {
                    permutation.insert(0, first);
                    permutation
                })
        })
        .collect()
}
