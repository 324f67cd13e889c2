//! The clauses of a sentence that can stand alone, and their verbs.

use std::ops::Range;

use crate::disfluency::ends_clause;
use crate::language::Lexicon;
use crate::sentence::normalize;

/// A sentence with fewer words says little alone.
pub(super) const MIN_WORDS: usize = 6;

/// The ranges of words that may be a sentence: all of them, and those of consecutive clauses that
/// can stand alone.
pub(super) fn parts(words: &[String], lexicon: &Lexicon) -> Vec<Range<usize>> {
    let ends: Vec<usize> = (1..words.len())
        .filter(|&end| ends_clause(&words[end - 1]))
        .chain([words.len()])
        .collect();
    let starts = [0].into_iter().chain(ends.iter().copied());
    let starts: Vec<usize> = starts
        .filter(|&start| start == 0 || begins_main_clause(words, start, &ends, lexicon))
        .collect();
    let ranges = starts
        .iter()
        .flat_map(|&start| ends.iter().map(move |&end| start..end));
    let mut parts: Vec<Range<usize>> = ranges
        .filter(|range| range.len() >= MIN_WORDS)
        .filter(|range| may_be_cut(words, range, lexicon))
        .collect();
    let all = 0..words.len();
    if !parts.contains(&all) {
        parts.push(all);
    }
    parts
}

/// Whether a clause that begins here needs nothing before it: an article or a noun, and a verb that
/// is not in a relative clause.
fn begins_main_clause(words: &[String], start: usize, ends: &[usize], lexicon: &Lexicon) -> bool {
    let Some(&end) = ends.iter().find(|&&end| end > start) else {
        return false;
    };
    let first = normalize(&words[start]);
    let first = first.as_str();
    let is_article = lexicon.articles.contains(first);
    let begins_with_noun = if lexicon.capitalizes_nouns {
        is_article || is_upper(&words[start])
    } else {
        is_article || !lexicon.is_function_word(first)
    };
    // German relative clauses begin with an article.
    let may_begin =
        is_article && lexicon.capitalizes_nouns || !lexicon.clause_starts.contains(first);
    let verb = (start + 1..end - 1).find(|&i| is_verb(words, i, lexicon));
    let has_main_verb = verb.is_some_and(|verb| {
        let is_relative = |word: &String| {
            ["that", "which", "who", "whose", "where", "to"].contains(&normalize(word).as_str())
        };
        !words[start..verb].iter().any(is_relative)
            && (!lexicon.capitalizes_nouns || words[start..verb].iter().any(|word| is_upper(word)))
    });
    begins_with_noun && may_begin && has_main_verb
}

/// Whether the sentence may end after the range: the last clause in it has a verb, and the next one
/// does not complete it.
fn may_be_cut(words: &[String], range: &Range<usize>, lexicon: &Lexicon) -> bool {
    if range.end == words.len() {
        return true;
    }
    let before = &words[range.start..range.end - 1];
    let clause = before.iter().rposition(|word| ends_clause(word));
    let clause = range.start + clause.map_or(0, |last| last + 1);
    let clause_first = normalize(&words[clause]);
    let first = normalize(&words[range.start]);
    let last = normalize(&words[range.end - 1]);
    let next = normalize(&words[range.end]);
    let completes = [
        "that", "dass", "ob", "wie", "was", "warum", "how", "why", "what", "who", "als", "zu",
        "than", "where", "wo", "desto", "sondern", "nämlich",
    ];
    // "If the gas is cold, it sinks": the first clause is not enough.
    let needs_more = clause == range.start && lexicon.subordinators.contains(first.as_str());
    let is_subordinate = clause > range.start
        && lexicon.subordinators.contains(clause_first.as_str())
        && lexicon.subordinators.contains(first.as_str());
    has_verb(words, clause..range.end, lexicon)
        && !needs_more
        && !is_subordinate
        && !completes.contains(&next.as_str())
        && !lexicon.is_function_word(&last)
}

/// Whether there is a word in the range that may be a finite verb.
pub(super) fn has_verb(words: &[String], range: Range<usize>, lexicon: &Lexicon) -> bool {
    range.clone().any(|i| {
        let normalized = normalize(&words[i]);
        let may_be_verb = !lexicon.capitalizes_nouns
            && normalized.len() > 4
            && (normalized.ends_with("ed") || normalized.ends_with('s'));
        let is_last_verb = lexicon.capitalizes_nouns
            && i + 1 == range.end
            && !is_upper(&words[i])
            && normalized.ends_with(['t', 'n']);
        is_verb(words, i, lexicon) || may_be_verb || is_last_verb
    })
}

/// Whether a word is probably a finite verb: in German also by its place after a noun.
fn is_verb(words: &[String], i: usize, lexicon: &Lexicon) -> bool {
    let normalized = normalize(&words[i]);
    let normalized = normalized.as_str();
    if lexicon.finite_verbs.contains(normalized) || lexicon.general_verbs.contains(normalized) {
        return true;
    }
    if lexicon.capitalizes_nouns {
        let endings = ["t", "te", "en", "ten"];
        return i > 0
            && (is_upper(&words[i - 1]) || i == 1)
            && !is_upper(&words[i])
            && !lexicon.is_function_word(normalized)
            && endings.iter().any(|ending| normalized.ends_with(ending));
    }
    lexicon.is_verb_form(normalized)
}

fn is_upper(word: &str) -> bool {
    word.chars()
        .find(|c| c.is_alphanumeric())
        .is_some_and(char::is_uppercase)
}
