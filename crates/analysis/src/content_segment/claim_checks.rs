//! What makes a clause a claim or a detail: whether it is clear alone, general and unconditional.

use super::claim_forms::is_number;
use crate::disfluency::ends_clause;
use crate::language::Lexicon;
use crate::reference::refers_back;
use crate::sentence::normalize;

/// For a claim with a number, in the past, and of what is not.
const NUMBER_FACTOR: f64 = 0.5;
const PAST_FACTOR: f64 = 0.7;
const NEGATION_FACTOR: f64 = 0.7;

/// Less for a claim that is probably a detail: with a number, in the past, or of what is not.
pub(super) fn detail(normalized: &[String], lexicon: &Lexicon) -> f64 {
    let has = |list: &[&str]| normalized.iter().any(|word| list.contains(&word.as_str()));
    let is_regular_past =
        |word: &String| !lexicon.capitalizes_nouns && word.len() > 4 && word.ends_with("ed");
    let mut factor = 1.0;
    if normalized.iter().any(|word| is_number(word)) || has(QUANTITIES) {
        factor *= NUMBER_FACTOR;
    }
    let is_past_habit = normalized
        .windows(2)
        .any(|pair| pair[0] == "used" && pair[1] == "to");
    if has(PAST) || is_past_habit || normalized.iter().any(is_regular_past) {
        factor *= PAST_FACTOR;
    }
    if has(&["not", "nicht"]) {
        factor *= NEGATION_FACTOR;
    }
    factor
}

/// Whether a clause says nothing about the people in the room, and nothing that depends on
/// other sentences.
pub(super) fn stands_alone(clause: &[String], lexicon: &Lexicon) -> bool {
    let normalized: Vec<String> = clause.iter().map(|word| normalize(word)).collect();
    let is_personal = |(i, word): (usize, &String)| {
        let word = word.as_str();
        let is_you = lexicon.second_person.contains(word)
            && (i == 0 || word != "you")
            && !is_of_subject(&normalized, i);
        lexicon.first_person.contains(word)
            || is_you
            || lexicon.anaphora.contains(word)
                && !REFLEXIVE.contains(&word)
                && !is_of_subject(&normalized, i)
            || lexicon.pointers.contains(word)
            || lexicon.demonstratives.contains(word)
            || UNCLEAR.contains(&word)
            || lexicon.fillers.contains(word)
    };
    !normalized.iter().enumerate().any(is_personal) && !refers_back(clause, lexicon)
}

/// Whether the clause before is a condition.
pub(super) fn follows_condition(before: &[String], lexicon: &Lexicon) -> bool {
    let ends = before
        .iter()
        .rposition(|word| ends_clause(word))
        .unwrap_or(0);
    let start = before[..ends].iter().rposition(|word| ends_clause(word));
    let clause = &before[start.map_or(0, |last| last + 1)..];
    let mut words = clause.iter().map(|word| normalize(word));
    let first = words.find(|word| !lexicon.removable_starts.contains(word.as_str()));
    first.is_some_and(|word| CONDITIONS.contains(&word.as_str()))
}

/// "The rope gets shorter": than what is in another clause.
pub(super) fn is_open_comparison(normalized: &[String]) -> bool {
    let last = normalized.last().map_or("", String::as_str);
    let is_compared = normalized
        .iter()
        .any(|word| ["als", "than"].contains(&word.as_str()));
    let has_being = normalized
        .iter()
        .any(|word| BECOMING.contains(&word.as_str()));
    last.len() > 4 && last.ends_with("er") && has_being && !is_compared
}

/// Whether a possessive pronoun stands for the subject: "die Motte legt ihre Eier".
fn is_of_subject(normalized: &[String], i: usize) -> bool {
    let (word, article) = (normalized[i].as_str(), normalized[0].as_str());
    let is_after_verb = i > 2;
    is_after_verb
        && (word.starts_with("ihr") && word != "ihr" && FEMININE_ARTICLES.contains(&article)
            || word.starts_with("sein") && OTHER_ARTICLES.contains(&article))
}

/// "Jeder Draht brummt": of all that the subject names, two words say enough.
pub(super) fn is_universal(normalized: &[String]) -> bool {
    let [first, _, verb] = normalized else {
        return false;
    };
    UNIVERSAL.contains(&first.as_str()) && verb.len() > 3 && verb.ends_with(['t', 's'])
}

/// Pronouns that stand for the subject, and "es" in "gibt es".
const REFLEXIVE: &[&str] = &["its", "itself", "themselves", "es"];

const CONDITIONS: &[&str] = &[
    "if", "when", "whenever", "unless", "once", "wenn", "falls", "sobald", "solange", "je",
];

const BECOMING: &[&str] = &[
    "is", "are", "gets", "get", "becomes", "become", "ist", "sind", "wird", "werden",
];

const UNIVERSAL: &[&str] = &["every", "jeder", "jede", "jedes"];

/// Articles of a subject whose possessive pronoun is "ihr", and those of one with "sein".
const FEMININE_ARTICLES: &[&str] = &["die", "eine", "jede", "keine"];

const OTHER_ARTICLES: &[&str] = &["der", "das", "ein", "jeder", "jedes", "kein"];

/// Words with which a quantity is said.
const QUANTITIES: &[&str] = &[
    "half",
    "hour",
    "twice",
    "percent",
    "prozent",
    "stunde",
    "stunden",
    "meter",
    "kilometer",
];

const PAST: &[&str] = &[
    "was", "were", "had", "did", "came", "went", "took", "gave", "made", "said", "war", "waren",
    "hatte", "hatten", "wurde", "wurden", "kam", "machte",
];

/// Words that are clear only in the sentence or with what is around it.
const UNCLEAR: &[&str] = &[
    "well",
    "other",
    "same",
    "else",
    "too",
    "also",
    "even",
    "something",
    "thing",
    "things",
    "anything",
    "way",
    "stuff",
    "auch",
    "etwas",
    "sogar",
    "ja",
    "doch",
    "eben",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn lower(text: &str) -> Vec<String> {
        words(text).iter().map(|word| normalize(word)).collect()
    }

    #[test]
    fn a_pronoun_of_the_subject_depends_on_no_other_sentence() {
        let is_clear = |text: &str| stands_alone(&words(text), Lexicon::of([text].into_iter()));
        assert!(is_clear("Die Motte legt ihre Eier in die Wolle"));
        assert!(is_clear("Der Krebs wechselt seine Schale"));
        assert!(!is_clear("Der Krebs trägt ihre Schale in dem Sand"));
        assert!(!is_clear("Ihre Eier sind in der Wolle"));
    }

    #[test]
    fn two_words_are_enough_of_all_that_the_subject_names() {
        assert!(is_universal(&lower("Jeder Draht brummt")));
        assert!(is_universal(&lower("Every wire hums")));
        assert!(!is_universal(&lower("Der Draht brummt")));
        assert!(!is_universal(&lower("Every wire hums loudly")));
    }

    #[test]
    fn a_clause_after_a_condition_depends_on_it() {
        let follows = |text: &str| follows_condition(&words(text), Lexicon::of([text].into_iter()));
        assert!(follows("When the moon is full,"));
        assert!(follows("Und wenn der Mond voll ist,"));
        assert!(!follows("The moon is full,"));
        assert!(!follows("When it rains, we stay, and the moon is full,"));
        assert!(!follows(""));
    }

    #[test]
    fn a_comparison_needs_what_it_is_compared_with() {
        assert!(is_open_comparison(&lower("Der Schatten wird kleiner")));
        assert!(is_open_comparison(&lower("The shadow gets smaller")));
        assert!(!is_open_comparison(&lower(
            "The shadow is smaller than the tree"
        )));
        assert!(!is_open_comparison(&lower(
            "Die Bretter fallen auseinander"
        )));
    }
}
