//! What a sentence says about the phrase that a title begins with.
//!
//! "Erosion means that running water picks up loose material and carries it away" explains
//! erosion: running water picks up loose material. So does an apposition, as in "the delta, the
//! place where a river meets the sea". Only a part that fits into the title, ends where a
//! clause may end and refers to nothing outside itself is an explanation.

use super::word_use::is_capitalized;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// The minimum number of words of an explanation.
const MIN_WORDS: usize = 2;
/// The same after "is": "erosion is a problem" explains nothing.
const MIN_WORDS_AFTER_BEING: usize = 4;
/// The same after "it is" and "das ist".
const MIN_WORDS_AFTER_RESUMPTION: usize = 4;
/// The most words of a phrase that is explained after a preposition.
const MAX_PHRASE_WORDS: usize = 3;
/// Where a clause may be cut, it has at least this many words before.
const MIN_WORDS_BEFORE_CUT: usize = 4;

/// An explanation of the phrase that ends before the word `after` of a sentence, of at most
/// `room` words.
pub(super) fn explanation(
    words: &[&str],
    after: usize,
    room: usize,
    lexicon: &Lexicon,
) -> Option<String> {
    let rest = words.get(after..).filter(|_| after > 0)?;
    let normalized: Vec<String> = rest.iter().map(|word| normalize(word)).collect();
    let first = normalized.first()?.as_str();
    let is_apposition = words[after - 1].ends_with(',')
        && ["the", "a", "an"].contains(&first)
        && !begins_main_clause(rest, &normalized, lexicon);
    let mut min_words = MIN_WORDS;
    // ", which means that several machines …", ", also eine Maschine, …"
    let is_after_comma = words[after - 1].ends_with(',');
    let second = normalized.get(1).map_or("", String::as_str);
    if is_after_comma && RELATIVE_PRONOUNS.contains(&first) {
        let third = normalized.get(2).map_or("", String::as_str);
        let start = match second {
            verb if EXPLAINING_VERBS.contains(&verb) => 2 + usize::from(third == "that"),
            "is" | "are" if ARTICLES.contains(&third) => 2,
            "decides" | "explains" | "shows" => 2,
            _ => return None,
        };
        return whole(rest, &normalized, start, room, MIN_WORDS, lexicon);
    }
    if is_after_comma && let Some(start) = resumed(rest, &normalized, lexicon) {
        return whole(
            rest,
            &normalized,
            start,
            room,
            MIN_WORDS_AFTER_RESUMPTION,
            lexicon,
        );
    }
    if is_after_comma && first == "also" && ARTICLES.contains(&second) {
        let all = 1..rest.len();
        return complete_text(rest, &normalized, all, MIN_WORDS..=room, lexicon)
            .or_else(|| whole(rest, &normalized, 1, room, MIN_WORDS, lexicon));
    }
    let start = if is_apposition {
        0
    } else if is_understood(words, after, &normalized) {
        2
    } else if EXPLAINING_VERBS.contains(&first) && !ends_clause(words[after - 1]) {
        let that = normalized.get(1).map(String::as_str);
        1 + usize::from(matches!(that, Some("that" | "dass")))
    } else if BEING.contains(&first)
        && normalized
            .get(1)
            .is_some_and(|word| ARTICLES.contains(&word.as_str()))
    {
        min_words = MIN_WORDS_AFTER_BEING;
        1
    } else {
        return None;
    };
    whole(rest, &normalized, start, room, min_words, lexicon)
}

/// "Unter Ebbe versteht man …", "by tides we mean …".
fn is_understood(words: &[&str], after: usize, rest: &[String]) -> bool {
    let preposition = match (
        rest.first().map(String::as_str),
        rest.get(1).map(String::as_str),
    ) {
        (Some("versteht"), Some("man")) => "unter",
        (Some("we"), Some("mean")) => "by",
        _ => return false,
    };
    let before = words[..after].iter().rev().take(MAX_PHRASE_WORDS + 1);
    before
        .into_iter()
        .any(|word| normalize(word) == preposition)
}

/// Where what it is begins, after "it is basically" or "das ist".
fn resumed(rest: &[&str], normalized: &[String], lexicon: &Lexicon) -> Option<usize> {
    let (pronoun, verb) = (normalized.first()?.as_str(), normalized.get(1)?.as_str());
    let is_resumed = if lexicon.capitalizes_nouns {
        ["der", "die", "das"].contains(&pronoun) && verb == "ist"
    } else {
        pronoun == "it" && verb == "is" || pronoun == "they" && verb == "are"
    };
    let adverbs = normalized[2..].iter().take_while(|word| {
        lexicon.hedges.contains(word.as_str()) || ADVERBS.contains(&word.as_str())
    });
    let start = 2 + adverbs.count();
    let first = normalized.get(start)?.as_str();
    let is_name = lexicon.capitalizes_nouns && is_capitalized(rest[start]);
    let is_phrase = is_name || ARTICLES.contains(&first);
    // "It is a problem": one of any kind.
    (is_resumed && is_phrase && !ends_clause(rest[1])).then_some(start)
}

/// The best explanation from `start` of the rest of a sentence.
fn whole(
    rest: &[&str],
    normalized: &[String],
    start: usize,
    room: usize,
    min_words: usize,
    lexicon: &Lexicon,
) -> Option<String> {
    clauses(rest, normalized, start)
        .find_map(|range| complete_text(rest, normalized, range, min_words..=room, lexicon))
}

/// The words in the range, if they are of a permitted number and can stand alone.
fn complete_text(
    rest: &[&str],
    normalized: &[String],
    range: std::ops::Range<usize>,
    lengths: std::ops::RangeInclusive<usize>,
    lexicon: &Lexicon,
) -> Option<String> {
    if !lengths.contains(&range.len()) || !is_complete(&normalized[range.clone()], lexicon) {
        return None;
    }
    let text = rest[range].join(" ");
    let text = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    Some(text.to_owned())
}

/// The parts of the rest of a sentence that may be explanations, the best first: the clause from
/// `start`, the part of it from a question word, the clause up to a conjunction or preposition,
/// and the clause after it if that begins with a question word.
fn clauses<'a>(
    words: &'a [&str],
    normalized: &'a [String],
    start: usize,
) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
    let clause_end = |from: usize| {
        let length = words[from.min(words.len())..]
            .iter()
            .position(|word| ends_clause(word));
        length.map_or(words.len(), |length| from + length + 1)
    };
    let end = clause_end(start);
    let question = |from: usize, to: usize| {
        (from..to).find(|&i| QUESTION_WORDS.contains(&normalized[i].as_str()))
    };
    let whole = (start < end).then_some(start..end);
    let from_question = question(start, end).map(|from| from..end);
    let next_clause = normalized
        .get(end)
        .filter(|word| QUESTION_WORDS.contains(&word.as_str()))
        .map(|_| end..clause_end(end));
    let cuts = (start + MIN_WORDS_BEFORE_CUT..end)
        .rev()
        .filter(|&i| CUT_BEFORE.contains(&normalized[i].as_str()))
        .map(move |cut| start..cut);
    // "is a measure of this, how …": the question says more than what comes before it.
    let next_first = next_clause.clone().into_iter().chain(whole);
    next_first.chain(from_question).chain(cuts)
}

/// Whether the first clause has a finite verb that is not in a relative clause, as in "the sea,
/// the water is salty".
fn begins_main_clause(rest: &[&str], normalized: &[String], lexicon: &Lexicon) -> bool {
    let end = rest.iter().position(|word| ends_clause(word));
    let clause = &normalized[..end.map_or(rest.len(), |end| end + 1)];
    let verb = clause
        .iter()
        .position(|word| lexicon.finite_verbs.contains(word.as_str()));
    verb.is_some_and(|verb| {
        let is_relative = |word: &String| {
            RELATIVE_PRONOUNS.contains(&word.as_str())
                || QUESTION_WORDS.contains(&word.as_str())
                || lexicon.subject_pronouns.contains(word.as_str())
        };
        !clause[..verb].iter().any(is_relative)
    })
}

/// Whether a clause refers to something outside of itself, or to the people in the room.
pub(super) fn refers_to_something(normalized: &[String]) -> bool {
    let refers = |word: &String| REFERENCES.contains(&word.as_str());
    normalized.iter().any(refers)
}

/// Whether a clause can stand alone.
fn is_complete(normalized: &[String], lexicon: &Lexicon) -> bool {
    let last = normalized.last().map_or("", String::as_str);
    // "The one with the smallest sum" does not say one of what.
    let is_elliptic = normalized
        .iter()
        .any(|word| ["one", "ones"].contains(&word.as_str()));
    !is_elliptic
        && !refers_to_something(normalized)
        && !lexicon.is_function_word(last)
        && !lexicon.determiners.contains(last)
}

fn ends_clause(word: &str) -> bool {
    word.ends_with([',', '.', ';', ':', '!', '?'])
}

/// Verbs after which the subject is explained.
const EXPLAINING_VERBS: [&str; 10] = [
    "means",
    "mean",
    "describes",
    "says",
    "tells",
    "bedeutet",
    "heißt",
    "beschreibt",
    "sagt",
    "bezeichnet",
];

/// Pronouns of a relative clause that explains.
const RELATIVE_PRONOUNS: [&str; 2] = ["which", "that"];

const BEING: [&str; 4] = ["is", "are", "ist", "sind"];

const ARTICLES: [&str; 8] = ["a", "an", "the", "ein", "eine", "der", "die", "das"];

/// Adverbs without which what it is stays the same.
const ADVERBS: [&str; 7] = [
    "actually",
    "simply",
    "really",
    "just",
    "eigentlich",
    "einfach",
    "nämlich",
];

/// Not "when", which also begins conditions.
const QUESTION_WORDS: [&str; 8] = ["how", "why", "where", "what", "wie", "warum", "wo", "was"];

/// Conjunctions and prepositions before which a clause may be cut.
const CUT_BEFORE: [&str; 32] = [
    "that", "which", "and", "but", "or", "because", "while", "when", "if", "until", "since", "so",
    "through", "across", "along", "during", "after", "before", "with", "und", "aber", "oder",
    "weil", "während", "wenn", "bis", "durch", "nach", "vor", "mit", "without", "ohne",
];

/// Words that refer to something outside of the clause, or to the people in the room.
const REFERENCES: [&str; 34] = [
    "it", "its", "they", "them", "their", "he", "she", "his", "her", "we", "us", "our", "you",
    "your", "i", "me", "my", "this", "these", "those", "es", "sie", "er", "ihn", "ihm", "ihnen",
    "ihr", "ihre", "wir", "uns", "ich", "dies", "diese", "dieser",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The explanation of the phrase before the word `after`.
    fn explain(sentence: &str, after: usize, room: usize) -> Option<String> {
        let words: Vec<&str> = sentence.split_whitespace().collect();
        explanation(&words, after, room, Lexicon::of([sentence].into_iter()))
    }

    #[test]
    fn a_definition_is_cut_where_a_clause_may_end() {
        let erosion =
            "Erosion means that running water picks up loose material and carries it away.";
        let short = "running water picks up loose material";
        assert_eq!(explain(erosion, 1, 7).as_deref(), Some(short));
        assert_eq!(explain(erosion, 1, 4), None);
        let median = "The median is the value in the middle when all are in order.";
        let middle = "the value in the middle";
        assert_eq!(explain(median, 2, 7).as_deref(), Some(middle));
        assert_eq!(explain("The median is a value.", 2, 7), None);
    }

    #[test]
    fn an_apposition_explains_as_a_whole_or_from_its_question() {
        let delta = "The next topic is the delta, the place where a river meets the sea.";
        assert_eq!(
            explain(delta, 6, 8).as_deref(),
            Some("the place where a river meets the sea")
        );
        assert_eq!(
            explain(delta, 6, 7).as_deref(),
            Some("where a river meets the sea")
        );
        let loops =
            "Let us turn to meanders, the wide loops that a river draws through a flat valley.";
        assert_eq!(
            explain(loops, 5, 7).as_deref(),
            Some("the wide loops that a river draws")
        );
    }

    #[test]
    fn a_relative_clause_may_explain() {
        let replication = "The topic is replication, which means that several machines keep a copy \
            while they run.";
        assert_eq!(
            explain(replication, 4, 7).as_deref(),
            Some("several machines keep a copy")
        );
        let optimizer = "Next is the query optimizer, which decides how a query is executed.";
        assert_eq!(
            explain(optimizer, 5, 6).as_deref(),
            Some("how a query is executed")
        );
        assert_eq!(
            explain("We saw the tree, which we liked a lot.", 4, 7),
            None
        );
        let engine = "Dann kommt die Pumpe, also eine Maschine, die aus Arbeit Wärme macht.";
        assert_eq!(
            explain(engine, 4, 7).as_deref(),
            Some("eine Maschine, die aus Arbeit Wärme macht")
        );
    }

    #[test]
    fn what_is_understood_by_a_name_explains_it() {
        let ebb = "Unter Ebbe versteht man das Sinken des Wassers, bis es wieder steigt.";
        assert_eq!(
            explain(ebb, 2, 7).as_deref(),
            Some("das Sinken des Wassers")
        );
        let tides = "By tides we mean the rise and fall of the sea.";
        let rise = "the rise and fall of the sea";
        assert_eq!(explain(tides, 2, 7).as_deref(), Some(rise));
        assert_eq!(
            explain("Die Ebbe versteht man als Sinken des Wassers.", 2, 7),
            None
        );
    }

    #[test]
    fn a_resumed_name_is_explained() {
        let tar =
            "And then there is the tar, it is basically the juice of a burnt pine, only thick.";
        assert_eq!(
            explain(tar, 6, 7).as_deref(),
            Some("the juice of a burnt pine")
        );
        let rust = "Der Rost, das ist Sauerstoff aus der Luft, der im Eisen steckt.";
        assert_eq!(
            explain(rust, 2, 7).as_deref(),
            Some("Sauerstoff aus der Luft")
        );
        assert_eq!(explain("The tar, it is sticky in the sun.", 2, 7), None);
        assert_eq!(explain("Der Rost, das ist egal für die Leute.", 2, 7), None);
        assert_eq!(explain("The tar, it is a problem, really.", 2, 7), None);
    }

    #[test]
    fn a_clause_that_refers_to_something_else_explains_nothing() {
        assert_eq!(explain("The load means that it sinks.", 2, 8), None);
        assert_eq!(explain("The delta, a word of the.", 2, 8), None);
        assert_eq!(explain("The delta grows every year.", 2, 8), None);
        assert_eq!(explain("The delta", 2, 8), None);
    }

    #[test]
    fn german_definitions_are_explanations() {
        let sentence = "Die Temperatur sagt, wie heftig sich die Teilchen bewegen.";
        assert_eq!(
            explain(sentence, 2, 7).as_deref(),
            Some("wie heftig sich die Teilchen bewegen")
        );
    }
}
