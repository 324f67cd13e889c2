//! Describes a segment: title, summary, keywords and key phrases.
//!
//! The summary consists of the two sentences that are most similar to the whole
//! segment, in the order they are spoken. This is extractive summarization by centroid
//! (Radev et al., "Centroid-based summarization of multiple documents", 2004). The running
//! time is `O(n log n)` in the number of words of the segment.

use lectern_domain::{BoundedText, Invalid, Keyword, LongText, Topic};

use super::keyphrases::{Keyphrases, TermWeights};
use super::segment::{ChapterTitle, Segment};
use super::title_words::Titles;
use super::vocabulary::{TermId, Vocabulary};
use super::word_use::capitalize;
use crate::sentence::Sentence;
use crate::term::tokenize;
use crate::truncate::truncate;

const TITLE_KEYWORDS: usize = 3;
const SUMMARY_SENTENCES: usize = 2;
/// The maximum length of each sentence of the summary, in characters.
const MAX_SENTENCE_LENGTH: usize = 300;

#[derive(Debug)]
pub(super) struct Summary {
    pub(super) topic: Topic,
    pub(super) description: LongText,
    pub(super) keywords: Vec<Keyword>,
    /// Key phrases.
    pub(super) concepts: Vec<Keyword>,
}

impl Summary {
    /// Summarizes a segment, whose utterances are groups of `sentences`.
    pub(super) fn of(
        segment: &Segment<'_>,
        sentences: &[Sentence],
        titles: &Titles<'_>,
    ) -> Result<Self, Invalid> {
        let vocabulary = titles.vocabulary;
        let utterances = segment.utterances;
        let weights = TermWeights::of(utterances, vocabulary);
        let Keyphrases { keywords, phrases } =
            Keyphrases::extract(utterances, vocabulary, &weights, titles.lexicon);
        let (first, last) = (&utterances[0], &utterances[utterances.len() - 1]);
        let texts: Vec<&str> = sentences[first.sentences.start..last.sentences.end]
            .iter()
            .map(|sentence| sentence.text.as_str())
            .collect();
        let central = central_sentences(&texts, vocabulary, &weights);
        let own_title = || match segment.housekeeping {
            Some(kind) => kind.title(&titles.lexicon.housekeeping_titles).to_owned(),
            None => titles
                .title(&texts, &weights)
                .unwrap_or_else(|| keyword_title(&keywords, &central)),
        };
        let title = match &segment.chapter_title {
            ChapterTitle::None => own_title(),
            ChapterTitle::Whole(chapter) => (*chapter).to_owned(),
            ChapterTitle::Part(chapter) => format!("{chapter}: {}", own_title()),
        };
        Ok(Self {
            topic: truncated_text(&title)?,
            description: LongText::new(central.join(" "))?,
            keywords: truncated_texts(&keywords)?,
            concepts: truncated_texts(&phrases)?,
        })
    }
}

/// The best keywords, or a sentence if there are none.
fn keyword_title(keywords: &[&str], sentences: &[String]) -> String {
    match keywords {
        [] => sentences.first().cloned().unwrap_or_default(),
        keywords => capitalize(&keywords[..keywords.len().min(TITLE_KEYWORDS)].join(", ")),
    }
}

/// The sentences with the highest cosine similarity between their distinct
/// terms and the weighted terms of the segment, in the order they are spoken.
fn central_sentences(
    sentences: &[&str],
    vocabulary: &Vocabulary,
    weights: &TermWeights,
) -> Vec<String> {
    // Not divided by the length of the segment's vector, which is the same for all
    // sentences.
    let similarity = |sentence: &str| {
        let mut ids: Vec<TermId> = tokenize(sentence)
            .iter()
            .filter_map(|term| vocabulary.find(term))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let dot_product: f64 = ids.iter().map(|&id| weights.get(id)).sum();
        dot_product / (ids.len().max(1) as f64).sqrt()
    };
    let mut ranked: Vec<(usize, f64, &str)> = sentences
        .iter()
        .enumerate()
        .map(|(position, sentence)| (position, similarity(sentence), *sentence))
        .collect();
    ranked.sort_by(|(i, a, _), (j, b, _)| b.total_cmp(a).then(i.cmp(j)));
    ranked.truncate(SUMMARY_SENTENCES);
    ranked.sort_by_key(|(position, ..)| *position);
    ranked
        .into_iter()
        .map(|(_, _, sentence)| truncate(sentence, MAX_SENTENCE_LENGTH))
        .collect()
}

fn truncated_texts<T: BoundedText>(texts: &[&str]) -> Result<Vec<T>, Invalid> {
    texts.iter().map(|text| truncated_text(text)).collect()
}

fn truncated_text<T: BoundedText>(text: &str) -> Result<T, Invalid> {
    T::from_text(truncate(text, T::MAX))
}
