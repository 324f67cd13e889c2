//! Operations on jobs that share statements with those of concurrent callers.

use std::collections::HashSet;
use std::sync::Arc;

use lectern_domain::{Job, JobId, NewJob};

use super::usage::count_new;
use crate::connection::batch::{self, Execute, Mode, OfOwner, Outcome, Outcomes, executed};
use crate::connection::owner_batches::execute_of_first_owner;
use crate::connection::{Database, Tx};
use crate::error::Error;

impl Database {
    /// The job with this id, as [`Jobs::find`](crate::Jobs::find). Concurrent calls share a
    /// query.
    pub fn find_job(&self, job_id: JobId) -> Result<Option<Job>, Error> {
        batch::wait(|reply| self.find_job_then(job_id, reply))
    }

    /// Like [`Database::find_job`], but does not wait: `reply` is called with the result, on
    /// a thread that executes queries, which it must not block. After a panic or at
    /// the end of the process it is dropped instead.
    pub fn find_job_then(
        &self,
        job_id: JobId,
        reply: impl FnOnce(Result<Option<Job>, Error>) + Send + 'static,
    ) {
        let execute = || -> Execute<OfOwner<JobId>, Option<Job>> {
            let db = self.for_batches();
            Arc::new(move |finds, mode| {
                execute_of_first_owner(&db, finds, |db, job_ids| {
                    let job_ids: Vec<_> = job_ids.iter().map(|job_id| **job_id).collect();
                    find_all(db, &job_ids, mode)
                })
            })
        };
        let find = self.of_owner(job_id);
        self.batchers.finds.submit(find, Box::new(reply), execute);
    }

    /// Creates a job, as [`Jobs::create`](crate::Jobs::create). Concurrent calls share a
    /// transaction.
    ///
    /// # Errors
    ///
    /// [`Error::NestedWrite`] within [`Database::write`]; [`Error::Invalid`] when
    /// `processing_config` names an unknown pipeline; [`Error::QuotaExceeded`].
    pub fn create_job(&self, new: NewJob) -> Result<Job, Error> {
        self.refuse_nested_write()?;
        batch::wait(|reply| self.create_job_then(new, reply))
    }

    /// Like [`Database::create_job`], but does not wait; see [`Database::find_job_then`].
    pub fn create_job_then(
        &self,
        new: NewJob,
        reply: impl FnOnce(Result<Job, Error>) + Send + 'static,
    ) {
        let execute = || -> Execute<OfOwner<NewJob>, Job> {
            let db = self.for_batches();
            Arc::new(move |new, _| {
                execute_of_first_owner(&db, new, |db, new| {
                    Ok(executed(db.write(|tx| create_all(tx, new))?))
                })
            })
        };
        let new = self.of_owner(new);
        self.batchers
            .creations
            .submit(new, Box::new(reply), execute);
    }
}

fn create_all(tx: &mut Tx<'_>, new: &[&NewJob]) -> Result<Vec<Result<Job, Error>>, Error> {
    let pipelines = tx.context.pipelines;
    let mut checks = Vec::with_capacity(new.len());
    let mut valid = Vec::with_capacity(new.len());
    let owner = tx.context.owner;
    let mut usage = tx.jobs().usage(owner)?;
    for new in new {
        let checked = pipelines.for_config(new.processing_config.as_ref());
        let checked = match checked {
            Ok(_) => count_new(&mut usage, new),
            Err(invalid) => Err(invalid.into()),
        };
        if checked.is_ok() {
            valid.push((JobId::new(tx.clock), *new));
        }
        checks.push(checked);
    }
    let mut created = tx.jobs().create_all(&valid)?.into_iter();
    let result = |checked: Result<(), Error>| {
        checked?;
        created.next().ok_or_else(batch::interrupted)
    };
    Ok(checks.into_iter().map(result).collect())
}

fn find_all(db: &Database, job_ids: &[JobId], mode: Mode) -> Outcomes<Option<Job>> {
    if mode == Mode::Alone {
        let find = |job_id: &JobId| db.read_committed(|conn| conn.jobs().find(*job_id));
        return Ok(executed(job_ids.iter().map(find)));
    }
    let (found, existing) = db.read_committed(|conn| {
        let found = conn.jobs().find_small(job_ids)?;
        let missing = job_ids.iter().filter(|job_id| !found.contains_key(job_id));
        let missing: Vec<_> = missing.copied().collect();
        let existing = if missing.is_empty() {
            HashSet::new()
        } else {
            conn.jobs().existing(&missing)?
        };
        Ok::<_, Error>((found, existing))
    })?;
    let outcome = |job_id: &JobId| match found.get(job_id) {
        // Other callers may want the same job.
        Some(Ok(job)) => Outcome::Executed(Ok(Some(job.clone()))),
        None if !existing.contains(job_id) => Outcome::Executed(Ok(None)),
        // Alone, it is found, or its error returned.
        Some(Err(_)) | None => Outcome::NotTogether,
    };
    Ok(job_ids.iter().map(outcome).collect())
}
