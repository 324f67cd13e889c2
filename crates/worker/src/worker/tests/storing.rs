//! Storing what was found: what of it is tried again, and what is not.

use lectern_db::{ConstraintKind, Error};
use lectern_domain::{Clock, ManualClock};

use super::*;

#[test]
fn what_the_database_could_not_do_it_may_do_a_moment_later() {
    let tries = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&tries);
    let (done, run) = Bench::new().attempt(move || {
        let tries = Arc::clone(&counted);
        Ok(StageOutput::new(move |_, job_id| {
            if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                // There are no tables in it.
                let empty = Database::open("sqlite::memory:")?;
                empty.read(|conn| conn.jobs().find(job_id))?;
            }
            Ok(())
        }))
    });
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(run.status, StageRunStatus::Completed);
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

#[test]
fn to_store_what_was_found_may_take_longer_than_the_lease() {
    let clock = Arc::<ManualClock>::default();
    let mut bench = Bench::new();
    bench.db = bench.db.with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let (done, run) = bench.attempt(move || {
        let clock = Arc::clone(&clock);
        Ok(StageOutput::new(move |tx, job_id| {
            let runs = tx.stage_runs().for_job(job_id)?;
            let lease = runs.iter().find_map(|run| run.lease).unwrap();
            clock.advance(lease.expires_at - clock.now());
            Ok(())
        }))
    });
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(run.status, StageRunStatus::Completed);
}

#[test]
fn what_cannot_be_stored_now_is_tried_again() {
    let bench = Bench::new();
    let (done, run) = bench.attempt(|| {
        Ok(StageOutput::new(|_, job_id| {
            Err(Error::VersionMismatch {
                job_id,
                expected: 1,
                actual: 2,
            })
        }))
    });
    assert!(matches!(done, Err(Failure::Transient { .. })), "{done:?}");
    assert_eq!(run.status, StageRunStatus::Ready);
    assert!(run.error.unwrap().contains("since version 1"));
}

#[test]
fn what_the_database_will_always_refuse_is_not_tried_again() {
    let bench = Bench::new();
    let (done, run) = bench.attempt(|| {
        Ok(StageOutput::new(|_, _| {
            Err(Error::Constraint {
                doing: "store it",
                kind: ConstraintKind::ForeignKey,
                constraint: None,
                message: "no such segment".to_owned(),
            })
        }))
    });
    assert!(matches!(done, Err(Failure::Permanent { .. })), "{done:?}");
    assert_eq!(run.status, StageRunStatus::Failed);
    assert_eq!(bench.status(), JobStatus::Failed);
}

#[test]
fn a_nul_in_a_note_does_not_keep_a_stage_from_being_completed() {
    let bench = Bench::new();
    let (done, run) =
        bench.attempt(|| Ok(StageOutput::new(|_, _| Ok(())).saying("it said \"\0\" twice")));
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(run.status, StageRunStatus::Completed);
}

#[test]
fn a_panic_fails_the_attempt_wherever_it_happens() {
    for run in [
        || panic!("while it looks"),
        || Ok(StageOutput::new(|_, _| panic!("while it stores"))),
    ] as [fn() -> Result<StageOutput, Failure>; 2]
    {
        let (done, run) = Bench::new().attempt(run);
        assert!(matches!(done, Err(Failure::Transient { .. })), "{done:?}");
        assert_eq!(run.status, StageRunStatus::Ready);
        assert!(run.error.unwrap().contains("panicked"));
    }
}
