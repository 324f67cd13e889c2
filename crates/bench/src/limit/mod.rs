//! What the databases can do at most: the statements that a workload cannot do without,
//! and nothing else.

mod pgbench;
mod sqlite;
mod statements;

pub(crate) use pgbench::pgbench;
pub(crate) use sqlite::sqlite;
