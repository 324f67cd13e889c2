//! The picture of a clip, which changes where the layout of the recording does.

use std::collections::BTreeMap;

use lectern_domain::{ClipLayout, NewLayoutAnalysis, NonNegativeInt, Region, TimeRange};
use lectern_media::{Composition, CompositionChange, CutSettings, VideoStream};
use serde_json::{Map, Value, json};

use super::clip_layout::{Arrangement, Reason, arrange};
use crate::stage_output::Notes;

/// Shortest part of a clip with a picture of its own, in seconds. A viewer takes a shorter one
/// for a fault.
const MIN_PART_SECONDS: f64 = 1.0;
/// Greatest number of such parts. Each has a branch of filters in one ffmpeg process.
const MAX_PARTS: usize = 32;

/// Consecutive time of a clip with one arrangement.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    /// Seconds from the start of the clip.
    start: f64,
    end: f64,
    arrangement: Arrangement,
}

/// The parts of a clip, which follow each other. None: the picture as it is.
#[derive(Debug, PartialEq)]
pub(super) struct ClipPicture(Vec<Part>);

impl ClipPicture {
    /// The picture as it is.
    pub(super) const KEEP: Self = Self(Vec::new());

    /// The picture of a range of the recording: each stretch in it is arranged by its own
    /// layout. Stretches that are too short, and the shortest of too many, are arranged as their
    /// longer neighbour.
    pub(super) fn of_range(
        range: TimeRange,
        layout: Option<&NewLayoutAnalysis>,
        wanted: Option<ClipLayout>,
        video: &VideoStream,
    ) -> Self {
        let layouts = match layout {
            Some(layout) => layout.in_range(range),
            None => Vec::new(),
        };
        if layouts.is_empty() {
            return Self(vec![Part {
                start: 0.0,
                end: range.duration(),
                arrangement: arrange(layout, wanted, video),
            }]);
        }
        let parts = layouts.iter().map(|(time, layout)| Part {
            start: time.start() - range.start(),
            end: time.end() - range.start(),
            arrangement: arrange(Some(layout), wanted, video),
        });
        let mut picture = Self(join_equal(parts));
        while let Some(short) = picture.part_to_omit() {
            picture.omit(short);
        }
        picture
    }

    /// The index of the shortest part, if it is too short, or there are too many.
    fn part_to_omit(&self) -> Option<usize> {
        let parts = &self.0;
        let length = |i: &usize| parts[*i].end - parts[*i].start;
        let shortest = (0..parts.len()).min_by(|a, b| length(a).total_cmp(&length(b)))?;
        let is_omitted = length(&shortest) < MIN_PART_SECONDS || parts.len() > MAX_PARTS;
        (parts.len() > 1 && is_omitted).then_some(shortest)
    }

    /// Gives the time of a part to its longer neighbour.
    fn omit(&mut self, index: usize) {
        let omitted = self.0.remove(index);
        let length = |part: Option<&Part>| part.map_or(0.0, |part| part.end - part.start);
        let before = index.checked_sub(1);
        if length(before.and_then(|before| self.0.get(before))) >= length(self.0.get(index)) {
            if let Some(before) = before {
                self.0[before].end = omitted.end;
            }
        } else if let Some(after) = self.0.get_mut(index) {
            after.start = omitted.start;
        }
        self.0 = join_equal(self.0.drain(..));
    }

    /// Sets how the picture is composed.
    pub(super) fn apply_to(&self, settings: &mut CutSettings) {
        let mut changes = self.0.iter().map(|part| CompositionChange {
            time: part.start,
            composition: part.arrangement.composition,
        });
        settings.composition = changes.next().and_then(|first| first.composition);
        settings.composition_changes = changes.collect();
    }

    /// Whether a part of it is arranged anew.
    pub(super) fn is_composed(&self) -> bool {
        let mut parts = self.0.iter();
        parts.any(|part| part.arrangement.composition.is_some())
    }

    /// Adds what changes when the clip gets another picture to the record of a cut.
    pub(super) fn add_to_record(&self, record: &mut Value) {
        // Records of clips that were cut before there were other compositions have this field.
        record["side_by_side"] = Value::Null;
        let mut parts = self.0.iter();
        let first = parts.next().and_then(|part| part.arrangement.composition);
        for (name, value) in description(first) {
            record[name] = value;
        }
        let changes = parts.map(|part| {
            let mut change = description(part.arrangement.composition);
            change.insert("time".into(), part.start.into());
            Value::from(change)
        });
        let changes: Vec<Value> = changes.collect();
        if !changes.is_empty() {
            record["changes"] = changes.into();
        }
    }

    /// Why parts of the clip have their pictures, and whether others have other reasons.
    fn reasons(&self) -> impl Iterator<Item = (Reason, bool)> {
        let is_partly = self.0.len() > 1;
        let reasons = self.0.iter().filter_map(|part| part.arrangement.reason);
        let mut reasons: Vec<_> = reasons.collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons.into_iter().map(move |reason| (reason, is_partly))
    }
}

/// Adds a note for each reason why clips have their pictures.
pub(super) fn note_reasons(pictures: impl Iterator<Item = ClipPicture>, notes: &mut Notes) {
    let mut counts = BTreeMap::<(Reason, bool), usize>::new();
    for picture in pictures {
        for reason in picture.reasons() {
            *counts.entry(reason).or_default() += 1;
        }
    }
    for ((reason, is_partly), count) in counts {
        let clips = if is_partly {
            format!("parts of {count} clips")
        } else {
            format!("{count} clips")
        };
        reason.note(&clips, notes);
    }
}

/// Joins consecutive parts with the same arrangement.
fn join_equal(parts: impl Iterator<Item = Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(last) if last.arrangement == part.arrangement => last.end = part.end,
            _ => joined.push(part),
        }
    }
    joined
}

fn description(composition: Option<Composition>) -> Map<String, Value> {
    let region = |region: Region| {
        let edges = [region.x, region.y, region.width, region.height];
        json!(edges.map(NonNegativeInt::get))
    };
    let (name, regions) = match composition {
        None => return Map::new(),
        Some(Composition::SideBySide { screen, camera }) => {
            ("side_by_side", json!([region(screen), region(camera)]))
        }
        Some(Composition::Crop(selected)) => ("crop", region(selected)),
        Some(Composition::Portrait(selected)) => ("portrait", region(selected)),
        Some(Composition::Stack { screen, camera }) => {
            ("stack", json!([region(screen), region(camera)]))
        }
    };
    Map::from_iter([(name.to_owned(), regions)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::VIDEO;
    use lectern_domain::{LayoutStretch, LayoutStretches, LayoutType, Ratio};

    fn camera(x: i32) -> Region {
        Region::new(x, 0, 400, 300).unwrap()
    }

    /// The layout of a recording whose camera is at these positions from these times on.
    fn layout(cameras: &[(f64, Option<i32>)]) -> NewLayoutAnalysis {
        let ends = cameras.iter().skip(1).map(|(start, _)| *start);
        let stretch = |((start, x), end): (&(f64, Option<i32>), f64)| LayoutStretch {
            time: TimeRange::new(*start, end).unwrap(),
            layout_type: LayoutType::PictureInPicture,
            screen_region: None,
            camera_region: x.map(camera),
            split_ratio: None,
            confidence_score: Ratio::new(0.8).unwrap(),
        };
        let stretches = cameras.iter().zip(ends.chain([1000.0])).map(stretch);
        NewLayoutAnalysis {
            stretches: LayoutStretches::new(stretches.collect()).unwrap(),
            ..NewLayoutAnalysis::new(LayoutType::Unknown, Ratio::new(0.8).unwrap())
        }
    }

    fn picture(layout: &NewLayoutAnalysis, start: f64, end: f64) -> ClipPicture {
        let range = TimeRange::new(start, end).unwrap();
        ClipPicture::of_range(range, Some(layout), Some(ClipLayout::Camera), &VIDEO)
    }

    /// The start of each part, and the position of the camera in it.
    fn cameras(picture: &ClipPicture) -> Vec<(f64, Option<i32>)> {
        let x = |composition| match composition {
            Some(Composition::Crop(region)) => Some(region.x.get()),
            _ => None,
        };
        let parts = picture.0.iter();
        parts
            .map(|part| (part.start, x(part.arrangement.composition)))
            .collect()
    }

    #[test]
    fn a_clip_follows_the_layout() {
        let layout = layout(&[
            (0.0, Some(0)),
            (100.0, Some(800)),
            (150.0, None),
            (160.0, Some(0)),
        ]);
        assert_eq!(cameras(&picture(&layout, 10.0, 90.0)), [(0.0, Some(0))]);
        let changing = picture(&layout, 90.0, 165.0);
        let expected = [
            (0.0, Some(0)),
            (10.0, Some(800)),
            (60.0, None),
            (70.0, Some(0)),
        ];
        assert_eq!(cameras(&changing), expected);

        let mut settings = CutSettings::default();
        changing.apply_to(&mut settings);
        assert_eq!(settings.composition, Some(Composition::Crop(camera(0))));
        let times = settings.composition_changes.iter();
        let times: Vec<_> = times.map(|change| change.time).collect();
        assert_eq!(times, [10.0, 60.0, 70.0]);
        let mut notes = Notes::default();
        note_reasons([changing].into_iter(), &mut notes);
        let text = format!("{notes:?}");
        assert!(
            text.contains("no camera is known for parts of 1 clips"),
            "{text}"
        );
    }

    #[test]
    fn short_parts_are_arranged_as_their_longer_neighbours() {
        let layout = layout(&[
            (0.0, Some(0)),
            (10.0, Some(100)),
            (10.6, Some(200)),
            (11.4, Some(0)),
            (20.0, Some(300)),
            (20.9, Some(0)),
        ]);
        assert_eq!(cameras(&picture(&layout, 0.0, 30.0)), [(0.0, Some(0))]);
        // The first half second becomes a part with what follows, and is long enough then.
        let parts = cameras(&picture(&layout, 9.5, 14.0));
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].1, parts[1].1), (Some(100), Some(0)));
        assert!((parts[1].0 - 1.1).abs() < 1e-9);
        // All of a clip that is shorter itself.
        assert_eq!(cameras(&picture(&layout, 10.7, 11.5)), [(0.0, Some(200))]);
    }

    #[test]
    fn many_parts_become_as_many_as_the_filters_may_have() {
        let many: Vec<_> = (0..1000)
            .map(|i| (f64::from(i), Some(i % 3 * 100)))
            .collect();
        let picture = picture(&layout(&many), 0.0, 1000.0);
        assert_eq!(picture.0.len(), MAX_PARTS);
        let last = picture.0.last().unwrap();
        assert!((last.end - 1000.0).abs() < 1e-9);
        for pair in picture.0.windows(2) {
            assert_eq!(pair[0].end.to_bits(), pair[1].start.to_bits());
        }
    }

    #[test]
    fn a_record_of_one_part_is_that_of_earlier_versions() {
        let layout = layout(&[(0.0, Some(8)), (50.0, None)]);
        let record = |start, end| {
            let mut record = json!({});
            picture(&layout, start, end).add_to_record(&mut record);
            record
        };
        let crop = json!([8, 0, 400, 300]);
        assert_eq!(
            record(0.0, 9.0),
            json!({ "side_by_side": null, "crop": crop })
        );
        assert_eq!(record(60.0, 70.0), json!({ "side_by_side": null }));
        assert_eq!(
            record(40.0, 70.0),
            json!({ "side_by_side": null, "crop": crop, "changes": [{ "time": 10.0 }] })
        );
    }
}
