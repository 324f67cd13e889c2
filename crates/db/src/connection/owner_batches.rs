//! Batches whose operations may have different owners.

use super::batch::{OfOwner, Outcome, Outcomes, interrupted};
use super::database::Database;

/// Executes the operations of the first one's owner: one transaction sees the jobs of one
/// owner. Those of others are executed in later batches.
pub(crate) fn execute_of_first_owner<Op, T>(
    db: &Database,
    ops: &[OfOwner<Op>],
    execute: impl FnOnce(&Database, &[&Op]) -> Outcomes<T>,
) -> Outcomes<T> {
    let owner = ops.first().and_then(|op| op.owner.clone());
    let is_of_owner = |op: &&OfOwner<Op>| op.owner == owner;
    let of_owner: Vec<_> = ops.iter().filter(is_of_owner).map(|op| &op.op).collect();
    let mut executed = execute(&db.with_owner(owner.clone()), &of_owner)?.into_iter();
    let outcome = |op: &OfOwner<Op>| {
        if op.owner != owner {
            return Outcome::Later;
        }
        // Always found: each operation has an outcome.
        let next = executed.next();
        next.unwrap_or_else(|| Outcome::Executed(Err(interrupted())))
    };
    Ok(ops.iter().map(outcome).collect())
}
