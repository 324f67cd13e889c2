//! Makes a title from the sentences of a segment.
//!
//! A title has three to eight words and is like "Write ahead log: redo and undo": the phrase
//! that the segment is about, and two more that it explains. The first is the one that the
//! lecturer announces ("let us talk about …"), or else the one with the highest score: the
//! weights of its terms, times factors for a phrase that is defined ("… means that …") or
//! repeated. A question at the
//! start of the segment, such as "How does a database survive a crash?", is a title itself.
//! In languages without a lexicon, the title is made of the best keywords. The running time
//! is `O(n log n)` in the number of words of the segment.

use std::collections::BTreeMap;

use super::keyphrases::TermWeights;
use super::noun_phrase::{NounPhrase, noun_phrases};
use super::vocabulary::{TermId, Vocabulary};
use super::word_use::WordUse;
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
/// The minimum weight of a term of a question that becomes the title, as a fraction of the
/// highest weight.
const MIN_QUESTION_WEIGHT: f64 = 0.5;
/// The minimum score of the second and third phrase, as a fraction of the highest.
const MIN_ASPECT_SCORE: f64 = 0.12;
const MAX_ASPECTS: usize = 2;

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
        let head = candidates.first()?;
        let mut chosen = vec![head];
        let mut words = head.words;
        let highest = candidates
            .iter()
            .map(|candidate| candidate.score / candidate.factor);
        let min_score = MIN_ASPECT_SCORE * highest.fold(0.0, f64::max);
        for candidate in &candidates[1..] {
            if chosen.len() > MAX_ASPECTS {
                break;
            }
            let is_new = chosen
                .iter()
                .all(|other| other.ids.iter().all(|id| !candidate.ids.contains(id)));
            let conjunction = usize::from(chosen.len() == MAX_ASPECTS);
            let fits = words + candidate.words + conjunction <= MAX_WORDS;
            if is_new && fits && candidate.score >= min_score {
                words += candidate.words + conjunction;
                chosen.push(candidate);
            }
        }
        let and = if self.lexicon.capitalizes_nouns {
            "und"
        } else {
            "and"
        };
        let title = match chosen.as_slice() {
            [head] => head.text.clone(),
            [head, aspect] if words + 1 >= MIN_WORDS && head.words + aspect.words < MIN_WORDS => {
                format!("{} {and} {}", head.text, aspect.text)
            }
            [head, aspect] => format!("{}: {}", head.text, aspect.text),
            [head, first, second, ..] => {
                format!("{}: {} {and} {}", head.text, first.text, second.text)
            }
            [] => return None,
        };
        Some(capitalize(&title))
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
            let words: Vec<String> = sentence.split_whitespace().map(normalize).collect();
            let phrases = noun_phrases(sentence, self.word_use, self.lexicon);
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
            for phrase in phrases {
                let ids = self.ids(&phrase.text);
                if ids.is_empty() {
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
                    first_sentence: i,
                });
                candidate.count += 1;
                candidate.factor = candidate.factor.max(factor);
                candidate.is_announced |= announced == Some(phrase.position);
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

/// With a capital letter at the start.
pub(super) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
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
        assert!(title.contains("redo") || title.contains("undo"), "{title}");
    }

    #[test]
    fn the_announced_topic_is_the_main_phrase() {
        let mut sentences = vec!["Let us now talk about crash recovery, which is hard."];
        sentences.extend(LOG);
        let title = title_of(&sentences);
        assert!(title.starts_with("Crash recovery: "), "{title}");
        let german = [
            "Als Nächstes sprechen wir über die Wärmekapazität.",
            "Das Meer gibt die Energie in der Nacht langsam ab.",
            "Die Energie in dem Meer ist sehr groß, und der Sand hat wenig Energie.",
            "Mit einem Kalorimeter messen wir die Energie.",
        ];
        assert!(title_of(&german).starts_with("Wärmekapazität: "));
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
