//! The layouts of a recording over time.

use serde_json::{Value, json};

use crate::layout_type::{LayoutType, Region};
use crate::value::{InField, Invalid, JsonValue, ParseEnumError, Ratio, TimeRange};

/// The layout of one stretch of the recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayoutStretch {
    /// When the picture has this layout.
    pub time: TimeRange,
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
}

/// The layouts of a recording: stretches in order of time that do not overlap. Empty if they
/// are not known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayoutStretches(Vec<LayoutStretch>);

impl LayoutStretches {
    /// The greatest number of stretches.
    pub const MAX: usize = 1000;

    /// Checks the number and the order; the error names the first stretch that starts before
    /// the end of an earlier one.
    pub fn new(stretches: Vec<LayoutStretch>) -> Result<Self, Invalid> {
        if stretches.len() > Self::MAX {
            return Err(Invalid::new(format!(
                "must have at most {} stretches",
                Self::MAX
            )));
        }
        for (i, pair) in stretches.windows(2).enumerate() {
            if pair[1].time.start() < pair[0].time.end() {
                let rule = "must not be before the end_time of the stretch before";
                return Err(Invalid::field("start_time", rule)).in_field(&format!("[{}]", i + 1));
            }
        }
        Ok(Self(stretches))
    }

    /// In order of time.
    pub fn as_slice(&self) -> &[LayoutStretch] {
        &self.0
    }

    /// Divides a range of time into parts that follow each other, each with its stretch, or
    /// `None` where there is no stretch.
    pub fn in_range(&self, range: TimeRange) -> Vec<(TimeRange, Option<&LayoutStretch>)> {
        let mut parts = Vec::new();
        let mut time = range.start();
        let mut add = |end: f64, stretch| {
            let end = end.min(range.end());
            if end > time {
                parts.extend(TimeRange::new(time, end).map(|part| (part, stretch)));
                time = end;
            }
        };
        for stretch in &self.0 {
            add(stretch.time.start(), None);
            add(stretch.time.end(), Some(stretch));
        }
        add(range.end(), None);
        parts
    }
}

impl LayoutStretch {
    fn from_json(json: &Value) -> Result<Self, Invalid> {
        let missing = |name: &str| Invalid::field(name, "must be a number");
        let optional = |name: &str| json.get(name).and_then(Value::as_f64);
        let number = |name: &str| optional(name).ok_or_else(|| missing(name));
        let region = |name: &str| match json.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(region) => Region::from_json(region.clone()).map(Some).in_field(name),
        };
        let layout_type = json.get("layout_type").and_then(Value::as_str);
        let layout_type = layout_type.unwrap_or_default().parse();
        let layout_type =
            layout_type.map_err(|error: ParseEnumError| Invalid::new(error.to_string()));
        Ok(Self {
            time: TimeRange::new(number("start_time")?, number("end_time")?)?,
            layout_type: layout_type.in_field("layout_type")?,
            screen_region: region("screen_region")?,
            camera_region: region("camera_region")?,
            split_ratio: optional("split_ratio")
                .map(Ratio::new)
                .transpose()
                .in_field("split_ratio")?,
            confidence_score: Ratio::new(number("confidence_score")?)
                .in_field("confidence_score")?,
        })
    }

    fn to_json(self) -> Value {
        json!({
            "start_time": self.time.start(),
            "end_time": self.time.end(),
            "layout_type": self.layout_type,
            "screen_region": self.screen_region.map(|region| region.to_json()),
            "camera_region": self.camera_region.map(|region| region.to_json()),
            "split_ratio": self.split_ratio.map(Ratio::get),
            "confidence_score": self.confidence_score.get(),
        })
    }
}

/// An array of objects with the fields of [`LayoutStretch`].
impl JsonValue for LayoutStretches {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        let Value::Array(stretches) = json else {
            return Err(Invalid::new("must be an array"));
        };
        let stretches = stretches.iter().map(LayoutStretch::from_json);
        Self::new(stretches.collect::<Result<_, _>>()?)
    }

    fn to_json(&self) -> Value {
        self.0.iter().map(|stretch| stretch.to_json()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(start: f64, end: f64, layout_type: LayoutType) -> LayoutStretch {
        LayoutStretch {
            time: TimeRange::new(start, end).unwrap(),
            layout_type,
            screen_region: Some(Region::new(0, 0, 640, 360).unwrap()),
            camera_region: None,
            split_ratio: None,
            confidence_score: Ratio::new(0.8).unwrap(),
        }
    }

    #[test]
    fn stretches_are_in_order_and_read_back_as_written() {
        let (first, second) = (
            stretch(0.0, 9.5, LayoutType::ScreenOnly),
            stretch(9.5, 20.0, LayoutType::PictureInPicture),
        );
        let stretches = LayoutStretches::new(vec![first, second]).unwrap();
        assert_eq!(
            LayoutStretches::from_json(stretches.to_json()),
            Ok(stretches)
        );
        let error = LayoutStretches::new(vec![second, first]).unwrap_err();
        assert_eq!(error.errors()[0].field, "[1].start_time");
        let many = vec![stretch(1.0, 1.0, LayoutType::Unknown); LayoutStretches::MAX + 1];
        assert!(LayoutStretches::new(many).is_err());
    }

    #[test]
    fn the_parts_of_a_range_cover_it() {
        use LayoutType::{CameraOnly, ScreenOnly};
        let stretches = LayoutStretches::new(vec![
            stretch(1.0, 10.0, ScreenOnly),
            stretch(10.0, 10.0, CameraOnly),
            stretch(10.0, 14.0, CameraOnly),
            stretch(15.0, 90.0, ScreenOnly),
        ])
        .unwrap();
        let parts = |start, end| -> Vec<_> {
            let range = TimeRange::new(start, end).unwrap();
            let parts = stretches
                .in_range(range)
                .into_iter()
                .map(|(time, stretch)| {
                    let layout_type = stretch.map(|stretch| stretch.layout_type);
                    (time.start(), time.end(), layout_type)
                });
            parts.collect()
        };
        assert_eq!(parts(2.0, 9.0), [(2.0, 9.0, Some(ScreenOnly))]);
        assert_eq!(
            parts(0.5, 16.0),
            [
                (0.5, 1.0, None),
                (1.0, 10.0, Some(ScreenOnly)),
                (10.0, 14.0, Some(CameraOnly)),
                (14.0, 15.0, None),
                (15.0, 16.0, Some(ScreenOnly)),
            ]
        );
        assert_eq!(parts(95.0, 99.0), [(95.0, 99.0, None)]);
        assert_eq!(parts(5.0, 5.0), []);
    }
}
