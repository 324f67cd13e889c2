//! The waveform of a recording, as a file of its job.

use std::fs;
use std::path::Path;

use lectern_media::{MeasuredSound, Waveform};
use lectern_storage::ObjectKey;
use serde::Serialize;

use crate::failure::Failure;
use crate::stage_handler::StageContext;
use crate::stage_output::Notes;

/// Version 2 of the JSON format of audiowaveform.
#[derive(Serialize)]
struct AudioWaveform {
    version: u8,
    channels: u8,
    sample_rate: u32,
    samples_per_pixel: u32,
    bits: u8,
    length: usize,
    /// The lowest and the highest sample of each point.
    data: Vec<i8>,
}

impl From<&Waveform> for AudioWaveform {
    fn from(waveform: &Waveform) -> Self {
        let points = waveform.points.iter();
        Self {
            version: 2,
            channels: 1,
            sample_rate: waveform.sample_rate,
            samples_per_pixel: waveform.samples_per_point,
            bits: 8,
            length: waveform.points.len(),
            data: points.flat_map(|point| [point.min, point.max]).collect(),
        }
    }
}

/// Stores the waveform, in place of an earlier one. Without sound there is none; an earlier one,
/// of a recording that was replaced, becomes one without points.
pub(super) fn store(
    context: &StageContext<'_>,
    sound: Option<&MeasuredSound>,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let key = ObjectKey::waveform(context.job().job_id);
    let without_points = Waveform {
        sample_rate: 1,
        samples_per_point: 1,
        points: Vec::new(),
    };
    let waveform = match sound {
        Some(sound) => &sound.waveform,
        None if context.storage().head(&key)?.is_some() => &without_points,
        None => return Ok(()),
    };
    let json = serde_json::to_vec(&AudioWaveform::from(waveform))
        .map_err(|error| Failure::permanent(error.to_string()))?;
    let file = context.scratch_file("waveform.json");
    fs::write(&file, json)?;
    store_extra(context, &key, &file, "the waveform", notes)
}

/// Stores a file that people can do without: what else the stage has found is worth more than
/// another attempt, so a failure becomes a note.
pub(super) fn store_extra(
    context: &StageContext<'_>,
    key: &ObjectKey,
    file: &Path,
    what: &str,
    notes: &mut Notes,
) -> Result<(), Failure> {
    match context.storage().put(key, file, context.cancellation()) {
        Err(Failure::Cancelled) => Err(Failure::Cancelled),
        Err(failure) => {
            notes.warning(format!("{what} could not be stored: {failure}"));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use lectern_media::Extremes;

    use super::*;

    #[test]
    fn a_waveform_is_written_as_audiowaveform_does() {
        let waveform = Waveform {
            sample_rate: 48_000,
            samples_per_point: 3840,
            points: vec![
                Extremes {
                    min: -128,
                    max: 127,
                },
                Extremes { min: 0, max: 1 },
            ],
        };
        let written = serde_json::to_string(&AudioWaveform::from(&waveform)).unwrap();
        assert_eq!(
            written,
            "{\"version\":2,\"channels\":1,\"sample_rate\":48000,\"samples_per_pixel\":3840,\
             \"bits\":8,\"length\":2,\"data\":[-128,127,0,1]}"
        );
    }
}
