//! The stages of a database, and a storage that the worker reads and writes itself.

use std::sync::Arc;

use lectern_db::{Database, Error, Reader, Tx};
use lectern_domain::{ClaimRequest, Heartbeat, JobId, LeaseId, StageFailure, StageNotes};
use lectern_media::CancellationToken;

use super::{ClaimedStage, OutputKind, StoredOutputs, WorkError, WorkSource};
use crate::blocking_storage::BlockingStorage;
use crate::job_objects::JobObjects;
use crate::stage_output::OutputRows;

/// The stages of a database. A stage is completed and its output stored in one transaction.
#[derive(Debug, Clone)]
pub struct DatabaseWork {
    db: Database,
    storage: BlockingStorage,
}

impl DatabaseWork {
    /// The stages of `db`, whose objects are in `storage`.
    pub fn new(db: Database, storage: BlockingStorage) -> Self {
        Self { db, storage }
    }

    /// Completes a stage, and stores its output with `store`, in one transaction. If the
    /// transaction is retried, `store` is called again.
    ///
    /// # Errors
    ///
    /// As [`WorkSource::complete`], and the errors of `store`.
    pub fn complete_storing(
        &self,
        claim: &ClaimedStage,
        notes: &StageNotes,
        store: impl Fn(&mut Tx<'_>, JobId) -> Result<(), Error>,
    ) -> Result<(), WorkError> {
        let (job_id, lease_id) = (claim.job.job_id, claim.lease_id);
        self.db.write(|tx| {
            tx.work().guard(job_id, &[claim.stage], Some(lease_id))?;
            // Complete first: storing the output may take longer than the lease. Both become
            // visible together.
            tx.work().complete_with_notes(lease_id, notes)?;
            store(tx, job_id)
        })?;
        Ok(())
    }
}

impl WorkSource for DatabaseWork {
    fn claim(
        &self,
        request: &ClaimRequest,
        only_job: Option<JobId>,
        _: &CancellationToken,
    ) -> Result<Vec<ClaimedStage>, WorkError> {
        let claims = match only_job {
            Some(job_id) => self.db.write(|tx| tx.work().claim_from(job_id, request))?,
            None => self.db.claim(request)?,
        };
        Ok(claims.into_iter().map(ClaimedStage::from).collect())
    }

    fn heartbeat(&self, lease_id: LeaseId, heartbeat: &Heartbeat) -> Result<bool, WorkError> {
        let lease = self
            .db
            .write(|tx| tx.work().heartbeat(lease_id, heartbeat))?;
        Ok(lease.cancelled)
    }

    fn complete(
        &self,
        claim: &ClaimedStage,
        rows: &OutputRows,
        notes: &StageNotes,
    ) -> Result<(), WorkError> {
        self.complete_storing(claim, notes, |tx, job_id| store(tx, job_id, rows))
    }

    fn fail(&self, lease_id: LeaseId, failure: &StageFailure) -> Result<(), WorkError> {
        self.db.write(|tx| tx.work().fail(lease_id, failure))?;
        Ok(())
    }

    fn release(&self, lease_id: LeaseId) -> Result<(), WorkError> {
        self.db.write(|tx| tx.work().release(lease_id))?;
        Ok(())
    }

    fn stored(
        &self,
        claim: &ClaimedStage,
        kinds: &[OutputKind],
    ) -> Result<StoredOutputs, WorkError> {
        let job_id = claim.job.job_id;
        Ok(self.db.read(|conn| read(conn, job_id, kinds))?)
    }

    fn objects(&self, _: &ClaimedStage) -> Arc<dyn JobObjects> {
        Arc::new(self.storage.clone())
    }
}

/// Reads in one snapshot, so that the kinds belong together.
fn read(
    conn: &mut Reader<'_>,
    job_id: JobId,
    kinds: &[OutputKind],
) -> Result<StoredOutputs, Error> {
    let mut stored = StoredOutputs::default();
    for kind in kinds {
        match kind {
            OutputKind::TranscriptSource => {
                let job = conn.jobs().find(job_id)?;
                stored.transcript_source = job.and_then(|job| job.transcript_source);
            }
            OutputKind::Transcript => stored.transcript = conn.transcripts().for_job(job_id)?,
            OutputKind::SilenceRegions => {
                stored.silence_regions = conn.silence_regions().for_job(job_id)?;
            }
            OutputKind::LayoutAnalysis => {
                stored.layout_analysis = conn.layout_analysis().find_for_job(job_id)?;
            }
            OutputKind::ContentSegments => {
                stored.content_segments = conn.content_segments().for_job(job_id)?;
            }
            OutputKind::Clips => stored.clips = conn.clips().for_job(job_id)?,
        }
    }
    Ok(stored)
}

fn store(tx: &mut Tx<'_>, job_id: JobId, rows: &OutputRows) -> Result<(), Error> {
    match rows {
        OutputRows::Unchanged => Ok(()),
        OutputRows::SilenceRegions { regions, .. } => {
            tx.work().store_results(job_id, &rows.results())?;
            tx.silence_regions()
                .replace_for_job(job_id, regions)
                .map(drop)
        }
        OutputRows::Transcript { segments, source } => {
            tx.transcripts()
                .replace_without_returning(job_id, segments, *source)?;
            tx.work().store_results(job_id, &rows.results())
        }
        OutputRows::LayoutAnalysis(analysis) => {
            tx.layout_analysis().put(job_id, analysis).map(drop)
        }
        OutputRows::ContentSegments(segments) => tx
            .content_segments()
            .replace_for_job(job_id, segments)
            .map(drop),
        OutputRows::Clips(clips) => tx.clips().replace_with_items(job_id, clips).map(drop),
        OutputRows::ClipFiles { .. } => tx.work().store_results(job_id, &rows.results()),
    }
}
