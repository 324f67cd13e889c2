//! Random operations on jobs.

use std::sync::Mutex;

use lectern_db::{Error, Tx};
use lectern_domain::{Heartbeat, Job, JobId, JobUpdate, LeaseId, Stage};
use lectern_tests::{TestDb, a_report, segments};

use super::unknown_id;
use super::worker::{a_failure, a_heartbeat, a_request, concurrently};
use crate::pseudo_random::PseudoRandom;

/// A random percentage.
fn percent(random: &mut PseudoRandom) -> f64 {
    random.below(101) as f64
}

/// Runs 60 random operations on each of 16 threads while leases expire; returns
/// the changed jobs by thread. Rejected operations are expected, other errors
/// panic.
pub(crate) fn run_random_operations(db: &TestDb, jobs: &[JobId]) -> Vec<Vec<Job>> {
    let leases = Mutex::default();
    concurrently(16, |thread| {
        let mut random = PseudoRandom::new(thread);
        let mut seen = Vec::new();
        for _ in 0..60 {
            match db.write(|tx| change(tx, jobs, &leases, &mut random)) {
                Ok(changed) => seen.extend(changed),
                Err(
                    Error::LeaseLost { .. }
                    | Error::JobNotFound { .. }
                    | Error::IllegalTransition { .. }
                    | Error::NotRunning { .. },
                ) => {}
                Err(other) => panic!("{other:?}"),
            }
            if thread == 0 && random.below(3) == 0 {
                db.clock().advance(chrono::TimeDelta::seconds(15));
            }
        }
        seen
    })
}

/// Runs a random operation of a worker or of a client; returns the job if it
/// changed.
fn change(
    tx: &mut Tx<'_>,
    jobs: &[JobId],
    leases: &Mutex<Vec<LeaseId>>,
    random: &mut PseudoRandom,
) -> Result<Option<Job>, Error> {
    let job = jobs[random.below(jobs.len())];
    let stage = Stage::WORK[random.below(Stage::WORK.len())];
    let lease = {
        let leases = leases.lock().unwrap();
        // Prefers recent leases, which may still be valid.
        let nth = random.below(6);
        leases
            .iter()
            .rev()
            .nth(nth)
            .copied()
            .unwrap_or(unknown_id())
    };
    match random.below(14) {
        0..3 => {
            let claims = tx.work().claim(&a_request(Stage::WORK, 2))?;
            let claimed = claims.iter().map(|claim| claim.lease_id);
            leases.lock().unwrap().extend(claimed);
            Ok(claims.into_iter().next().map(|claim| claim.job))
        }
        3 => {
            tx.work().heartbeat(lease, &a_heartbeat(percent(random)))?;
            Ok(None)
        }
        4 => {
            tx.work().heartbeat(lease, &Heartbeat::default())?;
            Ok(None)
        }
        5..8 => Ok(Some(tx.work().complete(lease)?.0)),
        8 => {
            let failure = a_failure(random.below(9) > 0);
            Ok(Some(tx.work().fail(lease, &failure)?.0))
        }
        9 => tx
            .jobs()
            .report_progress(job, &a_report(stage, percent(random)))
            .map(Some),
        10 if random.below(3) == 0 => tx.jobs().cancel(job).map(Some),
        11 => tx.jobs().retry(job).map(Some),
        12 => {
            let priority = i32::try_from(random.below(9)).ok();
            let update = JobUpdate {
                priority,
                ..JobUpdate::default()
            };
            tx.jobs().update(job, &update, None).map(Some)
        }
        _ => {
            let locked = tx.work().guard(job, &[stage], Some(lease))?;
            tx.transcripts().replace_for_job(locked, &segments(2))?;
            Ok(None)
        }
    }
}
