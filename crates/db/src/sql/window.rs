//! Rows that overlap a part of the recording.

/// Adds the conditions of a `Window` to a boxed query of a table with
/// `start_time` and `end_time`. A row of zero length at the start of the window
/// is in the window.
macro_rules! overlapping {
    ($query:expr, $table:ident, $window:expr) => {{
        let mut query = $query;
        if let Some(to) = $window.to() {
            query = query.filter($table::start_time.lt(to));
        }
        if let Some(from) = $window.from() {
            query = query.filter($table::end_time.gt(from).or($table::start_time.ge(from)));
        }
        query
    }};
}
pub(crate) use overlapping;
