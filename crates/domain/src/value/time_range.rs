//! A stretch of the media axis.

use crate::{At, Invalid, Seconds};

/// From `start` to `end` on the media axis, in seconds: `0 <= start <= end`,
/// both finite. A range may have no length: a cut is one.
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
        let start = Seconds::new(start).at("start_time")?.get();
        let end = Seconds::new(end).at("end_time")?.get();
        if end < start {
            return Err(Invalid::field("end_time", "must not be before start_time"));
        }
        Ok(Self { start, end })
    }

    /// Where the range begins, in seconds.
    pub fn start(self) -> f64 {
        self.start
    }

    /// Where the range ends, in seconds.
    pub fn end(self) -> f64 {
        self.end
    }

    /// `end - start` in seconds: the same subtraction the databases make for
    /// their generated column.
    pub fn duration(self) -> f64 {
        self.end - self.start
    }
}

/// The part of the media axis a caller asks for: `[from, to)`, each side open
/// when it is not given.
///
/// A row is in the window when the two overlap, not only when the window
/// contains it; a row of no length is in it when `from <= start < to`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Window {
    from: Option<Seconds>,
    to: Option<Seconds>,
}

impl Window {
    /// Checks both sides and their order; the error names `from` or `to`.
    pub fn new(from: Option<f64>, to: Option<f64>) -> Result<Self, Invalid> {
        let from = from.map(Seconds::new).transpose().at("from")?;
        let to = to.map(Seconds::new).transpose().at("to")?;
        match (from, to) {
            (Some(from), Some(to)) if to < from => {
                Err(Invalid::field("to", "must not be before from"))
            }
            _ => Ok(Self { from, to }),
        }
    }

    /// First instant of the window, in seconds.
    pub fn from(self) -> Option<f64> {
        self.from.map(Seconds::get)
    }

    /// First instant after the window, in seconds.
    pub fn to(self) -> Option<f64> {
        self.to.map(Seconds::get)
    }
}
