//! Number and length of the clips.

use lectern_domain::Invalid;

/// Parameters of [`select`](super::select).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipRules {
    /// The desired minimum number of clips. To reach this number, clips are made
    /// shorter.
    pub min_clips: usize,
    /// The maximum number of clips; at least 1 and `min_clips`.
    pub max_clips: usize,
    /// The minimum length of a clip, in seconds; positive. Only a recording that is
    /// shorter than this gives a shorter clip.
    pub min_length: f64,
    /// The maximum length of a clip, in seconds. Most clips are much shorter: as long as
    /// one idea.
    pub max_length: f64,
    /// The maximum length of all clips together, as a fraction of a recording of more than
    /// [`ClipRules::SHORT_RECORDING`]; more than 0, and 1 for no limit. A single clip of the
    /// minimum length is permitted in any case.
    pub max_share: f64,
}

impl Default for ClipRules {
    /// Three to eight clips of 20 to 120 seconds, which are at most 30 % of a long
    /// recording.
    fn default() -> Self {
        Self {
            min_clips: 3,
            max_clips: 8,
            min_length: 20.0,
            max_length: 120.0,
            max_share: 0.3,
        }
    }
}

impl ClipRules {
    /// The longest recording for which `max_share` does not apply, in seconds.
    pub const SHORT_RECORDING: f64 = 300.0;

    /// The maximum length of all clips together, in seconds.
    pub(super) fn budget(&self, duration: f64) -> f64 {
        if duration > Self::SHORT_RECORDING {
            (self.max_share * duration).max(self.min_length)
        } else {
            duration
        }
    }

    /// Checks that the rules are consistent; the error names the field.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let is_duration = |value: f64| value.is_finite() && value >= 0.0;
        if self.max_clips == 0 || self.max_clips < self.min_clips {
            return Err(Invalid::field(
                "max_clips",
                "must be at least 1 and at least min_clips",
            ));
        }
        if !is_duration(self.min_length) || self.min_length == 0.0 {
            return Err(Invalid::field(
                "min_length",
                "must be finite and more than 0 seconds",
            ));
        }
        if !is_duration(self.max_length) || self.max_length < self.min_length {
            return Err(Invalid::field(
                "max_length",
                "must be finite and not below min_length",
            ));
        }
        if !(self.max_share > 0.0 && self.max_share <= 1.0) {
            return Err(Invalid::field(
                "max_share",
                "must be more than 0 and at most 1",
            ));
        }
        Ok(())
    }
}
