//! The handler of a stage and its context.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lectern_domain::{Job, ProcessingOptions, Stage};
use lectern_media::{CancellationToken, Limits, Media, MediaInfo, RecordingLimits, Scratch, Tools};
use lectern_storage::ObjectKey;

use crate::failure::Failure;
use crate::job_objects::JobObjects;
use crate::recording_cache::{Recording, RecordingCache, SampledFrames};
use crate::stage_output::StageOutput;
use crate::supervision::{LeaseHeartbeat, StageDeadline, StageTimeLimit};
use crate::work_source::{ClaimedStage, OutputKind, StoredOutputs, WorkSource};

/// Runs one stage of the pipeline.
pub trait StageHandler: Send + Sync {
    /// The stage that it runs.
    fn stage(&self) -> Stage;

    /// Runs the stage. Long work has to call [`StageContext::check`] regularly,
    /// or use [`StageContext::limits`].
    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure>;
}

/// The context of a handler: the job, its recording, and temporary files that are
/// removed when the handler returns.
pub struct StageContext<'a> {
    pub(crate) claim: &'a ClaimedStage,
    pub(crate) recording_key: &'a ObjectKey,
    pub(crate) recordings: &'a RecordingCache,
    /// Set when the handler first needs it.
    pub(crate) recording: OnceLock<Arc<Recording>>,
    pub(crate) scratch_dir: &'a Path,
    pub(crate) source: &'a dyn WorkSource,
    pub(crate) objects: &'a dyn JobObjects,
    pub(crate) tools: &'a Tools,
    pub(crate) scratch: &'a Scratch,
    /// Bytes that the scratch space may hold.
    pub(crate) scratch_limit: u64,
    pub(crate) recording_limits: &'a RecordingLimits,
    /// For options that the job leaves to the worker.
    pub(crate) default_options: &'a ProcessingOptions,
    pub(crate) time_limit: StageTimeLimit,
    pub(crate) deadline: &'a StageDeadline,
    pub(crate) cancellation: &'a CancellationToken,
    pub(crate) heartbeat: &'a LeaseHeartbeat,
}

impl StageContext<'_> {
    /// The job as it was when the stage was claimed.
    pub fn job(&self) -> &Job {
        &self.claim.job
    }

    /// How the recording is turned into clips: the options of the job, and the worker's for
    /// those that the job leaves out.
    pub fn options(&self) -> ProcessingOptions {
        match &self.job().processing_config {
            Some(config) => config.options().or(self.default_options),
            None => self.default_options.clone(),
        }
    }

    /// The recording as a local file, which must not be changed. The first call
    /// fetches a remote recording, so a stage that never calls this needs no
    /// recording. All stages of a job share one copy.
    pub fn recording(&self) -> Result<&Path, Failure> {
        Ok(self.fetch_recording()?.file())
    }

    fn fetch_recording(&self) -> Result<&Recording, Failure> {
        if let Some(recording) = self.recording.get() {
            return Ok(recording);
        }
        let recording = self.recordings.get(
            (self.job().job_id, self.recording_key.clone()),
            self.objects,
            self.scratch,
            self.scratch_limit,
            self.cancellation,
        )?;
        Ok(self.recording.get_or_init(|| recording))
    }

    /// The frames that one stage samples for another.
    pub(crate) fn sampled_frames(&self) -> Result<&SampledFrames, Failure> {
        Ok(self.fetch_recording()?.sampled_frames())
    }

    /// The scratch space of this worker, for files that other stages need as well.
    pub(crate) fn scratch_space(&self) -> &Scratch {
        self.scratch
    }

    /// The recording's key in the storage.
    pub fn recording_key(&self) -> &ObjectKey {
        self.recording_key
    }

    /// A directory that is removed when the handler returns.
    pub fn scratch_dir(&self) -> &Path {
        self.scratch_dir
    }

    /// The path of a file in [`StageContext::scratch_dir`].
    pub fn scratch_file(&self, name: &str) -> PathBuf {
        self.scratch_dir.join(name)
    }

    /// What other stages have stored, of these kinds.
    pub fn stored(&self, kinds: &[OutputKind]) -> Result<StoredOutputs, Failure> {
        Ok(self.source.stored(self.claim, kinds)?)
    }

    /// The objects of the job.
    pub fn storage(&self) -> &dyn JobObjects {
        self.objects
    }

    /// The operations of ffmpeg, within [`StageContext::limits`].
    pub fn media(&self) -> Media {
        Media::new(self.tools, self.limits()).with_recording_limits(self.recording_limits.clone())
    }

    /// The recording's properties. Its length extends the stage's deadline.
    pub fn probe(&self) -> Result<MediaInfo, Failure> {
        let probe = |file: &Path| {
            let media = self.media();
            let recording = media.probe(file)?;
            if !recording.has_clock_restarts {
                return Ok((recording, None));
            }
            let dir = self.scratch.dir("joined")?;
            let out = dir.path().join("recording");
            let mut progress =
                self.progress_reporter(recording.duration, 0.0..1.0, "joining the parts");
            let joined = media.join_clocks(&recording, &out, &mut progress)?;
            Ok((joined, Some(dir)))
        };
        let probe = self.fetch_recording()?.get_or_probe(probe)?;
        self.deadline
            .extend(self.time_limit.of_recording(probe.duration));
        Ok(probe)
    }

    /// Cancelled when the handler has to stop: at the stage's deadline, or when the
    /// lease is lost, the job is cancelled or the worker stops.
    pub fn cancellation(&self) -> &CancellationToken {
        self.cancellation
    }

    /// Limits for child processes: the stage's deadline, the scratch space of this
    /// worker, and [`StageContext::cancellation`].
    pub fn limits(&self) -> Limits {
        self.deadline
            .limits()
            .cancelled_by(self.cancellation)
            .in_scratch(self.scratch)
    }

    /// The key of an object that belongs to the job.
    pub fn object_key(&self, path: &str) -> Result<ObjectKey, Failure> {
        Ok(ObjectKey::of_job(self.job().job_id, path)?)
    }

    /// Reports the stage's progress, in percent, and its current activity.
    pub fn report_progress(&self, percent: f64, message: &str) {
        self.heartbeat.report_progress(percent, message, None);
    }

    /// Returns a function that reports the progress through `seconds` of media.
    /// It gets the seconds done, scales them to the given range of percent, and
    /// estimates the remaining time.
    pub fn progress_reporter<'t>(
        &'t self,
        seconds: f64,
        percent: Range<f64>,
        message: &'t str,
    ) -> impl FnMut(f64) + 't {
        let started = Instant::now();
        self.report_progress(percent.start, message);
        move |done| {
            let ratio = (done / seconds).clamp(0.0, 1.0);
            let remaining = started.elapsed().as_secs_f64() * (1.0 - ratio) / ratio;
            // Before any progress the estimate is infinite, and is omitted.
            let eta = Duration::try_from_secs_f64(remaining).ok();
            let percent = percent.start + ratio * (percent.end - percent.start);
            self.heartbeat.report_progress(percent, message, eta);
        }
    }

    /// Fails with [`Failure::Cancelled`] if the handler has to stop.
    pub fn check(&self) -> Result<(), Failure> {
        if self.cancellation.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        Ok(())
    }
}
