use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;

use super::*;

/// Operations are numbers; the result is their double.
type Doubling = Batcher<u32, u32>;

/// Passes each batch on, and waits for a permission before it is executed.
struct Gate {
    batches: Sender<Vec<u32>>,
    permissions: Arc<Mutex<Receiver<()>>>,
}

/// A batcher with a gate, and its other end.
struct Fixture {
    batcher: Doubling,
    batches: Receiver<Vec<u32>>,
    permit: Sender<()>,
    gate: Gate,
}

impl Fixture {
    fn new(max_threads: usize) -> Self {
        let (batch_sender, batches) = channel();
        let (permit, permissions) = channel();
        Self {
            batcher: Batcher::new(max_threads, |op| Uuid::from_u128(u128::from(*op))),
            batches,
            permit,
            gate: Gate {
                batches: batch_sender,
                permissions: Arc::new(Mutex::new(permissions)),
            },
        }
    }

    /// Submits operations; returns the end at which their results arrive.
    fn submit(
        &self,
        ops: &[u32],
        execute: fn(&[u32], Mode) -> Outcomes<u32>,
    ) -> Receiver<(u32, Result<u32, Error>)> {
        let (results, received) = channel();
        for &op in ops {
            let results = results.clone();
            let reply = Box::new(move |result| drop(results.send((op, result))));
            self.batcher.submit(op, reply, || {
                let batches = self.gate.batches.clone();
                let permissions = Arc::clone(&self.gate.permissions);
                Arc::new(move |ops, mode| {
                    batches.send(ops.to_vec()).unwrap();
                    permissions.lock().recv().unwrap();
                    execute(ops, mode)
                })
            });
        }
        received
    }

    fn permit(&self, batches: usize) {
        for _ in 0..batches {
            self.permit.send(()).unwrap();
        }
    }
}

fn double(ops: &[u32], _: Mode) -> Outcomes<u32> {
    double_unless(ops, |_| false)
}

/// Fails as a whole if one of the operations is 13, as a transaction does.
fn double_unless_13(ops: &[u32], _: Mode) -> Outcomes<u32> {
    double_unless(ops, |op| op == 13)
}

fn double_unless(ops: &[u32], fails: fn(u32) -> bool) -> Outcomes<u32> {
    if ops.iter().any(|op| fails(*op)) {
        return Err(Error::IdempotencyMismatch);
    }
    Ok(executed(ops.iter().map(|op| Ok(op * 2))))
}

#[test]
fn operations_that_gather_meanwhile_are_executed_together() {
    let fixture = Fixture::new(1);
    let first = fixture.submit(&[1], double);
    assert_eq!(fixture.batches.recv().unwrap(), [1]);
    let others = fixture.submit(&[2, 3, 4], double);
    fixture.permit(2);
    assert_eq!(fixture.batches.recv().unwrap(), [2, 3, 4]);
    assert!(matches!(first.recv().unwrap(), (1, Ok(2))));
    for op in 2..=4 {
        assert!(matches!(others.recv().unwrap(), (n, Ok(m)) if n == op && m == 2 * op));
    }
}

#[test]
fn an_operation_that_fails_does_not_fail_the_others_of_its_batch() {
    let fixture = Fixture::new(1);
    let first = fixture.submit(&[1], double_unless_13);
    fixture.batches.recv().unwrap();
    let others = fixture.submit(&[2, 13, 4], double_unless_13);
    fixture.permit(5);
    first.recv().unwrap().1.unwrap();
    let results: Vec<_> = others.iter().collect();
    assert!(matches!(results[0], (2, Ok(4))));
    assert!(matches!(results[1], (13, Err(Error::IdempotencyMismatch))));
    assert!(matches!(results[2], (4, Ok(8))));
    let batches: Vec<_> = fixture.batches.try_iter().collect();
    assert_eq!(batches, [vec![2, 13, 4], vec![2], vec![13], vec![4]]);
}

#[test]
fn an_outage_is_reported_to_each_caller_and_not_tried_again() {
    let fixture = Fixture::new(1);
    let unavailable = |_: &[u32], _| Err(interrupted());
    let first = fixture.submit(&[1], unavailable);
    fixture.batches.recv().unwrap();
    let others = fixture.submit(&[2, 3], unavailable);
    fixture.permit(2);
    first.recv().unwrap().1.unwrap_err();
    let results: Vec<_> = others.iter().collect();
    assert_eq!(results.len(), 2);
    for (_, result) in results {
        assert!(matches!(
            result,
            Err(Error::Unavailable {
                outage: Outage::Commit,
                ..
            })
        ));
    }
    assert_eq!(fixture.batches.try_iter().count(), 1);
}

#[test]
fn operations_for_later_are_executed_in_the_next_batch() {
    let fixture = Fixture::new(1);
    let only_the_first = |ops: &[u32], _: Mode| {
        let mut outcomes = executed([Ok(ops[0] * 2)]);
        outcomes.extend(ops[1..].iter().map(|_| Outcome::Later));
        Ok(outcomes)
    };
    let first = fixture.submit(&[1], only_the_first);
    assert_eq!(fixture.batches.recv().unwrap(), [1]);
    let others = fixture.submit(&[2, 3, 4], only_the_first);
    fixture.permit(4);
    first.recv().unwrap().1.unwrap();
    for batch in [vec![2, 3, 4], vec![3, 4], vec![4]] {
        assert_eq!(fixture.batches.recv().unwrap(), batch);
        assert!(matches!(others.recv().unwrap(), (n, Ok(m)) if n == batch[0] && m == 2 * n));
    }
}

#[test]
fn after_a_panic_the_callers_are_told_and_the_thread_continues() {
    let fixture = Fixture::new(1);
    let panics = |ops: &[u32], mode| {
        assert!(!ops.contains(&1), "a panic that the test expects");
        double(ops, mode)
    };
    fixture.permit(2);
    // The reply is dropped, so nothing arrives.
    assert_eq!(fixture.submit(&[1], panics).iter().count(), 0);
    assert!(matches!(
        fixture.submit(&[2], panics).recv().unwrap(),
        (2, Ok(4))
    ));
    let told = wait(|reply: Reply<u32>| drop(reply));
    assert!(matches!(told, Err(Error::Unavailable { .. })));
}

#[test]
fn new_threads_execute_what_is_queued_behind_one_that_does_not_return() {
    let fixture = Fixture::new(1);
    let stuck = fixture.submit(&[1], double);
    fixture.batches.recv().unwrap();
    let next = fixture.submit(&[2], double);
    fixture.batcher.replace_threads();
    assert_eq!(fixture.batches.recv().unwrap(), [2]);
    fixture.permit(2);
    next.recv().unwrap().1.unwrap();
    stuck.recv().unwrap().1.unwrap();
}

#[test]
fn a_caller_that_no_longer_waits_does_not_affect_the_others() {
    let fixture = Fixture::new(1);
    drop(fixture.submit(&[1], double));
    fixture.batches.recv().unwrap();
    drop(fixture.submit(&[2], double));
    let waits = fixture.submit(&[3], double);
    fixture.permit(2);
    assert!(matches!(waits.recv().unwrap(), (3, Ok(6))));
}

#[test]
fn queued_operations_are_executed_after_the_batcher_is_dropped() {
    let fixture = Fixture::new(1);
    let first = fixture.submit(&[1], double);
    fixture.batches.recv().unwrap();
    let second = fixture.submit(&[2], double);
    let Fixture {
        batcher,
        permit,
        batches,
        gate,
    } = fixture;
    drop((batcher, gate));
    permit.send(()).unwrap();
    permit.send(()).unwrap();
    first.recv().unwrap().1.unwrap();
    second.recv().unwrap().1.unwrap();
    assert_eq!(batches.iter().collect::<Vec<_>>(), [[2]]);
}

#[test]
fn an_operation_that_is_executed_alone_delays_no_other() {
    let fixture = Fixture::new(1);
    // Operation 13 cannot be executed together with others.
    let not_13 = |ops: &[u32], mode| {
        let outcome = |op: &u32| match (op, mode) {
            (13, Mode::Together) => Outcome::NotTogether,
            (op, _) => Outcome::Executed(Ok(op * 2)),
        };
        Ok(ops.iter().map(outcome).collect())
    };
    let first = fixture.submit(&[1], not_13);
    fixture.batches.recv().unwrap();
    let others = fixture.submit(&[13, 2], not_13);
    fixture.permit(2);
    first.recv().unwrap().1.unwrap();
    assert_eq!(fixture.batches.recv().unwrap(), [13, 2]);
    assert!(matches!(others.recv().unwrap(), (2, Ok(4))));
    // Waits for a permission while the next batch is executed.
    assert_eq!(fixture.batches.recv().unwrap(), [13]);
    let next = fixture.submit(&[3], not_13);
    assert_eq!(fixture.batches.recv().unwrap(), [3]);
    fixture.permit(2);
    assert!(matches!(next.recv().unwrap(), (3, Ok(6))));
    assert!(matches!(others.recv().unwrap(), (13, Ok(26))));
}

#[test]
fn of_the_operations_with_one_key_one_at_a_time_is_executed_alone() {
    let batcher = Batcher::new(1, |op: &u32| Uuid::from_u128(u128::from(op / 10)));
    let (starts, started) = channel();
    let (permit, permissions) = channel();
    let permissions = Arc::new(Mutex::new(permissions));
    let (results, received) = channel();
    let submit = |op: u32| {
        let results = results.clone();
        let reply = Box::new(move |result: Result<u32, Error>| results.send(result).unwrap());
        batcher.submit(op, reply, || {
            let (starts, permissions) = (starts.clone(), Arc::clone(&permissions));
            Arc::new(move |ops: &[u32], mode| {
                if mode == Mode::Together {
                    return Ok(ops.iter().map(|_| Outcome::NotTogether).collect());
                }
                starts.send(ops[0]).unwrap();
                permissions.lock().recv().unwrap();
                Ok(executed([Ok(ops[0])]))
            })
        });
    };
    submit(130);
    assert_eq!(started.recv().unwrap(), 130);
    submit(131);
    submit(140);
    assert_eq!(started.recv().unwrap(), 140);
    assert!(started.try_recv().is_err());
    for _ in 0..3 {
        permit.send(()).unwrap();
    }
    let mut executed: Vec<_> = (0..3).map(|_| received.recv().unwrap().unwrap()).collect();
    executed.sort_unstable();
    assert_eq!(executed, [130, 131, 140]);
    assert_eq!(started.recv().unwrap(), 131);
}
