//! Two phrases that make a title together, such as "Confidence interval and margin of error".

use super::title_candidate::Candidate;
use super::title_words::{MAX_WORDS, MIN_WORDS};

/// For a second phrase from the sentence that announces the topic.
const INTRODUCED_FACTOR: f64 = 2.0;
/// How much each sentence with both phrases adds to the score of the second one, up to
/// [`MAX_SHARED_SENTENCES`].
const SHARED_SENTENCE_BONUS: f64 = 0.4;
const MAX_SHARED_SENTENCES: usize = 3;
/// The minimum score of one phrase of a pair, as a fraction of that of the other one, for both to
/// be central.
const MIN_STRONG_SHARE: f64 = 0.25;
/// The sentences with the rarer phrase of a strong pair, at least, and the number that is often.
const MIN_SENTENCES: usize = 2;
const OFTEN: usize = 3;
/// A longer phrase that is said once is a detail.
const MAX_DETAIL_WORDS: usize = 3;
/// Pairs are made of this many of the best phrases.
const MAX_PAIRED: usize = 16;

/// Two phrases that make a title.
#[derive(Debug)]
pub(super) struct Pair<'c> {
    pub(super) first: &'c Candidate,
    pub(super) second: &'c Candidate,
    pub(super) score: f64,
}

impl Pair<'_> {
    /// Whether both phrases are central: said in several sentences, and together in two, or in one
    /// if both are said often.
    pub(super) fn is_strong(&self) -> bool {
        let count = |phrase: &Candidate| phrase.sentences.len();
        let rarer = count(self.first).min(count(self.second));
        let shared = self.first.sentences_shared_with(self.second);
        let (a, b) = (self.first.score, self.second.score);
        a.min(b) >= MIN_STRONG_SHARE * a.max(b)
            && (rarer >= MIN_SENTENCES && shared > 1 || rarer >= OFTEN && shared > 0)
    }
}

/// The best pair of phrases, whose second one has at least the fraction `min_companion_score` of
/// the highest score. `head` is the first one if it is given; without, the first one is the one
/// that is said first.
pub(super) fn best_pair<'c>(
    head: Option<&'c Candidate>,
    candidates: &'c [Candidate],
    min_companion_score: f64,
) -> Option<Pair<'c>> {
    let considered = &candidates[..candidates.len().min(MAX_PAIRED)];
    let firsts = match head {
        Some(head) => std::slice::from_ref(head),
        None => considered,
    };
    let highest = candidates.iter().map(|candidate| candidate.score);
    let min_score = min_companion_score * highest.fold(0.0, f64::max);
    let pairs = firsts.iter().flat_map(|first| {
        let suitable = considered.iter().filter(move |second| {
            let words = first.words + 1 + second.words;
            let can_be_first =
                head.is_some() || first.may_stand_alone && comes_before(first, second);
            let is_long_detail = second.sentences.len() == 1 && second.words > MAX_DETAIL_WORDS;
            let is_incidental =
                |phrase: &Candidate| !phrase.is_introduced && is_acquaintance(&phrase.text);
            can_be_first
                && !is_long_detail
                && !is_incidental(second)
                && (head.is_some() || !is_incidental(first))
                && second.may_stand_alone
                && second.score >= min_score
                && (MIN_WORDS..=MAX_WORDS).contains(&words)
                && !first.overlaps(second)
        });
        suitable.map(move |second| {
            let is_introduced = second.is_introduced && second.sentences.len() > 1;
            let introduced = if first.is_announced && is_introduced {
                INTRODUCED_FACTOR
            } else {
                1.0
            };
            let shared = first
                .sentences_shared_with(second)
                .min(MAX_SHARED_SENTENCES);
            let together = 1.0 + SHARED_SENTENCE_BONUS * shared as f64;
            let score = if head.is_some() {
                second.score
            } else {
                (first.score * second.score).sqrt()
            };
            Pair {
                first,
                second,
                score: score * together * introduced,
            }
        })
    });
    pairs.reduce(|best, pair| {
        if pair.score.total_cmp(&best.score).is_gt() {
            pair
        } else {
            best
        }
    })
}

/// Whether a phrase is of people whom speakers tell of: "my uncle had a boat".
fn is_acquaintance(phrase: &str) -> bool {
    let noun = phrase
        .split(' ')
        .next_back()
        .unwrap_or_default()
        .to_lowercase();
    let singular = noun.strip_suffix('s').unwrap_or(&noun);
    ACQUAINTANCES.contains(&noun.as_str()) || ACQUAINTANCES.contains(&singular)
}

const ACQUAINTANCES: &[&str] = &[
    "father",
    "mother",
    "dad",
    "mum",
    "son",
    "daughter",
    "brother",
    "sister",
    "uncle",
    "aunt",
    "cousin",
    "wife",
    "husband",
    "grandfather",
    "grandmother",
    "neighbour",
    "neighbor",
    "colleague",
    "friend",
    "vater",
    "väter",
    "mutter",
    "mütter",
    "sohn",
    "söhne",
    "tochter",
    "töchter",
    "bruder",
    "brüder",
    "schwester",
    "schwestern",
    "onkel",
    "tante",
    "cousin",
    "opa",
    "oma",
    "großvater",
    "großmutter",
    "nachbar",
    "nachbarn",
    "nachbarin",
    "kollege",
    "kollegen",
    "kollegin",
    "freund",
    "freunde",
    "freundin",
];

/// Whether a phrase is said first before another one; if that is in the same sentence, whether it
/// has the higher score.
fn comes_before(a: &Candidate, b: &Candidate) -> bool {
    let by_sentence = a.sentences.first().cmp(&b.sentences.first());
    by_sentence
        .then(b.score.total_cmp(&a.score))
        .then_with(|| a.text.cmp(&b.text))
        .is_lt()
}

#[cfg(test)]
mod tests {
    use super::super::sample_speech::with_titles;
    use super::super::title_candidate::candidates;
    use super::best_pair;

    fn paired(sentences: &[&str]) -> String {
        with_titles(sentences, |titles, weights| {
            let candidates = candidates(titles, sentences, weights);
            let pair = best_pair(None, &candidates, 0.0).unwrap();
            format!("{} {}", pair.first.text, pair.second.text)
        })
    }

    #[test]
    fn what_is_only_denied_is_in_no_pair() {
        let pair = paired(&[
            "The tide rises twice a day, and it isn't magic.",
            "The tide is high at the pier.",
            "At the pier the tide turns.",
        ]);
        assert!(!pair.contains("magic"), "{pair}");
        let pair = paired(&[
            "Zweimal am Tag steigt die Flut, und das ist kein Zauber.",
            "Die Flut ist hoch, und die Mole ist nass.",
            "Die Mole bremst die Flut.",
        ]);
        assert!(!pair.contains("Zauber"), "{pair}");
    }

    #[test]
    fn people_whom_the_speaker_tells_of_are_in_no_pair() {
        let pair = paired(&[
            "The tide rises twice a day at the pier, and an uncle saw it.",
            "The uncle sat beside the tide, and the moon was full.",
            "An uncle reads the tide from the moon.",
        ]);
        assert!(!pair.contains("uncle"), "{pair}");
        let pair = paired(&[
            "Zweimal am Tag steigt die Flut, und der Onkel sah es.",
            "Der Onkel saß an der Flut, und der Mond war voll.",
            "Aus dem Mond liest der Onkel die Flut.",
        ]);
        assert!(!pair.contains("Onkel"), "{pair}");
    }
}
