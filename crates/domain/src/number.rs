//! Numbers with bounds.

use crate::Invalid;

/// Defines a number type over `f64` whose constructor checks a range.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $range:pat, $asks:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// Checks the range; NaN and infinities are outside every one.
            pub fn new(value: f64) -> Result<Self, Invalid> {
                match value {
                    // `+ 0.0` turns -0.0 into 0.0, so that both databases store the same.
                    $range if value.is_finite() => Ok(Self(value + 0.0)),
                    _ => Err(Invalid::new($asks)),
                }
            }

            /// The number.
            pub fn get(self) -> f64 {
                self.0
            }
        }
    };
}

bounded!(
    /// A share from 0 to 1: a confidence, an importance, a split.
    Ratio, 0.0..=1.0, "must be between 0 and 1"
);
bounded!(
    /// How far a stage has come, 0 to 100.
    Percent, 0.0..=100.0, "must be between 0 and 100"
);
bounded!(
    /// A point or length on the media axis in seconds, 0 or more.
    Seconds, 0.0.., "must be a finite number of seconds, 0 or more"
);
bounded!(
    /// Length of a whole recording in seconds, more than 0.
    VideoDuration, f64::MIN_POSITIVE.., "must be a finite number of seconds, more than 0"
);
bounded!(
    /// A level in dBFS, where 0 is full scale and silence is far below.
    Decibels, f64::MIN.., "must be a finite number"
);

impl Percent {
    /// Nothing done yet.
    pub const ZERO: Self = Self(0.0);
    /// All done.
    pub const DONE: Self = Self(100.0);
}

/// Size of a file in bytes, more than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileSize(i64);

impl FileSize {
    /// Checks that there is at least one byte.
    pub fn new(bytes: i64) -> Result<Self, Invalid> {
        match bytes {
            1.. => Ok(Self(bytes)),
            _ => Err(Invalid::new("must be at least 1 byte")),
        }
    }

    /// The number of bytes.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// A whole number, 0 or more: a position, a pixel, a number of seconds left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NonNegativeInt(i32);

impl NonNegativeInt {
    /// Checks the sign.
    pub fn new(value: i32) -> Result<Self, Invalid> {
        match value {
            0.. => Ok(Self(value)),
            _ => Err(Invalid::new("must be a whole number, 0 or more")),
        }
    }

    /// The number.
    pub fn get(self) -> i32 {
        self.0
    }

    /// The position of the `index`-th item of a list.
    pub fn position(index: usize) -> Result<Self, Invalid> {
        i32::try_from(index)
            .map(Self)
            .map_err(|_| Invalid::new("must hold fewer than 2147483648 items"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_is_in_no_range() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Ratio::new(value).is_err());
            assert!(Seconds::new(value).is_err());
            assert!(VideoDuration::new(value).is_err());
            assert!(Decibels::new(value).is_err());
        }
    }

    #[test]
    fn bounds_belong_to_their_range() {
        assert!(Percent::new(0.0).is_ok() && Percent::new(100.0).is_ok());
        assert!(Percent::new(101.0).is_err() && Percent::new(-0.1).is_err());
        assert!(VideoDuration::new(0.0).is_err());
        assert!(Seconds::new(-0.0).unwrap().get().is_sign_positive());
        assert!(FileSize::new(0).is_err() && FileSize::new(i64::MAX).is_ok());
    }
}
