//! Where a lecturer announces a topic: "let us talk about floods", "okay, so, the tides".

use super::noun_phrase::NounPhrase;
use crate::language::Lexicon;

/// A topic is announced within this many sentences.
pub(super) const INTRODUCTION_SENTENCES: usize = 4;
/// A sentence that begins with the name of the topic and nothing else is one of the first.
const HEADLINE_SENTENCES: usize = 2;
/// The maximum number of words between an announcement and its phrase.
const MAX_FRAME_DISTANCE: usize = 5;

/// The position of the phrase that the sentence with this index announces.
pub(super) fn position(
    index: usize,
    spelled: &[&str],
    words: &[String],
    phrases: &[NounPhrase],
    lexicon: &Lexicon,
) -> Option<usize> {
    if index >= INTRODUCTION_SENTENCES {
        return None;
    }
    let is_punctuated = spelled
        .iter()
        .any(|word| word.ends_with([',', '.', '?', '!']));
    after_frame(words, phrases, &lexicon.topic_frames, is_punctuated).or_else(|| {
        (index < HEADLINE_SENTENCES)
            .then(|| headline(spelled, words, phrases, lexicon))
            .flatten()
    })
}

/// The same for what may announce a topic or not, such as "then comes …".
pub(super) fn hinted_position(
    index: usize,
    words: &[String],
    phrases: &[NounPhrase],
    lexicon: &Lexicon,
) -> Option<usize> {
    let is_introduction = index < INTRODUCTION_SENTENCES;
    is_introduction
        .then(|| after_frame(words, phrases, &lexicon.topic_hints, false))
        .flatten()
}

/// The announced phrase at `position` with the one that "and" joins to it, as in "the mean
/// and the median".
pub(super) fn pair(
    phrases: &[NounPhrase],
    position: usize,
    words: &[&str],
    lexicon: &Lexicon,
) -> Option<NounPhrase> {
    let first = phrases.iter().find(|phrase| phrase.position == position)?;
    let end = position + first.words;
    let conjunction = words.get(end)?;
    let is_joined = *conjunction == lexicon.conjunction && !words[end - 1].ends_with(',');
    let second = phrases.iter().find(|phrase| {
        // An article may be between them.
        (end + 1..=end + 2).contains(&phrase.position)
    })?;
    let words = second.position + second.words - position;
    is_joined.then(|| NounPhrase {
        text: format!("{} {conjunction} {}", first.text, second.text),
        position,
        words,
        noun_words: first.words,
    })
}

/// Subjects of what is no announcement.
const OTHER_PEOPLE: &[&str] = &["you", "they", "he", "she", "it", "people", "who"];

/// Without punctuation, the word before a frame may belong to another sentence.
fn after_frame(
    words: &[String],
    phrases: &[NounPhrase],
    frames: &[&str],
    is_punctuated: bool,
) -> Option<usize> {
    // "By the way" announces nothing.
    let text = format!(" {} ", words.join(" ")).replace(" by the way ", " by the_way ");
    let ends = frames.iter().filter_map(|frame| {
        let at = text.find(&format!(" {frame} "))?;
        // "You look at the clock" announces nothing.
        let before = text[..at].split(' ').next_back().unwrap_or_default();
        (!is_punctuated || !OTHER_PEOPLE.contains(&before)).then_some(at + 1 + frame.len())
    });
    let before = text[..ends.max()?].replace('_', " ");
    let position = before.split_whitespace().count();
    let near = position..=position + MAX_FRAME_DISTANCE;
    let positions = phrases.iter().map(|phrase| phrase.position);
    positions.filter(|position| near.contains(position)).min()
}

/// A phrase that is all of the first clause, apart from openers and an article: "Okay, so, the
/// tides, they are strange."
fn headline(
    spelled: &[&str],
    words: &[String],
    phrases: &[NounPhrase],
    lexicon: &Lexicon,
) -> Option<usize> {
    let is_opener = |word: &&String| lexicon.openers.contains(word.as_str());
    let openers = words.iter().take_while(is_opener).count();
    let has_article = words
        .get(openers)
        .is_some_and(|word| lexicon.articles.contains(word.as_str()));
    let start = openers + usize::from(has_article);
    let is_here = |phrase: &&NounPhrase| {
        let last = phrase.position + phrase.words - 1;
        let ends_sentence = last + 1 == spelled.len();
        phrase.position == start
            && spelled[last].ends_with([',', '.', ':', ';'])
            && (openers > 0 || ends_sentence)
    };
    phrases.iter().find(is_here).map(|phrase| phrase.position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content_segment::noun_phrase::noun_phrases;
    use crate::content_segment::word_use::WordUse;

    #[test]
    fn what_somebody_else_looks_at_is_not_announced() {
        let announced = |text: &str| {
            let lexicon = Lexicon::of([text].into_iter());
            let spelled: Vec<&str> = text.split(' ').collect();
            let words: Vec<String> = spelled
                .iter()
                .map(|word| crate::sentence::normalize(word))
                .collect();
            let phrases = noun_phrases(text, &WordUse::of([text].into_iter(), lexicon), lexicon);
            position(0, &spelled, &words, &phrases, lexicon).map(|at| spelled[at].to_owned())
        };
        assert_eq!(
            announced("Today we look at the tide, and it is high.").as_deref(),
            Some("tide,")
        );
        assert_eq!(
            announced("At the pier you look at the tide, and it is high."),
            None
        );
    }
}
