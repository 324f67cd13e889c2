//! What a lecturer shows how to do, such as "How to untie a bowline".

use super::explanation::refers_to_something;
use super::keyphrases::TermWeights;
use super::title_words::{MAX_WORDS, Titles};
use crate::disfluency::{ends_clause, fluent_words};
use crate::sentence::normalize;

/// "How to swim" is too little.
const MIN_WORDS: usize = 4;
/// The minimum weight of a term of the title, as a fraction of the highest weight.
const MIN_WEIGHT: f64 = 0.4;

/// The first title of this kind about the topic of the sentences: from "how to get rid of spam",
/// or from "how do we get rid of spam".
pub(super) fn how_to(
    titles: &Titles<'_>,
    sentences: &[&str],
    weights: &TermWeights,
) -> Option<String> {
    let min_weight = MIN_WEIGHT * weights.highest();
    sentences
        .iter()
        .filter_map(|sentence| in_sentence(&fluent_words(sentence, titles.lexicon), titles))
        .find(|title| {
            let ids = titles.ids(title);
            ids.iter().any(|&id| weights.get(id) >= min_weight)
        })
}

fn in_sentence(words: &[String], titles: &Titles<'_>) -> Option<String> {
    let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
    let word = |i: usize| normalized.get(i).map_or("", String::as_str);
    (0..words.len())
        .filter(|&i| word(i) == "how")
        .find_map(|how| {
            let start = if word(how + 1) == "to" {
                how + 2
            } else if AUXILIARIES.contains(&word(how + 1)) && PEOPLE.contains(&word(how + 2)) {
                how + 3
            } else {
                return None;
            };
            let length = words
                .get(start..)?
                .iter()
                .position(|word| ends_clause(word));
            let end = length.map_or(words.len(), |length| start + length + 1);
            let cut = (start + 2..end).find(|&i| CUT_BEFORE.contains(&word(i)));
            let end = cut.unwrap_or(end);
            let clause = normalized.get(start..end)?;
            let last = clause.last()?;
            let is_complete = !titles.lexicon.is_function_word(last)
                && !refers_to_something(clause)
                && !clause.iter().any(|word| UNCLEAR.contains(&word.as_str()));
            if !is_complete || !(MIN_WORDS..=MAX_WORDS).contains(&(clause.len() + 2)) {
                return None;
            }
            let text = words[start..end].join(" ");
            let text = text.trim_end_matches(|c: char| !c.is_alphanumeric());
            Some(format!("How to {text}"))
        })
}

const AUXILIARIES: &[&str] = &["do", "can", "could", "would", "should"];

const PEOPLE: &[&str] = &["we", "you", "i", "they", "people"];

const CUT_BEFORE: &[&str] = &[
    "and", "because", "when", "if", "while", "until", "so", "but", "or",
];

const UNCLEAR: &[&str] = &[
    "that", "there", "here", "thing", "things", "stuff", "do", "think", "know", "feel",
];

#[cfg(test)]
mod tests {
    use super::super::sample_speech::with_titles;
    use super::how_to;

    /// What a lecture about splices says besides.
    const SPLICES: [&str; 12] = [
        "A splice joins two ropes without a knot.",
        "The strands of one rope go under the strands of the other one.",
        "Sailors have used the splice for as long as there are ships.",
        "Under load the strands press against each other.",
        "A knot makes the rope weak at a sharp bend.",
        "With a splice, nearly all of the strength remains.",
        "Hemp swells in the rain, and nylon does not.",
        "Each tuck doubles the friction between the fibres.",
        "After five tucks, nothing moves any more.",
        "The ends are cut off and burnt.",
        "On a big ship, the splice runs through a block.",
        "A thick knot would not pass the block.",
    ];

    /// The title with this sentence at the start of the lecture.
    fn title_with(sentence: &str) -> Option<String> {
        let mut sentences = vec![sentence];
        sentences.extend(SPLICES);
        with_titles(&sentences, |titles, weights| {
            how_to(titles, &sentences, weights)
        })
    }

    #[test]
    fn what_people_do_is_shown_as_how_to_do_it() {
        for sentence in [
            "I will show you, um, how to open a wet splice.",
            "So how do we open a wet splice?",
            "And how can they, uh, how can they open a wet splice, and quickly?",
        ] {
            let title = title_with(sentence);
            assert_eq!(title.as_deref(), Some("How to open a wet splice"));
        }
    }

    #[test]
    fn the_title_ends_before_the_next_clause() {
        for sentence in [
            "Now how to open a splice when the rope is wet.",
            "Now how to open a splice, which is the hard part.",
            "Now how to open a splice and go to sleep.",
        ] {
            assert_eq!(
                title_with(sentence).as_deref(),
                Some("How to open a splice")
            );
        }
    }

    #[test]
    fn what_cannot_stand_alone_is_no_title() {
        for sentence in [
            // Too short, and too long.
            "He knew how to splice.",
            "He knew how to open a splice of old hemp under load.",
            // It refers to something else.
            "He knew how to open that splice quickly.",
            "He knew how to open it like a splice.",
            // The end is missing.
            "He knew how to open a splice of the.",
            // Nothing is done.
            "He knew how a splice is opened.",
            "He knew how strong the splice is.",
        ] {
            assert_eq!(title_with(sentence), None, "{sentence}");
        }
    }

    #[test]
    fn what_is_shown_besides_the_topic_is_no_title() {
        assert_eq!(title_with("He knew how to dig a pit."), None);
    }

    #[test]
    fn there_is_no_title_in_german() {
        let sentences = [
            "Ein Spleiß verbindet zwei Seile ohne Knoten.",
            "Ich zeige, wie man einen nassen Spleiß öffnet, denn das ist schwer.",
            "Der Spleiß hält, und das Seil bleibt stark.",
        ];
        let title = with_titles(&sentences, |titles, weights| {
            how_to(titles, &sentences, weights)
        });
        assert_eq!(title, None);
    }
}
