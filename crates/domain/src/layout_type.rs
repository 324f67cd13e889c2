//! Types of layouts, and regions of the picture.

use serde_json::{Value, json};

use crate::value::string_enum::string_enum;
use crate::value::{InField, Invalid, JsonValue, NonNegativeInt};

string_enum! {
    /// How screen and camera share the picture.
    LayoutType {
        /// Screen and camera next to each other.
        SideBySide = "side_by_side",
        /// The camera in a corner of the screen.
        PictureInPicture = "picture_in_picture",
        /// No camera.
        ScreenOnly = "screen_only",
        /// No screen.
        CameraOnly = "camera_only",
        /// The layout could not be determined.
        Unknown = "unknown",
    }
}

/// A rectangle in the picture, in pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Distance from the left edge of the picture.
    pub x: NonNegativeInt,
    /// Distance from the top edge of the picture.
    pub y: NonNegativeInt,
    /// Width.
    pub width: NonNegativeInt,
    /// Height.
    pub height: NonNegativeInt,
}

impl Region {
    /// Checks that no number is negative; the error names the negative number.
    pub fn new(x: i32, y: i32, width: i32, height: i32) -> Result<Self, Invalid> {
        Ok(Self {
            x: NonNegativeInt::new(x).in_field("x")?,
            y: NonNegativeInt::new(y).in_field("y")?,
            width: NonNegativeInt::new(width).in_field("width")?,
            height: NonNegativeInt::new(height).in_field("height")?,
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
