//! ffprobe's JSON.

use serde::Deserialize;

use crate::{AudioStream, FrameRate, ProbeError, SubtitleStream, VideoStream};

/// By how much lengths of one file may differ because they are rounded, in seconds.
const ROUNDED: f64 = 0.01;
/// From what start on, in seconds, it matters whether a Matroska file tells its
/// length or its end. What is less is of the encoder's making.
const LATE: f64 = 1.0;

/// What is read off ffprobe's answer.
pub(crate) struct Told {
    /// Length in seconds, if the headers have it.
    pub(crate) duration: Option<f64>,
    /// What number the file gives to its start, in seconds.
    pub(crate) start: f64,
    pub(crate) format_name: String,
    pub(crate) video: Option<VideoStream>,
    pub(crate) audio: Option<AudioStream>,
    pub(crate) subtitles: Vec<SubtitleStream>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Format,
}

#[derive(Deserialize)]
struct Format {
    #[serde(rename = "format_name")]
    name: String,
    duration: Option<String>,
    start_time: Option<String>,
}

#[derive(Deserialize)]
struct Stream {
    index: u32,
    duration: Option<String>,
    start_time: Option<String>,
    codec_name: Option<String>,
    codec_type: Option<String>,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    #[serde(default)]
    sample_aspect_ratio: String,
    #[serde(default)]
    avg_frame_rate: String,
    #[serde(default)]
    r_frame_rate: String,
    #[serde(default)]
    field_order: String,
    #[serde(default)]
    sample_rate: String,
    #[serde(default)]
    channels: u32,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Disposition {
    default: u8,
    forced: u8,
    attached_pic: u8,
    timed_thumbnails: u8,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Tags {
    language: Option<String>,
    rotate: Option<String>,
}

#[derive(Deserialize)]
struct SideData {
    /// Counterclockwise degrees of a display matrix.
    rotation: Option<f64>,
}

/// Reads what ffprobe answered to `-show_format -show_streams`.
pub(crate) fn read(json: &[u8]) -> Result<Told, ProbeError> {
    let answer: Answer = serde_json::from_slice(json).map_err(|error| {
        ProbeError::NotMedia(format!("ffprobe's answer is not understood: {error}"))
    })?;
    let mut subtitles: Vec<&Stream> = answer.streams.iter().collect();
    subtitles.retain(|stream| stream.is("subtitle"));
    subtitles.sort_by_key(|stream| stream.turn());
    Ok(Told {
        duration: answer.duration(),
        start: seconds(answer.format.start_time.as_ref()).unwrap_or(0.0),
        format_name: answer.format.name,
        video: chosen(&answer.streams, Stream::moves).map(Stream::to_video),
        audio: chosen(&answer.streams, Stream::sounds).map(Stream::to_audio),
        subtitles: subtitles.into_iter().map(Stream::to_subtitles).collect(),
    })
}

/// Reads a time or a length.
fn seconds(text: Option<&String>) -> Option<f64> {
    let seconds = text?.parse().ok()?;
    f64::is_finite(seconds).then_some(seconds)
}

impl Answer {
    /// How long it is from the start, whatever number that has: some containers
    /// tell where the recording ends instead.
    fn duration(&self) -> Option<f64> {
        let told = seconds(self.format.duration.as_ref())?;
        let start = seconds(self.format.start_time.as_ref()).unwrap_or(0.0);
        let is_end = match self.format.name.as_str() {
            // ffmpeg writes the end, and mkvmerge the length.
            "matroska,webm" if start > LATE => return None,
            "asf" | "matroska,webm" => true,
            // A length, unless an edit list puts off its tracks.
            name if name.starts_with("mov,") => {
                let ends = self.streams.iter().filter_map(Stream::end);
                ends.fold(0.0, f64::max) <= told + ROUNDED
            }
            _ => false,
        };
        Some(if is_end { told - start } else { told })
    }
}

/// The track that players choose: the one marked as default, or the first.
fn chosen(streams: &[Stream], fits: impl Fn(&Stream) -> bool) -> Option<&Stream> {
    let mut fitting = streams.iter().filter(|stream| fits(stream));
    let first = fitting.clone().next();
    fitting
        .find(|stream| stream.disposition.default == 1)
        .or(first)
}

impl Stream {
    /// When it ends, by the file's numbers.
    fn end(&self) -> Option<f64> {
        Some(seconds(self.start_time.as_ref())? + seconds(self.duration.as_ref())?)
    }

    /// Which tracks of subtitles come first: what is marked as default before
    /// the others, and last what is only for parts in a foreign language.
    fn turn(&self) -> (bool, bool) {
        (self.disposition.forced == 1, self.disposition.default == 0)
    }

    fn is(&self, kind: &str) -> bool {
        self.codec_type.as_deref() == Some(kind)
    }

    fn moves(&self) -> bool {
        let still = self.disposition.attached_pic == 1 || self.disposition.timed_thumbnails == 1;
        self.is("video") && !still && self.width > 0 && self.height > 0
    }

    fn sounds(&self) -> bool {
        self.is("audio") && self.channels > 0
    }

    fn codec(&self) -> String {
        self.codec_name.clone().unwrap_or_else(|| "unknown".into())
    }

    fn to_video(&self) -> VideoStream {
        let rotation = self.rotation();
        let pixel_aspect = ratio(&self.sample_aspect_ratio, ':').map_or(1.0, FrameRate::get);
        let nominal = ratio(&self.r_frame_rate, '/');
        let average = ratio(&self.avg_frame_rate, '/').or(nominal);
        let sideways = rotation % 180 == 90;
        let (width, height, pixel_aspect) = if sideways {
            (self.height, self.width, 1.0 / pixel_aspect)
        } else {
            (self.width, self.height, pixel_aspect)
        };
        VideoStream {
            index: self.index,
            codec: self.codec(),
            width,
            height,
            rotation,
            pixel_aspect,
            frame_rate: average.unwrap_or(FrameRate {
                frames: 25,
                seconds: 1,
            }),
            variable_frame_rate: match (nominal, average) {
                (Some(nominal), Some(average)) => self.varies(nominal.get(), average.get()),
                _ => false,
            },
        }
    }

    /// The nominal rate is the lowest that all times of frames fit in, so it is
    /// the average one unless some frames stay longer. An interlaced track may
    /// be told by its fields, of which a frame has two.
    fn varies(&self, nominal: f64, average: f64) -> bool {
        let same = |a: f64, b: f64| (a - b).abs() <= 0.01 * b;
        let interlaced = !matches!(self.field_order.as_str(), "" | "unknown" | "progressive");
        !(same(nominal, average) || interlaced && same(nominal, 2.0 * average))
    }

    /// Clockwise degrees, by the display matrix or, of an older ffprobe, the tag.
    fn rotation(&self) -> u32 {
        let matrix = self.side_data_list.iter().find_map(|data| data.rotation);
        let tag = || self.tags.rotate.as_deref()?.parse().ok();
        let degrees = matrix.map(|degrees| -degrees).or_else(tag).unwrap_or(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rounded, and between 0 and 360"
        )]
        let degrees = degrees.rem_euclid(360.0).round() as u32;
        degrees % 360
    }

    fn to_audio(&self) -> AudioStream {
        AudioStream {
            index: self.index,
            codec: self.codec(),
            sample_rate: self.sample_rate.parse().unwrap_or(0),
            channels: self.channels,
        }
    }

    fn to_subtitles(&self) -> SubtitleStream {
        SubtitleStream {
            index: self.index,
            codec: self.codec(),
            language: self.tags.language.clone().filter(|code| code != "und"),
        }
    }
}

/// Reads `30000/1001`; `0/0` and `0:1` mean that it is not known.
fn ratio(text: &str, by: char) -> Option<FrameRate> {
    let (frames, seconds) = text.split_once(by)?;
    let ratio = FrameRate {
        frames: frames.parse().ok()?,
        seconds: seconds.parse().ok()?,
    };
    (ratio.frames > 0 && ratio.seconds > 0).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(streams: &Value) -> Told {
        let answer = json!({ "streams": streams, "format": { "format_name": "mov" } });
        read(answer.to_string().as_bytes()).unwrap()
    }

    fn video(more: &Value) -> VideoStream {
        let mut stream = json!({
            "index": 0, "codec_type": "video", "codec_name": "h264", "width": 720, "height": 576,
            "r_frame_rate": "50/1", "avg_frame_rate": "25/1",
        });
        let fields = stream.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        told(&json!([stream])).video.unwrap()
    }

    #[test]
    fn two_fields_in_a_frame_are_no_varying_rate() {
        assert!(!video(&json!({ "field_order": "tt" })).variable_frame_rate);
        assert!(video(&json!({ "field_order": "progressive" })).variable_frame_rate);
        assert!(!video(&json!({ "r_frame_rate": "0/0" })).variable_frame_rate);
    }

    #[test]
    fn turning_is_told_clockwise_by_matrix_and_by_tag() {
        let matrix = |degrees: f64| json!({ "side_data_list": [{}, { "rotation": degrees }] });
        let turned = |more: &Value| {
            let video = video(more);
            (video.rotation, video.width, video.height)
        };
        assert_eq!(turned(&matrix(-90.0)), (90, 576, 720));
        assert_eq!(turned(&matrix(90.0)), (270, 576, 720));
        assert_eq!(turned(&matrix(-180.0)), (180, 720, 576));
        assert_eq!(
            turned(&json!({ "tags": { "rotate": "90" } })),
            (90, 576, 720)
        );
    }

    #[test]
    fn the_default_track_is_chosen_and_else_the_first() {
        let track = |index: u32, default: u8| {
            let disposition = json!({ "default": default });
            json!({ "index": index, "codec_type": "audio", "channels": 2, "disposition": disposition })
        };
        let chosen = |streams: Value| told(&streams).audio.unwrap().index;
        assert_eq!(chosen(json!([track(0, 0), track(1, 0)])), 0);
        assert_eq!(chosen(json!([track(0, 0), track(1, 1), track(2, 1)])), 1);
    }
}
