//! The waveform of a recording.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The waveform of a recording, in version 2 of the JSON format of audiowaveform: the lowest and
/// the highest sample of each part of the sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waveform {
    /// The version of the format, 2.
    #[schemars(range(min = 2, max = 2))]
    pub version: u8,
    /// The number of channels, whose points alternate in `data`.
    #[schemars(range(min = 1, max = 24))]
    pub channels: u8,
    /// Samples per second.
    #[schemars(range(min = 1))]
    pub sample_rate: u32,
    /// The number of samples that a point stands for.
    #[schemars(range(min = 1))]
    pub samples_per_pixel: u32,
    /// Bits of each number in `data`: 8 or 16. Full scale is -128 to 127, or -32768 to 32767.
    #[schemars(range(min = 8, max = 16))]
    pub bits: u8,
    /// The number of points.
    pub length: u32,
    /// The lowest and the highest sample of each point.
    pub data: Vec<i16>,
}

/// Greatest number of channels in the format.
const MAX_CHANNELS: u8 = 24;

impl Waveform {
    /// Reads a file in the format. `None` if it is not in it, or contradicts itself.
    pub fn read(json: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(json).ok()?;
        let numbers = u64::from(read.length) * 2 * u64::from(read.channels);
        let fits = match read.bits {
            8 => read.data.iter().all(|sample| i8::try_from(*sample).is_ok()),
            16 => true,
            _ => false,
        };
        let is_valid = read.version == 2
            && (1..=MAX_CHANNELS).contains(&read.channels)
            && read.sample_rate > 0
            && read.samples_per_pixel > 0
            && fits
            && read.data.len() as u64 == numbers;
        is_valid.then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn file() -> Value {
        json!({
            "version": 2, "channels": 1, "sample_rate": 48_000, "samples_per_pixel": 1920,
            "bits": 8, "length": 2, "data": [-128, 127, 0, 1],
        })
    }

    #[test]
    fn a_file_of_audiowaveform_is_read() {
        let read = Waveform::read(file().to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), file());
        let mut stereo = file();
        stereo["channels"] = 2.into();
        stereo["length"] = 1.into();
        assert!(Waveform::read(stereo.to_string().as_bytes()).is_some());
    }

    #[test]
    fn a_file_that_contradicts_itself_is_refused() {
        for (field, value) in [
            ("version", json!(1)),
            ("channels", json!(0)),
            ("channels", json!(25)),
            ("sample_rate", json!(0)),
            ("samples_per_pixel", json!(0)),
            ("bits", json!(24)),
            ("length", json!(3)),
            ("length", json!(u32::MAX)),
            ("data", json!([-129, 127, 0, 1])),
            ("data", json!([0, 128, 0, 1])),
            ("data", json!("")),
        ] {
            let mut invalid = file();
            invalid[field] = value;
            let read = Waveform::read(invalid.to_string().as_bytes());
            assert_eq!(read, None, "{invalid}");
        }
        assert_eq!(Waveform::read(b"{}"), None);
        assert_eq!(Waveform::read(b"\xff"), None);
    }
}
