//! The recordings that a worker has fetched, with their properties.

mod sampled_frames;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lectern_domain::JobId;
use lectern_media::{CancellationToken, MediaInfo, Scratch, ScratchDir};
use lectern_storage::ObjectKey;
use parking_lot::{Condvar, Mutex};

pub(crate) use self::sampled_frames::{FramesInScratch, SampledFrames};
use crate::failure::Failure;
use crate::job_objects::JobObjects;

/// How many bytes are copied between two checks of the scratch space.
const SPACE_CHECK_BYTES: u64 = 32 << 20;

/// Identifies a recording of a job.
pub(crate) type RecordingKey = (JobId, ObjectKey);

/// The recordings that a worker has fetched. All stages of a job share one copy,
/// whether they run at the same time or one after another.
///
/// A copy is kept while the worker runs a stage of its job or is likely to run the
/// next one. If another recording is fetched, unused copies are removed first.
#[derive(Debug, Default)]
pub(crate) struct RecordingCache(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    entries: Mutex<HashMap<RecordingKey, Entry>>,
    changed: Condvar,
}

#[derive(Debug)]
enum Entry {
    /// The pointer identifies the [`Fetch`].
    Fetching(Arc<()>),
    Ready(Arc<Recording>),
}

impl Entry {
    fn is_used(&self) -> bool {
        match self {
            Self::Fetching(_) => true,
            Self::Ready(recording) => Arc::strong_count(recording) > 1,
        }
    }

    /// Whether the recording is a file of the storage itself, and not a copy.
    fn is_storage_file(&self) -> bool {
        matches!(self, Self::Ready(recording) if recording.dir.is_none())
    }
}

/// A local recording. Its file stays while this value exists.
#[derive(Debug)]
pub(crate) struct Recording {
    file: PathBuf,
    /// Filled by the first stage that needs it. Locked while that stage examines the
    /// recording.
    probe: Mutex<Option<Probed>>,
    /// Frames that one stage has sampled for another.
    sampled_frames: SampledFrames,
    /// The copy's directory. `None` if the storage is a local directory.
    dir: Option<ScratchDir>,
}

/// The properties of a recording.
#[derive(Debug)]
struct Probed {
    info: MediaInfo,
    /// The directory of the file that replaces the recording, if there is one.
    _dir: Option<ScratchDir>,
}

impl Recording {
    fn new(file: PathBuf, dir: Option<ScratchDir>) -> Self {
        Self {
            file,
            probe: Mutex::new(None),
            sampled_frames: SampledFrames::default(),
            dir,
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn sampled_frames(&self) -> &SampledFrames {
        &self.sampled_frames
    }

    /// The recording's properties. Calls `probe` if no stage has needed them yet; another
    /// stage that needs them waits. `probe` may return the properties of a file that replaces
    /// the recording, with the directory of that file, which is kept as long as the recording.
    pub(crate) fn get_or_probe(
        &self,
        probe: impl FnOnce(&Path) -> Result<(MediaInfo, Option<ScratchDir>), Failure>,
    ) -> Result<MediaInfo, Failure> {
        let mut known = self.probe.lock();
        if let Some(known) = &*known {
            return Ok(known.info.clone());
        }
        let (info, dir) = probe(&self.file)?;
        *known = Some(Probed {
            info: info.clone(),
            _dir: dir,
        });
        Ok(info)
    }
}

impl RecordingCache {
    /// The recording of a job: the stored file itself if the storage is a local
    /// directory, or else a copy in the scratch space of `scratch_limit` bytes.
    pub(crate) fn get(
        &self,
        key: RecordingKey,
        objects: &dyn JobObjects,
        scratch: &Scratch,
        scratch_limit: u64,
        cancellation: &CancellationToken,
    ) -> Result<Arc<Recording>, Failure> {
        let object_key = key.1.clone();
        self.get_or_fetch(key, cancellation, || {
            if let Some(file) = objects.local_file(&object_key)? {
                return Ok(Recording::new(file, None));
            }
            let dir = scratch.dir("recording")?;
            let extension = Path::new(object_key.as_str()).extension();
            let file = dir
                .path()
                .join("recording")
                .with_extension(extension.unwrap_or_default());
            let mut checked = 0;
            objects.copy_checked(&object_key, &file, &mut |written, size| {
                if size > scratch_limit {
                    return Err(Failure::permanent(format!(
                        "the recording has {size} bytes, but temporary files may take only \
                         {scratch_limit} (LECTERN_SCRATCH_LIMIT)"
                    )));
                }
                if cancellation.is_cancelled() {
                    return Err(Failure::Cancelled);
                }
                if written >= checked + SPACE_CHECK_BYTES {
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

    /// Returns a cached recording, waits for one that is being fetched, or else
    /// removes unused recordings and calls `fetch`.
    fn get_or_fetch(
        &self,
        key: RecordingKey,
        cancellation: &CancellationToken,
        fetch: impl FnOnce() -> Result<Recording, Failure>,
    ) -> Result<Arc<Recording>, Failure> {
        let shared = Arc::clone(&self.0);
        let _callback = cancellation.on_cancel(move || {
            // Taking the lock makes sure that no thread is between checking the
            // token and waiting.
            drop(shared.entries.lock());
            shared.changed.notify_all();
        });
        let mut entries = self.0.entries.lock();
        while let Some(entry) = entries.get(&key) {
            match entry {
                Entry::Ready(recording) => return Ok(Arc::clone(recording)),
                Entry::Fetching(_) if cancellation.is_cancelled() => {
                    return Err(Failure::Cancelled);
                }
                Entry::Fetching(_) => self.0.changed.wait(&mut entries),
            }
        }
        entries.retain(|_, entry| entry.is_used());
        let id = Arc::new(());
        entries.insert(key.clone(), Entry::Fetching(Arc::clone(&id)));
        drop(entries);
        let mut guard = Fetch {
            shared: &self.0,
            key,
            id,
            recording: None,
        };
        let recording = Arc::new(fetch()?);
        guard.recording = Some(Arc::clone(&recording));
        Ok(recording)
    }

    /// Removes unused recordings, except those of `active_jobs`: this worker is
    /// likely to run their next stages.
    pub(crate) fn remove_unused(&self, active_jobs: &[&JobId]) {
        self.0
            .entries
            .lock()
            .retain(|(job_id, _), entry| entry.is_used() || active_jobs.contains(&job_id));
    }

    /// Removes a job's recordings from the cache, so that later calls look them up
    /// again. A stage that uses or fetches a recording keeps it. Copies, which are
    /// expensive to fetch again, are removed only if `include_copies` is set.
    pub(crate) fn forget(&self, job_id: JobId, include_copies: bool) {
        self.0.entries.lock().retain(|(entry_job, _), entry| {
            *entry_job != job_id || !(include_copies || entry.is_storage_file())
        });
        self.0.changed.notify_all();
    }
}

/// The guard of a running fetch. Dropping it makes the cache entry ready, or removes
/// the entry if the fetch failed. An entry that [`RecordingCache::forget`] removed
/// meanwhile is not restored.
struct Fetch<'a> {
    shared: &'a Shared,
    key: RecordingKey,
    /// Distinguishes this fetch from a later one with the same key.
    id: Arc<()>,
    recording: Option<Arc<Recording>>,
}

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        let mut entries = self.shared.entries.lock();
        let Some(Entry::Fetching(id)) = entries.get(&self.key) else {
            return;
        };
        if !Arc::ptr_eq(id, &self.id) {
            return;
        }
        match self.recording.take() {
            Some(recording) => entries.insert(self.key.clone(), Entry::Ready(recording)),
            None => entries.remove(&self.key),
        };
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
