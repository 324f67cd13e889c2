//! The frames that one stage samples for another while it decodes the recording anyway.

use std::mem;
use std::sync::Arc;

use lectern_media::{CancellationToken, FrameFile, ScratchDir};
use parking_lot::{Condvar, Mutex};

use crate::failure::Failure;

/// The frames of a recording. At most one stage samples them at a time, and one takes them.
#[derive(Debug, Default)]
pub(crate) struct SampledFrames(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    None,
    Sampling,
    Sampled(FramesInScratch),
}

/// A file with frames, which is removed with this value.
#[derive(Debug)]
pub(crate) struct FramesInScratch {
    pub(crate) file: FrameFile,
    _dir: ScratchDir,
}

impl FramesInScratch {
    /// A file in this directory.
    pub(crate) fn new(file: FrameFile, dir: ScratchDir) -> Self {
        Self { file, _dir: dir }
    }
}

impl SampledFrames {
    /// Announces frames, so that a stage that needs them waits for them. `None` if there are
    /// some, or another stage is sampling them.
    pub(crate) fn begin(&self) -> Option<Sampling<'_>> {
        let mut state = self.0.state.lock();
        if !matches!(*state, State::None) {
            return None;
        }
        *state = State::Sampling;
        Some(Sampling(&self.0))
    }

    /// The frames, which are then no longer here. Waits while they are being sampled; `None` if
    /// no stage samples them, or it has failed.
    pub(crate) fn take(
        &self,
        cancellation: &CancellationToken,
    ) -> Result<Option<FramesInScratch>, Failure> {
        let shared = Arc::clone(&self.0);
        let _callback = cancellation.on_cancel(move || {
            // Taking the lock makes sure that no thread is between checking the token and
            // waiting.
            drop(shared.state.lock());
            shared.changed.notify_all();
        });
        let mut state = self.0.state.lock();
        loop {
            if cancellation.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            match mem::take(&mut *state) {
                State::None => return Ok(None),
                State::Sampled(frames) => return Ok(Some(frames)),
                State::Sampling => {
                    *state = State::Sampling;
                    self.0.changed.wait(&mut state);
                }
            }
        }
    }
}

/// The guard of a stage that samples frames. If it is dropped before they are there, stages no
/// longer wait for them.
pub(crate) struct Sampling<'a>(&'a Shared);

impl Sampling<'_> {
    /// Makes the frames available.
    pub(crate) fn finish(self, frames: FramesInScratch) {
        *self.0.state.lock() = State::Sampled(frames);
    }
}

impl Drop for Sampling<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if matches!(*state, State::Sampling) {
            *state = State::None;
        }
        drop(state);
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use lectern_media::Scratch;

    use super::*;

    fn frames(scratch: &Scratch) -> FramesInScratch {
        let dir = scratch.dir("frames").unwrap();
        let file = FrameFile::new(dir.path().join("frames"), 1, 2);
        FramesInScratch::new(file, dir)
    }

    #[test]
    fn frames_are_waited_for_and_taken_once() {
        let root = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(root.path(), 1000).unwrap();
        let (sampled, token) = (SampledFrames::default(), CancellationToken::new());
        assert!(sampled.take(&token).unwrap().is_none());
        let sampling = sampled.begin().unwrap();
        assert!(sampled.begin().is_none());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| sampled.take(&token));
            sampling.finish(frames(&scratch));
            let frames = waiting.join().unwrap().unwrap().unwrap();
            assert!(frames.file.path().parent().unwrap().exists());
        });
        assert!(sampled.take(&token).unwrap().is_none());
        assert!(sampled.begin().is_some());
    }

    #[test]
    fn frames_are_not_waited_for_after_a_failure_or_when_cancelled() {
        let (sampled, token) = (SampledFrames::default(), CancellationToken::new());
        let sampling = sampled.begin().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| sampled.take(&token));
            drop(sampling);
            assert!(waiting.join().unwrap().unwrap().is_none());
        });
        let _sampling = sampled.begin().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| sampled.take(&token));
            token.cancel();
            assert!(matches!(waiting.join().unwrap(), Err(Failure::Cancelled)));
        });
    }
}
