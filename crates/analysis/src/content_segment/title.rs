//! Makes a title from the sentences of a segment.
//!
//! A title has three to eight words. A question that the lecturer asks or promises to answer at the
//! start, such as "How does a database survive a crash?", is a title itself ([`question`]).
//! Otherwise it begins with the phrase that the lecturer announces, or else the one with the
//! highest score ([`title_candidate`](super::title_candidate)). Then comes what the lecturer says
//! that it is, as in "Delta: where a river meets the sea" ([`explanation`](super::explanation)),
//! or the phrase that is said with it most, as in "Confidence interval and margin of error". Where
//! no other phrase is as central, the article that the phrase has is enough, as in "The body
//! clock". In languages without a lexicon, the title is made of the best keywords. The
//! running time is `O(n log n)` in the number of words of the segment, and quadratic in the
//! number of its phrases.

use super::between::between;
use super::claim::{Claim, best_claim};
use super::extended_phrase::extended_phrase;
use super::german_phrase;
use super::how_to::how_to;
use super::keyphrases::TermWeights;
use super::naming::naming_question;
use super::phrase_pair::{Pair, best_pair};
use super::question::{answered_question, question};
use super::reason::reason;
use super::relative_phrase::relative_phrase;
use super::title_candidate::{Candidate, candidates};
use super::title_words::{MIN_WORDS, Titles};
use super::word_use::capitalize;

/// The minimum score of the second phrase, as a fraction of the highest.
const MIN_COMPANION_SCORE: f64 = 0.12;
/// The minimum score of a phrase that is explained, as a fraction of the highest.
const MIN_EXPLAINED_SCORE: f64 = 0.6;
/// The minimum score of a claim, as a fraction of the highest score of a phrase.
const MIN_CLAIM_SCORE: f64 = 0.7;
/// The same where there is no other phrase that is said with the best one.
const MIN_ANY_CLAIM_SCORE: f64 = 0.4;
/// The same for one in the present that is better than a pair that nobody announced.
const MIN_GENERAL_CLAIM_SCORE: f64 = 0.5;
/// The same for one that is better than a question or an announced pair.
const MIN_RICH_CLAIM_SCORE: f64 = 0.85;

impl Titles<'_> {
    /// A title from the sentences of a segment; `None` if they have no suitable phrase.
    pub(super) fn title(&self, sentences: &[&str], weights: &TermWeights) -> Option<String> {
        if !self.lexicon.is_known() {
            return None;
        }
        if let Some(question) = question(self, sentences, weights) {
            return Some(question);
        }
        let candidates = candidates(self, sentences, weights);
        let claim = best_claim(self, sentences, &candidates);
        let said = Said { sentences, weights };
        self.compose(&candidates, None, claim, &said)
    }

    /// A title from the candidates, about `head` if there is one.
    pub(super) fn compose(
        &self,
        candidates: &[Candidate],
        head: Option<&Candidate>,
        claim: Option<Claim>,
        said: &Said<'_>,
    ) -> Option<String> {
        let best = candidates.first()?;
        let fixed = head.or(Some(best).filter(|best| best.is_announced));
        let explained = |candidate: &&Candidate| {
            candidate.explanation.is_some() && candidate.score >= MIN_EXPLAINED_SCORE * best.score
        };
        let explained = match fixed {
            Some(head) => Some(head).filter(|head| head.explanation.is_some()),
            None => candidates.iter().find(explained),
        };
        if let Some(candidate) = explained {
            return Some(self.explained(candidate));
        }
        let is_central = |claim: &Claim| match fixed {
            Some(head) if head.is_announced => {
                claim.is_definition && claim.subject.ends_with(&head.text)
            }
            _ => true,
        };
        let names_head = |claim: &Claim| match fixed {
            Some(head) if head.is_announced => names(&claim.text, &head.text),
            _ => true,
        };
        let claim = claim.filter(names_head);
        let claim_of = |min_score: f64| {
            let claim = claim.as_ref().filter(|claim| claim.score >= min_score);
            claim.map(|claim| capitalize(&claim.text))
        };
        let says_more = |claim: &Claim| claim.is_rich || claim.is_definition;
        if claim
            .as_ref()
            .is_some_and(|claim| says_more(claim) && is_central(claim))
            && let Some(claim) = claim_of(MIN_RICH_CLAIM_SCORE)
        {
            return Some(claim);
        }
        let is_full = |head: &Candidate| {
            head.words >= MIN_WORDS && (head.is_announced || head.sentences.len() > 1)
        };
        if fixed.is_none() && is_full(best) {
            return Some(capitalize(&self.spelled(&best.text)));
        }
        let is_alone = fixed.is_some_and(is_full);
        let pair = (!is_alone).then(|| best_pair(fixed, candidates, MIN_COMPANION_SCORE));
        let mut pair = pair.flatten();
        let is_announced = fixed.is_some_and(|head| head.is_announced);
        if !is_alone {
            let asked = answered_question(self, said.sentences, said.weights)
                .or_else(|| how_to(self, said.sentences, said.weights))
                .or_else(|| reason(self, said.sentences, said.weights));
            // What is announced is the topic, even if a question asks for something else.
            let announced = fixed.filter(|_| is_announced);
            let is_about_head =
                |title: &String| announced.is_none_or(|head| names(title, &head.text));
            if let Some(title) = asked.filter(is_about_head) {
                return Some(title);
            }
        }
        let is_strong = pair.as_ref().is_some_and(Pair::is_strong);
        let is_settled = is_alone || is_announced && is_strong;
        if !is_settled
            && let Some(title) = naming_question(
                self,
                said.sentences,
                candidates,
                fixed.filter(|_| is_announced),
            )
        {
            return Some(title);
        }
        let is_named = |pair: &Pair<'_>| is_announced && pair.second.is_introduced;
        let may_be_claim = !is_alone && !pair.as_ref().is_some_and(is_named);
        if may_be_claim
            && claim.as_ref().is_some_and(|claim| claim.is_general)
            && let Some(claim) = claim_of(MIN_GENERAL_CLAIM_SCORE)
        {
            return Some(claim);
        }
        if !is_alone && !pair.as_ref().is_some_and(Pair::is_strong) {
            if let Some(claim) = claim_of(MIN_CLAIM_SCORE) {
                return Some(claim);
            }
            let relative = relative_phrase(self, said.sentences, candidates, fixed);
            // A pair with what is announced says more than where that is.
            let may_extend = !is_announced || pair.is_none();
            let extended = || extended_phrase(self, said.sentences, candidates, fixed);
            let other = relative
                .or_else(|| may_extend.then(extended).flatten())
                .or_else(|| claim_of(MIN_ANY_CLAIM_SCORE));
            if let Some(title) = other {
                return Some(title);
            }
            if let Some(title) = self.rather_than(pair.as_ref(), claim.as_ref()) {
                return Some(title);
            }
            // One or two words are no title, so any second phrase is better.
            pair = pair.or_else(|| best_pair(fixed, candidates, 0.0));
        }
        let is_announced_pair = pair.as_ref().is_some_and(is_named);
        let joined = pair.as_ref().filter(|_| !is_announced_pair);
        let joined = joined.and_then(|pair| between(self, said.sentences, pair));
        joined.or_else(|| Some(self.of_phrases(fixed, best, pair)))
    }

    /// A claim in the present, however central, where the second phrase of the pair is said once.
    fn rather_than(&self, pair: Option<&Pair<'_>>, claim: Option<&Claim>) -> Option<String> {
        let is_incidental =
            |pair: &Pair<'_>| pair.second.sentences.len() == 1 && !pair.second.is_introduced;
        let says_where = |claim: &Claim| {
            let first = claim.text.split(' ').next().unwrap_or_default();
            let first = first.to_lowercase();
            self.lexicon.adverbial_starts.contains(first.as_str())
        };
        let general = claim.filter(|claim| claim.is_general && !says_where(claim))?;
        pair.is_none_or(is_incidental)
            .then(|| capitalize(&general.text))
    }

    /// What a candidate is, with its name.
    fn explained(&self, candidate: &Candidate) -> String {
        let explanation = candidate.explanation.as_deref().unwrap_or_default();
        let name = self.spelled(&candidate.text);
        capitalize(&format!("{name}: {}", self.spelled(explanation)))
    }

    /// Text of the transcript, with the capital letters that a recognizer has left out.
    pub(super) fn spelled(&self, text: &str) -> String {
        if self.word_use.lacks_capitals {
            german_phrase::with_capital_nouns(text, self.word_use)
        } else {
            text.to_owned()
        }
    }
}

/// Whether a title has a phrase, in any case.
fn names(title: &str, phrase: &str) -> bool {
    title.to_lowercase().contains(&phrase.to_lowercase())
}

/// What a title is made of besides phrases.
pub(super) struct Said<'a> {
    pub(super) sentences: &'a [&'a str],
    pub(super) weights: &'a TermWeights,
}

#[cfg(test)]
mod tests {
    use super::super::sample_speech::title_of;

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
            "Man konnte mit beweglichen Lettern schnell drucken.",
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
    fn a_promised_explanation_is_the_title() {
        let mut sentences =
            vec!["Let me explain how the log survives a crash, because it is hard."];
        sentences.extend(LOG);
        assert_eq!(title_of(&sentences), "How the log survives a crash");
    }

    #[test]
    fn a_headline_after_fillers_is_an_announcement() {
        let mut sentences = vec!["Okay, so, um, recovery, that is where it gets hard."];
        sentences.extend(LOG);
        let title = title_of(&sentences);
        assert!(title.starts_with("Recovery and "), "{title}");
        let title = title_of(&[
            "Dann die Gezeiten, ähm, die werden oft falsch verstanden.",
            "Der Mond zieht das Wasser an, und das Wasser steigt an der Küste.",
            "An der Küste steht das Wasser dann höher, und der Mond wandert weiter.",
            "Auch die Sonne zieht, aber der Mond ist näher an der Küste.",
        ]);
        assert!(title.starts_with("Gezeiten und "), "{title}");
    }

    #[test]
    fn two_phrases_that_are_said_together_make_the_title() {
        let title = title_of(&[
            "The tide rises twice a day at the pier, and we all know that.",
            "The moon pulls it, so it is the moon that the tide follows.",
            "A fisherman at the harbour reads the tide from the moon.",
            "When the moon is full, the tide is strong.",
            "My uncle had a boat, but the boat is gone.",
        ]);
        assert_eq!(title, "Tide and moon");
    }

    #[test]
    fn a_claim_in_the_present_is_better_than_a_pair_that_nobody_announced() {
        let title = title_of(&[
            "The tide rises twice a day at the pier, and we all know that.",
            "A fisherman at the harbour reads the tide from the moon.",
            "The tide follows the moon, my uncle says.",
            "When the moon is full, the tide is strong.",
        ]);
        assert_eq!(title, "The tide follows the moon");
    }

    #[test]
    fn a_noun_keeps_the_words_that_it_is_introduced_with() {
        let title = title_of(&[
            "The pressure gauge was invented by a clockmaker.",
            "The gauge has a bent tube, and the tube straightens under pressure.",
            "A needle on the gauge shows how far the tube has moved.",
            "The pressure gauge needs no power, because the tube moves the needle.",
        ]);
        assert!(title.contains("ressure gauge "), "{title}");
    }

    #[test]
    fn the_usual_article_makes_a_title_of_two_words() {
        let title = title_of(&[
            "Let us talk about the storm surge.",
            "Nobody had seen the storm surge, and it took it all.",
            "They all remember the storm surge.",
        ]);
        assert_eq!(title, "The storm surge");
    }

    #[test]
    fn an_adjective_or_a_verb_does_not_end_a_phrase() {
        let title = title_of(&[
            "Then the lava brown at first turns black, and lava tastes of nothing.",
            "It gets heavier as the lava cools, and heavier lava sinks, and it is in the crater.",
            "It is brown lava that is in the crater, and in the crater it glows.",
        ]);
        for word in ["brown", "eavier", "tastes"] {
            assert!(!title.ends_with(word), "{title}");
        }
    }

    #[test]
    fn a_repeated_word_ends_a_phrase() {
        let title = title_of(&[
            "today we begin with erosion erosion means that the water picks up loose material",
            "the water picks up the sand and the sand wears down the rock in the river",
            "so the sand in the river is what makes erosion of the rock so fast",
        ]);
        assert!(title.starts_with("Erosion"), "{title}");
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
