//! What a stage is given to work with.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lectern_db::{Database, Tx};
use lectern_domain::{Job, JobId, Stage};
use lectern_media::{CancellationToken, Limits, Media, Probe, Scratch, Tools};
use lectern_storage::ObjectKey;

use crate::keeper::Keeper;
use crate::recordings::{Recording, Recordings};
use crate::{BlockingStorage, Failure};

/// How long looking at the headers of a recording may take.
const PROBING: Duration = Duration::from_mins(10);

/// One kind of work on a recording.
pub trait StageHandler: Send + Sync {
    /// Which stage it is.
    fn stage(&self) -> Stage;

    /// Does it. Looks at [`StageContext::check`] now and then, and stops when told to.
    fn run(&self, task: &StageContext<'_>) -> Result<StageOutput, Failure>;
}

/// Stores what was found: within the transaction that completes the stage, and
/// once more if that could not be committed.
type Keep = dyn Fn(&mut Tx<'_>, JobId) -> Result<(), lectern_db::Error> + Send;

/// What a stage found.
pub struct StageOutput {
    pub(crate) store: Box<Keep>,
    pub(crate) note: Option<String>,
}

impl StageOutput {
    /// What is to be stored when the stage is completed.
    pub fn new(
        store: impl Fn(&mut Tx<'_>, JobId) -> Result<(), lectern_db::Error> + Send + 'static,
    ) -> Self {
        Self {
            store: Box::new(store),
            note: None,
        }
    }

    /// The same with a word for the audit trail.
    pub fn saying(self, note: impl Into<String>) -> Self {
        Self {
            note: Some(note.into()),
            ..self
        }
    }
}

/// What a stage is given to work with: a job, its recording, and a place for
/// files that are gone afterwards.
pub struct StageContext<'a> {
    pub(crate) job: &'a Job,
    pub(crate) original: &'a ObjectKey,
    pub(crate) recordings: &'a Recordings,
    /// Once it was needed.
    pub(crate) recording: OnceLock<Arc<Recording>>,
    pub(crate) dir: &'a Path,
    pub(crate) db: &'a Database,
    pub(crate) store: &'a BlockingStorage,
    pub(crate) tools: &'a Tools,
    pub(crate) scratch: &'a Scratch,
    /// How many bytes there may be in it.
    pub(crate) room: u64,
    pub(crate) cancel: &'a CancellationToken,
    pub(crate) keeper: &'a Keeper,
}

impl StageContext<'_> {
    /// Whose recording it is.
    pub fn job(&self) -> &Job {
        self.job
    }

    /// The recording, to be read only. A stage that never asks for it can be done
    /// without: where the storage is far away it is fetched now, unless another
    /// stage of this worker has done so.
    pub fn recording(&self) -> Result<&Path, Failure> {
        Ok(self.fetched()?.file())
    }

    fn fetched(&self) -> Result<&Recording, Failure> {
        if let Some(recording) = self.recording.get() {
            return Ok(recording);
        }
        let name = (self.job.job_id, self.original.clone());
        let (store, scratch) = (self.store, self.scratch);
        let recording = self
            .recordings
            .get(name, store, scratch, self.room, self.cancel)?;
        Ok(self.recording.get_or_init(|| recording))
    }

    /// Where the recording lies in the storage.
    pub fn original(&self) -> &ObjectKey {
        self.original
    }

    /// A place for files that are gone when the stage ends.
    pub fn dir(&self) -> &Path {
        self.dir
    }

    /// A name for a file that is gone when the stage ends.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The database, to read what other stages found.
    pub fn db(&self) -> &Database {
        self.db
    }

    /// The storage.
    pub fn store(&self) -> &BlockingStorage {
        self.store
    }

    /// What ffmpeg can do, for as long as `time`.
    pub fn media(&self, time: Duration) -> Media {
        Media::new(self.tools, self.limits(time))
    }

    /// What the recording consists of.
    pub fn probe(&self) -> Result<Probe, Failure> {
        let look = |file: &Path| Ok(self.media(PROBING).probe(file)?);
        self.fetched()?.probe(look)
    }

    /// Cancelled when the stage is to stop.
    pub fn cancel(&self) -> &CancellationToken {
        self.cancel
    }

    /// The bounds of children that run for this task, for as long as `time`.
    pub fn limits(&self, time: Duration) -> Limits {
        Limits::within(time)
            .cancelled_by(self.cancel)
            .in_scratch(self.scratch)
    }

    /// Key of an object of the job.
    pub fn key(&self, path: &str) -> Result<ObjectKey, Failure> {
        Ok(ObjectKey::of_job(self.job.job_id, path)?)
    }

    /// Says how far it is, of 100, and what it is doing.
    pub fn tell(&self, percent: f64, message: &str) {
        self.keeper.tell(percent, message, None);
    }

    /// Says how far it is, of the seconds it goes through: what of the stage's
    /// hundred percent that is, and how long the rest of it takes.
    pub fn telling<'t>(
        &'t self,
        seconds: f64,
        percent: Range<f64>,
        message: &'t str,
    ) -> impl FnMut(f64) + 't {
        let began = Instant::now();
        self.tell(percent.start, message);
        move |done| {
            let share = (done / seconds).clamp(0.0, 1.0);
            let left = began.elapsed().as_secs_f64() * (1.0 - share) / share;
            let eta = Duration::try_from_secs_f64(left).ok();
            let percent = percent.start + share * (percent.end - percent.start);
            self.keeper.tell(percent, message, eta);
        }
    }

    /// Stops here when it was told to.
    pub fn check(&self) -> Result<(), Failure> {
        if self.cancel.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        Ok(())
    }
}
