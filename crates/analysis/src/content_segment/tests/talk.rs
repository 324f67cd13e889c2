//! Talks put together from the texts, with the boundaries known.

use lectern_domain::{NewTranscriptSegment, SpokenText, TimeRange};

/// A transcript and the subject each of its segments belongs to.
pub(super) struct Talk {
    pub(super) segments: Vec<NewTranscriptSegment>,
    pub(super) subjects: Vec<usize>,
}

/// How the recognizer writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Writing {
    /// A segment per sentence.
    Sentences,
    /// A segment per eight words, in lower case and without punctuation.
    Words,
}

impl Talk {
    /// The subjects one after the other at 150 words a minute, with a breath
    /// of 0.3 s between segments and nothing that tells a new subject.
    pub(super) fn new(texts: &[&str], writing: Writing) -> Self {
        let mut talk = Self {
            segments: Vec::new(),
            subjects: Vec::new(),
        };
        for (subject, text) in texts.iter().enumerate() {
            for piece in pieces(text, writing) {
                let start = talk
                    .segments
                    .last()
                    .map_or(0.0, |last| last.time.end() + 0.3);
                // A Japanese word has about two characters.
                let words = piece.split(' ').count().max(piece.chars().count() / 8);
                let end = start + words as f64 * 0.4;
                talk.segments.push(NewTranscriptSegment {
                    time: TimeRange::new(start, end).unwrap(),
                    text: SpokenText::new(piece).unwrap(),
                    confidence: None,
                    speaker_id: None,
                });
                talk.subjects.push(subject);
            }
        }
        talk
    }
}

fn pieces(text: &str, writing: Writing) -> Vec<String> {
    match writing {
        Writing::Sentences => text.lines().map(str::to_owned).collect(),
        Writing::Words => {
            let bare = text.to_lowercase().replace(['.', ','], "");
            let words: Vec<&str> = bare.split_whitespace().collect();
            words.chunks(8).map(|words| words.join(" ")).collect()
        }
    }
}

/// Every order of the texts.
pub(super) fn orders<'a>(texts: &[&'a str]) -> Vec<Vec<&'a str>> {
    if texts.is_empty() {
        return vec![Vec::new()];
    }
    let firsts = 0..texts.len();
    firsts
        .flat_map(|first| {
            let mut others = texts.to_vec();
            let first = others.remove(first);
            orders(&others).into_iter().map(move |mut order| {
                order.insert(0, first);
                order
            })
        })
        .collect()
}
