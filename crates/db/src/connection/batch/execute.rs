//! Executes a batch, and each operation alone if the batch fails.

use std::slice;

use super::{Execute, Mode, Outcome, Reply, interrupted};
use crate::error::Error;

/// The operations of a batch that were not executed.
pub(super) struct Remaining<Op, T> {
    pub(super) not_together: Vec<(Op, Reply<T>)>,
    pub(super) later: Vec<(Op, Reply<T>)>,
}

/// Executes a batch; returns the operations that were not executed.
pub(super) fn execute_batch<Op, T>(
    batch: Vec<(Op, Reply<T>)>,
    execute: &Execute<Op, T>,
) -> Remaining<Op, T> {
    let (ops, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let outcomes: Vec<_> = match execute(&ops, Mode::Together) {
        Ok(outcomes) => outcomes,
        Err(error) if ops.len() == 1 => vec![Outcome::Executed(Err(error))],
        Err(error) => match outage_for_each(&error, ops.len()) {
            Some(errors) => errors.into_iter().map(Err).map(Outcome::Executed).collect(),
            // One of the operations may have caused the error, so each is executed alone.
            None => ops
                .iter()
                .map(|op| execute_one(op, execute, Mode::Together))
                .collect(),
        },
    };
    let (mut not_together, mut later) = (Vec::new(), Vec::new());
    for ((op, reply), outcome) in ops.into_iter().zip(replies).zip(outcomes) {
        match outcome {
            Outcome::Executed(result) => reply(result),
            Outcome::NotTogether => not_together.push((op, reply)),
            Outcome::Later => later.push((op, reply)),
        }
    }
    Remaining {
        not_together,
        later,
    }
}

fn execute_one<Op, T>(op: &Op, execute: &Execute<Op, T>, mode: Mode) -> Outcome<T> {
    match execute(slice::from_ref(op), mode).map(|mut outcomes| outcomes.pop()) {
        Ok(Some(outcome)) => outcome,
        Ok(None) => Outcome::Executed(Err(interrupted())),
        Err(error) => Outcome::Executed(Err(error)),
    }
}

/// Executes an operation alone.
pub(super) fn execute_alone<Op, T>(op: &Op, execute: &Execute<Op, T>) -> Result<T, Error> {
    match execute_one(op, execute, Mode::Alone) {
        Outcome::Executed(result) => result,
        // Does not happen: it is executed alone.
        Outcome::NotTogether | Outcome::Later => Err(interrupted()),
    }
}

/// The error of an outage, once for each operation; `None` for other errors.
fn outage_for_each(error: &Error, count: usize) -> Option<Vec<Error>> {
    let Error::Unavailable {
        doing,
        outage,
        source,
    } = error
    else {
        return None;
    };
    let copy = || Error::Unavailable {
        doing: doing.clone(),
        outage: *outage,
        source: source.to_string().into(),
    };
    Some((0..count).map(|_| copy()).collect())
}
