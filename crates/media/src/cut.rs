//! Clips out of a recording.

use std::path::Path;

use lectern_domain::{Resolution, TimeRange};

use crate::picture::{constant_rate, fit, height, shown_from_start};
use crate::seek::Entry;
use crate::{AudioStream, Composition, Error, Media, Probe, Program, VideoStream};

/// How a clip is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutSettings {
    /// libx264's constant rate factor: 0 loses nothing, 51 nearly everything.
    pub crf: u8,
    /// libx264's preset, such as `veryfast`.
    pub preset: String,
    /// The height a picture is made smaller to; it is never made larger.
    pub resolution: Option<Resolution>,
    /// What is put together anew; `None` leaves the picture as it is.
    pub composition: Option<Composition>,
}

impl Default for CutSettings {
    /// Quality 21 by `veryfast`, the picture as it is.
    fn default() -> Self {
        Self {
            crf: 21,
            preset: "veryfast".into(),
            resolution: None,
            composition: None,
        }
    }
}

impl Media {
    /// Cuts `range` out of the recording to the frame, as MP4 that plays before
    /// it is loaded: H.264 of a constant frame rate, even size and square
    /// pixels, AAC of 48 kHz in one or two channels. A track the recording
    /// does not have the clip does not have either.
    ///
    /// What is shown at the start of the range is shown at the start of the
    /// clip, also when its frame begins earlier. Where a track ends before the
    /// range does, its last frame stays, or silence follows. Returns the part
    /// of the range that is in the recording, whose length the clip has.
    ///
    /// `progress` is told how many seconds are done.
    pub fn cut(
        &self,
        recording: &Probe,
        range: TimeRange,
        settings: &CutSettings,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<TimeRange, Error> {
        let range = recording.within(range)?;
        let (video, audio) = (recording.video.as_ref(), recording.audio.as_ref());
        let mut filters = Vec::new();
        if let Some(video) = video {
            filters.push(picture(video, range.duration(), settings)?);
        }
        if let Some(audio) = audio {
            filters.push(sound(audio, range.duration()));
        }
        // From the key frame before: the filters see what the first instant
        // shows, and drop what is before it.
        let filters = filters.join(";");
        let ffmpeg = |entry: Entry| {
            let ffmpeg = self
                .telling_ffmpeg()
                .args(entry.input(&recording.path))
                .args(["-filter_complex", &filters]);
            encode(ffmpeg, video.is_some(), audio.map(channels), settings)
        };
        let from = (recording, range.start());
        self.write_from("cut a clip", from, &ffmpeg, out, progress)?;
        Ok(range)
    }
}

/// The filters from the recording's picture to `[v]`. Time 0 is the start of
/// the clip.
fn picture(video: &VideoStream, duration: f64, settings: &CutSettings) -> Result<String, Error> {
    let rate = constant_rate(video);
    let count = (duration * rate.get()).round().max(1.0);
    let height = height(video, settings.resolution);
    let shape = if let Some(composition) = settings.composition {
        composition.filters(video, height)?
    } else {
        let (width, height) = fit(video, height);
        format!("scale={width}:{height}")
    };
    Ok(format!(
        "[0:{index}]{shown},trim=end_frame={count},{shape},setsar=1,format=yuv420p[v]",
        index = video.index,
        shown = shown_from_start(rate),
    ))
}

/// The filters from the recording's sound to `[a]`.
fn sound(audio: &AudioStream, duration: f64) -> String {
    // AAC takes 1024 samples at a time, and where nothing comes of a track the
    // filter does not know that.
    format!(
        "[0:{index}]atrim=start=0,aresample=48000:async=1:first_pts=0,apad=packet_size=1024,atrim=end={duration}[a]",
        index = audio.index,
    )
}

/// One channel stays one, more become two.
pub(crate) fn channels(audio: &AudioStream) -> u32 {
    audio.channels.min(2)
}

/// Encodes `[v]` and `[a]` as the tracks of a clip.
pub(crate) fn encode(
    mut ffmpeg: Program,
    video: bool,
    channels: Option<u32>,
    settings: &CutSettings,
) -> Program {
    if video {
        ffmpeg = ffmpeg
            .args(["-map", "[v]", "-c:v", "libx264", "-pix_fmt", "yuv420p"])
            .args([
                "-preset",
                &settings.preset,
                "-crf",
                &settings.crf.to_string(),
            ]);
    }
    if let Some(channels) = channels {
        ffmpeg = ffmpeg
            .args(["-map", "[a]", "-c:a", "aac", "-ac", &channels.to_string()])
            .args(["-b:a", if channels == 1 { "96k" } else { "160k" }]);
    }
    // Its title and chapters are the recording's, not the clip's.
    ffmpeg
        .args(["-map_metadata", "-1", "-map_chapters", "-1"])
        .args(["-movflags", "+faststart", "-f", "mp4"])
}
