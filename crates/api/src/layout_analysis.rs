//! Layout analyses.

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, InField, Invalid, JobId, LayoutAnalysisId, LayoutType};
use lectern_domain::{
    LayoutStretch, LayoutStretches, NewLayoutAnalysis, Ratio, Seconds, TimeRange,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::wire::Request;
use crate::wire::integer::integer;
use crate::wire::items::Items;
use crate::wire::json_object::optional_object;
use crate::wire::request::{convert_each, optional};
use crate::wire::validation::FieldErrors;

/// A rectangle in the picture, in pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Distance from the left edge.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(deserialize_with = "integer")]
    pub x: i32,
    /// Distance from the top edge.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(deserialize_with = "integer")]
    pub y: i32,
    /// Width.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(deserialize_with = "integer")]
    pub width: i32,
    /// Height.
    #[validate(range(min = 0, max = i32::MAX))]
    #[serde(deserialize_with = "integer")]
    pub height: i32,
}

impl TryFrom<Region> for domain::Region {
    type Error = Invalid;

    fn try_from(region: Region) -> Result<Self, Invalid> {
        Self::new(region.x, region.y, region.width, region.height)
    }
}

impl From<domain::Region> for Region {
    fn from(region: domain::Region) -> Self {
        Self {
            x: region.x.get(),
            y: region.y.get(),
            width: region.width.get(),
            height: region.height.get(),
        }
    }
}

/// The layout of one stretch of the recording.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutStretchBody {
    /// Start in the recording, in seconds; not before the end of the stretch before.
    #[validate(range(min = 0.0))]
    pub start_time: f64,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    pub end_time: f64,
    /// How screen and camera share the picture.
    pub layout_type: LayoutType,
    /// Region of the picture that shows the screen.
    #[validate(nested)]
    #[serde(default, deserialize_with = "optional_object")]
    pub screen_region: Option<Region>,
    /// Region of the picture that shows the camera image.
    #[validate(nested)]
    #[serde(default, deserialize_with = "optional_object")]
    pub camera_region: Option<Region>,
    /// Share of the picture's width that the screen takes, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub split_ratio: Option<f64>,
    /// Confidence of the analysis, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub confidence_score: f64,
}

impl TryFrom<LayoutStretchBody> for LayoutStretch {
    type Error = Invalid;

    fn try_from(stretch: LayoutStretchBody) -> Result<Self, Invalid> {
        Ok(Self {
            time: TimeRange::new(stretch.start_time, stretch.end_time)?,
            layout_type: stretch.layout_type,
            screen_region: to_domain(stretch.screen_region).in_field("screen_region")?,
            camera_region: to_domain(stretch.camera_region).in_field("camera_region")?,
            split_ratio: optional("split_ratio", stretch.split_ratio, Ratio::new)?,
            confidence_score: Ratio::new(stretch.confidence_score).in_field("confidence_score")?,
        })
    }
}

fn to_domain(region: Option<Region>) -> Result<Option<domain::Region>, Invalid> {
    region.map(TryInto::try_into).transpose()
}

/// The layout analysis of a job, which replaces the stored analysis.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "layout_type": "side_by_side",
        "screen_region": { "x": 0, "y": 0, "width": 1440, "height": 1080 },
        "camera_region": { "x": 1440, "y": 0, "width": 480, "height": 270 },
        "split_ratio": 0.75,
        "confidence_score": 0.9,
        "sample_frame_time": 3.0,
        "stretches": [
            {
                "start_time": 0.0,
                "end_time": 340.0,
                "layout_type": "side_by_side",
                "screen_region": { "x": 0, "y": 0, "width": 1440, "height": 1080 },
                "camera_region": { "x": 1440, "y": 0, "width": 480, "height": 270 },
                "split_ratio": 0.75,
                "confidence_score": 0.9,
            },
        ],
    }))]
pub struct LayoutAnalysisBody {
    /// How screen and camera share the picture.
    pub layout_type: LayoutType,
    /// Region of the picture that shows the screen.
    #[validate(nested)]
    #[serde(default, deserialize_with = "optional_object")]
    pub screen_region: Option<Region>,
    /// Region of the picture that shows the camera image.
    #[validate(nested)]
    #[serde(default, deserialize_with = "optional_object")]
    pub camera_region: Option<Region>,
    /// Share of the picture's width that the screen takes, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub split_ratio: Option<f64>,
    /// Confidence of the analysis, 0 to 1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub confidence_score: f64,
    /// Time in the recording of the frame in which the regions were measured, in seconds.
    #[validate(range(min = 0.0))]
    pub sample_frame_time: Option<f64>,
    /// The layouts over time, in order: a stretch for each change of the layout. The other
    /// fields have the layout of most of the recording.
    pub stretches: Option<Items<LayoutStretchBody>>,
}

impl Request for LayoutAnalysisBody {
    type Domain = NewLayoutAnalysis;

    fn out_of_bounds(&self) -> FieldErrors {
        let stretches = self.stretches.as_ref();
        let of_stretches = stretches.map(|stretches| stretches.errors("stretches"));
        FieldErrors::of(self).and(of_stretches.unwrap_or_default())
    }
}

impl TryFrom<LayoutAnalysisBody> for NewLayoutAnalysis {
    type Error = Invalid;

    fn try_from(layout: LayoutAnalysisBody) -> Result<Self, Invalid> {
        let stretches = layout.stretches.map(Items::into_vec).unwrap_or_default();
        let stretches = convert_each("stretches", stretches, LayoutStretch::try_from)?;
        Ok(Self {
            layout_type: layout.layout_type,
            screen_region: to_domain(layout.screen_region).in_field("screen_region")?,
            camera_region: to_domain(layout.camera_region).in_field("camera_region")?,
            split_ratio: optional("split_ratio", layout.split_ratio, Ratio::new)?,
            confidence_score: Ratio::new(layout.confidence_score).in_field("confidence_score")?,
            sample_frame_time: optional(
                "sample_frame_time",
                layout.sample_frame_time,
                Seconds::new,
            )?,
            stretches: LayoutStretches::new(stretches).in_field("stretches")?,
        })
    }
}

/// The layout of one stretch of the recording.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LayoutStretchResponse {
    /// Start in the recording, in seconds.
    pub start_time: f64,
    /// End in the recording, in seconds.
    pub end_time: f64,
    /// How screen and camera share the picture.
    pub layout_type: LayoutType,
    /// Region of the picture that shows the screen.
    pub screen_region: Option<Region>,
    /// Region of the picture that shows the camera image.
    pub camera_region: Option<Region>,
    /// Share of the picture's width that the screen takes, 0 to 1.
    pub split_ratio: Option<Ratio>,
    /// Confidence of the analysis, 0 to 1.
    pub confidence_score: Ratio,
}

impl From<&LayoutStretch> for LayoutStretchResponse {
    fn from(stretch: &LayoutStretch) -> Self {
        Self {
            start_time: stretch.time.start(),
            end_time: stretch.time.end(),
            layout_type: stretch.layout_type,
            screen_region: stretch.screen_region.map(Into::into),
            camera_region: stretch.camera_region.map(Into::into),
            split_ratio: stretch.split_ratio,
            confidence_score: stretch.confidence_score,
        }
    }
}

/// The layout analysis of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LayoutAnalysisResponse {
    /// The job that the analysis belongs to.
    pub job_id: JobId,
    /// Id of the analysis.
    pub layout_id: LayoutAnalysisId,
    /// How screen and camera share the picture.
    pub layout_type: LayoutType,
    /// Region of the picture that shows the screen.
    pub screen_region: Option<Region>,
    /// Region of the picture that shows the camera image.
    pub camera_region: Option<Region>,
    /// Share of the picture's width that the screen takes, 0 to 1.
    pub split_ratio: Option<Ratio>,
    /// Confidence of the analysis, 0 to 1.
    pub confidence_score: Ratio,
    /// Time in the recording of the frame in which the regions were measured, in seconds.
    pub sample_frame_time: Option<Seconds>,
    /// The layouts over time, in order; the other fields have the layout of most of the
    /// recording. Empty if they are not known.
    pub stretches: Vec<LayoutStretchResponse>,
    /// When the analysis was stored.
    pub created_at: DateTime<Utc>,
}

impl From<domain::LayoutAnalysis> for LayoutAnalysisResponse {
    fn from(layout: domain::LayoutAnalysis) -> Self {
        Self {
            job_id: layout.job_id,
            layout_id: layout.layout_id,
            layout_type: layout.data.layout_type,
            screen_region: layout.data.screen_region.map(Into::into),
            camera_region: layout.data.camera_region.map(Into::into),
            split_ratio: layout.data.split_ratio,
            confidence_score: layout.data.confidence_score,
            sample_frame_time: layout.data.sample_frame_time,
            stretches: layout
                .data
                .stretches
                .as_slice()
                .iter()
                .map(Into::into)
                .collect(),
            created_at: layout.created_at,
        }
    }
}
