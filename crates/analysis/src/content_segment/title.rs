//! Makes a title from the sentences of a segment.
//!
//! A title has three to eight words. It begins with the phrase that the lecturer announces
//! ("let us talk about …"), or else the one with the highest score: the weights of its terms,
//! times factors for a phrase that is defined ("… means that …") or repeated. Then comes what
//! the lecturer says that it is, as in "Delta: where a river meets the sea" ([`explanation`]), or
//! else the best other phrase, as in "Confidence interval and margin of error". A question at
//! the start of the segment, such as "How does a database survive a crash?", is a title itself.
//! In languages without a lexicon, the title is made of the best keywords. The running time
//! is `O(n log n)` in the number of words of the segment.

use std::collections::BTreeMap;

use super::explanation::explanation;
use super::german_phrase;
use super::keyphrases::TermWeights;
use super::noun_phrase::{NounPhrase, noun_phrases};
use super::vocabulary::{TermId, Vocabulary};
use super::word_use::{WordUse, capitalize, is_capitalized};
use crate::language::Lexicon;
use crate::sentence::normalize;
use crate::term::tokenize;

const MIN_WORDS: usize = 3;
const MAX_WORDS: usize = 8;
/// A topic is announced, and a question for it asked, within this many sentences.
const INTRODUCTION_SENTENCES: usize = 4;
/// The maximum number of words between an announcement and its phrase.
const MAX_FRAME_DISTANCE: usize = 5;
const DEFINED_FACTOR: f64 = 1.5;
const SEVERAL_WORDS_FACTOR: f64 = 1.25;
/// For a second phrase from the sentence that announces the topic.
const INTRODUCED_FACTOR: f64 = 2.0;
/// For a second phrase of one word that is said once.
const DETAIL_FACTOR: f64 = 0.3;
/// The minimum weight of a term of a question that becomes the title, as a fraction of the
/// highest weight.
const MIN_QUESTION_WEIGHT: f64 = 0.5;
/// The minimum score of the second phrase, as a fraction of the highest.
const MIN_COMPANION_SCORE: f64 = 0.12;

/// What titles are made with: the words of the recording and of its language.
pub(super) struct Titles<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) word_use: &'a WordUse,
    pub(super) lexicon: &'static Lexicon,
}

/// A phrase of the segment.
#[derive(Debug)]
struct Candidate {
    text: String,
    words: usize,
    ids: Vec<TermId>,
    score: f64,
    count: usize,
    factor: f64,
    is_announced: bool,
    /// Whether it is in the sentence that announces the topic.
    is_introduced: bool,
    /// Whether it can stand without an article and a verb: not, in German, with an adjective
    /// in another case.
    is_nominative: bool,
    /// What a sentence says that it is.
    explanation: Option<String>,
    first_sentence: usize,
}

impl Titles<'_> {
    /// A title from the sentences of a segment; `None` if they have no suitable phrase.
    pub(super) fn title(&self, sentences: &[&str], weights: &TermWeights) -> Option<String> {
        if !self.lexicon.is_known() {
            return None;
        }
        if let Some(question) = self.question(sentences, weights) {
            return Some(question);
        }
        let mut candidates = self.candidates(sentences, weights);
        candidates.sort_by(|a, b| {
            // An announcement names the topic, however rare its words are.
            let announced = |of: &Candidate| of.is_announced.then_some(of.words);
            let by_announcement = announced(b).cmp(&announced(a));
            let by_score = by_announcement.then(b.score.total_cmp(&a.score));
            by_score
                .then(a.first_sentence.cmp(&b.first_sentence))
                .then_with(|| a.text.cmp(&b.text))
        });
        Some(self.compose(candidates.first()?, &candidates))
    }

    /// A title for some sentences of a segment, about what the title of the segment is about.
    /// `None` if these sentences do not mention that.
    pub(super) fn title_like(
        &self,
        of_segment: &str,
        sentences: &[&str],
        weights: &TermWeights,
    ) -> Option<String> {
        let candidates = self.candidates(sentences, weights);
        let and = format!(" {} ", self.lexicon.conjunction);
        let (name, _) = of_segment.split_once(": ").unwrap_or((of_segment, ""));
        let parts: Vec<String> = name.split(&and).map(str::to_lowercase).collect();
        let place = |candidate: &Candidate| {
            let text = candidate.text.to_lowercase();
            parts.iter().position(|part| *part == text)
        };
        let mentioned = candidates
            .iter()
            .filter_map(|candidate| Some((place(candidate)?, candidate)));
        let (_, head) = mentioned.min_by_key(|(place, _)| *place)?;
        let title = self.compose(head, &candidates);
        (title.split(' ').count() >= MIN_WORDS).then_some(title)
    }

    /// A title that begins with `head`.
    fn compose(&self, head: &Candidate, candidates: &[Candidate]) -> String {
        let name = self.spelled(&head.text);
        let title = match &head.explanation {
            Some(explanation) => format!("{name}: {}", self.spelled(explanation)),
            None => match companion(head, candidates) {
                Some(companion) => {
                    let and = self.lexicon.conjunction;
                    format!("{name} {and} {}", self.spelled(&companion.text))
                }
                None if self.lexicon.capitalizes_nouns => {
                    german_phrase::with_article_or_genitive(&name, self.word_use)
                }
                None => name,
            },
        };
        capitalize(&title)
    }

    /// Text of the transcript, with the capital letters that a recognizer has left out.
    fn spelled(&self, text: &str) -> String {
        if self.lexicon.capitalizes_nouns && !self.word_use.has_capitalized_nouns {
            german_phrase::with_capital_nouns(text, self.word_use)
        } else {
            text.to_owned()
        }
    }

    fn ids(&self, text: &str) -> Vec<TermId> {
        let terms = tokenize(text);
        let mut ids: Vec<TermId> = terms
            .iter()
            .filter_map(|term| self.vocabulary.find(term))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// A question at the start of the segment that names its topic.
    fn question(&self, sentences: &[&str], weights: &TermWeights) -> Option<String> {
        let highest = weights.highest();
        sentences.iter().take(2).find_map(|sentence| {
            let sentence = sentence
                .split_inclusive(['?', '.', '!'])
                .map(str::trim)
                .find(|part| part.ends_with('?'))?;
            let words: Vec<&str> = sentence.split_whitespace().collect();
            let is_opener = |word: &&&str| {
                let word = normalize(word);
                [
                    "now", "so", "and", "but", "well", "okay", "then", "und", "aber", "also",
                    "nun", "jetzt",
                ]
                .contains(&word.as_str())
            };
            let words = &words[words.iter().take_while(is_opener).count()..];
            if !(MIN_WORDS + 1..=MAX_WORDS).contains(&words.len()) {
                return None;
            }
            let question = words.join(" ");
            let is_about_topic = self
                .ids(&question)
                .iter()
                .any(|&id| weights.get(id) >= MIN_QUESTION_WEIGHT * highest);
            is_about_topic.then(|| capitalize(&question))
        })
    }

    fn candidates(&self, sentences: &[&str], weights: &TermWeights) -> Vec<Candidate> {
        let mut found: BTreeMap<Vec<TermId>, Candidate> = BTreeMap::new();
        for (i, sentence) in sentences.iter().enumerate() {
            let spelled: Vec<&str> = sentence.split_whitespace().collect();
            let words: Vec<String> = spelled.iter().map(|word| normalize(word)).collect();
            let mut phrases = noun_phrases(sentence, self.word_use, self.lexicon);
            let announced = (i < INTRODUCTION_SENTENCES)
                .then(|| self.announced_position(&words))
                .flatten();
            let announced = announced.and_then(|position| {
                phrases
                    .iter()
                    .filter(|phrase| {
                        (position..=position + MAX_FRAME_DISTANCE).contains(&phrase.position)
                    })
                    .map(|phrase| phrase.position)
                    .min()
            });
            if let Some(position) = announced {
                phrases.extend(self.pair(&phrases, position, &spelled));
            }
            for phrase in phrases {
                let ids = self.ids(&phrase.text);
                if ids.is_empty() || repeats_a_word(&words, &phrase) {
                    continue;
                }
                let is_defined = self.is_defined(&phrase, &words);
                let factor: f64 = if is_defined { DEFINED_FACTOR } else { 1.0 };
                let candidate = found.entry(ids.clone()).or_insert_with(|| Candidate {
                    text: phrase.text.clone(),
                    words: phrase.words,
                    ids,
                    score: 0.0,
                    count: 0,
                    factor: 1.0,
                    is_announced: false,
                    is_introduced: false,
                    is_nominative: false,
                    explanation: None,
                    first_sentence: i,
                });
                candidate.count += 1;
                candidate.is_nominative |= self.is_nominative(&phrase, &words);
                candidate.factor = candidate.factor.max(factor);
                candidate.is_announced |= announced == Some(phrase.position);
                candidate.is_introduced |= announced.is_some();
                if candidate.explanation.is_none() {
                    let after = phrase.position + phrase.words;
                    let room = MAX_WORDS.saturating_sub(candidate.words);
                    candidate.explanation = explanation(&spelled, after, room, self.lexicon);
                }
            }
        }
        let mut candidates: Vec<Candidate> = found.into_values().collect();
        for candidate in &mut candidates {
            let sum: f64 = candidate.ids.iter().map(|&id| weights.get(id)).sum();
            let several = if candidate.words > 1 {
                SEVERAL_WORDS_FACTOR
            } else {
                1.0
            };
            let repeated = 1.0 + (candidate.count as f64).ln();
            candidate.score =
                sum / (candidate.ids.len() as f64).sqrt() * several * repeated * candidate.factor;
        }
        candidates
    }

    /// The announced phrase at `position` with the one that "and" joins to it, as in "the mean
    /// and the median".
    fn pair(&self, phrases: &[NounPhrase], position: usize, words: &[&str]) -> Option<NounPhrase> {
        let first = phrases.iter().find(|phrase| phrase.position == position)?;
        let end = position + first.words;
        let conjunction = words.get(end)?;
        let is_joined = *conjunction == self.lexicon.conjunction && !words[end - 1].ends_with(',');
        let second = phrases.iter().find(|phrase| {
            // An article may be between them.
            (end + 1..=end + 2).contains(&phrase.position)
        })?;
        is_joined.then(|| NounPhrase {
            text: format!("{} {conjunction} {}", first.text, second.text),
            position,
            words: second.position + second.words - position,
        })
    }

    fn is_nominative(&self, phrase: &NounPhrase, words: &[String]) -> bool {
        if !self.lexicon.capitalizes_nouns {
            return phrase.words > 1 || self.word_use.is_last_noun(&phrase.text.to_lowercase());
        }
        if !self.word_use.has_capitalized_nouns {
            return phrase.words == 1 && self.word_use.is_last_noun(&phrase.text);
        }
        // "Latente Wärme" can be a nominative, "deutscher Sprache" and "beweglichen Lettern"
        // hardly.
        let first = phrase.text.split(' ').next().unwrap_or_default();
        // "Von Mönchen" is a dative.
        let before = phrase.position.checked_sub(1).map(|i| words[i].as_str());
        let is_dative = phrase.text.ends_with('n') && before.is_some_and(is_dative_preposition);
        (is_capitalized(first) || first.ends_with('e')) && !is_dative
    }

    /// The index of the first word after an announcement of a topic.
    fn announced_position(&self, words: &[String]) -> Option<usize> {
        let text = format!(" {} ", words.join(" "));
        let frames = self.lexicon.topic_frames.iter();
        let ends = frames.filter_map(|frame| {
            let at = text.find(&format!(" {frame} "))?;
            Some(at + 1 + frame.len())
        });
        let end = ends.max()?;
        Some(text[..end].split_whitespace().count())
    }

    /// Whether the sentence defines the phrase: "erosion means …", "… is called a point bar".
    fn is_defined(&self, phrase: &NounPhrase, words: &[String]) -> bool {
        let after = words.get(phrase.position + phrase.words);
        let is_subject = phrase.position <= 2
            && after.is_some_and(|after| self.lexicon.defining_verbs.contains(after.as_str()));
        let before = &words[phrase.position.saturating_sub(2)..phrase.position];
        let names = ["called", "as", "heißt", "nennt", "nennen", "heißen"];
        is_subject || before.iter().any(|word| names.contains(&word.as_str()))
    }
}

fn is_dative_preposition(word: &str) -> bool {
    [
        "von", "vom", "aus", "mit", "bei", "nach", "zu", "seit", "unter", "in", "an", "auf",
    ]
    .contains(&word)
}

/// The best phrase to name beside `head`. `None` if that is long enough alone, or there is
/// no suitable phrase.
fn companion<'c>(head: &Candidate, others: &'c [Candidate]) -> Option<&'c Candidate> {
    if head.words >= MIN_WORDS && head.is_announced {
        return None;
    }
    let highest = others.iter().map(|other| other.score / other.factor);
    let min_score = MIN_COMPANION_SCORE * highest.fold(0.0, f64::max);
    let is_suitable = |other: &&Candidate| {
        let is_new = other.ids.iter().all(|id| !head.ids.contains(id));
        let words = head.words + 1 + other.words;
        is_new
            && (MIN_WORDS..=MAX_WORDS).contains(&words)
            && other.score >= min_score
            && other.is_nominative
    };
    others.iter().filter(is_suitable).max_by(|a, b| {
        let score = |of: &Candidate| {
            let introduced = if of.is_introduced {
                INTRODUCED_FACTOR
            } else {
                1.0
            };
            let several = if of.words > 1 {
                SEVERAL_WORDS_FACTOR
            } else {
                1.0
            };
            let is_detail = of.count == 1 && of.words == 1 && !of.is_introduced;
            let detail = if is_detail { DETAIL_FACTOR } else { 1.0 };
            of.score * introduced * several * detail
        };
        score(a).total_cmp(&score(b))
    })
}

/// Whether a phrase has a word twice, as where a sentence ends without punctuation.
fn repeats_a_word(words: &[String], phrase: &NounPhrase) -> bool {
    let words = &words[phrase.position..phrase.position + phrase.words];
    (1..words.len()).any(|i| words[..i].contains(&words[i]))
}

#[cfg(test)]
mod tests {
    use lectern_domain::TimeRange;

    use crate::TranscriptSegmentRef;
    use crate::content_segment;

    /// The title of a segment with these sentences.
    fn title_of(sentences: &[&str]) -> String {
        let segments = (0_u32..)
            .zip(sentences)
            .map(|(i, text)| TranscriptSegmentRef {
                time: TimeRange::new(f64::from(i) * 5.0, f64::from(i) * 5.0 + 4.6).unwrap(),
                text,
                words: &[],
            });
        let found = content_segment::find(segments).unwrap();
        found[0].topic.as_str().to_owned()
    }

    const LOG: [&str; 6] = [
        "Every change is written to the write ahead log before the page changes.",
        "After a crash the first pass is redo, and redo repeats the changes.",
        "The second pass is undo, and undo removes the open changes.",
        "The write ahead log is written sequentially, so it is fast.",
        "Redo needs the write ahead log from the last checkpoint.",
        "Undo needs the write ahead log as well.",
    ];

    #[test]
    fn a_title_has_the_main_phrase_and_what_is_said_about_it() {
        let title = title_of(&LOG);
        let words = title.split(' ').count();
        assert!((3..=8).contains(&words), "{title}");
        assert!(title.to_lowercase().contains("log"), "{title}");
        let others = ["redo", "undo", "crash", "checkpoint"];
        assert!(others.iter().any(|word| title.contains(word)), "{title}");
    }

    #[test]
    fn the_announced_topic_is_the_main_phrase() {
        let mut sentences = vec!["Let us now talk about crash recovery, which is hard."];
        sentences.extend(LOG);
        let title = title_of(&sentences);
        assert!(title.starts_with("Crash recovery and "), "{title}");
        let german = [
            "Als Nächstes sprechen wir über die Wärmekapazität.",
            "Das Meer gibt die Energie in der Nacht langsam ab.",
            "Die Energie in dem Meer ist sehr groß, und der Sand hat wenig Energie.",
            "Mit einem Kalorimeter messen wir die Energie.",
        ];
        assert!(title_of(&german).starts_with("Wärmekapazität und "));
    }

    #[test]
    fn what_the_topic_is_said_to_be_follows_its_name() {
        let mut sentences = vec!["Let us now talk about recovery, the path back from a crash."];
        sentences.extend(LOG);
        assert_eq!(title_of(&sentences), "Recovery: the path back from a crash");
        sentences[0] = "I would like to compare recovery and replication.";
        assert_eq!(title_of(&sentences), "Recovery and replication");
    }

    #[test]
    fn a_phrase_in_another_case_is_no_part_of_a_german_title() {
        let title = title_of(&[
            "Als Nächstes sprechen wir über den Buchdruck.",
            "Mit beweglichen Lettern wurde der Buchdruck schnell.",
            "Aus beweglichen Lettern setzte man jede Seite, und der Satz war teuer.",
            "Die Druckerei hatte viele Kästen mit beweglichen Lettern.",
        ]);
        assert!(!title.contains("beweglichen"), "{title}");
    }

    #[test]
    fn a_question_that_names_the_topic_is_the_title() {
        let mut sentences = vec!["Now, how does the log survive a crash?"];
        sentences.extend(LOG);
        assert_eq!(title_of(&sentences), "How does the log survive a crash?");
        sentences[0] = "Is it back?";
        assert!(!title_of(&sentences).contains('?'));
    }

    #[test]
    fn fillers_and_sounds_are_not_in_the_title() {
        let sentences: Vec<String> = LOG
            .iter()
            .map(|sentence| format!("[Music] Um, okay, whatever, well. {sentence}"))
            .collect();
        let refs: Vec<&str> = sentences.iter().map(String::as_str).collect();
        let title = title_of(&refs).to_lowercase();
        for filler in ["music", "um", "okay", "whatever", "well"] {
            let is_there = title
                .split(|c: char| !c.is_alphabetic())
                .any(|word| word == filler);
            assert!(!is_there, "{title}");
        }
    }

    #[test]
    fn other_languages_have_keywords_as_titles() {
        let title = title_of(&[
            "La photosynthèse transforme la lumière du soleil en sucre.",
            "La lumière est absorbée par la chlorophylle.",
            "Sans la lumière, la photosynthèse s'arrête.",
        ]);
        assert!(
            title.contains(", ") && title.to_lowercase().contains("photosynthèse"),
            "{title}"
        );
    }
}
