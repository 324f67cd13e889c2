//! Reports of progress, of which those of concurrent callers share statements.

use std::collections::HashSet;
use std::slice;
use std::sync::Arc;

use lectern_domain::{Job, JobId, LeaseId, ProgressReport};

use super::lease_guard::GuardedWrite;
use crate::connection::batch::{self, Execute, LeasedReport, Mode, OfOwner, Outcome, Outcomes};
use crate::connection::owner_batches::execute_of_first_owner;
use crate::connection::{Database, Tx};
use crate::error::Error;

impl Database {
    /// Checks a lease, as [`Work::guard`](crate::Work::guard) for the stage of the report,
    /// and stores the report, as
    /// [`Jobs::report_progress`](crate::Jobs::report_progress). Concurrent calls share a
    /// transaction.
    ///
    /// # Errors
    ///
    /// Those of both methods; [`Error::NestedWrite`] within [`Database::write`].
    pub fn report_progress(
        &self,
        job_id: JobId,
        lease_id: Option<LeaseId>,
        report: ProgressReport,
    ) -> Result<Job, Error> {
        self.refuse_nested_write()?;
        batch::wait(|reply| self.report_progress_then(job_id, lease_id, report, reply))
    }

    /// Like [`Database::report_progress`], but does not wait; see
    /// [`Database::find_job_then`].
    pub fn report_progress_then(
        &self,
        job_id: JobId,
        lease_id: Option<LeaseId>,
        report: ProgressReport,
        reply: impl FnOnce(Result<Job, Error>) + Send + 'static,
    ) {
        let execute = || -> Execute<OfOwner<LeasedReport>, Job> {
            let db = self.for_batches();
            Arc::new(move |reports, mode| {
                execute_of_first_owner(&db, reports, |db, reports| {
                    db.write(|tx| report_all(tx, reports, mode))
                })
            })
        };
        let report = self.of_owner(LeasedReport {
            job_id,
            lease_id,
            report,
        });
        let batcher = self.batchers.reports(job_id);
        batcher.submit(report, Box::new(reply), execute);
    }
}

fn report_all(tx: &mut Tx<'_>, reports: &[&LeasedReport], mode: Mode) -> Outcomes<Job> {
    let mut outcomes: Vec<Option<Outcome<Job>>> = reports.iter().map(|_| None).collect();
    // A statement can change a job only once, so each round has one report of each job.
    while let Some(round) = next_round(reports, &outcomes) {
        let writes: Vec<_> = round
            .iter()
            .map(|&i| GuardedWrite {
                job_id: reports[i].job_id,
                stages: slice::from_ref(&reports[i].report.stage),
                lease_id: reports[i].lease_id,
            })
            .collect();
        let checks = tx.work().guard_all(&writes, mode)?;
        let mut allowed = Vec::with_capacity(round.len());
        for (i, check) in round.into_iter().zip(checks) {
            match check {
                Outcome::Executed(Ok(_)) => allowed.push(i),
                Outcome::Executed(Err(error)) => outcomes[i] = Some(Outcome::Executed(Err(error))),
                Outcome::NotTogether => outcomes[i] = Some(Outcome::NotTogether),
                Outcome::Later => outcomes[i] = Some(Outcome::Later),
            }
        }
        let by_job: Vec<_> = allowed
            .iter()
            .map(|&i| (reports[i].job_id, &reports[i].report))
            .collect();
        for (i, result) in allowed.into_iter().zip(tx.jobs().report_all(&by_job)?) {
            outcomes[i] = Some(Outcome::Executed(result));
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// The first report of each job that has no outcome yet; `None` if all have one.
fn next_round<T>(reports: &[&LeasedReport], outcomes: &[Option<T>]) -> Option<Vec<usize>> {
    let mut jobs = HashSet::new();
    let is_next = |&i: &usize| outcomes[i].is_none() && jobs.insert(reports[i].job_id);
    let round: Vec<_> = (0..reports.len()).filter(is_next).collect();
    (!round.is_empty()).then_some(round)
}
