//! Where nothing happens.

use chrono::{DateTime, Utc};

use crate::value::string_enum::string_enum;
use crate::{Decibels, JobId, Seconds, SilenceRegionId, TimeRange, Window};

string_enum! {
    /// What there is nothing of.
    SilenceType {
        /// Nothing to hear.
        AudioSilence = "audio_silence",
        /// Nothing to see.
        BlankScreen = "blank_screen",
        /// Neither.
        Both = "both",
    }
}

/// A silence region as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SilenceRegion {
    /// Public id.
    pub region_id: SilenceRegionId,
    /// The job whose recording it is.
    pub job_id: JobId,
    /// From when to when, in seconds.
    pub time: TimeRange,
    /// What there is nothing of.
    pub silence_type: SilenceType,
    /// The level below which sound counted as silence, in dBFS.
    pub amplitude_threshold: Option<Decibels>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
}

/// A silence region to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSilenceRegion {
    /// From when to when, in seconds.
    pub time: TimeRange,
    /// What there is nothing of.
    pub silence_type: SilenceType,
    /// The level below which sound counted as silence, in dBFS.
    pub amplitude_threshold: Option<Decibels>,
}

/// The silence regions a list is about: those that fit every condition given.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SilenceRegionFilter {
    /// Regions of this type.
    pub silence_type: Option<SilenceType>,
    /// Regions at least this long, in seconds.
    pub min_duration: Option<Seconds>,
    /// Regions that overlap this part of the recording.
    pub window: Window,
}
