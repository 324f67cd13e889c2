//! Recordings as a worker has them: fetched once for all stages, if they are far
//! away. What they consist of is kept too; stages that begin together may both
//! have looked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use lectern_domain::JobId;
use lectern_media::{CancellationToken, Probe, Scratch, ScratchDir};
use lectern_storage::ObjectKey;

use crate::{BlockingStorage, Failure};

/// After how many bytes it is looked whether there is room for more.
const STEP: u64 = 32 << 20;

/// Whose recording it is, and where it lies.
type Name = (JobId, ObjectKey);

/// The recordings a worker has fetched: each once for all the stages that read
/// it, side by side or one after the other. A copy stays as long as a thread
/// works on its job or is about to, but for what makes room for another copy.
#[derive(Debug, Default)]
pub(crate) struct Recordings(Arc<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    copies: Mutex<HashMap<Name, Copy>>,
    changed: Condvar,
}

#[derive(Debug)]
enum Copy {
    /// By whom: see [`Coming`].
    Coming(Arc<()>),
    Here(Arc<Recording>),
}

impl Copy {
    fn is_used(&self) -> bool {
        match self {
            Self::Coming(_) => true,
            Self::Here(recording) => Arc::strong_count(recording) > 1,
        }
    }

    /// Whether it is none, but the file in the storage.
    fn is_file(&self) -> bool {
        matches!(self, Self::Here(recording) if recording.dir.is_none())
    }
}

/// A recording that is not removed as long as somebody has this.
#[derive(Debug)]
pub(crate) struct Recording {
    file: PathBuf,
    /// What it consists of, once somebody has looked.
    probe: OnceLock<Probe>,
    /// Where the copy lies; none where the storage is a directory.
    dir: Option<ScratchDir>,
}

impl Recording {
    fn new(file: PathBuf, dir: Option<ScratchDir>) -> Self {
        Self {
            file,
            probe: OnceLock::new(),
            dir,
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// What it consists of, as `look` sees it when nobody has looked before.
    pub(crate) fn probe(
        &self,
        look: impl FnOnce(&Path) -> Result<Probe, Failure>,
    ) -> Result<Probe, Failure> {
        if let Some(probe) = self.probe.get() {
            return Ok(probe.clone());
        }
        let probe = look(&self.file)?;
        Ok(self.probe.get_or_init(|| probe).clone())
    }
}

impl Recordings {
    /// The recording of a job: the file in the storage itself, or else a copy in
    /// the scratch space, which has `room` for so many bytes.
    pub(crate) fn get(
        &self,
        name: Name,
        store: &BlockingStorage,
        scratch: &Scratch,
        room: u64,
        cancel: &CancellationToken,
    ) -> Result<Arc<Recording>, Failure> {
        let key = name.1.clone();
        self.share(name, cancel, || {
            if let Some(file) = store.local_file(&key)? {
                return Ok(Recording::new(file, None));
            }
            let dir = scratch.dir("recording")?;
            let extension = Path::new(key.as_str()).extension().unwrap_or_default();
            let file = dir.path().join("recording").with_extension(extension);
            let mut checked = 0;
            store.copy_while(&key, &file, |written, size| {
                if size > room {
                    return Err(Failure::permanent(format!(
                        "the recording has {size} bytes, more than the {room} there may be of \
                         temporary files (LECTERN_SCRATCH_LIMIT)"
                    )));
                }
                if cancel.is_cancelled() {
                    return Err(Failure::Cancelled);
                }
                if written >= checked + STEP {
                    checked = written;
                    scratch
                        .check()
                        .map_err(|full| Failure::transient(full.to_string()))?;
                }
                Ok(())
            })?;
            Ok(Recording::new(file, Some(dir)))
        })
    }

    /// What another has fetched, or is about to; else what `fetch` does, in place
    /// of all that nobody uses any more.
    fn share(
        &self,
        name: Name,
        cancel: &CancellationToken,
        fetch: impl FnOnce() -> Result<Recording, Failure>,
    ) -> Result<Arc<Recording>, Failure> {
        let shared = Arc::clone(&self.0);
        let _link = cancel.on_cancel(move || {
            // Whoever is about to wait has the lock, or has seen it.
            drop(shared.copies());
            shared.changed.notify_all();
        });
        let mut copies = self.0.copies();
        while let Some(copy) = copies.get(&name) {
            match copy {
                Copy::Here(recording) => return Ok(Arc::clone(recording)),
                Copy::Coming(_) if cancel.is_cancelled() => return Err(Failure::Cancelled),
                Copy::Coming(_) => {
                    let woken = self.0.changed.wait(copies);
                    copies = woken.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        copies.retain(|_, copy| copy.is_used());
        let token = Arc::new(());
        copies.insert(name.clone(), Copy::Coming(Arc::clone(&token)));
        drop(copies);
        let mut coming = Coming {
            shelf: &self.0,
            name,
            token,
            recording: None,
        };
        let recording = Arc::new(fetch()?);
        coming.recording = Some(Arc::clone(&recording));
        Ok(recording)
    }

    /// Removes what nobody uses, but for the recordings of jobs that are worked
    /// on: their next stages are likely to be ours.
    pub(crate) fn tidy(&self, at_work: &[&JobId]) {
        self.0
            .copies()
            .retain(|(job_id, _), copy| copy.is_used() || at_work.contains(&job_id));
    }

    /// Has the recordings of a job looked at anew by whoever asks next. Who has
    /// one or is fetching it keeps it. Copies, which cost much, are fetched anew
    /// only when `copies` are to be forgotten, too.
    pub(crate) fn forget(&self, job_id: JobId, copies: bool) {
        self.0
            .copies()
            .retain(|(of, _), copy| *of != job_id || !(copies || copy.is_file()));
        self.0.changed.notify_all();
    }
}

impl Shelf {
    fn copies(&self) -> MutexGuard<'_, HashMap<Name, Copy>> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy that is being fetched. In the end it is there, or it is another's turn;
/// unless it was forgotten meanwhile.
struct Coming<'a> {
    shelf: &'a Shelf,
    name: Name,
    /// Tells it from another that is fetched under the same name.
    token: Arc<()>,
    recording: Option<Arc<Recording>>,
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        let mut copies = self.shelf.copies();
        let Some(Copy::Coming(token)) = copies.get(&self.name) else {
            return;
        };
        if !Arc::ptr_eq(token, &self.token) {
            return;
        }
        match self.recording.take() {
            Some(recording) => copies.insert(self.name.clone(), Copy::Here(recording)),
            None => copies.remove(&self.name),
        };
        self.shelf.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
