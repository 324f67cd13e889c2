//! What stages store besides the rows of their outputs.

use lectern_domain::{
    ClipFiles, Invalid, Job, JobId, JobUpdate, LeaseId, Patch, StageNotes, StageResults, StageRun,
    StageRunStatus,
};

use super::Work;
use super::locked_jobs::lost;
use crate::error::Error;

impl Work<'_> {
    /// The job and the run of a live lease. Locks the job.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when the lease is unknown or has ended.
    pub fn leased(&mut self, lease_id: LeaseId) -> Result<(Job, StageRun), Error> {
        let (locked, run) = self.lock_lease(lease_id)?;
        locked.require_live(&run, lease_id)?;
        let job = self.0.jobs().find(run.job_id)?;
        // Always found: the job is locked.
        job.map(|job| (job, run)).ok_or_else(|| lost(lease_id))
    }

    /// As [`Work::complete_with_notes`], and stores results of the stage. A repeated call for
    /// the same lease stores nothing.
    ///
    /// # Errors
    ///
    /// As [`Work::complete_with_notes`] and [`Work::store_results`]; [`Error::Invalid`] for
    /// results of another stage.
    pub fn complete_with_results(
        &mut self,
        lease_id: LeaseId,
        notes: &StageNotes,
        results: &StageResults,
    ) -> Result<(Job, StageRun), Error> {
        let (_, run) = self.lock_lease(lease_id)?;
        let completed = self.complete_with_notes(lease_id, notes)?;
        if run.status != StageRunStatus::Completed {
            results.check(run.stage)?;
            self.store_results(run.job_id, results)?;
        }
        Ok(completed)
    }

    /// Stores results of a stage of a job. The caller has checked the lease.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`], and [`Error::Invalid`] for a clip that the job does not have.
    pub fn store_results(&mut self, job_id: JobId, results: &StageResults) -> Result<(), Error> {
        let tx = &mut self.0;
        for (i, files) in results.clip_files.iter().enumerate() {
            let ClipFiles {
                clip_id,
                media,
                record,
            } = files;
            let clip = tx.clips().find(*clip_id)?;
            if clip.is_none_or(|clip| clip.job_id != job_id) {
                let message = "must be a clip of this job";
                return Err(Invalid::field(format!("clip_files[{i}].clip_id"), message).into());
            }
            match record {
                Some(record) => tx.clips().set_cut(*clip_id, media, record)?,
                None => tx.clips().set_media_keys(*clip_id, media)?,
            };
        }
        if let Some(source) = results.transcript_source {
            tx.transcripts().set_source(job_id, source)?;
        }
        let mut update = JobUpdate {
            compiled_video_s3_key: results.reel.clone(),
            ..JobUpdate::default()
        };
        if let Some(duration) = results.video_duration {
            update.video_duration = Patch::Set(duration);
        }
        update.video_metadata = results.video_metadata.clone().map(Into::into);
        if update != JobUpdate::default() {
            tx.jobs().update(job_id, &update, None)?;
        }
        Ok(())
    }
}
