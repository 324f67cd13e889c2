//! Titles the selected clips.

use lectern_domain::{ClipTopic, Invalid, NewClip, NonNegativeInt, Title};

use super::selection::Selection;
use crate::segment_ref::ContentSegmentRef;
use crate::time_span::TimeSpan;
use crate::truncate::truncate;

/// The maximum length of a description, in characters.
const MAX_DESCRIPTION: usize = 300;

/// A clip and the content segment it was taken from.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedClip {
    /// Index of the content segment; `None` if the recording has no content segments.
    pub segment_index: Option<usize>,
    /// `content_segment_id` is `None`; the caller sets it.
    pub clip: NewClip,
    /// The sentence of the clip that says most about its topic, at most 300 characters, without
    /// fillers and without conjunctions at its start; `None` without a transcript.
    pub description: Option<String>,
}

impl SelectedClip {
    /// A clip with the title of its content segment. `number` counts the clips
    /// of the segment from 1; a number above 1 is appended to the title, for clips in which
    /// nothing is said that would distinguish them.
    pub(super) fn from_segment(
        position: usize,
        selection: &Selection,
        segment: &ContentSegmentRef<'_>,
        number: usize,
        description: Option<String>,
    ) -> Result<Self, Invalid> {
        let title = Title::new(segment.topic.as_str())?;
        let title = match number {
            1 => title,
            _ => numbered(&title, number)?,
        };
        Ok(Self {
            segment_index: Some(selection.candidate),
            clip: NewClip {
                topic: Some(ClipTopic::new(segment.topic.as_str())?),
                importance_score: Some(segment.importance_score),
                ..with_title(position, selection.run.span, title)?
            },
            description: description.map(|text| truncate(&text, MAX_DESCRIPTION)),
        })
    }

    /// The clip with a title of its own.
    pub(super) fn with_title(mut self, title: &str) -> Result<Self, Invalid> {
        self.clip.title = Title::new(truncate(title, Title::MAX))?;
        Ok(self)
    }

    /// A clip without a content segment, titled "Part 1", "Part 2" and so on.
    pub(super) fn without_segment(position: usize, span: TimeSpan) -> Result<Self, Invalid> {
        let title = Title::new(format!("Part {}", position + 1))?;
        Ok(Self {
            segment_index: None,
            clip: with_title(position, span, title)?,
            description: None,
        })
    }
}

fn with_title(position: usize, span: TimeSpan, title: Title) -> Result<NewClip, Invalid> {
    Ok(NewClip {
        clip_order: NonNegativeInt::position(position)?,
        ..NewClip::new(title, span.to_range()?)?
    })
}

/// Appends a number to the title, which is truncated if it gets too long.
fn numbered(title: &Title, number: usize) -> Result<Title, Invalid> {
    let suffix = format!(" ({number})");
    let kept: String = title.chars().take(Title::MAX - suffix.len()).collect();
    Title::new(kept + &suffix)
}
