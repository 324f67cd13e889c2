//! The memory budget for sampled frames, shared by the whole process.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::process::{ChildError, Limits};

/// The memory for the sampled frames of this process, however many recordings are
/// sampled at the same time.
pub(super) static FRAME_MEMORY: FrameMemory = FrameMemory::new(64 << 20);

/// A bounded number of bytes, parts of which can be reserved.
pub(super) struct FrameMemory {
    pub(super) max_bytes: usize,
    reserved: Mutex<usize>,
    released: Condvar,
}

impl FrameMemory {
    const fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            reserved: Mutex::new(0),
            released: Condvar::new(),
        }
    }

    /// Reserves `bytes`, at most [`FrameMemory::max_bytes`]. Waits, within `limits`,
    /// until enough bytes are free.
    pub(super) fn reserve(
        &'static self,
        bytes: usize,
        limits: &Limits,
    ) -> Result<Arc<Reservation>, ChildError> {
        let _callback = limits.cancellation().on_cancel(|| {
            // Taking the lock makes sure that no thread is between checking the
            // token and waiting.
            drop(self.reserved.lock());
            self.released.notify_all();
        });
        let mut reserved = self.reserved.lock();
        while *reserved + bytes > self.max_bytes {
            limits.check()?;
            self.released.wait_for(&mut reserved, limits.remaining());
        }
        *reserved += bytes;
        let memory = self;
        Ok(Arc::new(Reservation { memory, bytes }))
    }
}

/// Bytes of [`FrameMemory`]. Dropping the reservation releases the bytes.
pub(super) struct Reservation {
    memory: &'static FrameMemory,
    bytes: usize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        *self.memory.reserved.lock() -= self.bytes;
        self.memory.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::process::CancellationToken;

    #[test]
    fn a_reservation_waits_until_enough_memory_is_released() {
        static MEMORY: FrameMemory = FrameMemory::new(100);
        let limits = Limits::within(Duration::from_mins(1));
        let first = MEMORY.reserve(60, &limits).unwrap();
        let second = MEMORY.reserve(40, &limits).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| MEMORY.reserve(50, &limits).unwrap());
            drop(second);
            drop(first);
            let third = waiting.join().unwrap();
            assert_eq!(*MEMORY.reserved.lock(), third.bytes);
        });
        assert_eq!(*MEMORY.reserved.lock(), 0);
    }

    #[test]
    fn a_waiting_reservation_can_be_cancelled_and_times_out() {
        static MEMORY: FrameMemory = FrameMemory::new(100);
        let token = CancellationToken::new();
        let limits = Limits::within(Duration::from_mins(1)).cancelled_by(&token);
        let _all = MEMORY.reserve(100, &limits).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| MEMORY.reserve(1, &limits).err());
            token.cancel();
            let error = waiting.join().unwrap();
            assert!(matches!(error, Some(ChildError::Cancelled)), "{error:?}");
        });
        let error = MEMORY.reserve(1, &Limits::within(Duration::ZERO)).err();
        assert!(
            matches!(error, Some(ChildError::TimedOut { .. })),
            "{error:?}"
        );
    }
}
