//! Numbers with bounds.

use crate::value::invalid::Invalid;
use crate::value::storage_traits::NumberValue;

/// Implements everything but the constructor of a number type.
macro_rules! number_impls {
    ($name:ident, $number:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.get().serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = <$number as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(number).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schemars")]
        crate::value::storage_traits::schema_of!($name: $number);

        impl NumberValue for $name {
            type Number = $number;

            fn from_number(number: $number) -> Result<Self, Invalid> {
                Self::new(number)
            }

            fn to_number(self) -> $number {
                self.get()
            }
        }
    };
}

/// Defines a number type over `f64` whose constructor checks a range.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $range:pat, $rule:literal $(, $rounded:expr)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// Checks the range, which excludes NaN and the infinities.
            pub fn new(value: f64) -> Result<Self, Invalid> {
                match value {
                    // The sum turns -0.0 into 0.0: SQLite drops the sign, PostgreSQL keeps it.
                    $range if value.is_finite() => {
                        $(let value = $rounded(value);)?
                        Ok(Self(value + 0.0))
                    }
                    _ => Err(Invalid::new($rule)),
                }
            }

            /// The number.
            pub fn get(self) -> f64 {
                self.0
            }
        }

        number_impls!($name, f64);
    };
}

bounded!(
    /// A share from 0 to 1: a confidence, an importance, a split.
    Ratio, 0.0..=1.0, "must be between 0 and 1"
);
bounded!(
    /// How much of a stage is done, 0 to 100, in hundredths: programs that multiply a
    /// ratio by 100 send 28.999999999999996 and mean 29.
    Percent, 0.0..=100.0, "must be between 0 and 100", hundredths
);
bounded!(
    /// A time from the start of a recording, or a length of time, in seconds, 0 or more.
    Seconds, 0.0.., "must be a finite number of seconds, 0 or more"
);
bounded!(
    /// Length of a recording in seconds, more than 0.
    VideoDuration, f64::MIN_POSITIVE.., "must be a finite number of seconds, more than 0"
);
bounded!(
    /// A sound level in dBFS: 0 is full scale, silence is far below.
    Decibels, f64::MIN.., "must be a finite number"
);

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl VideoDuration {
    /// The greatest length of a recording that a worker accepts by default: 24
    /// hours. A greater length is usually an error in the file's headers.
    pub const DEFAULT_MAX: Self = Self(86_400.0);
}

impl Percent {
    /// Not begun.
    pub const ZERO: Self = Self(0.0);
    /// Finished.
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

number_impls!(FileSize, i64);

/// Defines a number of seconds over `i32` whose constructor checks a range.
macro_rules! bounded_seconds {
    ($(#[$doc:meta])* $name:ident, $min:literal to $max:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(i32);

        impl $name {
            /// The greatest number of seconds.
            pub const MAX: i32 = $max;

            /// Checks the range.
            pub fn new(seconds: i32) -> Result<Self, Invalid> {
                match seconds {
                    $min..=$max => Ok(Self(seconds)),
                    _ => Err(Invalid::new($rule)),
                }
            }

            /// The number of seconds.
            pub fn get(self) -> i32 {
                self.0
            }
        }

        number_impls!($name, i32);
    };
}

bounded_seconds!(
    /// How long one attempt at a stage may last, 1 second to a week.
    AttemptTimeout, 1 to 604_800, "must be between 1 and 604800"
);
bounded_seconds!(
    /// The pause that a worker asks for after a failed attempt, at most a day.
    RetryAfter, 0 to 86_400, "must be between 0 and 86400"
);

/// An integer, 0 or more: a position, a distance in pixels, a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NonNegativeInt(i32);

impl NonNegativeInt {
    /// The least value.
    pub const ZERO: Self = Self(0);

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

    /// The position of the item at `index` of a list.
    pub fn position(index: usize) -> Result<Self, Invalid> {
        i32::try_from(index)
            .map(Self)
            .map_err(|_| Invalid::new("must hold at most 2147483648 items"))
    }
}

number_impls!(NonNegativeInt, i32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_infinities_are_out_of_every_range() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Ratio::new(value).is_err());
            assert!(Seconds::new(value).is_err());
            assert!(VideoDuration::new(value).is_err());
            assert!(Decibels::new(value).is_err());
        }
    }

    #[test]
    fn percentages_are_rounded_to_hundredths() {
        let rounded = |value| Percent::new(value).unwrap().get();
        let text = |value| rounded(value).to_string();
        for hundredths in 0..=10_000 {
            // The float with the shortest text, as people write it.
            let percent = f64::from(hundredths) / 100.0;
            assert_eq!(text(percent), percent.to_string());
            let ratio = f64::from(hundredths) / 10_000.0;
            assert_eq!(text((ratio * 100.0).min(100.0)), percent.to_string());
            assert!(text(percent).len() <= 5, "{percent}");
        }
        assert_eq!(text(100.0 / 3.0), "33.33");
        assert_eq!(text(0.29 * 100.0), "29");
        assert_eq!(text(99.999), "100");
        assert!(rounded(-0.0).is_sign_positive());
    }

    #[test]
    fn ranges_include_their_bounds() {
        assert!(Percent::new(0.0).is_ok() && Percent::new(100.0).is_ok());
        assert!(Percent::new(101.0).is_err() && Percent::new(-0.1).is_err());
        assert!(Percent::new(100.001).is_err() && Percent::new(-0.001).is_err());
        assert!(VideoDuration::new(0.0).is_err());
        assert!(Seconds::new(-0.0).unwrap().get().is_sign_positive());
        assert!(FileSize::new(0).is_err() && FileSize::new(i64::MAX).is_ok());
    }
}
