//! The settings of glibc's allocator.

/// Makes the allocator return freed memory to the system. By default glibc raises its
/// thresholds to the largest size that was freed, and has eight heaps per processor: after
/// a few large requests it keeps hundreds of megabytes, including memory of SQLite and
/// libpq. Does nothing with other C libraries. Must be called before the first thread is
/// started.
pub fn return_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::set_options();
}

/// Returns the memory that is free now. The start of a server frees two megabytes, most of
/// them parts of the OpenAPI document, in pieces that the thresholds do not apply to.
pub fn return_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::trim();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    use std::thread;

    /// Blocks of at least this many bytes have a mapping of their own, which is removed
    /// when they are freed.
    const MMAP_THRESHOLD: i32 = 256 << 10;

    /// Bytes of free memory that a heap keeps at its end.
    const TRIM_THRESHOLD: i32 = 256 << 10;

    #[expect(unsafe_code, reason = "the standard library has no access to mallopt")]
    pub(super) fn set_options() {
        let heaps = thread::available_parallelism().map_or(2, |count| count.get().max(2));
        let heaps = i32::try_from(heaps).unwrap_or(i32::MAX);
        // SAFETY: mallopt takes two numbers and touches nothing but the allocator's own
        // settings; glibc refuses values that it does not support.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, heaps);
            libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD);
            libc::mallopt(libc::M_TRIM_THRESHOLD, TRIM_THRESHOLD);
        }
    }

    #[expect(
        unsafe_code,
        reason = "the standard library has no access to malloc_trim"
    )]
    pub(super) fn trim() {
        // SAFETY: malloc_trim takes the allocator's locks and touches only free memory.
        unsafe {
            libc::malloc_trim(0);
        }
    }
}
