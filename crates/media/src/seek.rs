//! Where reading begins, so that what is shown at a time is decoded.

use std::ffi::OsString;
use std::path::Path;

use crate::media::input;
use crate::progress::Lines;
use crate::{ChildError, Error, Media, Probe, Program, VideoStream};

/// Containers in which ffmpeg seeks to whatever lies at a time, so that it
/// decodes nothing until the next key frame. In the others it finds the one
/// before.
const BLIND: [&str; 2] = ["mpegts", "mpeg"];
/// How far back a key frame is looked for at first, in seconds: most encoders
/// make one at least every ten.
const REACH: f64 = 12.0;
/// How long before a key frame its sound may lie in the file, in seconds.
const MARGIN: f64 = 1.0;
/// How much farther than the wanted time a clock has to jump to be taken for
/// one that was set, in seconds: ffmpeg's own bound.
const JUMP: f64 = 10.0;

/// Where reading begins, and which time of the recording becomes 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    from: f64,
    time: f64,
}

impl Entry {
    /// At the recording's beginning.
    fn beginning(time: f64) -> Self {
        Self { from: 0.0, time }
    }

    /// The options of a file that is read from here, up to and with `-i`. The
    /// filters see all from the key frame on, at times below 0 what is before
    /// the wanted time.
    pub(crate) fn input(self, path: &Path) -> Vec<OsString> {
        let mut options: Vec<OsString> = Vec::new();
        // Seeking to 0 fails where reading from there does not: without an index
        // ffmpeg looks for it up to the end of the file, and stays there.
        if self.from > 0.0 {
            options.extend(["-noaccurate_seek", "-ss"].map(OsString::from));
            options.push(self.from.to_string().into());
        }
        // What lies before the wanted time is no jump of the clock, as of a
        // broadcast, that ffmpeg would take out.
        let jump = self.time + JUMP;
        for (option, seconds) in [
            ("-dts_delta_threshold", jump),
            ("-itsoffset", self.from - self.time),
        ] {
            options.extend([option.into(), seconds.to_string().into()]);
        }
        options.extend(input(path));
        options
    }
}

impl Media {
    /// Writes a file with the ffmpeg that is made for an entry, at the key frame
    /// before `time`. When nothing comes of it, as of a file whose index is
    /// damaged, again from the beginning of the recording. A track without a
    /// single packet is an error.
    pub(crate) fn write_from(
        &self,
        doing: &'static str,
        (recording, time): (&Probe, f64),
        ffmpeg: &dyn Fn(Entry) -> Program,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let mut write = |entry| {
            let ffmpeg = ffmpeg(entry).args(["-abort_on", "empty_output_stream"]);
            self.write(doing, ffmpeg, out, progress)
        };
        let entry = self
            .entry(recording, time)
            .map_err(Error::while_doing(doing))?;
        let done = write(entry);
        match done.as_ref().map_err(Error::child) {
            Err(Some(ChildError::Failed { status, .. }))
                if entry.from > 0.0 && status.code().is_some() =>
            {
                write(Entry::beginning(time))
            }
            _ => done,
        }
    }

    /// Finds where to begin.
    pub(crate) fn entry(&self, recording: &Probe, time: f64) -> Result<Entry, ChildError> {
        let blind = BLIND.contains(&recording.format_name.as_str());
        let Some(video) = recording.video.as_ref().filter(|_| blind) else {
            return Ok(Entry { from: time, time });
        };
        let mut reach = REACH;
        while reach < time {
            if let Some(key) = self.key_before(recording, video, time - reach, time)? {
                let from = (key - MARGIN).max(0.0);
                return Ok(Entry { from, time });
            }
            reach *= 4.0;
        }
        Ok(Entry::beginning(time))
    }

    /// When the last key frame is to be decoded that is shown from `from` to
    /// `time`.
    fn key_before(
        &self,
        recording: &Probe,
        video: &VideoStream,
        from: f64,
        time: f64,
    ) -> Result<Option<f64>, ChildError> {
        let [from, to] = [from, time].map(|time| time + recording.start);
        let mut key = None;
        let mut lines = Lines::default();
        let done = self
            .tools
            .ffprobe()
            .args(["-v", "error", "-select_streams", &video.index.to_string()])
            .args(["-read_intervals", &format!("{from}%{to}")])
            .args(["-show_entries", "packet=pts_time,dts_time,flags"])
            .args(["-of", "csv=p=0"])
            .args(input(&recording.path))
            .run(&self.limits, &mut |bytes| {
                lines.push(bytes, |line| match key_frame(line) {
                    Some((shown, decoded)) if shown <= to => key = Some(decoded - recording.start),
                    _ => {}
                });
            });
        match done {
            // Then it is looked for farther back.
            Err(ChildError::Failed { .. }) => Ok(None),
            done => done.map(|_| key),
        }
    }
}

/// When a key frame is shown and when it is to be decoded, off a line such as
/// `11.48,11.4,K_`.
fn key_frame(line: &str) -> Option<(f64, f64)> {
    let mut fields = line.split(',');
    let mut next = || fields.next();
    let [shown, decoded] = [next()?, next()?].map(|time| time.parse::<f64>().ok());
    if !next()?.starts_with('K') {
        return None;
    }
    let shown = shown.or(decoded)?;
    Some((shown, decoded.unwrap_or(shown).min(shown)))
}
