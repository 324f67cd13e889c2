//! Sound whose format changes within a recording.
//!
//! Broadcasts change from stereo to 5.1 and back. ffmpeg cannot keep its filters then, and new
//! ones would fill the time from 0 on with silence again. So the sound is first decoded into a
//! file of one format, with filters that have no state.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use lectern_domain::TimeRange;

use super::SoundSource;
use crate::error::Error;
use crate::ffmpeg::{Media, is_sound_format_change};
use crate::picture::constant_size_options;
use crate::probe::{AudioStream, MediaInfo};
use crate::process::Program;
use crate::seek::SeekPoint;

/// The input options and the source of the sound, for a command that starts at a seek point.
pub(crate) struct Inputs<'a> {
    /// All input files with their options.
    pub(crate) options: Vec<OsString>,
    pub(crate) sound: Option<SoundSource<'a>>,
}

/// Gives the inputs for a seek point.
pub(crate) type InputsFrom<'f, 'a> = &'f dyn Fn(SeekPoint) -> Inputs<'a>;

impl Media {
    /// Like [`Media::write_after_seek`], for a command that filters sound. `command` must pass
    /// the given inputs. If the format of the sound changes within the range, the sound is
    /// decoded into a file first, and the command runs again.
    pub(crate) fn write_with_sound(
        &self,
        doing: &'static str,
        recording: &MediaInfo,
        range: TimeRange,
        command: &dyn Fn(Inputs<'_>) -> Program,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let sound_file = out.with_extension("sound.mkv");
        self.with_uniform_sound(recording, range, &sound_file, &mut |inputs| {
            let command = |point| command(inputs(point));
            self.write_after_seek(doing, recording, range.start(), &command, out, progress)
        })
    }

    /// Calls `run` with the inputs for a seek point. If `run` fails because the format of the sound
    /// changes within the range, decodes the sound into `sound_file`, calls `run` again with
    /// inputs that have this file, and removes it.
    pub(crate) fn with_uniform_sound<'a, T>(
        &self,
        recording: &'a MediaInfo,
        range: TimeRange,
        sound_file: &Path,
        run: &mut dyn FnMut(InputsFrom<'_, 'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let audio = recording.audio.as_ref();
        let result = run(&|point| Inputs {
            options: self.inputs_from(recording, point),
            sound: audio.map(SoundSource::in_recording),
        });
        let (Err(error), Some(audio)) = (&result, audio) else {
            return result;
        };
        if !error.child().is_some_and(is_sound_format_change) {
            return result;
        }
        let sound = self.write_uniform_sound(recording, audio, range, sound_file)?;
        let result = run(&|point| {
            let mut options = self.inputs_from(recording, point);
            // ffmpeg moves the start of a file to 0.
            options.extend(["-itsoffset".into(), sound.start.to_string().into()]);
            options.extend(self.input_options(&sound.path));
            Inputs {
                options,
                sound: Some(SoundSource::in_separate_file(audio)),
            }
        });
        // It is only of use here, and is in the scratch space.
        let _ = fs::remove_file(sound_file);
        result
    }

    fn inputs_from(&self, recording: &MediaInfo, point: SeekPoint) -> Vec<OsString> {
        let mut options = point.options();
        // New filters would fill the time from 0 on with silence again.
        options.extend(["-reinit_filter:a", "0"].map(OsString::from));
        let video = recording.video.iter().flat_map(constant_size_options);
        options.extend(video.map(OsString::from));
        options.extend(self.input_options(&recording.path));
        options
    }

    /// Decodes the sound of a range into a Matroska file of one format. Its timestamps are from
    /// the start of the range.
    fn write_uniform_sound(
        &self,
        recording: &MediaInfo,
        audio: &AudioStream,
        range: TimeRange,
        out: &Path,
    ) -> Result<MediaInfo, Error> {
        let layout = if audio.channels == 1 {
            "mono"
        } else {
            "stereo"
        };
        let filter = format!(
            "atrim=start=0:end={},aformat=sample_fmts=s16:sample_rates=48000:channel_layouts={layout}",
            range.duration()
        );
        let command = |point: SeekPoint| {
            let mut ffmpeg = self
                .ffmpeg_with_progress()
                .args(point.options())
                .args(self.input_options(&recording.path));
            for track in audio.tracks() {
                ffmpeg = ffmpeg.args(["-map", &format!("0:{track}")]);
            }
            ffmpeg
                .args(["-af", &filter, "-c:a", "pcm_s16le", "-map_metadata", "-1"])
                .args(["-f", "matroska"])
        };
        let start = range.start();
        let decoded = self.write_after_seek(
            "decode the sound",
            recording,
            start,
            &command,
            out,
            &mut |_| {},
        );
        decoded.and_then(|()| Ok(self.probe(out)?))
    }
}
