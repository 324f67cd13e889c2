//! Completing a stage: which errors are retried.

use lectern_db::{ConstraintKind, Error};
use lectern_domain::{Clock, ManualClock};

use super::*;

#[test]
fn a_failed_statement_is_retried() {
    let tries = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&tries);
    let (result, run) = fixture().attempt(move || {
        let tries = Arc::clone(&counter);
        Ok(StageOutput::new(move |_, job_id| {
            if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                // Fails, because this database has no tables.
                let empty = Database::open("sqlite::memory:")?;
                empty.read(|conn| conn.jobs().find(job_id))?;
            }
            Ok(())
        }))
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(run.status, StageRunStatus::Completed);
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

#[test]
fn storing_the_output_may_take_longer_than_the_lease() {
    let clock = Arc::<ManualClock>::default();
    let mut fixture = fixture();
    fixture.db = fixture.db.with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let (result, run) = fixture.attempt(move || {
        let clock = Arc::clone(&clock);
        Ok(StageOutput::new(move |tx, job_id| {
            let runs = tx.stage_runs().for_job(job_id)?;
            let lease = runs.iter().find_map(|run| run.lease).unwrap();
            clock.advance(lease.expires_at - clock.now());
            Ok(())
        }))
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(run.status, StageRunStatus::Completed);
}

#[test]
fn output_that_cannot_be_stored_now_causes_another_attempt() {
    let (result, run) = fixture().attempt(|| {
        Ok(StageOutput::new(|_, job_id| {
            Err(Error::VersionMismatch {
                job_id,
                expected: 1,
                actual: 2,
            })
        }))
    });
    assert!(
        matches!(result, Err(Failure::Transient { .. })),
        "{result:?}"
    );
    assert_eq!(run.status, StageRunStatus::Ready);
    assert!(run.error.unwrap().contains("since version 1"));
}

#[test]
fn output_that_violates_a_constraint_fails_the_job() {
    let fixture = fixture();
    let (result, run) = fixture.attempt(|| {
        Ok(StageOutput::new(|_, _| {
            Err(Error::Constraint {
                doing: "store it",
                kind: ConstraintKind::ForeignKey,
                constraint: None,
                message: "no such segment".to_owned(),
            })
        }))
    });
    assert!(
        matches!(result, Err(Failure::Permanent { .. })),
        "{result:?}"
    );
    assert_eq!(run.status, StageRunStatus::Failed);
    assert_eq!(fixture.job().status, JobStatus::Failed);
}

#[test]
fn a_note_with_nul_does_not_prevent_completion() {
    let (result, run) =
        fixture().attempt(|| Ok(empty_output().with_warning("the tool printed \"\0\" twice")));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(run.status, StageRunStatus::Completed);
}

#[test]
fn a_panic_in_the_handler_or_in_storing_fails_the_attempt() {
    for run in [
        || panic!("in the handler"),
        || Ok(StageOutput::new(|_, _| panic!("in storing"))),
    ] as [fn() -> Result<StageOutput, Failure>; 2]
    {
        let (result, run) = fixture().attempt(run);
        assert!(
            matches!(result, Err(Failure::Transient { .. })),
            "{result:?}"
        );
        assert_eq!(run.status, StageRunStatus::Ready);
        assert!(run.error.unwrap().contains("panicked"));
    }
}
