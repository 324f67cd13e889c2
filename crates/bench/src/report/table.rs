//! `table.md`.

use super::results::Results;
use crate::arguments::Plan;
use crate::environment::Machine;

/// The text of the file.
pub(crate) fn render(
    _results: &Results,
    _machine: &Machine,
    _plan: &Plan,
    _charts: &[String],
) -> String {
    String::new()
}
