//! What the picture consists of.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::value::string_enum::string_enum;
use crate::{At, Invalid, JobId, JsonValue, LayoutAnalysisId, NonNegativeInt, Ratio, Seconds};

string_enum! {
    /// How screen and camera share the picture.
    LayoutType {
        /// Next to each other.
        SideBySide = "side_by_side",
        /// The camera in a corner of the screen.
        PictureInPicture = "picture_in_picture",
        /// No camera.
        ScreenOnly = "screen_only",
        /// No screen.
        CameraOnly = "camera_only",
        /// It could not be told.
        Unknown = "unknown",
    }
}

/// A rectangle in the picture, in pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Distance from the left edge.
    pub x: NonNegativeInt,
    /// Distance from the top edge.
    pub y: NonNegativeInt,
    /// Width.
    pub width: NonNegativeInt,
    /// Height.
    pub height: NonNegativeInt,
}

impl Region {
    /// Checks that no number is negative; the error names the one that is.
    pub fn new(x: i32, y: i32, width: i32, height: i32) -> Result<Self, Invalid> {
        Ok(Self {
            x: NonNegativeInt::new(x).at("x")?,
            y: NonNegativeInt::new(y).at("y")?,
            width: NonNegativeInt::new(width).at("width")?,
            height: NonNegativeInt::new(height).at("height")?,
        })
    }
}

/// The object `{x, y, width, height}`.
impl JsonValue for Region {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        let number = |name: &str| {
            json.get(name)
                .and_then(Value::as_i64)
                .and_then(|number| i32::try_from(number).ok())
                .ok_or_else(|| Invalid::field(name, "must be a whole number, 0 or more"))
        };
        Self::new(
            number("x")?,
            number("y")?,
            number("width")?,
            number("height")?,
        )
    }

    fn to_json(&self) -> Value {
        json!({
            "x": self.x.get(),
            "y": self.y.get(),
            "width": self.width.get(),
            "height": self.height.get(),
        })
    }
}

/// The layout analysis of a job as it is stored; a job has at most one.
#[derive(Debug, Clone, PartialEq)]
pub struct LayoutAnalysis {
    /// Public id.
    pub layout_id: LayoutAnalysisId,
    /// The job whose recording it is.
    pub job_id: JobId,
    /// What was found.
    pub found: NewLayoutAnalysis,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
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
    /// Which share of the width the screen takes.
    pub split_ratio: Option<Ratio>,
    /// How sure the analysis is.
    pub confidence_score: Ratio,
    /// Which frame the regions were read off, in seconds.
    pub sample_frame_time: Option<Seconds>,
}
