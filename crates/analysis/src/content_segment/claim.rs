//! Short sentences that are titles, such as "Salt makes the dough tighter".
//!
//! A lecturer who speaks freely hardly names the topic, but says in a few words what it is about.
//! A clause is a claim if it has a subject that is one of the main phrases, a finite verb
//! after it and something after that, if it has no more words than a title and if it refers to
//! nothing outside of itself. Without punctuation, there are hardly any: a clause is then as long
//! as a sentence.

use super::claim_checks::{
    detail, follows_condition, is_open_comparison, is_universal, stands_alone,
};
use super::claim_clauses::{MIN_WORDS, clauses};
use super::claim_forms::shorter_forms;
use super::noun_phrase::noun_phrases;
use super::title_candidate::Candidate;
use super::title_words::{MAX_WORDS, Titles};
use super::vocabulary::TermId;
use super::word_use::is_capitalized;
use crate::antecedent::with_subject;
use crate::disfluency::{ends_clause, fluent_words, without_presentation, without_words};
use crate::language::Lexicon;
use crate::sentence::normalize;

/// A phrase that the segment has once is a subject if this many utterances of the recording have it.
const MIN_UTTERANCES: f64 = 3.0;
/// For a claim whose subject is less central than another phrase in it.
const OBJECT_SHARE: f64 = 0.7;
/// The number of words before a subject after a phrase with a preposition.
const MAX_SUBJECT_POSITION: usize = 5;
/// For "every knot" and the like.
const GENERAL_FACTOR: f64 = 1.3;
/// For one that begins with where or when: "in the brain the molecule sits on a place".
const ADVERBIAL_FACTOR: f64 = 0.7;
/// The minimum score of another phrase in the claim, as a fraction of the highest.
const MIN_OBJECT_SCORE: f64 = 0.15;
const OBJECT_BONUS: f64 = 0.6;
/// For what is only said under a condition: "when the moon is full, the tide is strong".
const CONDITION_FACTOR: f64 = 0.6;
/// For a claim that is not all that the clause says.
const SHORTER_FACTOR: f64 = 0.9;
/// For a claim in the first half of the sentences.
const EARLY_FACTOR: f64 = 1.1;

#[derive(Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) text: String,
    /// How central it is, as a fraction of the highest score of a phrase.
    pub(super) score: f64,
    pub(super) subject: String,
    /// Whether it is no detail: in the present, without a number or "not".
    pub(super) is_general: bool,
    /// Whether it says what its subject is.
    pub(super) is_definition: bool,
    /// Whether it has another of the main phrases, or is about all that the subject names.
    pub(super) is_rich: bool,
}

/// The best claim of the sentences about one of the candidates.
pub(super) fn best_claim(
    titles: &Titles<'_>,
    sentences: &[&str],
    candidates: &[Candidate],
) -> Option<Claim> {
    let lexicon = titles.lexicon;
    if titles.word_use.lacks_capitals {
        return None;
    }
    let mut best: Option<Claim> = None;
    let mut before: Vec<String> = Vec::new();
    for (i, sentence) in sentences.iter().enumerate() {
        let said = fluent_words(sentence, lexicon);
        let named = with_subject(&before, &said, lexicon);
        before.clone_from(&said);
        let words = without_presentation(named.unwrap_or(said), lexicon);
        let words = without_words(&words, |word| DROPPED.contains(&word));
        if words.last().is_some_and(|last| last.ends_with('?')) {
            continue;
        }
        let early = if 2 * i < sentences.len() {
            EARLY_FACTOR
        } else {
            1.0
        };
        for range in clauses(&words, lexicon) {
            let begins_sentence = !words[..range.start].iter().any(|word| ends_clause(word));
            let is_conditional = follows_condition(&words[..range.start], lexicon);
            let whole = words[range].to_vec();
            let shorter = shorter_forms(&whole, begins_sentence, lexicon);
            let forms = std::iter::once((1.0, whole))
                .chain(shorter.into_iter().map(|form| (SHORTER_FACTOR, form)));
            for (factor, form) in forms {
                let Some(claim) = claim(titles, &form, candidates) else {
                    continue;
                };
                let condition = if is_conditional {
                    CONDITION_FACTOR
                } else {
                    1.0
                };
                let score = early * factor * condition * claim.score;
                if best.as_ref().is_none_or(|best| score > best.score) {
                    let is_general = claim.is_general && !is_conditional;
                    best = Some(Claim {
                        score,
                        is_general,
                        ..claim
                    });
                }
            }
        }
    }
    best
}

/// The claim that a clause is; `None` if it is none.
fn claim(titles: &Titles<'_>, clause: &[String], candidates: &[Candidate]) -> Option<Claim> {
    let lexicon = titles.lexicon;
    let normalized: Vec<String> = clause.iter().map(|word| normalize(word)).collect();
    let is_universal = is_universal(&normalized);
    let is_title = is_universal || (MIN_WORDS..=MAX_WORDS).contains(&clause.len());
    if !is_title || !stands_alone(clause, lexicon) {
        return None;
    }
    let text = clause.join(" ");
    let phrases = noun_phrases(&text, titles.word_use, lexicon);
    // The longest phrase at the start, or after a phrase with a preposition, before a verb.
    let begins_with_preposition = lexicon.adverbial_starts.contains(normalized[0].as_str());
    let subject = phrases
        .iter()
        .filter(|phrase| {
            let is_first = phrase.position <= 2
                && normalized[..phrase.position]
                    .iter()
                    .all(|word| may_precede(word, lexicon));
            let is_second = begins_with_preposition && phrase.position <= MAX_SUBJECT_POSITION;
            is_first || is_second && !lexicon.capitalizes_nouns
        })
        .filter(|phrase| {
            let end = phrase.position + phrase.words;
            is_universal && end == 2 || verb_after(clause, &normalized, end, titles)
        })
        .max_by_key(|phrase| phrase.words)?;
    let end = subject.position + subject.words;
    let others = || phrases.iter().filter(|phrase| phrase.position > end);
    if begins_with_preposition && lexicon.capitalizes_nouns && others().count() == 0 {
        return None;
    }
    let says_something = normalized[end + 1..]
        .iter()
        .any(|word| word.chars().count() > 2 && !lexicon.is_function_word(word));
    if !says_something && !is_universal {
        return None;
    }
    let highest = candidates.iter().map(|candidate| candidate.score);
    let highest = highest.fold(0.0, f64::max);
    let relative = |text: &str| {
        let ids = titles.ids(text);
        let within = candidates.iter().filter(|candidate| {
            let count = |id: &TermId| titles.vocabulary.utterance_count(*id);
            let is_repeated = candidate.sentences.len() > 1
                || candidate.ids.iter().all(|id| count(id) >= MIN_UTTERANCES);
            is_repeated && candidate.ids.iter().all(|id| ids.contains(id))
        });
        within.map(|candidate| candidate.score).fold(0.0, f64::max) / highest
    };
    let subject_score = relative(&subject.text);
    let object_score = others()
        .map(|phrase| relative(&phrase.text))
        .fold(0.0, f64::max);
    let of_object = OBJECT_SHARE * object_score;
    let central = subject_score.max(of_object);
    let object = if object_score >= MIN_OBJECT_SCORE && subject_score >= MIN_OBJECT_SCORE {
        OBJECT_BONUS
    } else {
        0.0
    };
    let is_general = QUANTIFIERS.contains(&normalized[0].as_str());
    let general = if is_general { GENERAL_FACTOR } else { 1.0 };
    let adverbial = if begins_with_preposition {
        ADVERBIAL_FACTOR
    } else {
        1.0
    };
    let text = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    let detail = detail(&normalized, lexicon);
    (central > 0.0).then(|| Claim {
        text: text.to_owned(),
        score: central * (1.0 + object) * general * adverbial * detail,
        is_general: detail >= 1.0 && !is_open_comparison(&normalized),
        subject: subject.text.clone(),
        is_rich: object > 0.0 || is_general,
        is_definition: DEFINING.contains(&normalized[end].as_str()),
    })
}

fn may_precede(word: &str, lexicon: &Lexicon) -> bool {
    let is_article = lexicon.articles.contains(word) && !lexicon.demonstratives.contains(word);
    is_article
        || lexicon.capitalizes_nouns && lexicon.adverbial_starts.contains(word)
        || QUANTIFIERS.contains(&word)
}

/// Whether a finite verb follows, perhaps after an adverb, and something follows the verb.
fn verb_after(clause: &[String], normalized: &[String], at: usize, titles: &Titles<'_>) -> bool {
    let lexicon = titles.lexicon;
    if at == 0 || ends_clause(&clause[at - 1]) {
        return false;
    }
    let is_adverb = normalized
        .get(at)
        .is_some_and(|word| ADVERBS.contains(&word.as_str()));
    let at = at + usize::from(is_adverb && !lexicon.capitalizes_nouns);
    let (Some(word), Some(spelled)) = (normalized.get(at), clause.get(at)) else {
        return false;
    };
    let word = word.as_str();
    let is_verb = if lexicon.capitalizes_nouns {
        let endings = ["t", "te", "en", "ten"];
        lexicon.finite_verbs.contains(word)
            || !lexicon.is_function_word(word)
                && !is_capitalized(spelled)
                && endings.iter().any(|ending| word.ends_with(ending))
    } else {
        lexicon.finite_verbs.contains(word)
            || lexicon.general_verbs.contains(word)
            || lexicon.is_verb_form(word)
    };
    let is_auxiliary_alone = at + 2 == clause.len() && normalized[at + 1] == "not";
    is_verb && at + 1 < clause.len() && !is_auxiliary_alone
}

/// Adverbs without which a claim says the same.
const DROPPED: &[&str] = &[
    "really",
    "actually",
    "just",
    "nämlich",
    "eigentlich",
    "auch",
    "wirklich",
    "ja",
];

/// Words before the subject.
const QUANTIFIERS: &[&str] = &[
    "every", "each", "most", "many", "some", "all", "no", "only", "jeder", "jede", "jedes", "kein",
    "keine", "viele", "alle", "nur",
];

const DEFINING: &[&str] = &[
    "is", "are", "means", "ist", "sind", "heißt", "bedeutet", "versteht", "nennt",
];

/// Words between the subject and its verb.
const ADVERBS: &[&str] = &[
    "never", "always", "only", "really", "just", "often", "mostly", "usually", "also", "still",
];

#[cfg(test)]
mod tests {
    use super::super::sample_speech::title_of;

    const ROPES: [&str; 4] = [
        "So, um, my uncle had a boat, and I was on it every summer, you know.",
        "And I learned, he was right, every splice weakens the rope, he did.",
        "You pull on the rope, and the splice, it gives a bit, right.",
        "When you see a splice in a rope, you know that somebody cut it.",
    ];

    #[test]
    fn a_short_clause_about_the_main_phrase_is_the_title() {
        assert_eq!(title_of(&ROPES), "Every splice weakens the rope");
        let german = [
            "Also, ähm, mein Onkel hatte ein Boot, und da war ich jeden Sommer.",
            "Da hab ich gelernt, jeder Knoten schwächt das Seil, sag ich mal, ziemlich stark.",
            "Man zieht am Seil, und der Knoten, der gibt dann, na ja, ein bisschen nach.",
            "Wenn Sie einen Knoten im Seil sehen, dann hat da jemand geschnitten.",
        ];
        assert_eq!(title_of(&german), "Jeder Knoten schwächt das Seil");
    }

    #[test]
    fn a_clause_that_depends_on_another_sentence_is_no_claim() {
        for other in [
            "And I learned, he was right, this splice weakens the rope, he did.",
            "And I learned, he was right, my splice weakens the rope, he did.",
            "And I learned, he was right, the splice weakens it there, he did.",
            "And so the sailors say, the splice weakens the rope, he did.",
        ] {
            let mut sentences = ROPES;
            sentences[1] = other;
            let title = title_of(&sentences);
            assert!(!title.contains("weakens"), "{title}");
        }
    }

    #[test]
    fn a_claim_names_the_subject_of_the_sentence_before() {
        let title = title_of(&[
            "Okay, so, the splice, if you learn one thing, please learn the splice.",
            "It joins two ropes, you know, without any knot.",
            "Everybody fears the splice, and I did too, you know.",
            "Nobody does a splice on a Tuesday.",
        ]);
        assert_eq!(title, "The splice joins two ropes without any knot");
    }

    #[test]
    fn a_clause_that_a_relative_clause_completes_is_no_claim() {
        let mut sentences = ROPES;
        sentences[1] =
            "And I learned, he was right, the splice needs a place, where the rope is dry.";
        let title = title_of(&sentences);
        assert!(!title.contains("needs a place"), "{title}");
    }
}
