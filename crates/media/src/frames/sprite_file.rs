//! Small pictures of a recording side by side in one picture, made while the recording is decoded
//! for something else.

use std::ffi::OsString;
use std::fs;
use std::path::{self, Path, PathBuf};

use super::frame_file::WRITTEN_RATE;
use super::sample::middles_filter;
use crate::error::Error;
use crate::ffmpeg::{Tools, file_url};
use crate::picture::{even, tone_mapping_filters};
use crate::probe::{MediaInfo, VideoStream};

/// Greatest number of tiles.
const MAX_TILES: u32 = 100;
/// Tiles beside each other.
const COLUMNS: u32 = 10;
/// The longer side of a tile, in pixels.
const TILE_SIDE: f64 = 160.0;
/// Shortest time for which a tile stands, in seconds.
const MIN_STEP_SECONDS: f64 = 1.0;

/// A JPEG with small pictures of a recording at equal distances: at most 100, of at most 160 × 160
/// pixels. [`Media::detect_silence_and_sample`](crate::Media::detect_silence_and_sample) writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct SpriteFile {
    path: PathBuf,
    /// Width of a tile in pixels.
    width: u32,
    /// Height of a tile in pixels.
    height: u32,
    count: u32,
    /// Seconds for which a tile stands. It shows the middle of this time.
    step: f64,
}

/// A tile of a [`SpriteFile`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tile {
    /// The time for which it stands, from its start to its end in seconds.
    pub time: (f64, f64),
    /// Its left edge, its upper edge, its width and its height in the JPEG, in pixels.
    pub place: [u32; 4],
}

impl SpriteFile {
    /// A file for the pictures of a recording. `None` if it has no picture.
    pub fn new(path: impl Into<PathBuf>, recording: &MediaInfo) -> Option<Self> {
        let video = recording.video.as_ref()?;
        let (width, height) = tile_size(video);
        let seconds = recording.duration;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        let count = (seconds / MIN_STEP_SECONDS)
            .floor()
            .clamp(1.0, f64::from(MAX_TILES)) as u32;
        Some(Self {
            path: path.into(),
            width,
            height,
            count,
            step: seconds / f64::from(count),
        })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tiles that show what is before `end`, in seconds.
    pub fn tiles_before(&self, end: f64) -> impl Iterator<Item = Tile> {
        (0..self.count)
            .map(move |index| {
                let start = f64::from(index) * self.step;
                let (row, column) = (index / COLUMNS, index % COLUMNS);
                let left = column * self.width;
                let top = row * self.height;
                Tile {
                    time: (start, start + self.step),
                    place: [left, top, self.width, self.height],
                }
            })
            .take_while(move |tile| f64::midpoint(tile.time.0, tile.time.1) < end)
    }

    /// Whether the file was written, and as a whole: a damaged recording may end it early.
    pub fn is_complete(&self) -> bool {
        fs::read(&self.path).is_ok_and(|jpeg| jpeg.starts_with(START) && jpeg.ends_with(END))
    }

    /// ffmpeg's arguments for an output with the pictures from the beginning of the recording on.
    pub(crate) fn output_options(
        &self,
        recording: &MediaInfo,
        tools: &Tools,
    ) -> Result<Vec<OsString>, Error> {
        let Some(video) = &recording.video else {
            return Ok(Vec::new());
        };
        let path = path::absolute(&self.path)
            .map_err(Error::io("resolve the path", self.path.as_path()))?;
        let track = format!("0:{}", video.index);
        let columns = self.count.min(COLUMNS);
        let filters = format!(
            "{sample},scale={width}:{height},setsar=1{tone_mapping},format=yuvj420p,\
             tile={columns}x{rows},settb=1/{WRITTEN_RATE},setpts=N",
            sample = middles_filter(self.step),
            width = self.width,
            height = self.height,
            tone_mapping = tone_mapping_filters(video, tools),
            rows = self.count.div_ceil(columns),
        );
        let mut options: Vec<_> = [
            ["-map", &track],
            ["-vf", &filters],
            ["-frames:v", "1"],
            ["-r", WRITTEN_RATE],
            ["-c:v", "mjpeg"],
            ["-q:v", "5"],
            ["-f", "mjpeg"],
        ]
        .as_flattened()
        .iter()
        .map(OsString::from)
        .collect();
        options.push(file_url(&path));
        Ok(options)
    }
}

/// How a JPEG begins and ends.
const START: &[u8] = &[0xff, 0xd8];
const END: &[u8] = &[0xff, 0xd9];

/// Width and height of a tile: the shape of the picture as it is displayed, with its longer side of
/// [`TILE_SIDE`].
fn tile_size(video: &VideoStream) -> (u32, u32) {
    let aspect_ratio = f64::from(video.width) * video.pixel_aspect / f64::from(video.height);
    if aspect_ratio >= 1.0 {
        (even(TILE_SIDE), even(TILE_SIDE / aspect_ratio))
    } else {
        (even(TILE_SIDE * aspect_ratio), even(TILE_SIDE))
    }
}
