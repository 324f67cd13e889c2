//! Where nothing is heard, and where nothing is seen.

use lectern_domain::TimeRange;

use crate::media::input;
use crate::{ChildError, Error, Media, Probe};

/// How far reading may end before the length the headers tell and still count
/// as complete, in seconds: tracks of one file rarely end together.
const NEARLY: f64 = 0.5;
/// Share of the pixels that have to be black.
const BLACK_PIXELS: f64 = 0.98;

/// What counts as silence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SilenceSettings {
    /// Quieter than this is silent, in dBFS.
    pub noise: f64,
    /// How long silence or black has to last at least, in seconds.
    pub shortest: f64,
}

impl Default for SilenceSettings {
    /// −35 dB for half a second.
    fn default() -> Self {
        Self {
            noise: -35.0,
            shortest: 0.5,
        }
    }
}

/// Where nothing is heard and where nothing is seen, in seconds from the start
/// of the recording, in order and without overlap. ffmpeg tells six digits, so
/// past 1000 s a time is good to 5 ms, and past 10000 s to 50 ms.
#[derive(Debug, Clone, PartialEq)]
pub struct Silences {
    /// Where all channels are silent; `None` when there is no sound at all,
    /// which is not a silence.
    pub audio: Option<Vec<TimeRange>>,
    /// Where the picture is black; `None` when there is none.
    pub blank: Option<Vec<TimeRange>>,
    /// How far the recording could be read, in seconds: its length, unless it
    /// is damaged.
    pub read_to: f64,
    /// What ffmpeg complained about, a line each, the last 20 at most.
    pub warnings: Vec<String>,
}

impl Media {
    /// Reads the recording once and finds where it is silent and where it is
    /// black. What lasts to the end ends with the recording.
    ///
    /// Of a damaged recording, what can be read is kept, and `warnings` has
    /// ffmpeg's reasons.
    ///
    /// `progress` is told how many seconds are done.
    pub fn find_silences(
        &self,
        recording: &Probe,
        settings: SilenceSettings,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Silences, Error> {
        let SilenceSettings { noise, shortest } = settings;
        let mut ffmpeg = self.telling_ffmpeg().args(input(&recording.path));
        // The filters' findings go to stdout, a line at once, so that they and
        // the progress between them stay whole.
        if let Some(audio) = &recording.audio {
            let filter = format!(
                "silencedetect=noise={noise}dB:duration={shortest},\
                 ametadata=mode=print:file=-:direct=1"
            );
            ffmpeg = ffmpeg.args(["-map", &format!("0:{}", audio.index), "-af", &filter]);
        }
        if let Some(video) = &recording.video {
            let filter = format!(
                "blackdetect=picture_black_ratio_th={BLACK_PIXELS},\
                 metadata=mode=print:file=-:direct=1"
            );
            ffmpeg = ffmpeg.args(["-map", &format!("0:{}", video.index), "-vf", &filter]);
        }
        let (mut silent, mut black) = (Spans::default(), Spans::default());
        let mut read_to: f64 = 0.0;
        let done = self.follow(
            ffmpeg.args(["-f", "null", "-"]),
            &mut |seconds| {
                read_to = read_to.max(seconds);
                progress(seconds);
            },
            &mut |line| match finding(line) {
                Some(("lavfi.silence_start", time)) => silent.begin(time),
                Some(("lavfi.silence_end", time)) => silent.end(time),
                Some(("lavfi.black_start", time)) => black.begin(time),
                Some(("lavfi.black_end", time)) => black.end(time),
                _ => {}
            },
        );
        let complaints = match done {
            Ok(stderr) => stderr,
            // It gave up on damaged data, which may be some way into the file.
            Err(ChildError::Failed {
                status,
                stderr_tail,
                ..
            }) if status.code().is_some() && read_to > 0.0 => stderr_tail,
            Err(error) => return Err(Error::while_doing("find silences")(error)),
        };
        if read_to > recording.duration - NEARLY {
            read_to = recording.duration;
        }
        let found = |spans: Spans| spans.until(read_to, shortest);
        Ok(Silences {
            audio: recording.audio.as_ref().map(|_| found(silent)),
            blank: recording.video.as_ref().map(|_| found(black)),
            read_to,
            warnings: complaints.lines().map(str::to_owned).collect(),
        })
    }
}

/// Reads `lavfi.silence_start=1.99998`.
fn finding(line: &str) -> Option<(&str, f64)> {
    let (key, value) = line.split_once('=')?;
    Some((key, value.parse().ok()?))
}

/// Stretches of time, of which the last may not have ended.
#[derive(Default)]
struct Spans {
    ended: Vec<(f64, f64)>,
    begun: Option<f64>,
}

impl Spans {
    fn begin(&mut self, time: f64) {
        self.begun = Some(time);
    }

    fn end(&mut self, time: f64) {
        self.ended
            .extend(self.begun.take().map(|start| (start, time)));
    }

    /// The stretches that are long enough, all of them between 0 and `end`.
    fn until(mut self, end: f64, shortest: f64) -> Vec<TimeRange> {
        self.end(end);
        self.ended
            .into_iter()
            // A first packet may begin a little before the start.
            .filter_map(|(from, to)| TimeRange::new(from.max(0.0), to.min(end)).ok())
            .filter(|range| range.duration() >= shortest)
            .collect()
    }
}
