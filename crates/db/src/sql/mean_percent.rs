//! The percentage of a job from those of its stage runs.

use crate::sql::status_literals::RUN_SKIPPED;

/// SQL for the mean percentage of the runs that are not skipped, rounded to hundredths;
/// NULL if there is none. `run` is the name of the table, which the query groups by job.
///
/// The sum is one of integers, because the databases add floats and round halves
/// differently.
pub(crate) fn mean_percent(run: &str) -> String {
    let counted = format!("FILTER (WHERE {run}.status <> '{RUN_SKIPPED}')");
    format!(
        "(2 * CAST(SUM(CAST(ROUND({run}.percent * 100) AS BIGINT)) {counted} AS BIGINT)
          + COUNT(*) {counted}) / NULLIF(2 * COUNT(*) {counted}, 0) / 100.0"
    )
}
