//! Names what the pronoun at the start of a sentence stands for, where that is clear.
//!
//! "The tide turns twice a day. It lifts the boats." says that the tide lifts the boats. A sentence is
//! often only clear with the one before it, but a title or a description stands alone. The pronoun is
//! replaced by the subject of the sentence before if nothing else there has its number or gender, or
//! if that subject is named twice, or asked about with the same verb. The running time is linear in the
//! number of words.

use crate::disfluency::ends_clause;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// The most words of a subject with its article.
const MAX_SUBJECT_WORDS: usize = 4;

/// The words of a sentence with the subject of the one before in the place of the pronoun at its start.
/// `None` if it does not begin with a pronoun, or if what that stands for is not clear.
pub(crate) fn with_subject(
    before: &[String],
    words: &[String],
    lexicon: &Lexicon,
) -> Option<Vec<String>> {
    let start = words
        .iter()
        .take_while(|word| {
            let normalized = normalize(word);
            lexicon.removable_starts.contains(normalized.as_str())
        })
        .count();
    let pronoun = normalize(words.get(start)?);
    let verb = normalize(words.get(start + 1)?);
    if ends_clause(&words[start]) {
        return None;
    }
    let subject = if lexicon.capitalizes_nouns {
        german_subject(before, &pronoun, &verb, lexicon)
    } else {
        english_subject(before, &pronoun, &verb, lexicon)
    }?;
    let rest = words[start + 1..].iter().cloned();
    Some(subject.into_iter().chain(rest).collect())
}

/// What "it" or "they" stands for before a verb.
fn english_subject(
    before: &[String],
    pronoun: &str,
    verb: &str,
    lexicon: &Lexicon,
) -> Option<Vec<String>> {
    let is_plural = match pronoun {
        "it" => false,
        "they" => true,
        _ => return None,
    };
    let is_verb = lexicon.finite_verbs.contains(verb)
        || lexicon.general_verbs.contains(verb)
        || lexicon.is_verb_form(verb);
    // "It takes an hour" stands for nothing.
    if !is_verb || ["takes", "took", "seems", "happens"].contains(&verb) {
        return None;
    }
    let normalized: Vec<String> = before.iter().map(|word| normalize(word)).collect();
    let agrees = |phrase: &[String]| {
        let last = phrase.last().map_or("", String::as_str);
        (last.ends_with('s') && !last.ends_with("ss")) == is_plural
    };
    if let Some(asked) = asked_subject(before, &normalized, verb, lexicon) {
        return agrees(&normalized[asked.clone()]).then(|| bare(&before[asked]));
    }
    let start = before.len() - after_openers(before, lexicon).len();
    let is_article = |word: &str| ["the", "a", "an", "every"].contains(&word);
    if !normalized.get(start).is_some_and(|word| is_article(word)) {
        return None;
    }
    let may_be_verb = |word: &str| {
        lexicon.finite_verbs.contains(word)
            || lexicon.general_verbs.contains(word)
            || lexicon.is_verb_form(word)
    };
    let longest = before.len().min(start + MAX_SUBJECT_WORDS + 1);
    let end = (start + 2..longest)
        .find(|&end| ends_clause(&before[end - 1]) || may_be_verb(&normalized[end]))?;
    let phrase = &normalized[start..end];
    let is_simple = !phrase[1..]
        .iter()
        .any(|word| lexicon.is_function_word(word));
    if !is_simple || !agrees(phrase) {
        return None;
    }
    // "The tide, if you …, look at the tide."
    let is_dislocated = ends_clause(&before[end - 1]);
    let noun = &normalized[end - 1];
    let is_named_twice = normalized[end..].contains(noun);
    let others = (end + 1..before.len()).filter(|&i| {
        lexicon.articles.contains(normalized[i - 1].as_str())
            && normalized[i] != *noun
            // "A day" is no thing.
            && !lexicon.general_words.contains(normalized[i].as_str())
    });
    let others = others.filter(|&i| {
        let words = &normalized[i..];
        let end = words.iter().position(|word| lexicon.is_function_word(word));
        agrees(&words[..end.unwrap_or(words.len())])
    });
    let is_only = others.count() == 0;
    (is_named_twice || !is_dislocated && is_only).then(|| bare(&before[start..end]))
}

/// The subject of a question with the same verb: "where do the tides come from?"
fn asked_subject(
    before: &[String],
    normalized: &[String],
    verb: &str,
    lexicon: &Lexicon,
) -> Option<std::ops::Range<usize>> {
    if !before.last()?.ends_with('?') {
        return None;
    }
    let auxiliary = normalized
        .iter()
        .rposition(|word| ["do", "does", "did"].contains(&word.as_str()))?;
    let start = auxiliary + 1;
    let is_article = lexicon.articles.contains(normalized.get(start)?.as_str());
    let end = (start + 2..before.len()).find(|&end| {
        let asked = normalized[end].as_str();
        asked == verb
            || verb.strip_suffix('s') == Some(asked)
            || verb.strip_suffix("es") == Some(asked)
    })?;
    (is_article && end - start <= MAX_SUBJECT_WORDS).then_some(start..end)
}

/// What "er" or "sie" stands for before a verb.
fn german_subject(
    before: &[String],
    pronoun: &str,
    verb: &str,
    lexicon: &Lexicon,
) -> Option<Vec<String>> {
    let (articles, others): (&[&str], &[&str]) = match pronoun {
        "er" | "der" => (
            &["der", "ein", "jeder"],
            &[
                "der", "den", "dem", "des", "ein", "einen", "einem", "im", "am", "zum", "vom",
                "beim", "jeder", "jeden", "kein", "keinen", "ins",
            ],
        ),
        "sie" | "die" => (
            &["die", "eine", "jede"],
            &[
                "die", "der", "eine", "einer", "zur", "jede", "jeder", "keine",
            ],
        ),
        _ => return None,
    };
    let is_singular = verb.ends_with('t') && !["sind", "seit"].contains(&verb)
        || ["wird", "kann", "muss", "soll", "will", "darf", "mag"].contains(&verb);
    let normalized: Vec<String> = before.iter().map(|word| normalize(word)).collect();
    let start = before.len() - after_openers(before, lexicon).len();
    let has_article = normalized
        .get(start)
        .is_some_and(|word| articles.contains(&word.as_str()));
    if !is_singular || !has_article {
        return None;
    }
    let longest = before.len().min(start + MAX_SUBJECT_WORDS);
    let noun = (start + 1..longest).find(|&i| is_upper(&before[i]))?;
    let are_adjectives = normalized[start + 1..noun]
        .iter()
        .all(|word| word.ends_with('e') || word.ends_with("er"));
    let next = normalized.get(noun + 1)?;
    let is_before_verb = !ends_clause(&before[noun])
        && (lexicon.finite_verbs.contains(next.as_str())
            || next.ends_with('t') && !lexicon.is_function_word(next));
    // Another noun is that of its article, and one without may be of any gender.
    let is_other = |i: usize| {
        let article = (i.saturating_sub(3)..i)
            .rev()
            .find(|&at| lexicon.determiners.contains(normalized[at].as_str()));
        article.is_none_or(|at| others.contains(&normalized[at].as_str()))
    };
    let is_only = !(noun + 1..before.len())
        .any(|i| is_upper(&before[i]) && normalized[i] != normalized[noun] && is_other(i));
    (are_adjectives && is_before_verb && is_only).then(|| bare(&before[start..=noun]))
}

/// The words after conjunctions and words such as "okay".
fn after_openers<'w>(words: &'w [String], lexicon: &Lexicon) -> &'w [String] {
    let count = words
        .iter()
        .take_while(|word| {
            let normalized = normalize(word);
            lexicon.removable_starts.contains(normalized.as_str())
                || lexicon.openers.contains(normalized.as_str())
        })
        .count();
    &words[count..]
}

/// The words of a subject without punctuation, and with a capital letter at the start.
fn bare(words: &[String]) -> Vec<String> {
    let mut words: Vec<String> = words
        .iter()
        .map(|word| {
            word.trim_end_matches([',', '.', ';', ':', '?', '!'])
                .to_owned()
        })
        .collect();
    if let Some(first) = words.first_mut() {
        let mut characters = first.chars();
        let capital = characters.next().into_iter().flat_map(char::to_uppercase);
        *first = capital.chain(characters).collect();
    }
    words
}

fn is_upper(word: &str) -> bool {
    word.chars()
        .find(|c| c.is_alphanumeric())
        .is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(before: &str, sentence: &str) -> Option<String> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let lexicon = Lexicon::of([before, sentence].into_iter());
        with_subject(&words(before), &words(sentence), lexicon).map(|words| words.join(" "))
    }

    #[test]
    fn a_pronoun_stands_for_the_only_subject() {
        assert_eq!(
            named(
                "The tide turns twice a day.",
                "It lifts the boats at the pier."
            )
            .as_deref(),
            Some("The tide lifts the boats at the pier.")
        );
        assert_eq!(
            named(
                "Der Mond zieht das Wasser an.",
                "Er hebt es zweimal am Tag."
            )
            .as_deref(),
            Some("Der Mond hebt es zweimal am Tag.")
        );
        assert_eq!(
            named("Die Flut kommt zweimal.", "Und sie hebt das Boot im Hafen.").as_deref(),
            Some("Die Flut hebt das Boot im Hafen.")
        );
    }

    #[test]
    fn what_is_named_twice_or_asked_about_is_the_subject() {
        assert_eq!(
            named(
                "So, the anchor, if you buy one thing, please buy the anchor.",
                "It holds the ship in the mud."
            )
            .as_deref(),
            Some("The anchor holds the ship in the mud.")
        );
        assert_eq!(
            named(
                "So where do the tides come from?",
                "They come from the moon."
            )
            .as_deref(),
            Some("The tides come from the moon.")
        );
    }

    #[test]
    fn a_pronoun_that_may_stand_for_something_else_stays() {
        for (before, sentence) in [
            ("The moon pulls the water.", "It lifts the boats."),
            ("The tides turn twice a day.", "It lifts the boats."),
            ("We saw the tide at the pier.", "It lifts the boats."),
            ("The tide turns twice a day.", "It, well, lifts the boats."),
            ("The tide turns twice a day.", "It takes six hours to rise."),
            ("Der Mond zieht den Ozean an.", "Er hebt es zweimal am Tag."),
            ("Die Flut trägt Schiffe.", "Sie sind schwer in dem Hafen."),
            ("Die Flut kommt an der Küste.", "Sie ist aus dem Stein."),
        ] {
            assert_eq!(named(before, sentence), None, "{before}");
        }
    }
}
