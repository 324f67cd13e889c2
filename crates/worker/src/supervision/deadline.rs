//! The deadline of a stage.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lectern_domain::Stage;
use lectern_media::{CancellationToken, Limits};
use parking_lot::{Condvar, Mutex};

/// How long a stage may take, from its start until it returns its result: a
/// multiple of the recording's length, and not less than a floor.
///
/// ```
/// use std::time::Duration;
/// use lectern_worker::StageTimeLimit;
///
/// let limit = StageTimeLimit { factor: 10.0, floor: Duration::from_mins(30) };
/// assert_eq!(limit.of_recording(3600.0), Duration::from_hours(10));
/// assert_eq!(limit.of_recording(60.0), limit.floor);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageTimeLimit {
    /// The multiple of the recording's length.
    pub factor: f64,
    /// The limit for short recordings, and until the length is known.
    pub floor: Duration,
}

impl Default for StageTimeLimit {
    /// Ten times the recording's length, and at least an hour: enough for speech
    /// recognition that is several times slower than speech.
    fn default() -> Self {
        Self {
            factor: 10.0,
            floor: Duration::from_hours(1),
        }
    }
}

impl StageTimeLimit {
    /// The limit for a recording of this length in seconds.
    pub fn of_recording(&self, seconds: f64) -> Duration {
        let limit = Duration::try_from_secs_f64(self.factor * seconds).unwrap_or_default();
        limit.max(self.floor)
    }
}

/// A thread that cancels a stage when its time is up, unless this value is dropped
/// before. Child processes have the same deadline in their [`Limits`]; this thread
/// also ends downloads, requests and waiting.
#[derive(Debug)]
pub(crate) struct StageDeadline(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    started: Instant,
    cancellation: CancellationToken,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    limit: Duration,
    is_over: bool,
}

impl StageDeadline {
    /// Starts to count the time of a stage.
    pub(crate) fn start(
        stage: Stage,
        limit: Duration,
        cancellation: CancellationToken,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            started: Instant::now(),
            cancellation,
            state: Mutex::new(State {
                limit,
                is_over: false,
            }),
            changed: Condvar::new(),
        });
        let waiting = Arc::clone(&shared);
        thread::Builder::new()
            .name(format!("deadline of {stage}"))
            .spawn(move || waiting.cancel_at_deadline())?;
        Ok(Self(shared))
    }

    /// Moves the deadline to `limit` after the start of the stage, if that is later.
    pub(crate) fn extend(&self, limit: Duration) {
        let mut state = self.0.state.lock();
        state.limit = state.limit.max(limit);
    }

    /// The time between the start of the stage and its deadline.
    pub(crate) fn limit(&self) -> Duration {
        self.0.state.lock().limit
    }

    /// The remaining time as limits for child processes.
    pub(crate) fn limits(&self) -> Limits {
        Limits::within(self.limit()).since(self.0.started)
    }

    /// The limit, if the stage has exceeded it.
    pub(crate) fn exceeded(&self) -> Option<Duration> {
        let limit = self.limit();
        (self.0.started.elapsed() >= limit).then_some(limit)
    }
}

impl Drop for StageDeadline {
    /// Does not wait for the thread.
    fn drop(&mut self) {
        self.0.state.lock().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn cancel_at_deadline(&self) {
        let mut state = self.state.lock();
        while !state.is_over {
            let remaining = state.limit.saturating_sub(self.started.elapsed());
            if remaining.is_zero() {
                drop(state);
                return self.cancellation.cancel();
            }
            self.changed.wait_for(&mut state, remaining);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_cause_a_panic_with_the_length_of_a_recording() {
        let limit = StageTimeLimit::default();
        for seconds in [f64::MAX, f64::INFINITY, f64::NAN, -1.0] {
            assert_eq!(limit.of_recording(seconds), limit.floor);
        }
    }

    #[test]
    fn the_deadline_cancels_the_stage_unless_it_is_extended() {
        let start = |limit| {
            let token = CancellationToken::new();
            let deadline = StageDeadline::start(Stage::Transcription, limit, token.clone());
            (deadline.unwrap(), token)
        };
        let (deadline, token) = start(Duration::from_millis(1));
        assert!(token.wait(Duration::from_mins(1)));
        assert_eq!(deadline.exceeded(), Some(Duration::from_millis(1)));
        assert!(deadline.limits().check().is_err());

        let (deadline, token) = start(Duration::from_secs(1));
        deadline.extend(Duration::from_hours(1));
        deadline.extend(Duration::from_mins(1));
        assert!(!token.wait(Duration::from_secs(2)));
        assert_eq!(deadline.exceeded(), None);
        assert!(deadline.limits().check().is_ok());
    }
}
