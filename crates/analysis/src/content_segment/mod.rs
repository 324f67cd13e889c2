//! Divides a lecture into content segments by topic.
//!
//! The input is a transcript, the output a list of segments, each with a title,
//! keywords, key phrases, a summary and an importance. The steps are:
//!
//! 1. [`hallucination`]: leave out text that the recognizer invented;
//! 2. `sentence`: divide the text into sentences with times;
//! 3. `housekeeping`: tell content from announcements and the like;
//! 4. `utterance`, `vocabulary`: group short sentences, and count their terms;
//! 5. `segment`, `topic_segmentation`: divide the content at the chapters of the recording, or
//!    else where the vocabulary changes (Bayesian topic segmentation);
//! 6. `keyphrases`, `noun_phrase`, `title`, `summary`: describe each segment by its own
//!    words;
//! 7. `importance`: score each segment.
//!
//! Topics and keywords are found by term statistics of the lecture itself, in any
//! language. For English and German, word lists add titles that are phrases, and tell
//! housekeeping from content. There is no trained model, so the same transcript always gives
//! the same segments. Step 5 takes most of the running time, which is linear in the length of
//! the transcript. A language model writes better titles and descriptions; a worker may
//! be given one, which then takes the place of this module.

mod announcement;
mod between;
mod claim;
mod claim_checks;
mod claim_clauses;
mod claim_forms;
mod collocation;
mod explanation;
mod extended_phrase;
mod german_phrase;
mod how_to;
mod importance;
mod keyphrases;
mod naming;
mod noun_phrase;
mod part_title;
mod phrase_in_sentence;
mod phrase_pair;
mod phrase_title;
mod phrase_token;
mod question;
mod reason;
mod relative_phrase;
#[cfg(test)]
mod sample_speech;
mod segment;
mod summary;
#[cfg(test)]
mod tests;
mod title;
mod title_candidate;
mod title_words;
mod topic_segmentation;
mod utterance;
mod vocabulary;
mod word_use;

use std::ops::Range;

use lectern_domain::{Invalid, NewContentSegment, NonNegativeInt, Ratio, TimeRange};

use crate::chapter::{Chapters, Part};
use crate::hallucination;
use crate::housekeeping::{self, Housekeeping};
use crate::language::Lexicon;
use crate::segment_ref::TranscriptSegmentRef;
use crate::sentence::{self, Sentence, normalize};
use crate::time_span::TimeSpan;
use importance::importance_scores;
use keyphrases::TermWeights;
use summary::Summary;
use title_words::Titles;
use utterance::{Utterance, group_into_utterances};
use vocabulary::Vocabulary;
use word_use::{WordUse, is_capitalized};

/// A shorter stretch of housekeeping belongs to the segment around it, in seconds.
const MIN_HOUSEKEEPING_STRETCH: f64 = 5.0;

/// Finds the content segments of a transcript, as [`find_with_silences`] without silences.
///
/// # Errors
///
/// None for a valid transcript.
///
/// ```
/// use lectern_analysis::{TranscriptSegmentRef, content_segment};
/// use lectern_domain::TimeRange;
///
/// let sentence = TranscriptSegmentRef {
///     time: TimeRange::new(0.0, 4.0)?,
///     text: "A tree of depth ten finds one leaf among a thousand leaves.",
///     words: &[],
/// };
/// let segments = content_segment::find([sentence])?;
/// assert_eq!(segments[0].time, sentence.time);
/// assert_eq!(segments[0].description.as_deref(), Some(sentence.text));
/// assert!(segments[0].keywords.iter().any(|word| word.as_str() == "depth"));
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn find<'a>(
    transcript: impl IntoIterator<Item: Into<TranscriptSegmentRef<'a>>>,
) -> Result<Vec<NewContentSegment>, Invalid> {
    find_with_silences(transcript, &[])
}

/// Finds the content segments of a transcript. The transcript segments may be in any
/// order, and so may `silences`, the ranges without sound, as from
/// [`audio_silences`](crate::silence_region::audio_silences).
///
/// The content segments are in order and do not overlap; there may be pauses
/// between them. Most segments last between half a minute (in a talk of three
/// minutes) and eight minutes (in a long lecture). Each begins and ends with a
/// sentence. If a transcript segment contains several sentences, the times between them are
/// estimated. Text that the recognizer invented ([`hallucination`]) and
/// descriptions of sounds such as `[Music]` are ignored. A transcript without any other text
/// gives no content segments.
///
/// A stretch of housekeeping, such as the opening with its announcements, is a segment of
/// its own. `importance_score` is relative to the other segments of the recording: the most
/// important one has 1, other content at least 0.3, and housekeeping at most 0.1. It
/// increases with how typical the vocabulary of the segment is for the lecture, how much it
/// says per second, how much of its time is speech, and how often it defines, explains and
/// concludes.
///
/// # Errors
///
/// None for a valid transcript.
pub fn find_with_silences<'a>(
    transcript: impl IntoIterator<Item: Into<TranscriptSegmentRef<'a>>>,
    silences: &[TimeRange],
) -> Result<Vec<NewContentSegment>, Invalid> {
    find_in_chapters(transcript, silences, &Chapters::default())
}

/// Finds the content segments of a recording with chapters, as [`find_with_silences`].
///
/// Each chapter is a content segment with the start, the end and the title of the chapter. A
/// chapter of more than ten minutes is divided further, into segments with titles such as
/// "Erosion: Running water". A chapter without a title of its own gets one from what is said.
/// What is said before, between and after the chapters is divided as usual. A chapter in which
/// nothing is said is no segment.
///
/// Without a transcript, the chapters with titles are the segments, all equally important.
///
/// # Errors
///
/// None for a valid transcript.
pub fn find_in_chapters<'a>(
    transcript: impl IntoIterator<Item: Into<TranscriptSegmentRef<'a>>>,
    silences: &[TimeRange],
    chapters: &Chapters,
) -> Result<Vec<NewContentSegment>, Invalid> {
    let mut transcript: Vec<TranscriptSegmentRef<'a>> =
        transcript.into_iter().map(Into::into).collect();
    transcript.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
    let silences = TimeSpan::union_of_ranges(silences);
    let (transcript, _) = hallucination::partition(&transcript, &silences);
    let parts = chapters.parts();
    let speech = Speech::in_parts(&transcript, &silences, &parts);
    if speech.utterances.is_empty() {
        return without_speech(chapters);
    }
    let segments = segment::divide(&speech.utterances, &parts, &speech.vocabulary);
    let scores = importance_scores(&segments, &speech.vocabulary, speech.lexicon)?;
    segments
        .iter()
        .zip(scores)
        .enumerate()
        .map(|(i, (segment, importance_score))| {
            let summary = Summary::of(segment, &speech.sentences, &speech.titles())?;
            Ok(NewContentSegment {
                time: segment.span.to_range()?,
                topic: summary.topic,
                description: Some(summary.description),
                importance_score,
                keywords: summary.keywords,
                concepts: summary.concepts,
                segment_order: NonNegativeInt::position(i)?,
            })
        })
        .collect()
}

/// The content segments of a recording in which nothing is said.
fn without_speech(chapters: &Chapters) -> Result<Vec<NewContentSegment>, Invalid> {
    let titled = chapters
        .as_slice()
        .iter()
        .filter_map(|chapter| Some((chapter.span, chapter.title.as_deref()?)));
    titled
        .enumerate()
        .map(|(i, (span, title))| {
            let segment = NewContentSegment::new(title, span.to_range()?, Ratio::new(1.0)?)?;
            Ok(NewContentSegment {
                segment_order: NonNegativeInt::position(i)?,
                ..segment
            })
        })
        .collect()
}

/// The sentences of a recording, and how it uses its words.
pub(crate) struct Speech {
    sentences: Vec<Sentence>,
    utterances: Vec<Utterance>,
    vocabulary: Vocabulary,
    word_use: WordUse,
    lexicon: &'static Lexicon,
}

impl Speech {
    /// The transcript is sorted by start and without invented text, the silences are sorted
    /// and disjoint.
    pub(crate) fn of(transcript: &[TranscriptSegmentRef<'_>], silences: &[TimeSpan]) -> Self {
        Self::in_parts(transcript, silences, &Chapters::default().parts())
    }

    /// The same of a recording that consists of these parts.
    fn in_parts(
        transcript: &[TranscriptSegmentRef<'_>],
        silences: &[TimeSpan],
        parts: &[Part<'_>],
    ) -> Self {
        let lexicon = Lexicon::of(transcript.iter().map(|segment| segment.text));
        let sentences = sentence::split(transcript, silences, lexicon);
        let mut kinds = housekeeping::classify(&sentences, lexicon);
        drop_short_stretches(&sentences, &mut kinds);
        let mut vocabulary = Vocabulary::default();
        let parts = parts_of(&sentences, parts);
        let utterances = group_into_utterances(&sentences, &kinds, &parts, &mut vocabulary);
        let texts = sentences.iter().map(|sentence| sentence.text.as_str());
        let word_use = WordUse::of(texts, lexicon);
        Self {
            sentences,
            utterances,
            vocabulary,
            word_use,
            lexicon,
        }
    }

    fn titles(&self) -> Titles<'_> {
        Titles {
            vocabulary: &self.vocabulary,
            word_use: &self.word_use,
            lexicon: self.lexicon,
        }
    }

    /// A title of what is said in a segment; `None` if there is no suitable phrase.
    pub(crate) fn title(&self, segment: TimeSpan) -> Option<String> {
        let sentences = self.sentences_in(segment);
        self.titles().title(&sentences, &self.weights_in(segment))
    }

    /// A title of what is said in a part of a segment with this title; `None` if the part has no
    /// suitable phrase.
    pub(crate) fn title_of_part(
        &self,
        part: TimeSpan,
        segment: TimeSpan,
        title: &str,
    ) -> Option<String> {
        let indices = |within| indices_in(&self.sentences, |sentence| sentence.span, within);
        let (whole, part) = (indices(segment), indices(part));
        let start = part.start.clamp(whole.start, whole.end) - whole.start;
        let end = part.end.clamp(whole.start, whole.end) - whole.start;
        let sentences = self.sentences_in(segment);
        self.titles()
            .title_of_part(title, &sentences, start..end, &self.weights_in(segment))
    }

    /// A title for a part of a segment with this title, whose other clips have the titles `used`.
    /// `is_own` is whether [`Speech::title`] gave the title of the segment; one from elsewhere
    /// stays at the start. `None` if the part says nothing of its own.
    pub(crate) fn distinguishing_title(
        &self,
        part: TimeSpan,
        title: &str,
        is_own: bool,
        used: &[&str],
    ) -> Option<String> {
        let (titles, weights) = (self.titles(), self.weights_in(part));
        let sentences = self.sentences_in(part);
        let own = is_own.then(|| titles.distinguishing_title(title, used, &sentences, &weights));
        own.flatten().or_else(|| {
            let phrase = titles.distinguishing_phrase(used, &sentences, &weights)?;
            let (name, _) = title.split_once(": ").unwrap_or((title, ""));
            Some(format!("{name}: {phrase}"))
        })
    }

    /// Whether a word may be a noun that names a topic.
    pub(crate) fn may_name_topic(&self, word: &str) -> bool {
        let normalized = normalize(word);
        let is_noun = if self.word_use.has_capitalized_nouns {
            is_capitalized(word)
        } else {
            !self.lexicon.is_verb_form(&normalized) && !self.lexicon.is_adjective_form(&normalized)
        };
        is_noun
            && !self.lexicon.is_function_word(&normalized)
            && !self.lexicon.general_words.contains(normalized.as_str())
    }

    pub(crate) fn lexicon(&self) -> &'static Lexicon {
        self.lexicon
    }

    /// The texts of the sentences whose middle is in the span.
    fn sentences_in(&self, span: TimeSpan) -> Vec<&str> {
        let range = indices_in(&self.sentences, |sentence| sentence.span, span);
        let sentences = self.sentences[range].iter();
        sentences.map(|sentence| sentence.text.as_str()).collect()
    }

    fn weights_in(&self, span: TimeSpan) -> TermWeights {
        let range = indices_in(&self.utterances, |utterance| utterance.span, span);
        TermWeights::of(&self.utterances[range], &self.vocabulary)
    }
}

/// The indices of the items, which are sorted, whose middle is in `within`.
fn indices_in<T>(items: &[T], span: impl Fn(&T) -> TimeSpan, within: TimeSpan) -> Range<usize> {
    let before = |time: f64| items.partition_point(|item| span(item).midpoint() < time);
    let first = before(within.start);
    first..before(within.end).max(first)
}

/// Lets short stretches of housekeeping count as content.
fn drop_short_stretches(sentences: &[Sentence], kinds: &mut [Option<Housekeeping>]) {
    let mut start = 0;
    for stretch in kinds.chunk_by_mut(|a, b| a == b) {
        let end = start + stretch.len();
        let length = sentences[end - 1].span.end - sentences[start].span.start;
        if length < MIN_HOUSEKEEPING_STRETCH {
            stretch.fill(None);
        }
        start = end;
    }
}

/// For each sentence, the index of the part with its middle. Sentences may overlap, but the
/// parts are in order.
fn parts_of(sentences: &[Sentence], parts: &[Part<'_>]) -> Vec<usize> {
    let mut part = 0;
    sentences
        .iter()
        .map(|sentence| {
            let middle = sentence.span.midpoint();
            while parts[part].span.end <= middle && part + 1 < parts.len() {
                part += 1;
            }
            part
        })
        .collect()
}
