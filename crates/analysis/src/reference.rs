//! Tells whether a sentence can be understood without the ones before it.
//!
//! A word such as "it", "there" or "damit" needs something that it stands for. If the sentence
//! names nothing before that word, a reader who sees only this sentence does not know what is
//! meant. Words are compared with the lists of the language; there is no grammar, so a noun
//! before the word is taken for what it stands for. The running time is linear in the number of
//! words, times that of the nouns in it.

use crate::disfluency::ends_clause;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// Whether some word stands for something that is not in the sentence before it.
pub(crate) fn refers_back(words: &[String], lexicon: &Lexicon) -> bool {
    let sentence = Words::new(words, lexicon);
    (0..words.len()).any(|i| sentence.refers_back_at(i))
}

/// The words of a sentence, also without case and punctuation.
struct Words<'a> {
    spelled: &'a [String],
    normalized: Vec<String>,
    /// Whether nouns can be recognized by their capital letters.
    has_capitals: bool,
    lexicon: &'a Lexicon,
}

impl<'a> Words<'a> {
    fn new(spelled: &'a [String], lexicon: &'a Lexicon) -> Self {
        let has_capitals =
            lexicon.capitalizes_nouns && spelled.iter().skip(1).any(|word| is_upper(word));
        Self {
            spelled,
            normalized: spelled.iter().map(|word| normalize(word)).collect(),
            has_capitals,
            lexicon,
        }
    }

    fn word(&self, i: usize) -> &str {
        self.normalized.get(i).map_or("", String::as_str)
    }

    fn before(&self, i: usize) -> &str {
        i.checked_sub(1).map_or("", |before| self.word(before))
    }

    fn refers_back_at(&self, i: usize) -> bool {
        let (word, lexicon) = (self.word(i), self.lexicon);
        if self.is_empty_pronoun(i) {
            return false;
        }
        if lexicon.capitalizes_nouns {
            let is_polite = word == "sie" && is_upper(&self.spelled[i]) && i > 0;
            let is_formal = is_upper(&self.spelled[i]) && i > 0;
            let is_she = word == "sie" && !is_polite && !self.is_polite_at_start(i);
            if is_formal && (word == "sie" || word.starts_with("ihr") || word == "ihnen") {
                return false;
            }
            let is_pronoun = is_she || self.is_article_as_pronoun(i);
            if is_pronoun || lexicon.anaphora.contains(word) {
                return !self.has_noun_before(i) || self.is_subject_after_adverbial(i);
            }
        } else if PLURAL_PRONOUNS.contains(&word) {
            return !self.has_plural_before(i) || self.is_subject_after_adverbial(i);
        } else if lexicon.anaphora.contains(word) {
            return !self.has_noun_before(i) || self.is_subject_after_adverbial(i);
        }
        if lexicon.pointers.contains(word) {
            // "There is a net", "so far", "hier in Hamburg".
            let is_existential =
                word == "there" && ["is", "are", "was", "were"].contains(&self.word(i + 1));
            let is_degree = word == "so" && (i > 0 || self.word(i + 1) == "ein");
            // "The wave that is there", but "Deshalb …" and ", dann …" follow from a clause.
            let follows_clause = self.spelled[..i].iter().any(|word| ends_clause(word));
            return !is_existential && !is_degree && !follows_clause && !self.has_noun_before(i);
        }
        if lexicon.demonstratives.contains(word) {
            return self.is_dangling_demonstrative(i);
        }
        self.is_dangling_ordinal(i)
    }

    /// "It" that stands for nothing: "gibt es", "it is clear that".
    fn is_empty_pronoun(&self, i: usize) -> bool {
        match self.word(i) {
            "es" => {
                let verbs = ["gibt", "gab", "geht", "kommt", "regnet", "dauert"];
                // "Sobald es kälter wird" is about the weather.
                let is_weather = (i + 1..i + 3).any(|at| WEATHER.contains(&self.word(at)));
                is_weather || verbs.contains(&self.before(i)) || verbs.contains(&self.word(i + 1))
            }
            "it" => {
                let takes = ["takes", "took"].contains(&self.word(i + 1));
                let described = self.word(i + 2);
                let is_time = self.lexicon.dates.contains(described) || is_number(described);
                if ["is", "was"].contains(&self.word(i + 1)) && is_time {
                    return true;
                }
                let says_that = (i + 2..i + 5).any(|at| self.word(at) == "that");
                takes || says_that && ["is", "was"].contains(&self.word(i + 1))
            }
            // "No one", "every one of the nets".
            "one" | "ones" => {
                let is_quantity = ["no", "every", "each", "any", "only", "just"];
                is_quantity.contains(&self.before(i)) || i > 0 && self.is_number_of_noun(i)
            }
            "both" => self.normalized[i..].iter().any(|word| word == "and"),
            _ => false,
        }
    }

    /// "With one hand".
    fn is_number_of_noun(&self, i: usize) -> bool {
        self.word(i) == "one" && !ends_clause(&self.spelled[i]) && self.is_noun(i + 1)
    }

    /// "Sie" at the start of the sentence with a plural verb, or of one in which "Sie" is a
    /// polite form again.
    fn is_polite_at_start(&self, i: usize) -> bool {
        let is_again = (i + 1..self.spelled.len()).any(|at| {
            ["Sie", "Ihnen", "Ihr", "Ihre", "Ihren"].contains(&self.spelled[at].trim_matches(','))
        });
        i == 0 && is_again
    }

    /// "Die ist grün", "das liegt am Kalk", ", der hat": not before a noun.
    fn is_article_as_pronoun(&self, i: usize) -> bool {
        if !["der", "die", "das", "den", "dem"].contains(&self.word(i)) || !self.has_capitals {
            return false;
        }
        let is_noun_phrase = (i + 1..(i + 4).min(self.spelled.len())).any(|at| {
            let between = &self.normalized[i + 1..at];
            let is_modifier = |word: &String| {
                let endings = ["e", "en", "er", "es", "em"];
                !self.lexicon.finite_verbs.contains(word.as_str())
                    && (endings.iter().any(|ending| word.ends_with(ending))
                        || word.chars().all(|c| c.is_ascii_digit())
                        || ["sehr", "ganz", "zwei", "drei"].contains(&word.as_str()))
            };
            is_upper(&self.spelled[at]) && between.iter().all(is_modifier)
        });
        !is_noun_phrase
    }

    /// "This knot" without a knot before, "that is why" at the start.
    fn is_dangling_demonstrative(&self, i: usize) -> bool {
        let (word, before) = (self.word(i), self.before(i));
        if word == "that" {
            let after_preposition = [
                "for", "of", "in", "on", "at", "with", "from", "like", "by", "about", "after",
                "before", "all", "than", "to", "through",
            ];
            let is_determiner = i == 0 || after_preposition.contains(&before);
            let is_clause_start = i > 0 && ends_clause(&self.spelled[i - 1]);
            // "You do that by setting a breakpoint."
            let next = self.word(i + 1);
            let is_object = ends_clause(&self.spelled[i])
                || ["by", "with", "for", "and", "because", "when", "without"].contains(&next);
            if !is_determiner && !is_clause_start && !is_object {
                return false;
            }
        }
        if word == "such" && ["as", "a", "an"].contains(&self.word(i + 1)) {
            return self.word(i + 1) != "as";
        }
        // "Those who".
        if ["those", "denen"].contains(&word)
            && ["who", "that", "in", "of"].contains(&self.word(i + 1))
        {
            return false;
        }
        if self.is_noun(i + 1) && word != "that's" {
            let noun = self.word(i + 1);
            return !self.normalized[..i].iter().any(|word| word == noun);
        }
        !self.has_noun_before(i)
    }

    /// "The other", "the same", "der zweite" without what is counted.
    fn is_dangling_ordinal(&self, i: usize) -> bool {
        let counted = [
            "other", "others", "same", "second", "third", "another", "last", "andere", "anderen",
            "anderer", "zweite", "zweiten", "dritte", "dritten", "gleiche", "gleichen", "letzte",
        ];
        let word = self.word(i);
        // "Caffeine has the same shape": as what?
        let is_same =
            word == "same" && !(i + 1..i + 5).any(|at| ["as", "that"].contains(&self.word(at)));
        if is_same && !self.spelled[..i].iter().any(|word| ends_clause(word)) {
            return self.before(i) == "the";
        }
        if !counted.contains(&word) || self.has_noun_before(i) {
            return false;
        }
        let is_compared = (i + 1..i + 4).any(|at| ["as", "wie", "than"].contains(&self.word(at)));
        let is_time =
            ["year", "years", "century", "time", "week", "jahr", "mal"].contains(&self.word(i + 1));
        let is_each_other = self.before(i) == "each";
        // "In the same way", "on the other hand": only as a whole sentence is it clear.
        !is_compared && !is_time && !is_each_other && i <= 3
    }

    /// Whether something before may be several things: "ropes", "people", "the rope and the knot".
    fn has_plural_before(&self, i: usize) -> bool {
        (0..i).any(|at| {
            let word = self.word(at);
            let irregular = [
                "people", "men", "women", "children", "bacteria", "feet", "teeth", "mice",
            ];
            let is_plural =
                word.ends_with('s') && !word.ends_with("ss") || irregular.contains(&word);
            let is_joint = word == "and" && self.has_noun_before(at);
            is_joint || is_plural && (self.is_noun(at) || is_number(self.before(at)))
        })
    }

    /// "Under trees it is bad", "im Winter frisst er Honig": the noun before says where or when, and
    /// the subject is not named.
    fn is_subject_after_adverbial(&self, i: usize) -> bool {
        let lexicon = self.lexicon;
        let is_verb = |at: usize| {
            let word = self.word(at);
            lexicon.finite_verbs.contains(word)
                || lexicon.general_verbs.contains(word)
                || !lexicon.capitalizes_nouns && lexicon.is_verb_form(word)
        };
        let is_subject = ["it", "they", "he", "she", "er", "sie", "es"].contains(&self.word(i));
        let is_at_verb = if lexicon.capitalizes_nouns {
            i > 0 && is_verb(i - 1) && !(0..i - 1).any(is_verb)
        } else {
            is_verb(i + 1) && !(0..i).any(is_verb)
        };
        is_subject && is_at_verb && lexicon.adverbial_starts.contains(self.word(0))
    }

    fn has_noun_before(&self, i: usize) -> bool {
        (0..i).any(|at| self.is_noun(at))
    }

    /// Whether the word may name something, as far as that is known.
    fn is_noun(&self, i: usize) -> bool {
        let (word, lexicon) = (self.word(i), self.lexicon);
        if word.is_empty() || lexicon.is_function_word(word) || lexicon.first_person.contains(word)
        {
            return false;
        }
        if self.has_capitals {
            let is_first = i == 0;
            return is_upper(&self.spelled[i])
                && !["Sie", "Ihnen", "Ihr", "Ihre", "Ihren"]
                    .contains(&self.spelled[i].trim_matches(','))
                && !(is_first && lexicon.general_words.contains(word));
        }
        let is_after_article =
            i > 0 && (lexicon.articles.contains(self.before(i)) || is_number(self.before(i)));
        if lexicon.general_verbs.contains(word) || lexicon.finite_verbs.contains(word) {
            return false;
        }
        let is_general = lexicon.general_words.contains(word);
        let is_other = lexicon.is_verb_form(word)
            || lexicon.adjectives.contains(word)
            || is_adverb(word)
            || is_general && word != "people";
        is_after_article || !is_other
    }
}

/// What "es" is without standing for anything.
const WEATHER: [&str; 10] = [
    "kalt", "kälter", "warm", "wärmer", "heiß", "heißer", "dunkel", "hell", "nass", "spät",
];

const PLURAL_PRONOUNS: [&str; 6] = ["they", "them", "their", "they're", "they've", "they'll"];

fn is_number(word: &str) -> bool {
    ["two", "three", "four", "five", "ten"].contains(&word)
        || !word.is_empty() && word.chars().all(|c| c.is_ascii_digit())
}

fn is_adverb(word: &str) -> bool {
    word.len() > 4 && word.ends_with("ly")
}

fn is_upper(word: &str) -> bool {
    word.chars()
        .find(|c| c.is_alphanumeric())
        .is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refers(text: &str) -> bool {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        refers_back(&words, Lexicon::of([text].into_iter()))
    }

    #[test]
    fn a_pronoun_needs_a_noun_before_it() {
        assert!(refers("It makes a loop at the end of a rope."));
        assert!(refers("You feed it sugar and it gives you gas."));
        assert!(refers("If you pull on them they break."));
        assert!(!refers(
            "If you pull the knot, it makes the rope squeeze itself."
        ));
        assert!(!refers("There is less friction in the wet rope."));
        assert!(refers("Sie ist aber noch in dem Kaffee."));
        assert!(refers("Under trees it is bad."));
        assert!(refers("Without the net, it would fall apart."));
        assert!(refers("Im Winter hat er keine Blätter."));
        assert!(refers("Die ist grün und riecht nach dem Heu."));
        assert!(!refers("Die Bohne ist grün, und die riecht nach dem Heu."));
        assert!(!refers(
            "Der Blitz sucht sich den Weg, und das ist der Grund."
        ));
        assert!(!refers(
            "Sobald es kälter wird, hält der Baum seine Blätter nicht mehr."
        ));
        assert!(!refers("Ohne Eis gibt es in der Wolke keine Ladung."));
    }

    #[test]
    fn a_demonstrative_needs_what_it_points_to() {
        assert!(refers("That is why a splice is so good."));
        assert!(refers("Every bend in this rope is weak."));
        assert!(refers("For that he had to stretch the north."));
        assert!(!refers("We saw that a splice is good."));
        assert!(!refers("The rope is wet, and this makes the rope weak."));
        assert!(refers("Bei diesem Druck ist der Kaffee dünn."));
        assert!(refers("Deshalb ist der Kaffee in der Tasse dünn."));
        assert!(refers("The other is a granny knot in the shoe."));
    }
}
