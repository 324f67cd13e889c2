//! What the analysis knows about English and German.
//!
//! Statistics of the recording itself come first, and work in any language. The word
//! lists here add what statistics cannot show: which words begin a sentence, which ones
//! announce a topic, and how lecturers speak about homework. In other languages every
//! list is empty, and the callers do without.

mod english;
mod german;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;

/// The minimum fraction of words that are function words of a language, for a text to
/// be in that language. English and German texts have 0.4 to 0.6.
const MIN_FUNCTION_WORDS: f64 = 0.2;
/// The language is recognized from this many words.
const SAMPLE_WORDS: usize = 5_000;

/// Word lists of one language. All words are in lower case.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    /// Words that name no topic: articles, pronouns, prepositions, conjunctions,
    /// auxiliaries, adverbs, and fillers such as "um".
    pub(crate) function_words: HashSet<&'static str>,
    /// Common verbs and general nouns, which are no part of a title either.
    pub(crate) general_words: HashSet<&'static str>,
    /// Articles, possessives and prepositions that a noun phrase follows.
    pub(crate) determiners: HashSet<&'static str>,
    /// Words that connect the nouns of a phrase, as in "law of motion".
    pub(crate) phrase_links: HashSet<&'static str>,
    /// Finite verbs with which a definition continues after its subject.
    pub(crate) defining_verbs: HashSet<&'static str>,
    /// Abbreviations that are written with a full stop, without it.
    pub(crate) abbreviations: HashSet<&'static str>,
    /// Whether a number with a full stop is an ordinal number, as in "14. Februar".
    pub(crate) has_ordinal_dots: bool,
    /// Words after which a noun or an adjective comes.
    pub(crate) articles: HashSet<&'static str>,
    /// "And".
    pub(crate) conjunction: &'static str,
    /// Whether nouns begin with a capital letter.
    pub(crate) capitalizes_nouns: bool,
    /// Log-odds that a sentence begins with the word, and does not only continue with it
    /// after a hesitation.
    pub(crate) sentence_starts: HashMap<&'static str, f64>,
    /// The same for the first two words; these come before single words.
    pub(crate) sentence_start_phrases: HashMap<&'static str, f64>,
    /// Log-odds that a sentence ends with the word.
    pub(crate) sentence_ends: HashMap<&'static str, f64>,
    /// Words that begin a clause which needs another one.
    pub(crate) subordinators: HashSet<&'static str>,
    /// Words that begin a clause within a sentence.
    pub(crate) clause_starts: HashSet<&'static str>,
    /// Prepositions, with which a sentence may begin before its subject and verb.
    pub(crate) adverbial_starts: HashSet<&'static str>,
    /// Auxiliaries and other finite verbs that are hardly ever another part of speech.
    pub(crate) finite_verbs: HashSet<&'static str>,
    /// Pronouns before a finite verb.
    pub(crate) subject_pronouns: HashSet<&'static str>,
    /// Pronouns after a finite verb.
    pub(crate) object_pronouns: HashSet<&'static str>,
    /// Words before an infinitive, where an object follows it: "to" and modal verbs. None in a
    /// language whose objects are before the infinitive.
    pub(crate) infinitive_markers: HashSet<&'static str>,
    /// Where the finite verb of a main clause is.
    pub(crate) verb_place: VerbPlace,
    /// Words and phrases at the start of a sentence that refers to the one before it.
    pub(crate) connectives: HashSet<&'static str>,
    /// Words and phrases at the start of a sentence that begins an idea.
    pub(crate) lead_ins: HashSet<&'static str>,
    /// Phrases after which a topic is named, as in "let us talk about".
    pub(crate) topic_frames: Vec<&'static str>,
    /// Phrases after which a topic may be named, or something else, as in "then comes".
    pub(crate) topic_hints: Vec<&'static str>,
    /// Words with which a sentence may begin before it names a topic: "okay, so, tides".
    pub(crate) openers: HashSet<&'static str>,
    /// Sounds that mean nothing wherever they are.
    pub(crate) fillers: HashSet<&'static str>,
    /// Adverbs that a sentence is complete without, such as "basically".
    pub(crate) hedges: HashSet<&'static str>,
    /// Phrases that mean nothing between commas, such as "you know" and "to be honest".
    pub(crate) asides: HashSet<&'static str>,
    /// Phrases that only present the clause after them, such as "what happens is".
    pub(crate) presentations: HashSet<&'static str>,
    /// Finite verbs that may follow the subject of a title, besides `finite_verbs` and `verbs`.
    pub(crate) general_verbs: HashSet<&'static str>,
    /// Adverbs within a clause that only connect it with the sentence before.
    pub(crate) contrasts: HashSet<&'static str>,
    /// Pronouns that stand for something said before, such as "it", in all cases.
    pub(crate) anaphora: HashSet<&'static str>,
    /// Words that point to something said before, such as "there" and "damit".
    pub(crate) pointers: HashSet<&'static str>,
    /// Determiners that point to something said before, such as "this" and "dieser".
    pub(crate) demonstratives: HashSet<&'static str>,
    /// Pronouns of the first person, with "my" and "our".
    pub(crate) first_person: HashSet<&'static str>,
    /// Conjunctions at the start of a sentence that is complete without.
    pub(crate) removable_starts: HashSet<&'static str>,
    /// Base forms of common verbs, which are no part of a title unless the recording uses them
    /// as nouns.
    pub(crate) verbs: HashSet<&'static str>,
    /// Common adjectives, which need a noun after them.
    pub(crate) adjectives: HashSet<&'static str>,
    /// Words that mark definitions, reasons and conclusions.
    pub(crate) emphasis: HashSet<&'static str>,
    /// Beginnings of words about the organization of a course, with a weight.
    pub(crate) housekeeping_stems: Vec<(&'static str, f64)>,
    /// Phrases about the organization of a course, with a weight.
    pub(crate) housekeeping_phrases: HashMap<&'static str, f64>,
    /// Days, months and the like, which make appointments with "you".
    pub(crate) dates: HashSet<&'static str>,
    /// Pronouns of the second person.
    pub(crate) second_person: HashSet<&'static str>,
    /// Titles of stretches of housekeeping.
    pub(crate) housekeeping_titles: HousekeepingTitles,
}

/// Where the finite verb of a main clause is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerbPlace {
    #[default]
    Unknown,
    /// After the subject and before an object, as in English.
    BeforeObject,
    /// After the first part of the clause, as in German. It is last in a subordinate clause.
    Second,
}

/// Titles for content segments without content.
#[derive(Debug)]
pub(crate) struct HousekeepingTitles {
    pub(crate) opening: &'static str,
    pub(crate) announcement: &'static str,
    pub(crate) interruption: &'static str,
    pub(crate) closing: &'static str,
}

impl Default for HousekeepingTitles {
    /// In English, because texts of other languages are not recognized as
    /// housekeeping.
    fn default() -> Self {
        Self {
            opening: "Welcome and opening remarks",
            announcement: "Announcements for the course",
            interruption: "Interruption of the lecture",
            closing: "Closing remarks and homework",
        }
    }
}

static ENGLISH: LazyLock<Lexicon> = LazyLock::new(english::lexicon);
static GERMAN: LazyLock<Lexicon> = LazyLock::new(german::lexicon);
static OTHER: LazyLock<Lexicon> = LazyLock::new(Lexicon::default);

impl Lexicon {
    /// The word lists of the language of a text.
    pub(crate) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> &'static Self {
        let (mut words, mut english, mut german) = (0.0, 0.0, 0.0);
        let sample = texts.flat_map(str::unicode_words).take(SAMPLE_WORDS);
        for word in sample {
            let word = word.to_lowercase();
            words += 1.0;
            english += f64::from(u8::from(ENGLISH.function_words.contains(word.as_str())));
            german += f64::from(u8::from(GERMAN.function_words.contains(word.as_str())));
        }
        if english.max(german) < MIN_FUNCTION_WORDS * words || words == 0.0 {
            &OTHER
        } else if english >= german {
            &ENGLISH
        } else {
            &GERMAN
        }
    }

    /// Whether the list is of a language that the analysis knows.
    pub(crate) fn is_known(&self) -> bool {
        !self.function_words.is_empty()
    }

    /// Whether a word, in lower case, is a form of a common verb.
    pub(crate) fn is_verb_form(&self, word: &str) -> bool {
        let is_base = |base: &str| self.verbs.contains(base);
        let regular = ["s", "es", "ed", "d"].iter();
        let mut bases = regular.filter_map(|ending| word.strip_suffix(ending));
        let past = word.strip_suffix("ied").or(word.strip_suffix("ies"));
        is_base(word) || bases.any(is_base) || past.is_some_and(|stem| is_base(&format!("{stem}y")))
    }

    /// Whether a word, in lower case, is a common adjective or ends as adjectives do.
    pub(crate) fn is_adjective_form(&self, word: &str) -> bool {
        if self.adjectives.is_empty() {
            return false;
        }
        let is_known = |word: &str| self.adjectives.contains(word);
        // "Heavier", "largest", "hotter".
        let stem = word.strip_suffix("er").or(word.strip_suffix("est"));
        let is_comparison = stem.is_some_and(|stem| {
            let heavy = stem.strip_suffix('i').map(|stem| format!("{stem}y"));
            let mut shorter = stem.chars();
            let is_doubled = shorter.next_back() == shorter.clone().next_back();
            is_known(stem)
                || is_known(&format!("{stem}e"))
                || heavy.is_some_and(|word| is_known(&word))
                || is_doubled && is_known(shorter.as_str())
        });
        let endings = ["ous", "ful", "less", "able", "ible", "ive", "icant", "al"];
        let has_ending = word.len() > 5 && endings.iter().any(|ending| word.ends_with(ending));
        is_known(word) || is_comparison || has_ending
    }

    /// Whether a word, in lower case, names no topic.
    pub(crate) fn is_function_word(&self, word: &str) -> bool {
        self.function_words.contains(word)
    }
}

/// The words of a text in which they are separated by white space.
fn words(text: &'static str) -> HashSet<&'static str> {
    text.split_whitespace().collect()
}

/// The phrases of a text in which they are separated by commas.
fn phrases(text: &'static str) -> Vec<&'static str> {
    text.split(',').map(str::trim).collect()
}

/// The words of several lists, with the number of their list.
fn weighted(lists: &[(f64, &'static str)]) -> HashMap<&'static str, f64> {
    let words = |&(weight, text): &(f64, &'static str)| {
        text.split_whitespace().map(move |word| (word, weight))
    };
    lists.iter().flat_map(words).collect()
}

/// As [`weighted`], with phrases that are separated by commas.
fn weighted_phrases(lists: &[(f64, &'static str)]) -> HashMap<&'static str, f64> {
    let phrases = |&(weight, text): &(f64, &'static str)| {
        phrases(text)
            .into_iter()
            .map(move |phrase| (phrase, weight))
    };
    lists.iter().flat_map(phrases).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_recognized_by_its_function_words() {
        let is = |text: &str, lexicon: &'static Lexicon| {
            std::ptr::eq(Lexicon::of([text].into_iter()), lexicon)
        };
        assert!(is(
            "The loop is joined with the table that is smaller.",
            &ENGLISH
        ));
        assert!(is("Die Tabelle wird mit der kleineren verbunden.", &GERMAN));
        assert!(is(
            "La table est jointe avec une autre, plus petite.",
            &OTHER
        ));
        assert!(is("海のプレートは陸のプレートの下に沈み込みます。", &OTHER));
        assert!(is("", &OTHER));
    }

    #[test]
    fn all_words_are_in_lower_case() {
        for lexicon in [&*ENGLISH, &*GERMAN] {
            let words = [
                &lexicon.function_words,
                &lexicon.general_words,
                &lexicon.abbreviations,
                &lexicon.connectives,
                &lexicon.lead_ins,
                &lexicon.emphasis,
            ];
            for word in words.into_iter().flatten() {
                assert_eq!(*word, word.to_lowercase());
                assert!(!word.is_empty());
            }
            for phrase in lexicon.housekeeping_phrases.keys() {
                assert!(phrase.split(' ').count() <= 4, "{phrase}");
            }
        }
    }
}
