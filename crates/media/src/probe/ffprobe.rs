//! Reading ffprobe's JSON output.

use serde::Deserialize;

use super::recording::{AudioStream, FrameRate, HdrTransfer, SubtitleStream, VideoStream};
use crate::error::ProbeError;

/// Greatest rounding difference between the durations in one file, in seconds.
const ROUNDING_SECONDS: f64 = 0.01;
/// Longest delay that an encoder adds to the start, in seconds. In a Matroska file
/// that starts later, the meaning of the stored duration is not known (see
/// [`Output::duration`]).
const MAX_ENCODER_DELAY_SECONDS: f64 = 1.0;

/// Codecs of cameras and broadcasts that can have interlaced pictures, although the headers do
/// not say so.
const INTERLACED_CODECS: [&str; 5] = ["h264", "mpeg2video", "vc1", "dvvideo", "prores"];

/// The properties of a recording according to its headers.
pub(super) struct Headers {
    /// Duration in seconds, if the headers have it.
    pub(super) duration: Option<f64>,
    /// The timestamp of the start, in seconds.
    pub(super) start: f64,
    pub(super) format_name: String,
    /// Number of tracks of any kind.
    pub(super) stream_count: usize,
    pub(super) video: Option<VideoStream>,
    /// The end of the picture in seconds from the start, if the headers have it.
    pub(super) picture_end: Option<f64>,
    pub(super) audio: Option<AudioStream>,
    pub(super) audio_tracks: Vec<AudioStream>,
    pub(super) subtitles: Vec<SubtitleStream>,
}

#[derive(Deserialize)]
struct Output {
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
    color_transfer: String,
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
    title: Option<String>,
    /// The title in MP4.
    handler_name: Option<String>,
    rotate: Option<String>,
    /// The end of the track in Matroska, such as `00:10:03.021000000`.
    #[serde(rename = "DURATION")]
    duration: Option<String>,
}

#[derive(Deserialize)]
struct SideData {
    /// Counterclockwise degrees, from the display matrix.
    rotation: Option<f64>,
}

/// Reads the output of `ffprobe -show_format -show_streams`.
pub(super) fn read(json: &[u8]) -> Result<Headers, ProbeError> {
    let output: Output = serde_json::from_slice(json)
        .map_err(|error| ProbeError::NotMedia(format!("cannot read ffprobe's output: {error}")))?;
    let mut subtitles: Vec<&Stream> = output.streams.iter().collect();
    subtitles.retain(|stream| stream.is_of_type("subtitle"));
    subtitles.sort_by_key(|stream| stream.preference());
    let start = seconds(output.format.start_time.as_ref()).unwrap_or(0.0);
    let picture = preferred(&output.streams, Stream::is_moving_picture);
    Ok(Headers {
        duration: output.duration(),
        start,
        format_name: output.format.name,
        stream_count: output.streams.len(),
        video: picture.map(Stream::to_video),
        picture_end: picture.and_then(Stream::written_end).map(|end| end - start),
        audio: preferred(&output.streams, Stream::is_audio).map(Stream::to_audio),
        audio_tracks: output
            .streams
            .iter()
            .filter(|stream| stream.is_audio())
            .map(Stream::to_audio)
            .collect(),
        subtitles: subtitles.into_iter().map(Stream::to_subtitles).collect(),
    })
}

/// Parses a time or a duration.
fn seconds(text: Option<&String>) -> Option<f64> {
    let seconds = text?.parse().ok()?;
    f64::is_finite(seconds).then_some(seconds)
}

/// Parses hours, minutes and seconds.
fn clock_seconds(text: &str) -> Option<f64> {
    let mut parts = text.split(':').map(|part| part.parse::<f64>().ok());
    let mut next = || parts.next().flatten();
    let [hours, minutes, seconds] = [next()?, next()?, next()?];
    let seconds = 3600.0 * hours + 60.0 * minutes + seconds;
    seconds.is_finite().then_some(seconds)
}

impl Output {
    /// The duration in seconds. Some containers store the timestamp of the end
    /// instead, from which the start is subtracted. `None` if the duration has to be
    /// measured.
    fn duration(&self) -> Option<f64> {
        let stored = seconds(self.format.duration.as_ref())?;
        let start = seconds(self.format.start_time.as_ref()).unwrap_or(0.0);
        let is_end = match self.format.name.as_str() {
            // ffmpeg stores the end, mkvmerge the duration. The difference is only
            // negligible if the start is small.
            "matroska,webm" if start > MAX_ENCODER_DELAY_SECONDS => return None,
            "asf" | "matroska,webm" => true,
            // If a track ends after the stored value, an edit list delays the tracks,
            // and the stored value is the duration.
            name if name.starts_with("mov,") => {
                let ends = self.streams.iter().filter_map(Stream::end);
                ends.fold(0.0, f64::max) <= stored + ROUNDING_SECONDS
            }
            _ => false,
        };
        Some(if is_end { stored - start } else { stored })
    }
}

/// The track that players choose: the first default track, or else the first.
fn preferred(streams: &[Stream], is_suitable: impl Fn(&Stream) -> bool) -> Option<&Stream> {
    let mut suitable = streams.iter().filter(|stream| is_suitable(stream));
    let first = suitable.clone().next();
    suitable
        .find(|stream| stream.disposition.default == 1)
        .or(first)
}

impl Stream {
    /// The timestamp of the track's end, in seconds.
    fn end(&self) -> Option<f64> {
        Some(seconds(self.start_time.as_ref())? + seconds(self.duration.as_ref())?)
    }

    /// Like [`end`](Self::end); in Matroska files the tag that ffmpeg and mkvmerge write has it.
    fn written_end(&self) -> Option<f64> {
        let tag = || clock_seconds(self.tags.duration.as_ref()?);
        self.end().or_else(tag)
    }

    /// A sort key: default subtitles come first, and forced subtitles last, because forced
    /// subtitles translate only the parts in a foreign language.
    fn preference(&self) -> (bool, bool) {
        (self.is_forced(), self.disposition.default == 0)
    }

    fn is_of_type(&self, kind: &str) -> bool {
        self.codec_type.as_deref() == Some(kind)
    }

    fn is_moving_picture(&self) -> bool {
        let is_still = self.disposition.attached_pic == 1 || self.disposition.timed_thumbnails == 1;
        self.is_of_type("video") && !is_still && self.width > 0 && self.height > 0
    }

    fn is_audio(&self) -> bool {
        self.is_of_type("audio") && self.channels > 0
    }

    fn codec(&self) -> String {
        self.codec_name.clone().unwrap_or_else(|| "unknown".into())
    }

    fn to_video(&self) -> VideoStream {
        let rotation = self.rotation();
        let pixel_aspect = fraction(&self.sample_aspect_ratio, ':')
            .map_or(1.0, |(width, height)| f64::from(width) / f64::from(height));
        let nominal = frame_rate(&self.r_frame_rate);
        let average = frame_rate(&self.avg_frame_rate).or(nominal);
        let is_sideways = rotation % 180 == 90;
        let (width, height, pixel_aspect) = if is_sideways {
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
                (Some(nominal), Some(average)) => {
                    self.has_variable_rate(nominal.get(), average.get())
                }
                _ => false,
            },
            may_be_interlaced: self.may_be_interlaced(),
            is_interlaced: self.is_interlaced(),
            combed: None,
            hdr: match self.color_transfer.as_str() {
                "smpte2084" => Some(HdrTransfer::Pq),
                "arib-std-b67" => Some(HdrTransfer::Hlg),
                _ => None,
            },
        }
    }

    fn may_be_interlaced(&self) -> bool {
        match self.field_order.as_str() {
            "" | "unknown" => INTERLACED_CODECS.contains(&self.codec().as_str()),
            _ => self.is_interlaced(),
        }
    }

    fn is_interlaced(&self) -> bool {
        !matches!(self.field_order.as_str(), "" | "unknown" | "progressive")
    }

    /// ffprobe's nominal rate is the lowest rate at which every frame's time can be
    /// represented. The nominal rate equals the average rate unless some frames last
    /// longer. In an interlaced track, the nominal rate may count fields, two for each
    /// frame.
    fn has_variable_rate(&self, nominal: f64, average: f64) -> bool {
        let is_same = |a: f64, b: f64| (a - b).abs() <= 0.01 * b;
        !(is_same(nominal, average) || self.is_interlaced() && is_same(nominal, 2.0 * average))
    }

    /// Clockwise degrees from the display matrix, or from the tag in the output of
    /// older versions of ffprobe.
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
            language: self.language(),
            mixed_with: Vec::new(),
            only_channel: None,
        }
    }

    fn to_subtitles(&self) -> SubtitleStream {
        SubtitleStream {
            index: self.index,
            codec: self.codec(),
            language: self.language(),
            is_forced: self.is_forced(),
        }
    }

    /// The language code, unless it stands for an unknown language.
    fn language(&self) -> Option<String> {
        self.tags.language.clone().filter(|code| code != "und")
    }

    /// Whether subtitles translate only the parts in a foreign language. Many programs say so in
    /// the title only.
    fn is_forced(&self) -> bool {
        let titles = [&self.tags.title, &self.tags.handler_name];
        let has_word = |title: &String| {
            let title = title.to_lowercase();
            let mut words = title.split(|c: char| !c.is_alphanumeric());
            words.any(|word| matches!(word, "forced" | "signs"))
        };
        self.disposition.forced == 1 || titles.into_iter().flatten().any(has_word)
    }
}

/// Parses a frame rate such as `30000/1001`.
fn frame_rate(text: &str) -> Option<FrameRate> {
    let (frames, seconds) = fraction(text, '/')?;
    Some(FrameRate { frames, seconds })
}

/// Parses a fraction of positive numbers. `0/0` and `0:1` mean unknown.
fn fraction(text: &str, separator: char) -> Option<(u32, u32)> {
    let (numerator, denominator) = text.split_once(separator)?;
    let fraction = (numerator.parse().ok()?, denominator.parse().ok()?);
    (fraction.0 > 0 && fraction.1 > 0).then_some(fraction)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn headers(streams: &Value) -> Headers {
        let output = json!({ "streams": streams, "format": { "format_name": "mov" } });
        read(output.to_string().as_bytes()).unwrap()
    }

    fn video(more_fields: &Value) -> VideoStream {
        let mut stream = json!({
            "index": 0, "codec_type": "video", "codec_name": "h264", "width": 720, "height": 576,
            "r_frame_rate": "50/1", "avg_frame_rate": "25/1",
        });
        let fields = stream.as_object_mut().unwrap();
        fields.extend(more_fields.as_object().unwrap().clone());
        headers(&json!([stream])).video.unwrap()
    }

    #[test]
    fn subtitles_are_forced_by_disposition_or_title() {
        let is_forced = |more_fields: &Value| {
            let mut stream = json!({ "index": 0, "codec_type": "subtitle", "codec_name": "ass" });
            let fields = stream.as_object_mut().unwrap();
            fields.extend(more_fields.as_object().unwrap().clone());
            headers(&json!([stream])).subtitles[0].is_forced
        };
        assert!(is_forced(&json!({ "disposition": { "forced": 1 } })));
        assert!(is_forced(
            &json!({ "tags": { "title": "English (Forced)" } })
        ));
        assert!(is_forced(
            &json!({ "tags": { "handler_name": "Signs & Songs" } })
        ));
        assert!(!is_forced(
            &json!({ "tags": { "title": "Unforced errors" } })
        ));
        assert!(!is_forced(&json!({})));
    }

    #[test]
    fn two_fields_per_frame_are_not_a_variable_frame_rate() {
        assert!(!video(&json!({ "field_order": "tt" })).variable_frame_rate);
        assert!(video(&json!({ "field_order": "progressive" })).variable_frame_rate);
        assert!(!video(&json!({ "r_frame_rate": "0/0" })).variable_frame_rate);
    }

    #[test]
    fn rotation_is_clockwise_from_the_matrix_and_from_the_tag() {
        let matrix = |degrees: f64| json!({ "side_data_list": [{}, { "rotation": degrees }] });
        let rotated = |more_fields: &Value| {
            let video = video(more_fields);
            (video.rotation, video.width, video.height)
        };
        assert_eq!(rotated(&matrix(-90.0)), (90, 576, 720));
        assert_eq!(rotated(&matrix(90.0)), (270, 576, 720));
        assert_eq!(rotated(&matrix(-180.0)), (180, 720, 576));
        assert_eq!(
            rotated(&json!({ "tags": { "rotate": "90" } })),
            (90, 576, 720)
        );
    }

    #[test]
    fn the_default_track_is_preferred_then_the_first() {
        let track = |index: u32, default: u8| {
            let disposition = json!({ "default": default });
            json!({ "index": index, "codec_type": "audio", "channels": 2, "disposition": disposition })
        };
        let preferred = |streams: Value| headers(&streams).audio.unwrap().index;
        assert_eq!(preferred(json!([track(0, 0), track(1, 0)])), 0);
        assert_eq!(preferred(json!([track(0, 0), track(1, 1), track(2, 1)])), 1);
    }
}
