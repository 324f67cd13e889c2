//! What a lecturer gives the reason of, in German: "deshalb flackert ein Blitz" gives "Warum ein
//! Blitz flackert".
//!
//! After "warum" the finite verb is last. It takes a prefix at the end of the clause with it: "darum
//! dehnt sich die Luft aus" gives "Warum sich die Luft ausdehnt". English has "that is why …", which
//! is a question of its own ([`question`](super::question)).

use super::keyphrases::TermWeights;
use super::title_words::{MAX_WORDS, Titles};
use super::word_use::is_capitalized;
use crate::disfluency::{ends_clause, fluent_words, without_words};
use crate::language::VerbPlace;
use crate::reference::refers_back;
use crate::sentence::normalize;

/// "Warum Metall leitet" is too little.
const MIN_WORDS: usize = 4;
/// The minimum weight of a term of the title, as a fraction of the highest weight.
const MIN_WEIGHT: f64 = 0.5;

/// The first title of this kind about the topic of the sentences.
pub(super) fn reason(
    titles: &Titles<'_>,
    sentences: &[&str],
    weights: &TermWeights,
) -> Option<String> {
    if titles.lexicon.verb_place != VerbPlace::Second || titles.word_use.lacks_capitals {
        return None;
    }
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
    let lexicon = titles.lexicon;
    let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
    let adverb = (0..words.len()).find(|&i| {
        let begins_clause = i == 0
            || ends_clause(&words[i - 1])
            || lexicon
                .removable_starts
                .contains(normalized[i - 1].as_str());
        begins_clause && ADVERBS.contains(&normalized[i].as_str())
    })?;
    let start = adverb + 2;
    let length = words
        .get(start..)?
        .iter()
        .position(|word| ends_clause(word));
    let end = length.map_or(words.len(), |length| start + length + 1);
    let verb = normalized.get(adverb + 1)?;
    let is_verb = lexicon.finite_verbs.contains(verb.as_str())
        || !lexicon.is_function_word(verb)
            && !is_capitalized(&words[adverb + 1])
            && verb.ends_with(['t', 'n', 'e']);
    let rest = without_words(words.get(start..end)?, |word| {
        PARTICLES.contains(&normalize(word).as_str())
    });
    let rest_normalized: Vec<String> = rest.iter().map(|word| normalize(word)).collect();
    let is_outside = |word: &String| {
        let word = word.as_str();
        lexicon.first_person.contains(word)
            || lexicon.second_person.contains(word)
            || lexicon.demonstratives.contains(word)
            || lexicon.pointers.contains(word)
    };
    if !is_verb
        || !rest.iter().any(|word| is_capitalized(word))
        || rest_normalized.iter().any(is_outside)
        || refers_back(&rest, lexicon)
    {
        return None;
    }
    let (last, before) = rest_normalized.split_last()?;
    let mut title: Vec<String> = vec!["Warum".to_owned()];
    if PREFIXES.contains(&last.as_str()) {
        title.extend(rest[..before.len()].iter().cloned());
        title.push(format!("{last}{verb}"));
    } else {
        title.extend(rest.iter().cloned());
        title.push(verb.clone());
    }
    let is_whole = !title[..title.len() - 2]
        .iter()
        .any(|word| ends_clause(word));
    let text = title.join(" ").replace([',', '.', ';', ':', '!', '?'], "");
    (is_whole && (MIN_WORDS..=MAX_WORDS).contains(&title.len())).then_some(text)
}

const ADVERBS: &[&str] = &["deshalb", "darum", "deswegen", "daher"];

/// Words that the clause is complete without.
const PARTICLES: &[&str] = &[
    "auch",
    "ja",
    "sogar",
    "eben",
    "halt",
    "also",
    "denn",
    "übrigens",
    "natürlich",
    "doch",
    "eigentlich",
    "nämlich",
    "aber",
];

/// Separable prefixes of verbs.
const PREFIXES: &[&str] = &[
    "ab", "an", "auf", "aus", "bei", "ein", "fest", "her", "hin", "los", "mit", "nach", "um",
    "vor", "weg", "zu", "zurück", "zusammen",
];

#[cfg(test)]
mod tests {
    use super::super::sample_speech::with_titles;
    use super::reason;

    /// The title with this sentence in a lecture about ropes.
    fn title_with(sentence: &str) -> Option<String> {
        let sentences = [
            "Das Seil ist aus Hanf, und der Hanf ist ein altes Material.",
            sentence,
            "Ein Seil aus Hanf hält lange, und das Seil ist schwer.",
        ];
        with_titles(&sentences, |titles, weights| {
            reason(titles, &sentences, weights)
        })
    }

    #[test]
    fn what_has_a_reason_is_asked_for_with_the_verb_at_the_end() {
        for (sentence, expected) in [
            (
                "Er quillt im Regen, deshalb hält ein Seil aus Hanf.",
                "Warum ein Seil aus Hanf hält",
            ),
            (
                "Darum dehnt sich das Seil auch aus, und das ist gut.",
                "Warum sich das Seil ausdehnt",
            ),
            (
                "Und deswegen ist das Seil aus Hanf schwer.",
                "Warum das Seil aus Hanf schwer ist",
            ),
        ] {
            assert_eq!(title_with(sentence).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_cannot_stand_alone_is_no_title() {
        for sentence in [
            "Deshalb hält es.",
            "Deshalb hält er das Seil.",
            "Deshalb binde ich das Seil fest.",
            "Deshalb hält dieses Seil aus Hanf.",
            "Deshalb hält, wenn es nass ist, das Seil.",
            "Das Seil ist deshalb so schwer.",
        ] {
            assert_eq!(title_with(sentence), None, "{sentence}");
        }
    }
}
