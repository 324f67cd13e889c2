//! Ranges of time in a recording, in seconds from its start.

use crate::value::invalid::{InField, Invalid};
use crate::value::number::Seconds;

/// A range of time in a recording, in seconds from its start: `0 <= start <= end`,
/// both finite. A range may be empty.
///
/// ```
/// use lectern_domain::TimeRange;
///
/// let range = TimeRange::new(1.5, 4.0)?;
/// assert_eq!(range.duration(), 2.5);
///
/// let error = TimeRange::new(4.0, 1.5).unwrap_err();
/// assert_eq!(error.errors()[0].field, "end_time");
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeRange {
    start: f64,
    end: f64,
}

impl TimeRange {
    /// Checks both ends and their order; the error names `start_time` or
    /// `end_time`.
    pub fn new(start: f64, end: f64) -> Result<Self, Invalid> {
        let start = Seconds::new(start).in_field("start_time")?.get();
        let end = Seconds::new(end).in_field("end_time")?.get();
        if end < start {
            return Err(Invalid::field("end_time", "must not be before start_time"));
        }
        Ok(Self { start, end })
    }

    /// The range with another start or end. The error names a field that was given.
    pub fn changed(self, start: Option<Seconds>, end: Option<Seconds>) -> Result<Self, Invalid> {
        let changed = Self {
            start: start.map_or(self.start, Seconds::get),
            end: end.map_or(self.end, Seconds::get),
        };
        if changed.start <= changed.end {
            return Ok(changed);
        }
        Err(match end {
            Some(_) => Invalid::field("end_time", "must not be before start_time"),
            None => Invalid::field("start_time", "must not be after end_time"),
        })
    }

    /// In seconds.
    pub fn start(self) -> f64 {
        self.start
    }

    /// In seconds.
    pub fn end(self) -> f64 {
        self.end
    }

    /// `end - start` in seconds, the same subtraction as in the databases'
    /// generated column.
    pub fn duration(self) -> f64 {
        self.end - self.start
    }
}

/// The part of a recording that a list is limited to: `[from, to)`, unbounded on a
/// side that is `None`.
///
/// A row is in the window when its range and the window overlap. A row whose range is
/// empty is in the window when `from <= start < to`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Window {
    from: Option<Seconds>,
    to: Option<Seconds>,
}

impl Window {
    /// Checks both sides and their order; the error names `from` or `to`.
    pub fn new(from: Option<f64>, to: Option<f64>) -> Result<Self, Invalid> {
        let from = from.map(Seconds::new).transpose().in_field("from")?;
        let to = to.map(Seconds::new).transpose().in_field("to")?;
        match (from, to) {
            (Some(from), Some(to)) if to < from => {
                Err(Invalid::field("to", "must not be before from"))
            }
            _ => Ok(Self { from, to }),
        }
    }

    /// Start of the window in seconds, inclusive.
    pub fn from(self) -> Option<f64> {
        self.from.map(Seconds::get)
    }

    /// End of the window in seconds, exclusive.
    pub fn to(self) -> Option<f64> {
        self.to.map(Seconds::get)
    }
}
