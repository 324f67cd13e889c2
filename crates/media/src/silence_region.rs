//! Detecting silence and black pictures.

use lectern_domain::TimeRange;

use crate::error::Error;
use crate::ffmpeg::Media;
use crate::picture::constant_size_options;
use crate::probe::MediaInfo;
use crate::process::ChildError;

/// A recording was read completely if reading ended at most this long before its
/// end, in seconds. The tracks of one file rarely end together.
const END_TOLERANCE_SECONDS: f64 = 0.5;
/// Smallest ratio of black pixels in a black picture.
const BLACK_PIXEL_RATIO: f64 = 0.98;

/// The definition of silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SilenceSettings {
    /// Sound below this level is silence, in dBFS.
    pub threshold_dbfs: f64,
    /// Shortest silence or black picture that is reported, in seconds.
    pub min_duration: f64,
}

impl Default for SilenceSettings {
    /// −35 dBFS for half a second.
    fn default() -> Self {
        Self {
            threshold_dbfs: -35.0,
            min_duration: 0.5,
        }
    }
}

/// The silent and the black regions of a recording, each in order and without
/// overlap. ffmpeg prints six significant digits: a time after 1,000 s is exact
/// to 5 ms, and a time after 10,000 s is exact to 50 ms.
#[derive(Debug, Clone, PartialEq)]
pub struct SilenceRegions {
    /// Regions in which all channels are silent. `None` if the recording has no
    /// audio track: a missing track does not count as silence.
    pub audio: Option<Vec<TimeRange>>,
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
        let SilenceSettings {
            threshold_dbfs,
            min_duration,
        } = settings;
        let video_options = recording.video.iter().flat_map(constant_size_options);
        let mut ffmpeg = self
            .ffmpeg_with_progress()
            .args(video_options)
            .args(self.input_options(&recording.path));
        // The filters share stdout with the progress report. Without `direct`, the
        // filters would buffer their output, and write it in the middle of other lines.
        if let Some(audio) = &recording.audio {
            let filter = format!(
                "silencedetect=noise={threshold_dbfs}dB:duration={min_duration},\
                 ametadata=mode=print:file=-:direct=1"
            );
            ffmpeg = ffmpeg.args(["-map", &format!("0:{}", audio.index), "-af", &filter]);
        }
        if let Some(video) = &recording.video {
            let (width, height) = (video.width, video.height);
            let filter = format!(
                "scale={width}:{height},blackdetect=picture_black_ratio_th={BLACK_PIXEL_RATIO},\
                 metadata=mode=print:file=-:direct=1"
            );
            ffmpeg = ffmpeg.args(["-map", &format!("0:{}", video.index), "-vf", &filter]);
        }
        let (mut silent, mut black) = (RegionBuilder::default(), RegionBuilder::default());
        let mut read_to: f64 = 0.0;
        let ran = self.run_with_progress(
            ffmpeg.args(["-f", "null", "-"]),
            &mut |seconds| {
                read_to = read_to.max(seconds);
                progress(seconds);
            },
            &mut |line| match parse_metadata(line) {
                Some(("lavfi.silence_start", time)) => silent.start(time),
                Some(("lavfi.silence_end", time)) => silent.end(time),
                Some(("lavfi.black_start", time)) => black.start(time),
                Some(("lavfi.black_end", time)) => black.end(time),
                _ => {}
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
        let regions = |builder: RegionBuilder| builder.finish(read_to, min_duration);
        Ok(SilenceRegions {
            audio: recording.audio.as_ref().map(|_| regions(silent)),
            blank: recording.video.as_ref().map(|_| regions(black)),
            read_to,
            warnings: stderr.lines().map(str::to_owned).collect(),
        })
    }
}

/// Parses a line such as `lavfi.silence_start=1.99998`.
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
