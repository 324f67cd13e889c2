//! Titles for the clips of a segment, which differ from that of the segment and from each other.
//!
//! A title promises only what is said in the part, and is about what the title of the segment is
//! about if the part mentions that.

use std::ops::Range;

use super::between::between;
use super::claim::best_claim;
use super::keyphrases::TermWeights;
use super::phrase_pair::best_pair;
use super::title::Said;
use super::title_candidate::{Candidate, candidates};
use super::title_words::{MIN_WORDS, Titles};
use super::word_use::capitalize;

/// The minimum score of the best phrase of a part, as a fraction of the highest of its segment.
const MIN_SHARE_OF_SEGMENT: f64 = 0.3;

/// The minimum score of a claim that is better than a pair with what the segment is about, as a
/// fraction of the highest score of a phrase.
const MIN_CLAIM_SCORE: f64 = 0.5;

impl Titles<'_> {
    /// A title for the sentences `part` of a segment: a claim of these, or else what the title of
    /// the segment is about if they mention that. `None` if they have no suitable phrase.
    pub(super) fn title_of_part(
        &self,
        of_segment: &str,
        sentences: &[&str],
        part: Range<usize>,
        weights: &TermWeights,
    ) -> Option<String> {
        if !self.lexicon.is_known() {
            return None;
        }
        let said = &sentences[part.clone()];
        // The whole segment shows what is central, but a title promises only what is in the part.
        let mut candidates = candidates(self, sentences, weights);
        let claim = best_claim(self, said, &candidates);
        let highest = |candidates: &[Candidate]| {
            let scores = candidates.iter().map(|candidate| candidate.score);
            scores.fold(0.0, f64::max)
        };
        let min_score = MIN_SHARE_OF_SEGMENT * highest(&candidates);
        for candidate in &mut candidates {
            candidate.restrict(&part);
            let explanation = candidate.explanation.take();
            candidate.explanation =
                explanation.filter(|text| said.iter().any(|sentence| sentence.contains(text)));
        }
        candidates.retain(|candidate| !candidate.sentences.is_empty());
        if highest(&candidates) < min_score {
            return None;
        }
        let and = format!(" {} ", self.lexicon.conjunction);
        let (name, _) = of_segment.split_once(": ").unwrap_or((of_segment, ""));
        let names: Vec<String> = name.split(&and).map(str::to_lowercase).collect();
        let place = |candidate: &Candidate| {
            let text = candidate.text.to_lowercase();
            names.iter().position(|name| *name == text)
        };
        let mentioned = candidates
            .iter()
            .filter_map(|candidate| Some((place(candidate)?, candidate)));
        let head = mentioned
            .min_by_key(|(place, _)| *place)
            .map(|(_, head)| head);
        let said = Said {
            sentences: said,
            weights,
        };
        let title = self.compose(&candidates, head, claim, &said)?;
        (title.split(' ').count() >= MIN_WORDS).then_some(title)
    }

    /// A title for some sentences of a segment that differs from those of the other clips of the
    /// segment, `used`. It is about what the title of the segment is about, if these sentences
    /// mention that. `None` if they have no phrase of their own.
    pub(super) fn distinguishing_title(
        &self,
        of_segment: &str,
        used: &[&str],
        sentences: &[&str],
        weights: &TermWeights,
    ) -> Option<String> {
        if !self.lexicon.is_known() {
            return None;
        }
        let mut candidates = candidates(self, sentences, weights);
        let claim = best_claim(self, sentences, &candidates);
        let claim = claim.filter(|claim| {
            let is_used = used.iter().any(|title| capitalize(&claim.text) == **title);
            !is_used && claim.score >= MIN_CLAIM_SCORE
        });
        let name = self.first_part(of_segment).to_lowercase();
        let head = candidates
            .iter()
            .position(|candidate| candidate.text.to_lowercase() == name)
            .map(|head| candidates.remove(head));
        let used = self.ids(&used.join(" "));
        candidates.retain(|candidate| candidate.ids.iter().all(|id| !used.contains(id)));
        let title = if let (Some(_), Some(claim)) = (&head, claim) {
            claim.text
        } else if let Some(head) = &head {
            let pair = best_pair(Some(head), &candidates, 0.0)?;
            let and = self.lexicon.conjunction;
            let (first, second) = (&pair.first.text, &pair.second.text);
            let joined = between(self, sentences, &pair);
            joined.unwrap_or_else(|| {
                format!("{} {and} {}", self.spelled(first), self.spelled(second))
            })
        } else {
            let claim = best_claim(self, sentences, &candidates);
            let said = Said { sentences, weights };
            self.compose(&candidates, None, claim, &said)?
        };
        (title.split(' ').count() >= MIN_WORDS).then(|| capitalize(&title))
    }

    /// The phrase of these sentences that those of `used` do not have.
    pub(super) fn distinguishing_phrase(
        &self,
        used: &[&str],
        sentences: &[&str],
        weights: &TermWeights,
    ) -> Option<String> {
        if !self.lexicon.is_known() {
            return None;
        }
        let used = self.ids(&used.join(" "));
        let candidates = candidates(self, sentences, weights);
        let is_new = |candidate: &&Candidate| {
            candidate.may_stand_alone && candidate.ids.iter().all(|id| !used.contains(id))
        };
        let phrase = candidates.iter().find(is_new)?;
        Some(self.spelled(&phrase.text))
    }

    /// The first phrase of a title.
    fn first_part<'t>(&self, title: &'t str) -> &'t str {
        let and = format!(" {} ", self.lexicon.conjunction);
        let (name, _) = title.split_once(": ").unwrap_or((title, ""));
        name.split_once(&and).map_or(name, |(first, _)| first)
    }
}
