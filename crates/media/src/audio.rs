//! Sound for speech recognition.

use std::path::Path;

use lectern_domain::TimeRange;

use crate::seek::Entry;
use crate::{Error, Media, Probe};

impl Media {
    /// Writes the sound of a range as WAV as speech recognizers want it: 16 kHz,
    /// mono, 16 bit. Gaps in the track become silence, so that times in the
    /// file are times in the range.
    ///
    /// `progress` is told how many seconds are done.
    pub fn extract_audio(
        &self,
        recording: &Probe,
        range: TimeRange,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let audio = recording.audio.as_ref().ok_or(Error::NoAudio)?;
        let range = recording.within(range)?;
        let filter = format!(
            "atrim=start=0,aresample=16000:async=1:first_pts=0,apad,atrim=end={}",
            range.duration()
        );
        let ffmpeg = |entry: Entry| {
            self.telling_ffmpeg()
                .args(entry.input(&recording.path))
                .args(["-map", &format!("0:{}", audio.index), "-af", &filter])
                .args(["-ac", "1", "-c:a", "pcm_s16le", "-map_metadata", "-1"])
                .args(["-f", "wav"])
        };
        let from = (recording, range.start());
        self.write_from("extract the sound", from, &ffmpeg, out, progress)
    }
}

impl Probe {
    /// The part of a range that is in the recording.
    ///
    /// # Errors
    ///
    /// [`Error::Outside`] where there is none, as of a range of no length.
    pub fn within(&self, range: TimeRange) -> Result<TimeRange, Error> {
        let (start, end) = (range.start(), range.end().min(self.duration));
        match TimeRange::new(start, end) {
            Ok(part) if part.duration() > 0.0 => Ok(part),
            _ => Err(Error::Outside {
                start,
                end: range.end(),
                duration: self.duration,
            }),
        }
    }
}
