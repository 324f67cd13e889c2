//! How many clips, how long.

use lectern_domain::Invalid;

/// What clips are picked by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipRules {
    /// The number of clips below which longer ones are given up for more.
    pub min_clips: usize,
    /// The greatest number of clips, 1 or more.
    pub max_clips: usize,
    /// The least length of a clip, in seconds, more than 0. Only a recording
    /// that is shorter itself makes a shorter clip.
    pub min_length: f64,
    /// The greatest length of a clip, in seconds.
    pub max_length: f64,
    /// How far an edge may be moved to a silence, in seconds.
    pub snap_within: f64,
}

impl Default for ClipRules {
    /// Three to eight clips of 20 to 120 seconds, edges moved by at most 5.
    fn default() -> Self {
        Self {
            min_clips: 3,
            max_clips: 8,
            min_length: 20.0,
            max_length: 120.0,
            snap_within: 5.0,
        }
    }
}

impl ClipRules {
    /// Checks that the rules can be kept; the error names the one that cannot.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let seconds = |value: f64| value.is_finite() && value >= 0.0;
        if self.max_clips == 0 || self.max_clips < self.min_clips {
            return Err(Invalid::field(
                "max_clips",
                "must be at least 1 and min_clips",
            ));
        }
        if !seconds(self.min_length) || self.min_length == 0.0 {
            return Err(Invalid::field("min_length", "must be more than 0 seconds"));
        }
        if !seconds(self.max_length) || self.max_length < self.min_length {
            return Err(Invalid::field("max_length", "must not be below min_length"));
        }
        if !seconds(self.snap_within) {
            return Err(Invalid::field("snap_within", "must be 0 seconds or more"));
        }
        Ok(())
    }
}
