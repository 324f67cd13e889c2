//! Finds combed pictures: those that show two fields that were recorded one after the other,
//! although they say that they are progressive.
//!
//! Editors and capture programs often lose the flag of interlaced pictures. A few pictures at
//! several places are decoded. ffmpeg's `idet` compares each with the pictures before and after
//! it, which gives the order of the fields, but it takes some patterns that move for fields. So
//! the pictures themselves have to be combed as well ([`comb`]), nearly all of them: in a film
//! that was converted from 24 to 30 pictures per second, only two of five are.

mod comb;

use crate::error::Error;
use crate::ffmpeg::Media;
use crate::picture::stored_size;
use crate::probe::{FieldOrder, MediaInfo, VideoStream};
use crate::process::ChildError;
use comb::CombCounter;

/// The heights of interlaced pictures: NTSC, PAL and high definition.
const INTERLACED_HEIGHTS: [u32; 4] = [480, 486, 576, 1080];
/// Interlaced pictures are 25 or 29.97 per second. The rate of some files is a little wrong.
const MAX_RATE: f64 = 30.5;
/// At how many places of the recording pictures are decoded, at most.
const MAX_PLACES: u32 = 4;
/// A shorter recording has one place for each such part, in seconds. A place takes about 0.2 s of
/// one processor at 1080 lines.
const SECONDS_PER_PLACE: f64 = 30.0;
/// The number of pictures at each place.
const PICTURES: u32 = 16;
/// The smallest number of pictures with motion that show whether pictures are combed.
const MIN_MOVING: usize = 8;
/// The smallest fraction of the pictures with motion that are combed.
const MIN_COMBED: f64 = 0.75;
/// The smallest fraction of all pictures for which `idet` finds the same order of fields.
const MIN_SAME_ORDER: f64 = 0.5;
/// How many times as often `idet` has to find this order as the other one.
const MIN_ORDER_RATIO: u32 = 10;

impl Media {
    /// Finds out whether pictures are combed, and sets [`VideoStream::combed`]. Only tracks of the
    /// sizes and rates at which pictures are interlaced are examined: of these, at most 64
    /// pictures are decoded. Pictures without motion show nothing, and need no conversion.
    pub fn find_combing(&self, recording: &mut MediaInfo) -> Result<(), Error> {
        let duration = recording.duration;
        let path = recording.path.clone();
        let Some(video) = recording.video.as_mut().filter(|video| is_examined(video)) else {
            return Ok(());
        };
        let (width, height) = stored_size(video);
        // Every fourth column is enough. Lines are not scaled.
        let width = (width / 4).max(1);
        let mut pictures = CombCounter::new(width as usize, height as usize);
        let mut orders = Orders::default();
        let places = (1..MAX_PLACES)
            .find(|&places| f64::from(places) * SECONDS_PER_PLACE >= duration)
            .unwrap_or(MAX_PLACES);
        for place in 0..places {
            let time = duration * (f64::from(place) + 0.5) / f64::from(places);
            // From the key frame before the time on, so that no other picture is decoded.
            let filters = format!(
                "trim=end_frame={PICTURES},setpts=N/FRAME_RATE/TB,idet,\
                 scale={width}:{height}:flags=neighbor,format=gray"
            );
            pictures.begin();
            let decoded = self
                .ffmpeg()
                // `idet` writes its result as information.
                .args(["-v", "info"])
                .args(["-noaccurate_seek", "-ss", &time.to_string()])
                .args(["-autorotate", "0"])
                .args(self.input_options(&path))
                .args(["-map", &format!("0:{}", video.index), "-vf", &filters])
                .args(["-f", "rawvideo", "pipe:1"])
                .run(&self.limits, &mut |bytes| pictures.push(bytes));
            match decoded {
                Ok(stderr) => orders.add(&stderr),
                // Other places of a damaged recording may be whole.
                Err(ChildError::Failed { .. }) => {}
                Err(error) => return Err(Error::from_child("look for combed pictures")(error)),
            }
        }
        let is_combed = pictures.moving >= MIN_MOVING
            && pictures.combed as f64 >= MIN_COMBED * pictures.moving as f64;
        video.combed = orders.prevalent().filter(|_| is_combed);
        Ok(())
    }
}

/// Whether the pictures of a track may be combed, and are not deinterlaced anyway.
fn is_examined(video: &VideoStream) -> bool {
    if !video.rotation.is_multiple_of(90) {
        return false;
    }
    let (_, height) = stored_size(video);
    let is_usual = INTERLACED_HEIGHTS.contains(&height) && video.frame_rate.get() <= MAX_RATE;
    is_usual || video.may_be_interlaced && video.rotation != 0
}

/// How often `idet` has found each order of fields, and how many pictures there were.
#[derive(Debug, Default, PartialEq)]
struct Orders {
    top_first: u32,
    bottom_first: u32,
    total: u32,
}

impl Orders {
    /// Adds the result in the output of `idet`, such as
    /// `Multi frame detection: TFF:    24 BFF:     0 Progressive:     0 Undetermined:     0`.
    fn add(&mut self, stderr: &str) {
        let mut lines = stderr.lines();
        let Some(line) = lines.find(|line| line.contains("Multi frame detection:")) else {
            return;
        };
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            let is_kind = ["TFF:", "BFF:", "Progressive:", "Undetermined:"].contains(&word);
            let count = words.clone().next().filter(|_| is_kind);
            let Some(count) = count.and_then(|count| count.parse::<u32>().ok()) else {
                continue;
            };
            self.total = self.total.saturating_add(count);
            match word {
                "TFF:" => self.top_first = self.top_first.saturating_add(count),
                "BFF:" => self.bottom_first = self.bottom_first.saturating_add(count),
                _ => {}
            }
        }
    }

    /// The order that most pictures have.
    fn prevalent(&self) -> Option<FieldOrder> {
        let (order, count, other) = if self.top_first >= self.bottom_first {
            (FieldOrder::TopFirst, self.top_first, self.bottom_first)
        } else {
            (FieldOrder::BottomFirst, self.bottom_first, self.top_first)
        };
        let is_prevalent = f64::from(count) >= MIN_SAME_ORDER * f64::from(self.total)
            && count > 0
            && count >= other.saturating_mul(MIN_ORDER_RATIO);
        is_prevalent.then_some(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(top: u32, bottom: u32, progressive: u32) -> String {
        format!(
            "[Parsed_idet_2 @ 0x5] Single frame detection: TFF: 9 BFF: 9 Progressive: 9\n\
             [Parsed_idet_2 @ 0x5] Multi frame detection: TFF:{top:6} BFF:{bottom:6} \
             Progressive:{progressive:6} Undetermined:     0\n"
        )
    }

    #[test]
    fn the_results_of_all_places_are_added() {
        let mut orders = Orders::default();
        orders.add(&line(1, 16, 2));
        orders.add("video:0kB");
        orders.add(&line(0, 7, 0));
        let expected = Orders {
            top_first: 1,
            bottom_first: 23,
            total: 26,
        };
        assert_eq!(orders, expected);
        assert_eq!(orders.prevalent(), Some(FieldOrder::BottomFirst));
    }

    #[test]
    fn an_order_has_to_be_prevalent() {
        let prevalent = |top, bottom, progressive| {
            let mut orders = Orders::default();
            orders.add(&line(top, bottom, progressive));
            orders.prevalent()
        };
        assert_eq!(prevalent(30, 0, 20), Some(FieldOrder::TopFirst));
        assert_eq!(prevalent(30, 4, 0), None);
        assert_eq!(prevalent(10, 0, 30), None);
        assert_eq!(prevalent(0, 0, 0), None);
    }
}
