//! Detecting silence and black pictures.

use std::ffi::OsString;

use lectern_domain::{SilenceLevel, TimeRange};

use crate::error::Error;
use crate::ffmpeg::Media;
use crate::frames::{FrameFile, SpriteFile};
use crate::picture::constant_size_options;
use crate::probe::{AudioStream, MediaInfo};
use crate::process::ChildError;
use crate::sound::{LevelReader, MAX_TRACKS, MeasuredSound, level_filters};

/// A recording was read completely if reading ended at most this long before its
/// end, in seconds. The tracks of one file rarely end together.
const END_TOLERANCE_SECONDS: f64 = 0.5;
/// Smallest ratio of black pixels in a black picture.
const BLACK_PIXEL_RATIO: f64 = 0.98;

/// The definition of silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SilenceSettings {
    /// Sound below this level is silence.
    pub level: SilenceLevel,
    /// Shortest silence or black picture that is reported, in seconds.
    pub min_duration: f64,
    /// Whether a silent audio track may be replaced by another one. Otherwise, the track of
    /// the recording is the only one that is decoded.
    pub may_change_track: bool,
}

impl Default for SilenceSettings {
    /// Half a second, relative to the loudness and the noise of the recording, in the audio
    /// track that has sound.
    fn default() -> Self {
        Self {
            level: SilenceLevel::Auto,
            min_duration: 0.5,
            may_change_track: true,
        }
    }
}

/// Files with pictures that are sampled while a recording is decoded for something else.
#[derive(Debug, Clone, Copy, Default)]
pub struct SampledFiles<'a> {
    /// Frames that are analysed later.
    pub frames: Option<&'a FrameFile>,
    /// Small pictures for people.
    pub sprite: Option<&'a SpriteFile>,
}

/// The silent and the black regions of a recording, each in order and without
/// overlap. Sound is exact to 40 ms. Of the picture, ffmpeg prints six significant digits: a
/// time after 1,000 s is exact to 5 ms, and a time after 10,000 s is exact to 50 ms.
#[derive(Debug, Clone, PartialEq)]
pub struct SilenceRegions {
    /// Regions in which all channels are silent, or have no packets. `None` if the recording
    /// has no audio track: a missing track does not count as silence.
    pub audio: Option<Vec<TimeRange>>,
    /// The sound that was chosen and measured. `None` as for `audio`.
    pub sound: Option<MeasuredSound>,
    /// Regions with a black picture. `None` if the recording has no video track.
    pub blank: Option<Vec<TimeRange>>,
    /// The time up to which the recording could be read, in seconds. Less than
    /// the duration if the recording is damaged.
    pub read_to: f64,
    /// Lines that ffmpeg wrote to stderr, the last 20 at most.
    pub warnings: Vec<String>,
}

impl Media {
    /// Reads the recording once and detects silence and black pictures. A region that
    /// is still open at the end of the recording ends there.
    ///
    /// If the recording is damaged, the result covers what could be read, and its
    /// `warnings` have ffmpeg's reasons.
    ///
    /// `progress` gets the seconds done.
    pub fn detect_silence(
        &self,
        recording: &MediaInfo,
        settings: SilenceSettings,
        progress: &mut dyn FnMut(f64),
    ) -> Result<SilenceRegions, Error> {
        self.detect(recording, settings, Vec::new(), progress)
    }

    /// Like [`detect_silence`](Self::detect_silence), and writes `files` from the pictures that
    /// are decoded for it. If the recording has no picture, or the frames would be too large,
    /// there is no file.
    pub fn detect_silence_and_sample(
        &self,
        recording: &MediaInfo,
        settings: SilenceSettings,
        files: SampledFiles<'_>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<SilenceRegions, Error> {
        let mut outputs = Vec::new();
        if let Some(frames) = files.frames {
            outputs.extend(frames.output_options(recording)?);
        }
        if let Some(sprite) = files.sprite {
            outputs.extend(sprite.output_options(recording, &self.tools)?);
        }
        self.detect(recording, settings, outputs, progress)
    }

    /// Detects silence and black pictures. `more_outputs` are the options of further outputs.
    fn detect(
        &self,
        recording: &MediaInfo,
        settings: SilenceSettings,
        more_outputs: Vec<OsString>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<SilenceRegions, Error> {
        let tracks = tracks_to_measure(recording, settings);
        let video_options = recording.video.iter().flat_map(constant_size_options);
        let mut ffmpeg = self
            .ffmpeg_with_progress()
            .args(video_options)
            .args(self.input_options(&recording.path));
        // The filters share stdout with the progress report. Without `direct`, the
        // filters would buffer their output, and write it in the middle of other lines.
        for (position, track) in tracks.iter().enumerate() {
            let output = format!("-filter:a:{position}");
            ffmpeg = ffmpeg
                .args(["-map", &format!("0:{}", track.index)])
                .args([output, level_filters(position, track)]);
        }
        if let Some(video) = &recording.video {
            let (width, height) = (video.width, video.height);
            let filter = format!(
                "scale={width}:{height},blackdetect=picture_black_ratio_th={BLACK_PIXEL_RATIO},\
                 metadata=mode=print:file=-:direct=1"
            );
            ffmpeg = ffmpeg.args(["-map", &format!("0:{}", video.index), "-vf", &filter]);
        }
        let max_seconds = self.recording_limits.max_duration.get();
        let mut reader = LevelReader::new(&tracks, max_seconds);
        let mut black = RegionBuilder::default();
        let mut read_to: f64 = 0.0;
        let ran = self.run_with_progress(
            ffmpeg.args(["-f", "null", "-"]).args(more_outputs),
            &mut |seconds| {
                read_to = read_to.max(seconds);
                progress(seconds);
            },
            &mut |line| match parse_metadata(line) {
                Some(("lavfi.black_start", time)) => black.start(time),
                Some(("lavfi.black_end", time)) => black.end(time),
                _ => reader.push(line),
            },
        );
        let stderr = match ran {
            Ok(stderr) => stderr,
            // ffmpeg stopped at damaged data within the file.
            Err(ChildError::Failed {
                status,
                stderr_tail,
                ..
            }) if status.code().is_some() && read_to > 0.0 => stderr_tail,
            Err(error) => return Err(Error::from_child("detect silence")(error)),
        };
        if read_to > recording.duration - END_TOLERANCE_SECONDS {
            read_to = recording.duration;
        }
        let SilenceSettings {
            level,
            min_duration,
            ..
        } = settings;
        let measured =
            MeasuredSound::new(recording, &tracks, &reader, level, min_duration, read_to);
        let (mut sound, mut silent) = measured.unzip();
        if let (Some(sound), Some(silent), SilenceLevel::Auto) = (&mut sound, &mut silent, level) {
            let found =
                self.pauses_without_voice(recording, &sound.audio, silent, min_duration, read_to)?;
            sound.voice_seconds = found.seconds;
            silent.extend(found.pauses);
            *silent = disjoint(std::mem::take(silent));
        }
        Ok(SilenceRegions {
            audio: silent,
            sound,
            blank: recording
                .video
                .as_ref()
                .map(|_| black.finish(read_to, min_duration)),
            read_to,
            warnings: stderr
                .lines()
                // Two pictures of the same time, which are not written anywhere.
                .filter(|line| !line.starts_with("[null @"))
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// The audio tracks that are decoded. The tracks of the recording come first.
fn tracks_to_measure(recording: &MediaInfo, settings: SilenceSettings) -> Vec<&AudioStream> {
    let Some(audio) = &recording.audio else {
        return Vec::new();
    };
    let is_needed = |track: &&AudioStream| {
        audio.tracks().any(|index| index == track.index)
            || settings.may_change_track && audio.mixed_with.is_empty()
    };
    let mut tracks: Vec<_> = recording.audio_tracks.iter().filter(is_needed).collect();
    tracks.sort_by_key(|track| !audio.tracks().any(|index| index == track.index));
    tracks.truncate(MAX_TRACKS);
    tracks
}

/// The ranges in order, with those that overlap or touch joined.
fn disjoint(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.sort_by(|a, b| a.start().total_cmp(&b.start()));
    let mut joined: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let last = joined.last_mut().filter(|last| last.end() >= range.start());
        match last {
            Some(last) => {
                let end = last.end().max(range.end());
                *last = TimeRange::new(last.start(), end).unwrap_or(*last);
            }
            None => joined.push(range),
        }
    }
    joined
}

/// Parses a line such as `lavfi.black_start=1.99998`.
fn parse_metadata(line: &str) -> Option<(&str, f64)> {
    let (key, value) = line.split_once('=')?;
    Some((key, value.parse().ok()?))
}

/// Builds regions from their starts and ends.
#[derive(Default)]
struct RegionBuilder {
    /// Start and end of each complete region, in seconds.
    complete: Vec<(f64, f64)>,
    /// Start of a region that has not ended yet.
    open_start: Option<f64>,
}

impl RegionBuilder {
    fn start(&mut self, time: f64) {
        self.open_start = Some(time);
    }

    fn end(&mut self, time: f64) {
        self.complete
            .extend(self.open_start.take().map(|start| (start, time)));
    }

    /// The regions that are long enough, clamped to the time from 0 to `end`.
    fn finish(mut self, end: f64, min_duration: f64) -> Vec<TimeRange> {
        self.end(end);
        self.complete
            .into_iter()
            // The first packet may start slightly before 0.
            .filter_map(|(from, to)| TimeRange::new(from.max(0.0), to.min(end)).ok())
            .filter(|range| range.duration() >= min_duration)
            .collect()
    }
}
