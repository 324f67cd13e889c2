//! Silence regions: the parts of a recording with nothing to hear or see.

use std::ops::Deref;

use chrono::{DateTime, Utc};

use crate::id::{JobId, SilenceRegionId};
use crate::value::string_enum::string_enum;
use crate::value::{Decibels, Seconds, TimeRange, Window};

string_enum! {
    /// What is missing in a silence region.
    SilenceType {
        /// Nothing to hear.
        AudioSilence = "audio_silence",
        /// Nothing to see.
        BlankScreen = "blank_screen",
        /// Nothing to hear or see.
        Both = "both",
    }
}

/// A stored silence region; dereferences to the [`NewSilenceRegion`] it was made
/// from.
#[derive(Debug, Clone, PartialEq)]
pub struct SilenceRegion {
    /// Public id.
    pub region_id: SilenceRegionId,
    /// The job of the recording.
    pub job_id: JobId,
    /// The region.
    pub data: NewSilenceRegion,
    /// When the region was stored.
    pub created_at: DateTime<Utc>,
}

impl Deref for SilenceRegion {
    type Target = NewSilenceRegion;

    fn deref(&self) -> &NewSilenceRegion {
        &self.data
    }
}

/// A silence region to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSilenceRegion {
    /// The part of the recording.
    pub time: TimeRange,
    /// What is missing.
    pub silence_type: SilenceType,
    /// The level below which sound counted as silence.
    pub amplitude_threshold: Option<Decibels>,
}

impl NewSilenceRegion {
    /// A region without a threshold.
    pub fn new(silence_type: SilenceType, time: TimeRange) -> Self {
        Self {
            time,
            silence_type,
            amplitude_threshold: None,
        }
    }
}

/// Conditions on a list of silence regions; all that are set must hold.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SilenceRegionFilter {
    /// Regions of this type.
    pub silence_type: Option<SilenceType>,
    /// Regions at least this long.
    pub min_duration: Option<Seconds>,
    /// Regions that overlap this part of the recording.
    pub window: Window,
}
