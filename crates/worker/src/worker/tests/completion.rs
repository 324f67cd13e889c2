//! Completing a stage: which errors are retried.

use std::sync::Arc;

use lectern_db::{ConstraintKind, Database, Error, Tx};
use lectern_domain::{
    ClaimRequest, Clock, Heartbeat, JobQuota, LeaseId, ManualClock, NewSilenceRegion, SilenceType,
    StageFailure, StageNotes, TimeRange,
};
use lectern_media::CancellationToken;

use super::*;
use crate::job_objects::JobObjects;
use crate::stage_output::OutputRows;
use crate::work_source::{
    ClaimedStage, DatabaseWork, OutputKind, StoredOutputs, WorkError, WorkSource,
};

/// The stages of a database, of which the output is stored by a function.
struct StoringWith<F>(DatabaseWork, F);

impl<F> WorkSource for StoringWith<F>
where
    F: Fn(&mut Tx<'_>, JobId) -> Result<(), Error> + Send + Sync,
{
    fn claim(
        &self,
        request: &ClaimRequest,
        only_job: Option<JobId>,
        cancellation: &CancellationToken,
    ) -> Result<Vec<ClaimedStage>, WorkError> {
        self.0.claim(request, only_job, cancellation)
    }

    fn heartbeat(&self, lease_id: LeaseId, heartbeat: &Heartbeat) -> Result<bool, WorkError> {
        self.0.heartbeat(lease_id, heartbeat)
    }

    fn complete(
        &self,
        claim: &ClaimedStage,
        _: &OutputRows,
        notes: &StageNotes,
    ) -> Result<(), WorkError> {
        self.0.complete_storing(claim, notes, &self.1)
    }

    fn fail(&self, lease_id: LeaseId, failure: &StageFailure) -> Result<(), WorkError> {
        self.0.fail(lease_id, failure)
    }

    fn release(&self, lease_id: LeaseId) -> Result<(), WorkError> {
        self.0.release(lease_id)
    }

    fn stored(
        &self,
        claim: &ClaimedStage,
        kinds: &[OutputKind],
    ) -> Result<StoredOutputs, WorkError> {
        self.0.stored(claim, kinds)
    }

    fn objects(&self, claim: &ClaimedStage) -> Arc<dyn JobObjects> {
        self.0.objects(claim)
    }
}

impl Fixture {
    /// Makes one attempt at the first stage, whose output is stored by `store`. Returns the
    /// result, and the run afterwards.
    fn attempt_storing(
        &self,
        store: impl Fn(&mut Tx<'_>, JobId) -> Result<(), Error> + Send + Sync + 'static,
    ) -> (Result<(), Failure>, StageRun) {
        let handlers: Vec<Box<dyn StageHandler>> =
            vec![Box::new(FirstStage(|| Ok(empty_output())))];
        let mut worker = self.worker(handlers, 1);
        worker.source = Arc::new(StoringWith(self.source(), store));
        let result = worker.run_claim(&self.claim());
        (result, self.stage_run(Stage::SilenceDetection))
    }
}

#[test]
fn a_failed_statement_is_retried() {
    let tries = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&tries);
    let (result, run) = fixture().attempt_storing(move |_, job_id| {
        if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            // Fails, because this database has no tables.
            let empty = Database::open("sqlite::memory:")?;
            empty.read(|conn| conn.jobs().find(job_id))?;
        }
        Ok(())
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
    let (result, run) = fixture.attempt_storing(move |tx, job_id| {
        let runs = tx.stage_runs().for_job(job_id)?;
        let lease = runs.iter().find_map(|run| run.lease).unwrap();
        clock.advance(lease.expires_at - clock.now());
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(run.status, StageRunStatus::Completed);
}

#[test]
fn output_that_cannot_be_stored_now_causes_another_attempt() {
    let (result, run) = fixture().attempt_storing(|_, job_id| {
        Err(Error::VersionMismatch {
            job_id,
            expected: 1,
            actual: 2,
        })
    });
    assert!(
        matches!(result, Err(Failure::Transient { .. })),
        "{result:?}"
    );
    assert_eq!(run.status, StageRunStatus::Ready);
    assert!(run.error.unwrap().contains("since version 1"));
}

#[test]
fn output_beyond_the_quota_of_rows_causes_another_attempt() {
    let mut fixture = fixture();
    let quota = JobQuota {
        stored_rows: Some(1),
        ..JobQuota::default()
    };
    fixture.db = fixture.db.with_job_quota(quota);
    let (result, run) = fixture.attempt_storing(|tx, job_id| {
        let time = TimeRange::new(0.0, 1.0)?;
        let region = NewSilenceRegion::new(SilenceType::AudioSilence, time);
        tx.silence_regions()
            .replace_for_job(job_id, &[region.clone(), region])
            .map(drop)
    });
    assert!(
        matches!(result, Err(Failure::Transient { .. })),
        "{result:?}"
    );
    assert_eq!(run.status, StageRunStatus::Ready);
    assert!(run.error.unwrap().contains("at most 1 rows"));
}

#[test]
fn output_that_violates_a_constraint_fails_the_job() {
    let fixture = fixture();
    let (result, run) = fixture.attempt_storing(|_, _| {
        Err(Error::Constraint {
            doing: "store it",
            kind: ConstraintKind::ForeignKey,
            constraint: None,
            message: "no such segment".to_owned(),
        })
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
    let attempts = [
        fixture().attempt(|| panic!("in the handler")),
        fixture().attempt_storing(|_, _| panic!("in storing")),
    ];
    for (result, run) in attempts {
        assert!(
            matches!(result, Err(Failure::Transient { .. })),
            "{result:?}"
        );
        assert_eq!(run.status, StageRunStatus::Ready);
        assert!(run.error.unwrap().contains("panicked"));
    }
}
