//! The chapters of a recording: someone's own division into topics.
//!
//! Files have chapters of every kind: set by hand with a title each, one for each slide, numbered
//! by a program, or damaged. [`Chapters::of`] keeps those that divide the recording, and the
//! titles among them that say something.

mod title;

use lectern_domain::NewContentSegment;

use crate::time_span::TimeSpan;
use title::{drop_common_title, own_title};

/// The greatest number of chapters that are used. More are no division into topics, but one into
/// scenes or frames.
pub const MAX_CHAPTERS: usize = 500;
/// A shorter chapter belongs to the one before it, in seconds.
const MIN_LENGTH: f64 = 5.0;
/// A longer chapter is divided into several topics, in seconds.
const MAX_UNDIVIDED_LENGTH: f64 = 600.0;
/// Shorter gaps between chapters, and before the first and after the last one, are inaccuracies,
/// in seconds. So are shorter overlaps.
const MAX_GAP: f64 = 2.0;

/// A chapter as a file has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChapterRef<'a> {
    /// Start in the recording, in seconds.
    pub start: f64,
    /// End in the recording, in seconds.
    pub end: f64,
    /// The title, if there is one.
    pub title: Option<&'a str>,
}

/// The chapters that divide a recording, in order and without overlaps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chapters {
    list: Vec<Chapter>,
    left_out: usize,
    overlap: bool,
}

/// A chapter that is used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chapter {
    pub(crate) span: TimeSpan,
    /// As the file spells it; `None` if the file has none, or a generic one.
    pub(crate) title: Option<String>,
}

impl Chapter {
    /// Whether the chapter is one topic, however its words change.
    pub(crate) fn is_undivided(&self) -> bool {
        self.span.length() <= MAX_UNDIVIDED_LENGTH
    }
}

/// How content segments follow the chapters of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChapterUse {
    /// The number of chapters.
    pub chapters: usize,
    /// How many of them have content segments.
    pub with_segments: usize,
    /// How many of them have more than one, because they are longer than ten minutes.
    pub divided: usize,
}

impl Chapters {
    /// The chapters that can be used, of a recording of `duration` seconds. There are none if
    /// there are more than [`MAX_CHAPTERS`], or if one chapter is the whole recording.
    ///
    /// Chapters that last no time, or begin outside the recording, are left out. Where chapters
    /// overlap, each ends where the next one begins. A title such as "Chapter 1" or
    /// "00:10:00.000", or one that all chapters have, is none.
    pub fn of<'a>(chapters: impl IntoIterator<Item = ChapterRef<'a>>, duration: f64) -> Self {
        let mut refs: Vec<ChapterRef<'a>> = Vec::new();
        let mut left_out = 0;
        for chapter in chapters {
            let is_inside = (0.0..duration).contains(&chapter.start);
            if is_inside && chapter.end > chapter.start {
                refs.push(chapter);
            } else {
                left_out += 1;
            }
            if refs.len() + left_out > MAX_CHAPTERS {
                return Self::default();
            }
        }
        refs.sort_by(|a, b| a.start.total_cmp(&b.start));
        let overlap = refs
            .windows(2)
            .any(|pair| pair[0].end > pair[1].start + MAX_GAP);
        let mut list = divide(&refs, duration);
        if matches!(list.as_slice(), [only] if only.span == TimeSpan::new(0.0, duration)) {
            list.clear();
        }
        drop_common_title(&mut list);
        Self {
            list,
            left_out,
            overlap,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether a chapter has a title that says something.
    pub fn have_titles(&self) -> bool {
        self.list.iter().any(|chapter| chapter.title.is_some())
    }

    /// The title of the chapter at a time, in seconds. `None` if it has none, or if there is no
    /// chapter.
    pub fn title_at(&self, time: f64) -> Option<&str> {
        self.list[self.index_at(time)?].title.as_deref()
    }

    /// The number of chapters that are left out, because they last no time or begin outside the
    /// recording.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether chapters of the file overlap.
    pub fn overlap(&self) -> bool {
        self.overlap
    }

    /// How content segments that were found with these chapters follow them.
    pub fn used_by(&self, segments: &[NewContentSegment]) -> ChapterUse {
        let middles = segments
            .iter()
            .map(|segment| TimeSpan::from(segment.time).midpoint());
        let mut counts = vec![0_usize; self.list.len()];
        for middle in middles {
            if let Some(i) = self.index_at(middle) {
                counts[i] += 1;
            }
        }
        ChapterUse {
            chapters: counts.len(),
            with_segments: counts.iter().filter(|count| **count > 0).count(),
            divided: counts.iter().filter(|count| **count > 1).count(),
        }
    }

    pub(crate) fn as_slice(&self) -> &[Chapter] {
        &self.list
    }

    /// The parts of all time that the chapters and the gaps between them are, in order.
    pub(crate) fn parts(&self) -> Vec<Part<'_>> {
        let gap = |start, end| Part {
            span: TimeSpan::new(start, end),
            chapter: None,
        };
        let mut parts = Vec::new();
        let mut end = f64::NEG_INFINITY;
        for chapter in &self.list {
            if chapter.span.start > end {
                parts.push(gap(end, chapter.span.start));
            }
            parts.push(Part {
                span: chapter.span,
                chapter: Some(chapter),
            });
            end = chapter.span.end;
        }
        parts.push(gap(end, f64::INFINITY));
        parts
    }

    /// The index of the chapter at a time.
    fn index_at(&self, time: f64) -> Option<usize> {
        let after = self
            .list
            .partition_point(|chapter| chapter.span.start <= time);
        let i = after.checked_sub(1)?;
        (time < self.list[i].span.end).then_some(i)
    }
}

/// A chapter, or a gap between chapters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part<'a> {
    /// Infinite before the first chapter and after the last one.
    pub(crate) span: TimeSpan,
    pub(crate) chapter: Option<&'a Chapter>,
}

/// The chapters of a recording of `duration` seconds, without gaps and overlaps that are
/// inaccuracies. `refs` are sorted, and begin inside the recording.
fn divide(refs: &[ChapterRef<'_>], duration: f64) -> Vec<Chapter> {
    let mut list: Vec<Chapter> = Vec::with_capacity(refs.len());
    // Up to where time is in a chapter, and the start of short chapters that have none before.
    let mut covered = 0.0;
    let mut short_start = None;
    for (i, chapter) in refs.iter().enumerate() {
        let next = refs.get(i + 1).map_or(duration, |next| next.start);
        let end = if next - chapter.end < MAX_GAP {
            next
        } else {
            chapter.end
        };
        let adjoins = chapter.start - covered < MAX_GAP;
        let start = if adjoins { covered } else { chapter.start };
        covered = end;
        if end - start < MIN_LENGTH {
            match list.last_mut() {
                Some(previous) if adjoins => previous.span.end = end,
                _ => short_start = short_start.filter(|_| adjoins).or(Some(start)),
            }
            continue;
        }
        let start = short_start.take().filter(|_| adjoins).unwrap_or(start);
        list.push(Chapter {
            span: TimeSpan::new(start, end),
            title: chapter.title.and_then(own_title),
        });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(start: f64, end: f64, title: &str) -> ChapterRef<'_> {
        ChapterRef {
            start,
            end,
            title: Some(title),
        }
    }

    /// The chapters of a recording of 300 seconds.
    fn used<'a>(chapters: &[(f64, f64, &'a str)]) -> Vec<(f64, f64, &'a str)> {
        let refs = chapters
            .iter()
            .map(|&(start, end, title)| chapter(start, end, title));
        let found = Chapters::of(refs, 300.0);
        let title = |used: &Chapter| {
            let title = used.title.as_deref().unwrap_or_default();
            let same = chapters.iter().find(|(_, _, other)| *other == title);
            same.map_or("", |(_, _, title)| title)
        };
        found
            .as_slice()
            .iter()
            .map(|used| (used.span.start, used.span.end, title(used)))
            .collect()
    }

    #[test]
    fn small_gaps_and_all_overlaps_are_closed() {
        let found = used(&[
            (1.0, 100.0, "Sand"),
            (101.0, 150.0, "Clay"),
            (140.0, 220.0, "Silt"),
            (260.0, 298.5, "Loess"),
        ]);
        let expected = [
            (0.0, 101.0, "Sand"),
            (101.0, 140.0, "Clay"),
            (140.0, 220.0, "Silt"),
            (260.0, 300.0, "Loess"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn chapters_may_be_in_any_order() {
        let found = used(&[(150.0, 300.0, "Clay"), (0.0, 150.0, "Sand")]);
        assert_eq!(found, [(0.0, 150.0, "Sand"), (150.0, 300.0, "Clay")]);
    }

    #[test]
    fn short_chapters_belong_to_the_one_before() {
        let found = used(&[
            (0.0, 4.0, "Logo"),
            (4.0, 100.0, "Sand"),
            (100.0, 103.0, "Bell"),
            (103.0, 300.0, "Clay"),
        ]);
        assert_eq!(found, [(0.0, 103.0, "Sand"), (103.0, 300.0, "Clay")]);
    }

    #[test]
    fn chapters_without_length_or_outside_the_recording_are_left_out() {
        let chapters = Chapters::of(
            [
                chapter(0.0, 150.0, "Sand"),
                chapter(150.0, 150.0, "Nothing"),
                chapter(150.0, 400.0, "Clay"),
                chapter(90.0, 20.0, "Backwards"),
                chapter(-5.0, 20.0, "Before"),
                chapter(300.0, 400.0, "After"),
                chapter(f64::NAN, 30.0, "Never"),
                chapter(30.0, f64::NAN, "Endless"),
            ],
            300.0,
        );
        let ends: Vec<f64> = chapters.list.iter().map(|used| used.span.end).collect();
        assert_eq!(ends, [150.0, 300.0]);
        assert_eq!((chapters.left_out(), chapters.overlap()), (6, false));
    }

    #[test]
    fn a_chapter_of_the_whole_recording_divides_nothing() {
        assert_eq!(used(&[(0.0, 299.0, "The lecture")]), []);
        let rest = [(120.0, 300.0, "Questions")];
        assert_eq!(used(&rest), rest);
    }

    #[test]
    fn too_many_chapters_are_not_used() {
        let chapters = |count: usize| {
            let start = |i: usize| 10.0 * i as f64;
            let chapters = (0..count).map(|i| ChapterRef {
                start: start(i),
                end: start(i + 1),
                title: None,
            });
            Chapters::of(chapters, 10.0 * count as f64).list.len()
        };
        assert_eq!(chapters(MAX_CHAPTERS), MAX_CHAPTERS);
        assert_eq!(chapters(MAX_CHAPTERS + 1), 0);
    }

    #[test]
    fn the_parts_of_time_are_chapters_and_gaps() {
        let chapters = Chapters::of(
            [chapter(50.0, 100.0, "Sand"), chapter(100.0, 200.0, "Clay")],
            300.0,
        );
        let spans: Vec<_> = chapters
            .parts()
            .iter()
            .map(|part| (part.span.start, part.span.end, part.chapter.is_some()))
            .collect();
        let expected = [
            (f64::NEG_INFINITY, 50.0, false),
            (50.0, 100.0, true),
            (100.0, 200.0, true),
            (200.0, f64::INFINITY, false),
        ];
        assert_eq!(spans, expected);
        assert_eq!(Chapters::default().parts().len(), 1);
    }
}
