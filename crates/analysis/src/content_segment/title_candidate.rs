//! The phrases of a segment that may be in its title, with their scores.
//!
//! A phrase counts by its noun: "small gear" and "gear" are two mentions of a gear. The phrase
//! with the adjective is a candidate of its own if it is how the noun is mostly said, as in
//! "latent heat". A phrase scores by the weights of its terms, by how often it is said, by how
//! early it is said first, and by whether the lecturer defines it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::announcement;
use super::collocation::collocations;
use super::explanation::explanation;
use super::keyphrases::TermWeights;
use super::noun_phrase::{NounPhrase, noun_phrases};
use super::phrase_in_sentence::{
    is_defined, is_denied, is_nominative, is_plural_dative, repeats_a_word, title_article,
};
use super::title_words::Titles;
use super::vocabulary::TermId;
use super::word_use::is_capitalized;
use crate::sentence::normalize;

const DEFINED_FACTOR: f64 = 1.5;
const SEVERAL_WORDS_FACTOR: f64 = 1.25;
/// For a phrase that is said first in this fraction of the sentences.
const EARLY: f64 = 0.25;
const EARLY_FACTOR: f64 = 1.3;
/// For a phrase that is said from the first to the last sentence; proportionally less for others.
const SPREAD_BONUS: f64 = 0.6;
/// For a phrase that is said once, and neither announced nor defined.
const ONCE_FACTOR: f64 = 0.4;
/// For what hints at a topic without naming it: "then comes …".
const HINTED_FACTOR: f64 = 2.0;
/// The minimum share of the mentions of a noun that a longer phrase with it has.
const MIN_SHARE_OF_NOUN: f64 = 0.5;
/// The same for a phrase with which the noun is said first.
const MIN_SHARE_OF_FULL_NAME: f64 = 0.3;
/// For a phrase that is not how its noun is mostly said, and for a noun that is mostly said
/// within a longer phrase.
const RARE_FORM_FACTOR: f64 = 0.3;
/// A shorter stem may be that of several words.
const MIN_STEM: usize = 4;

/// A phrase of the segment.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) text: String,
    pub(super) words: usize,
    pub(super) ids: Vec<TermId>,
    pub(super) score: f64,
    /// Indices of the sentences with it, in order.
    pub(super) sentences: Vec<usize>,
    pub(super) is_announced: bool,
    /// Whether it is in the sentence that announces the topic.
    pub(super) is_introduced: bool,
    /// Whether it can stand without an article and a verb: not, in German, with an adjective
    /// in another case, and not what is only denied, as in "it isn't magic".
    pub(super) may_stand_alone: bool,
    /// The article that it mostly has, if that also fits in a title.
    pub(super) article: Option<String>,
    /// What a sentence says that it is.
    pub(super) explanation: Option<String>,
}

impl Candidate {
    /// Whether this and another one have a word in common, or one a part of a word of the other.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let stems = |of: &Self| of.text.split(' ').map(stem).collect::<Vec<_>>();
        let (own, others) = (stems(self), stems(other));
        let is_part = |a: &String, b: &String| a.chars().count() >= MIN_STEM && b.contains(a);
        self.ids.iter().any(|id| other.ids.contains(id))
            || own
                .iter()
                .any(|a| others.iter().any(|b| is_part(a, b) || is_part(b, a)))
    }

    /// Forgets the sentences outside of `part`, the numbers of which are counted from its start.
    pub(super) fn restrict(&mut self, part: &Range<usize>) {
        self.sentences.retain(|sentence| part.contains(sentence));
        for sentence in &mut self.sentences {
            *sentence -= part.start;
        }
    }

    /// The number of sentences that have both.
    pub(super) fn sentences_shared_with(&self, other: &Self) -> usize {
        let is_shared = |sentence: &&usize| other.sentences.contains(sentence);
        self.sentences.iter().filter(is_shared).count()
    }
}

/// What is known of a phrase while the sentences are read.
#[derive(Debug, Default)]
struct Mentions {
    /// Each spelling, with the number of its mentions, and whether it is a nominative.
    spellings: BTreeMap<String, (usize, bool)>,
    first_spelling: String,
    words: usize,
    sentences: Vec<usize>,
    articles: BTreeMap<String, usize>,
    factor: f64,
    is_announced: bool,
    announced_spelling: Option<String>,
    is_introduced: bool,
    explanation: Option<String>,
    denials: usize,
}

/// The terms of a phrase, and the stem of its last word: "steering" and "steersman" have the
/// same term and different stems.
type Key = (Vec<TermId>, String);

/// The candidates of some sentences; the best first.
pub(super) fn candidates(
    titles: &Titles<'_>,
    sentences: &[&str],
    weights: &TermWeights,
) -> Vec<Candidate> {
    let terms: Vec<Vec<TermId>> = sentences.iter().map(|text| titles.ids(text)).collect();
    let mut found: BTreeMap<Key, Mentions> = BTreeMap::new();
    // For each phrase of several words, its noun.
    let mut nouns: BTreeMap<Key, Key> = BTreeMap::new();
    for (i, sentence) in sentences.iter().enumerate() {
        read_sentence(titles, i, sentence, &mut found, &mut nouns);
    }
    for (text, at) in collocations(titles, sentences) {
        let key = key(&text, titles.ids(&text));
        let words = text.split(' ').count();
        let mentions = found.entry(key).or_default();
        for sentence in at {
            mentions.add(&text, words, sentence, true);
        }
        mentions.sentences.sort_unstable();
        mentions.sentences.dedup();
    }
    let count = |key: &Key| {
        found
            .get(key)
            .map_or(0, |mentions| mentions.sentences.len()) as f64
    };
    let first = |key: &Key| {
        found
            .get(key)
            .and_then(|mentions| mentions.sentences.first())
    };
    let is_usual = |phrase: &Key, noun: &Key| {
        // A "confidence interval" is called so first, and later just "the interval".
        let is_full_name = first(phrase) == first(noun);
        let min = if is_full_name {
            MIN_SHARE_OF_FULL_NAME
        } else {
            MIN_SHARE_OF_NOUN
        };
        count(phrase) >= min * count(noun)
    };
    let mut rare_forms: Vec<&Key> = Vec::new();
    for (phrase, noun) in &nouns {
        if found[phrase].is_announced {
            continue;
        }
        // What is said once is better without a "scary" or a "bright" that it has there.
        let is_plain = || is_compound(titles, &found[phrase].first_spelling);
        let is_usual = is_usual(phrase, noun) && (count(noun) > 1.0 || is_plain());
        rare_forms.push(if is_usual { noun } else { phrase });
    }
    let mut candidates: Vec<Candidate> = found
        .iter()
        .map(|(key, mentions)| {
            let is_rare_form = rare_forms.contains(&key) && !mentions.is_announced;
            let form = if is_rare_form { RARE_FORM_FACTOR } else { 1.0 };
            mentions.candidate(&key.0, form, &terms, weights)
        })
        .collect();
    candidates.sort_by(|a, b| {
        // An announcement names the topic, however rare its words are.
        let announced = |of: &Candidate| of.is_announced.then_some(of.words);
        let by_announcement = announced(b).cmp(&announced(a));
        let by_score = by_announcement.then(b.score.total_cmp(&a.score));
        by_score
            .then(a.sentences.first().cmp(&b.sentences.first()))
            .then_with(|| a.text.cmp(&b.text))
    });
    candidates
}

/// Adds the phrases of the sentence with this index.
fn read_sentence(
    titles: &Titles<'_>,
    index: usize,
    sentence: &str,
    found: &mut BTreeMap<Key, Mentions>,
    nouns: &mut BTreeMap<Key, Key>,
) {
    let spelled: Vec<&str> = sentence.split_whitespace().collect();
    let words: Vec<String> = spelled.iter().map(|word| normalize(word)).collect();
    let mut phrases = noun_phrases(sentence, titles.word_use, titles.lexicon);
    let announced = announcement::position(index, &spelled, &words, &phrases, titles.lexicon);
    let hinted = announcement::hinted_position(index, &words, &phrases, titles.lexicon);
    if let Some(position) = announced {
        phrases.extend(announcement::pair(
            &phrases,
            position,
            &spelled,
            titles.lexicon,
        ));
    }
    for phrase in phrases {
        let ids = titles.ids(&phrase.text);
        if ids.is_empty() || repeats_a_word(&words, &phrase) {
            continue;
        }
        let key = key(&phrase.text, ids);
        let noun = noun_of(&phrase);
        if phrase.words > 1 && phrase.words == phrase.noun_words {
            let noun_key = self::key(&noun, titles.ids(&noun));
            if noun_key != key && !noun_key.0.is_empty() {
                let mentions = found.entry(noun_key.clone()).or_default();
                let is_nominative = !titles.lexicon.capitalizes_nouns
                    || titles.word_use.has_capitalized_nouns && !is_plural_dative(&noun)
                    || titles.word_use.is_last_noun(&noun);
                mentions.add(&noun, 1, index, is_nominative);
                nouns.insert(key.clone(), noun_key);
            }
        }
        let is_nominative = is_nominative(titles, &phrase, &words);
        let mentions = found.entry(key).or_default();
        mentions.add(&phrase.text, phrase.words, index, is_nominative);
        if let Some(article) = title_article(&phrase, &words, titles) {
            *mentions.articles.entry(article).or_default() += 1;
        }
        let mut factor: f64 = 1.0;
        if is_defined(titles, &phrase, &words) {
            factor *= DEFINED_FACTOR;
        }
        if hinted == Some(phrase.position) {
            factor *= HINTED_FACTOR;
        }
        mentions.factor = mentions.factor.max(factor);
        if announced == Some(phrase.position) {
            mentions.is_announced = true;
            mentions
                .announced_spelling
                .get_or_insert(phrase.text.clone());
        }
        mentions.is_introduced |= announced.is_some();
        mentions.denials += usize::from(is_denied(&spelled, &words, phrase.position));
        if mentions.explanation.is_none() {
            let after = phrase.position + phrase.words;
            let room = super::title_words::MAX_WORDS.saturating_sub(phrase.words);
            let explanation = explanation(&spelled, after, room, titles.lexicon);
            // "The starch, the starch goes …" is no explanation.
            mentions.explanation = explanation.filter(|text| {
                let noun = stem(&noun);
                !text.split(' ').any(|word| stem(word) == noun)
            });
        }
    }
}

impl Mentions {
    fn add(&mut self, text: &str, words: usize, sentence: usize, is_nominative: bool) {
        let spelling = self.spellings.entry(text.to_owned()).or_default();
        spelling.0 += 1;
        spelling.1 |= is_nominative;
        if self.first_spelling.is_empty() {
            text.clone_into(&mut self.first_spelling);
        }
        self.words = self.words.max(words);
        if self.sentences.last() != Some(&sentence) {
            self.sentences.push(sentence);
        }
    }

    /// `form` is the factor for a form that is rare, `terms` those of each sentence.
    fn candidate(
        &self,
        ids: &[TermId],
        form: f64,
        terms: &[Vec<TermId>],
        weights: &TermWeights,
    ) -> Candidate {
        // The most frequent spelling that can stand alone; of equal ones, the first.
        let rank = |(text, (count, is_nominative)): &(&String, &(usize, bool))| {
            (*is_nominative, *count, **text == self.first_spelling)
        };
        let announced = self.announced_spelling.as_ref();
        let announced = announced.and_then(|text| self.spellings.get_key_value(text));
        let best = announced.or_else(|| {
            self.spellings
                .iter()
                .max_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| b.0.cmp(a.0)))
        });
        let (text, is_nominative) = best.map_or(("", false), |(text, (_, is_nominative))| {
            (text.as_str(), *is_nominative)
        });
        let count = self.sentences.len();
        let mut factor = self.factor.max(1.0) * form;
        if self.words > 1 {
            factor *= SEVERAL_WORDS_FACTOR;
        }
        let first = self.sentences.first().copied().unwrap_or_default();
        let last = self.sentences.last().copied().unwrap_or_default();
        let is_early = |sentence: usize| (sentence as f64) < EARLY * terms.len() as f64;
        // What is only said early may belong to the topic before.
        let is_named = self.factor > 1.0 || self.is_announced;
        if is_early(first) && (is_named || !is_early(last)) {
            factor *= EARLY_FACTOR;
        }
        let spread = (last - first) as f64 / terms.len().max(1) as f64;
        factor *= 1.0 + SPREAD_BONUS * spread;
        // A part of other phrases, as "tide" of "tide gauge", is half a mention.
        let has_all = |terms: &&Vec<TermId>| ids.iter().all(|id| terms.contains(id));
        let related = terms.iter().filter(has_all).count().max(count);
        let mentioned = (count + related) as f64 / 2.0;
        if mentioned < 1.5 && self.factor <= 1.0 && !self.is_announced {
            factor *= ONCE_FACTOR;
        }
        let sum: f64 = ids.iter().map(|&id| weights.get(id)).sum();
        let repeated = 1.0 + mentioned.max(1.0).ln();
        let mentions: usize = self.spellings.values().map(|(count, _)| count).sum();
        let article = self
            .articles
            .iter()
            .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        Candidate {
            text: text.to_owned(),
            words: text.split(' ').count(),
            ids: ids.to_vec(),
            score: sum / (ids.len() as f64).sqrt() * repeated * factor,
            sentences: self.sentences.clone(),
            is_announced: self.is_announced,
            is_introduced: self.is_introduced,
            may_stand_alone: is_nominative && self.denials < count,
            article: article
                .filter(|(_, count)| 2 * **count >= mentions)
                .map(|(article, _)| article.clone()),
            explanation: self.explanation.clone(),
        }
    }
}

fn key(text: &str, ids: Vec<TermId>) -> Key {
    let last = text.split(' ').next_back().unwrap_or_default();
    (ids, stem(last))
}

/// A word in lower case without the endings of the plural and of German cases.
fn stem(word: &str) -> String {
    let mut word = normalize(word);
    let mut length = word.chars().count();
    while length > MIN_STEM && word.ends_with(['e', 'n', 's']) {
        word.pop();
        length -= 1;
    }
    word
}

/// Whether a phrase is of two nouns, as far as that is known.
fn is_compound(titles: &Titles<'_>, phrase: &str) -> bool {
    let mut words = phrase.split(' ');
    let first = words.next().unwrap_or_default();
    let is_noun = if titles.lexicon.capitalizes_nouns {
        is_capitalized(first)
    } else {
        !titles.lexicon.is_adjective_form(&normalize(first))
    };
    is_noun && words.count() == 1
}

/// The noun of a phrase: its last word before "of".
fn noun_of(phrase: &NounPhrase) -> String {
    let words = phrase.text.split(' ').take(phrase.noun_words);
    words.last().unwrap_or_default().to_owned()
}
