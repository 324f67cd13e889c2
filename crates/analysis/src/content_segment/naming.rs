//! Where a lecturer names what was described, such as "that is REM sleep": a title is then "What
//! is REM sleep?".

use super::noun_phrase::{NounPhrase, noun_phrases};
use super::title_candidate::Candidate;
use super::title_words::{MAX_WORDS, Titles};
use crate::disfluency::{ends_clause, fluent_words};
use crate::language::Lexicon;
use crate::sentence::normalize;

/// The minimum score of what is named, as a fraction of the highest.
const MIN_SCORE: f64 = 0.3;

/// A question for what the sentences name or define; with `head`, only for that.
pub(super) fn naming_question(
    titles: &Titles<'_>,
    sentences: &[&str],
    candidates: &[Candidate],
    head: Option<&Candidate>,
) -> Option<String> {
    let lexicon = titles.lexicon;
    if titles.word_use.lacks_capitals {
        return None;
    }
    let scores = candidates.iter().map(|candidate| candidate.score);
    let min_score = MIN_SCORE * scores.fold(0.0, f64::max);
    let mut best: Option<(f64, String)> = None;
    for sentence in sentences {
        let words = fluent_words(sentence, lexicon);
        let normalized: Vec<String> = words.iter().map(|word| normalize(word)).collect();
        let phrases = noun_phrases(&words.join(" "), titles.word_use, lexicon);
        for phrase in &phrases {
            let Some(article) = named(&words, &normalized, phrase, lexicon) else {
                continue;
            };
            let ids = titles.ids(&phrase.text);
            let is_head = |candidate: &&Candidate| match head {
                Some(head) => candidate.text == head.text,
                None => candidate.score >= min_score,
            };
            let same = candidates.iter().filter(is_head);
            let Some(candidate) = same.into_iter().find(|candidate| candidate.ids == ids) else {
                continue;
            };
            let is = if lexicon.capitalizes_nouns {
                "Was ist"
            } else {
                "What is"
            };
            let article = article.map_or(String::new(), |article| format!("{article} "));
            let title = format!("{is} {article}{}?", phrase.text);
            let is_better = best
                .as_ref()
                .is_none_or(|(score, _)| candidate.score > *score);
            if title.split(' ').count() <= MAX_WORDS && is_better {
                best = Some((candidate.score, title));
            }
        }
    }
    best.map(|(_, title)| title)
}

/// The article of a phrase that is named; the outer `None` if it is not.
fn named<'w>(
    words: &[String],
    normalized: &'w [String],
    phrase: &NounPhrase,
    lexicon: &Lexicon,
) -> Option<Option<&'w str>> {
    let word = |i: usize| normalized.get(i).map_or("", String::as_str);
    let (start, end) = (phrase.position, phrase.position + phrase.words);
    let before = start.checked_sub(1).map_or("", word);
    let is_object = ["den", "einen"].contains(&before);
    let has_article = ARTICLES.contains(&before) || is_object;
    let at = start - usize::from(has_article);
    let (verb, subject) = (
        at.checked_sub(1).map_or("", word),
        at.checked_sub(2).map_or("", word),
    );
    let is_whole = ends_clause(&words[end - 1]) || word(end) == "and" || word(end) == "und";
    // "It is green" names nothing.
    let is_adjective = !has_article && end == start + 1 && lexicon.is_adjective_form(word(start));
    let points = !is_adjective
        && (BEING.contains(&verb) && SUBJECTS.contains(&subject)
            || ["that's", "it's"].contains(&verb));
    let is_named = points && is_whole
        || ["called", "nennt"].contains(&verb)
        || verb == "man" && subject == "nennt"
        || verb == "heißt" && SUBJECTS.contains(&subject) && is_whole;
    // "Insomnia means that …" says what it is.
    let is_plural = phrase.text.ends_with('s') && !phrase.text.ends_with("ss");
    let is_subject = at == 0 || ends_clause(&words[at - 1]) || OPENERS.contains(&verb);
    let is_defined = is_subject
        && !is_plural
        && (["means", "bedeutet"].contains(&word(end))
            || ["is", "ist"].contains(&word(end))
                && ["a", "an", "ein", "eine"].contains(&word(end + 1)));
    // "Das nennt man den Spleiß": der Spleiß.
    let nominative = match before {
        "den" => "der",
        "einen" => "ein",
        other => other,
    };
    (is_named || is_defined).then(|| has_article.then_some(nominative))
}

const ARTICLES: &[&str] = &["the", "a", "an", "der", "die", "das", "ein", "eine"];

const BEING: &[&str] = &["is", "ist"];

const SUBJECTS: &[&str] = &["that", "this", "it", "das", "dies", "die", "der", "es"];

const OPENERS: &[&str] = &[
    "and", "so", "but", "because", "und", "aber", "denn", "then", "now",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn article_of(normalized: &[String], position: usize) -> Option<Option<&str>> {
        let words = normalized.to_vec();
        let phrase = NounPhrase {
            text: normalized[position].clone(),
            position,
            words: 1,
            noun_words: 1,
        };
        let lexicon = Lexicon::of([words.join(" ").as_str()].into_iter());
        named(&words, normalized, &phrase, lexicon)
    }

    #[test]
    fn a_name_follows_what_it_is_the_name_of() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        // The last word of a sentence without punctuation is followed by nothing.
        assert_eq!(
            article_of(&words("and this is called splicing"), 4),
            Some(None)
        );
        assert_eq!(
            article_of(&words("das nennt man die spleißung"), 4),
            Some(Some("die"))
        );
        assert_eq!(
            article_of(&words("das nennt man den spleiß"), 4),
            Some(Some("der"))
        );
        assert_eq!(
            article_of(&words("splicing means that ropes are joined"), 0),
            Some(None)
        );
        assert_eq!(
            article_of(&words("a splice is a place in the rope"), 1),
            Some(Some("a"))
        );
        assert_eq!(article_of(&words("and it is yellow"), 3), None);
        assert_eq!(article_of(&words("he saw the splice in the rope"), 3), None);
        assert_eq!(
            article_of(&words("the rope is in the splice there"), 5),
            None
        );
    }
}
