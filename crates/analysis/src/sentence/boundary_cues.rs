//! What the words around a place say about a sentence boundary there.
//!
//! Four kinds of evidence are added up as log-odds: words that do not end a sentence, such as
//! articles, prepositions and the subject of a clause; words that begin one, or only continue
//! it; the place of the finite verb, which in English comes before an object and in German
//! second in a main clause; and subordinate clauses, after which a main clause is still to come.

use std::ops::Range;

use super::parentheses;
use crate::language::{Lexicon, VerbPlace};

/// A finite verb at the start: the sentence continues with it.
const VERB_FIRST: f64 = -2.0;
/// A finite verb where it is in a main clause.
const VERB_SECOND: f64 = 0.6;
/// The words among which the second part of a German main clause is, after the first word.
const VERB_SECOND_WORDS: usize = 4;
/// For an end after a finite verb, where it comes before an object.
const AFTER_VERB: f64 = -1.5;
/// For an end between an infinitive and what may be its object.
const AFTER_INFINITIVE: f64 = -1.0;
/// For an end after the subject of a clause: "if you".
const AFTER_SUBJECT: f64 = -3.5;
/// A sentence of a subordinate clause or an adverbial only.
const NO_MAIN_CLAUSE: f64 = -2.5;
/// A sentence of more words has a main clause, even if its verb was not recognized.
const MAX_SUBORDINATE_WORDS: usize = 14;
/// A sentence without a verb.
const NO_VERB: f64 = -1.0;
/// For a pause before a word that begins a clause.
const CLAUSE_PAUSE: f64 = 1.0;

/// The evidence for each place between the words of a text.
#[derive(Debug)]
pub(super) struct BoundaryCues {
    /// For each word, the log-odds that a sentence begins with it.
    starts: Vec<f64>,
    /// The number of finite verbs before each word, and before the end.
    verbs_before: Vec<usize>,
    is_subordinator: Vec<bool>,
    is_adverbial: Vec<bool>,
    begins_clause: Vec<bool>,
    is_known: bool,
}

impl BoundaryCues {
    /// `words` are in lower case, without punctuation.
    pub(super) fn of(words: &[String], lexicon: &Lexicon) -> Self {
        let is_verb: Vec<bool> = (0..words.len())
            .map(|i| is_finite_verb(words, i, lexicon))
            .collect();
        let mut verbs_before = vec![0];
        for (i, is_verb) in is_verb.iter().enumerate() {
            verbs_before.push(verbs_before[i] + usize::from(*is_verb));
        }
        let has = |set: &std::collections::HashSet<&'static str>| {
            words
                .iter()
                .map(|word| set.contains(word.as_str()))
                .collect()
        };
        Self {
            starts: (0..words.len())
                .map(|i| start_log_odds(words, i, &is_verb, lexicon))
                .collect(),
            verbs_before,
            is_subordinator: has(&lexicon.subordinators),
            is_adverbial: has(&lexicon.adverbial_starts),
            begins_clause: has(&lexicon.clause_starts),
            is_known: lexicon.is_known(),
        }
    }

    /// The log-odds that a sentence begins with the word `i`, by the words around. 0 if they say
    /// nothing.
    pub(super) fn start(&self, i: usize) -> f64 {
        self.starts[i]
    }

    /// The log-odds that a speaker pauses before the word `i`: between sentences and between
    /// clauses.
    pub(super) fn pause(&self, i: usize) -> f64 {
        let begins_clause = self.begins_clause.get(i).is_some_and(|begins| *begins);
        let clause = if begins_clause {
            CLAUSE_PAUSE
        } else {
            f64::NEG_INFINITY
        };
        (0.5 * self.starts.get(i).unwrap_or(&0.0)).max(clause)
    }

    /// The log-odds that the words are a whole sentence, by what it consists of.
    pub(super) fn whole_sentence(&self, words: Range<usize>) -> f64 {
        if !self.is_known || words.is_empty() {
            return 0.0;
        }
        let verbs = self.verbs_before[words.end] - self.verbs_before[words.start];
        let is_short = words.len() <= MAX_SUBORDINATE_WORDS;
        let expected = if self.is_subordinator[words.start] {
            2
        } else {
            usize::from(self.is_adverbial[words.start])
        };
        if verbs < expected && is_short {
            NO_MAIN_CLAUSE
        } else if verbs == 0 {
            NO_VERB
        } else {
            0.0
        }
    }
}

fn start_log_odds(words: &[String], i: usize, is_verb: &[bool], lexicon: &Lexicon) -> f64 {
    let weight = |weights: &std::collections::HashMap<&'static str, f64>, word: &str| {
        weights.get(word).copied()
    };
    let word = words[i].as_str();
    let by_word = weight(&lexicon.sentence_starts, word);
    let pair = words.get(i + 1).map(|next| format!("{word} {next}"));
    let by_pair = pair.and_then(|pair| weight(&lexicon.sentence_start_phrases, &pair));
    let end = i
        .checked_sub(1)
        .and_then(|before| weight(&lexicon.sentence_ends, &words[before]));
    let by_verb = match lexicon.verb_place {
        VerbPlace::Unknown => 0.0,
        VerbPlace::BeforeObject if i > 0 && is_verb[i - 1] => AFTER_VERB,
        _ if by_pair.is_some() => 0.0,
        // The weights of single words come first.
        _ if is_verb[i] && by_word.is_none() => VERB_FIRST,
        VerbPlace::BeforeObject => 0.0,
        VerbPlace::Second if is_verb[i] || lexicon.clause_starts.contains(word) => 0.0,
        VerbPlace::Second => {
            let end = words.len().min(i + 1 + VERB_SECOND_WORDS);
            let verb = (i + 1..end).find(|&place| is_verb[place]);
            let is_in_clause = |place: usize| {
                !(i + 1..=place).any(|j| lexicon.clause_starts.contains(words[j].as_str()))
            };
            match verb {
                Some(place) if is_in_clause(place) => VERB_SECOND,
                Some(_) | None => -VERB_SECOND,
            }
        }
    };
    let by_subject = if i > 0 && is_clause_subject(words, i - 1, lexicon) {
        AFTER_SUBJECT
    } else {
        0.0
    };
    let by_infinitive = if divides_infinitive_and_object(words, i, lexicon) {
        AFTER_INFINITIVE
    } else {
        0.0
    };
    by_pair.or(by_word).unwrap_or(0.0)
        + end.unwrap_or(0.0)
        + by_verb
        + by_subject
        + by_infinitive
        + parentheses::start_log_odds(words, i, lexicon)
}

/// Whether the word `i` is a pronoun after a conjunction, so that its verb is still to come.
fn is_clause_subject(words: &[String], i: usize, lexicon: &Lexicon) -> bool {
    let begins_clause = |word: &str| {
        let is_start = lexicon.clause_starts.contains(word) || lexicon.subordinators.contains(word);
        // A pronoun after a preposition is its object.
        is_start && !lexicon.adverbial_starts.contains(word)
    };
    i > 0
        && lexicon.subject_pronouns.contains(words[i].as_str())
        && begins_clause(words[i - 1].as_str())
}

/// Whether an infinitive is before the word `i`, and an article or an object pronoun follows:
/// "you can see | it right away", "can you see | the rope".
fn divides_infinitive_and_object(words: &[String], i: usize, lexicon: &Lexicon) -> bool {
    let word = words[i].as_str();
    let before = |distance: usize| {
        let place = i.checked_sub(distance);
        place.map_or("", |place| words[place].as_str())
    };
    let is_marked = lexicon.infinitive_markers.contains(before(2))
        || lexicon.infinitive_markers.contains(before(3))
            && lexicon.subject_pronouns.contains(before(2));
    is_marked
        && !lexicon.is_function_word(before(1))
        && (lexicon.articles.contains(word) || lexicon.object_pronouns.contains(word))
}

/// Whether the word `i` is probably a finite verb.
fn is_finite_verb(words: &[String], i: usize, lexicon: &Lexicon) -> bool {
    let word = words[i].as_str();
    if lexicon.finite_verbs.contains(word) {
        return true;
    }
    if lexicon.is_function_word(word) || word.len() < 4 {
        return false;
    }
    let before = i.checked_sub(1).map_or("", |before| words[before].as_str());
    let next = words.get(i + 1).map_or("", String::as_str);
    let precedes_object = lexicon.articles.contains(next) || lexicon.object_pronouns.contains(next);
    match lexicon.verb_place {
        VerbPlace::Unknown => false,
        VerbPlace::BeforeObject => {
            let is_after_subject =
                lexicon.subject_pronouns.contains(before) && !word.ends_with("ly");
            let is_singular = word.ends_with('s')
                && !word.ends_with("ss")
                && !word.ends_with("us")
                && !lexicon.determiners.contains(before);
            is_after_subject || is_singular && precedes_object
        }
        VerbPlace::Second => {
            let is_after_article = lexicon.articles.contains(before);
            let is_noun = NOUN_ENDINGS.iter().any(|ending| word.ends_with(ending));
            let is_near_pronoun = precedes_object || lexicon.subject_pronouns.contains(before);
            // "Kalte" and "Teilchen" are no verbs.
            let may_be_verb =
                word.ends_with("te") || word.ends_with("en") && !word.ends_with("chen");
            !is_after_article && (word.ends_with('t') && !is_noun || may_be_verb && is_near_pronoun)
        }
    }
}

/// Endings of German nouns that look like those of verbs.
const NOUN_ENDINGS: [&str; 14] = [
    "heit", "keit", "schaft", "tät", "kraft", "zeit", "welt", "stadt", "licht", "nacht", "macht",
    "recht", "wert", "punkt",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The cues of a text with `|` at a place, and the index of the word after it.
    fn cues(text: &str) -> (BoundaryCues, usize) {
        let (before, _) = text.split_once('|').unwrap();
        let words: Vec<String> = text
            .split_whitespace()
            .filter(|word| *word != "|")
            .map(str::to_owned)
            .collect();
        let cues = BoundaryCues::of(&words, Lexicon::of([text].into_iter()));
        (cues, before.split_whitespace().count())
    }

    fn start(text: &str) -> f64 {
        let (cues, place) = cues(text);
        cues.start(place)
    }

    #[test]
    fn sentences_neither_end_with_function_words_nor_begin_with_verbs() {
        let sentence = start("it is cold in the winter | we put the trees in the house");
        for other in [
            "it is cold in the | winter we put the trees in the house",
            "it is cold and the winter in it | which we do not know",
            "how much the river can carry | depends on the speed of it",
            "we call | these steps in the rock a ladder and that is it",
            "it is wet so that you can see | the rope and what is in it",
            "it is cold if you | let it in from the garden",
        ] {
            assert!(start(other) < sentence - 0.5, "{other}");
        }
    }

    #[test]
    fn the_verb_of_a_german_main_clause_is_second() {
        let main = start("das ist im winter anders | bei uns kommt der wind von dem meer");
        for other in [
            "wenn das eis in der sonne schmilzt | nimmt es die wärme von der luft",
            "das ist ein stoff | bei dem der wind von dem meer nicht zu uns kommt",
        ] {
            assert!(start(other) < main, "{other}");
        }
    }

    #[test]
    fn the_subject_of_a_clause_is_before_its_verb() {
        let subject = start("this is a rope that you | let go of in the end");
        let object = start("this is a rope for you | let go of it in the end");
        assert!(subject < object - 1.0);
        let subject = start("das ist im winter so wenn man | lange in der sonne war");
        let object = start("das ist im winter so für uns | lange in der sonne war");
        assert!(subject < object - 1.0);
    }

    #[test]
    fn an_object_is_expected_after_an_infinitive() {
        let object = start("that is what we wanted to find | the rope is in it");
        let none = start("that is what we wanted for dinner | the rope is in it");
        assert!(object < none - 0.9);
        let question = start("can you hear | it in the house of the trees");
        let other = start("can we hear that noise | it was in the house of the trees");
        assert!(question < other - 0.9);
    }

    #[test]
    fn a_subordinate_clause_is_no_sentence() {
        let (cues, place) = cues("if the tree is full | the tree is cut and we are done");
        assert!(cues.whole_sentence(0..place) < cues.whole_sentence(0..place + 4));
        assert!(cues.pause(place) > cues.pause(2));
    }
}
