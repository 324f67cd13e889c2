//! The layout of the picture: where screen and camera are.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use crate::id::{JobId, LayoutAnalysisId};
use crate::layout_stretch::{LayoutStretch, LayoutStretches};
use crate::layout_type::{LayoutType, Region};
use crate::value::{Ratio, Seconds, TimeRange};

/// The stored layout analysis of a job, at most one per job; dereferences to the
/// [`NewLayoutAnalysis`] it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct LayoutAnalysis {
    /// Public id.
    pub layout_id: LayoutAnalysisId,
    /// The job of the recording.
    pub job_id: JobId,
    /// The analysis.
    pub data: NewLayoutAnalysis,
    /// When the analysis was stored.
    pub created_at: DateTime<Utc>,
}

impl Deref for LayoutAnalysis {
    type Target = NewLayoutAnalysis;

    fn deref(&self) -> &NewLayoutAnalysis {
        &self.data
    }
}

/// A layout analysis to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLayoutAnalysis {
    /// How screen and camera share the picture.
    pub layout_type: LayoutType,
    /// Where the screen is.
    pub screen_region: Option<Region>,
    /// Where the camera is.
    pub camera_region: Option<Region>,
    /// The share of the picture's width that the screen takes.
    pub split_ratio: Option<Ratio>,
    /// How sure the analysis is.
    pub confidence_score: Ratio,
    /// Time of the frame in which the regions were measured.
    pub sample_frame_time: Option<Seconds>,
    /// The layouts over time; the other fields have the layout of most of the recording.
    pub stretches: LayoutStretches,
}

impl NewLayoutAnalysis {
    /// The layouts of a range of time, in parts that follow each other and cover the range:
    /// those of the stretches, and where there is none the layout of the whole recording.
    #[must_use]
    pub fn in_range(&self, range: TimeRange) -> Vec<(TimeRange, Self)> {
        let layout = |stretch: Option<&LayoutStretch>| match stretch {
            Some(stretch) => Self {
                layout_type: stretch.layout_type,
                screen_region: stretch.screen_region,
                camera_region: stretch.camera_region,
                split_ratio: stretch.split_ratio,
                confidence_score: stretch.confidence_score,
                sample_frame_time: None,
                stretches: LayoutStretches::default(),
            },
            None => Self {
                stretches: LayoutStretches::default(),
                ..*self
            },
        };
        let parts = self.stretches.in_range(range).into_iter();
        parts
            .map(|(time, stretch)| (time, layout(stretch)))
            .collect()
    }

    /// An analysis without regions and stretches.
    pub fn new(layout_type: LayoutType, confidence_score: Ratio) -> Self {
        Self {
            layout_type,
            screen_region: None,
            camera_region: None,
            split_ratio: None,
            confidence_score,
            sample_frame_time: None,
            stretches: LayoutStretches::default(),
        }
    }
}
