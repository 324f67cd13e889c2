//! Memory use does not grow with the size of an object. This is a separate program because
//! the kernel measures the peak per process.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use lectern_storage::{Error, ObjectKey, Secret, Storage, StorageConfig};
use tokio::sync::Mutex;

const MIB: u64 = 1024 * 1024;
/// The size of the sender's pieces.
const PIECE_BYTES: usize = 64 * 1024;

/// A piece that is counted while it is referenced.
struct Piece {
    alive: Arc<AtomicUsize>,
}

static BYTES: [u8; PIECE_BYTES] = [7; PIECE_BYTES];

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &BYTES
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The peak memory of this process, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// The peak is shared by all tests, so they run one at a time.
static EXCLUSIVE: Mutex<()> = Mutex::const_new(());

/// Asserts that writing and reading `size` bytes raises the peak by at most `allowed`.
async fn assert_memory_use(storage: &Storage, size: u64, allowed: u64) {
    let _guard = EXCLUSIVE.lock().await;
    let key = ObjectKey::new("large.mp4").unwrap();
    let (alive, max_alive) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let pieces = (0..size / PIECE_BYTES as u64).map({
        let (alive, max_alive) = (alive.clone(), max_alive.clone());
        move |_| {
            max_alive.fetch_max(alive.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            Ok::<_, Error>(Bytes::from_owner(Piece {
                alive: alive.clone(),
            }))
        }
    });
    // Warms up, so that one-time allocations are not counted.
    storage
        .put(&key, 6 * MIB, stream::iter(pieces.clone().take(96)))
        .await
        .unwrap();
    let before = peak_memory();

    storage.put(&key, size, stream::iter(pieces)).await.unwrap();
    assert_eq!(alive.load(Ordering::Relaxed), 0);
    // At most one piece is kept while the next one is requested.
    assert!(max_alive.load(Ordering::Relaxed) <= 2, "{max_alive:?}");

    let object = storage.get(&key, None).await.unwrap();
    let sum = |sum, piece: Bytes| async move { Ok(sum + piece.len() as u64) };
    assert_eq!(object.stream.try_fold(0, sum).await.unwrap(), size);

    let increase = peak_memory() - before;
    assert!(increase <= allowed, "{increase} bytes more for {size}");
    storage.delete(&key).await.unwrap();
}

#[tokio::test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "reads the peak from /proc, which only Linux has"
)]
async fn a_large_object_needs_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let config = StorageConfig::Local {
        dir: dir.path().to_owned(),
    };
    let storage = Storage::open(&config, Secret::random().unwrap()).unwrap();
    assert_memory_use(&storage, 256 * MIB, 8 * MIB).await;
}

#[tokio::test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-storage -- --include-ignored"]
async fn a_large_object_needs_little_memory_to_s3() {
    let Ok(url) = std::env::var("LECTERN_TEST_S3") else {
        panic!("LECTERN_TEST_S3 is not set; run this under tests/e2e/with-s3");
    };
    let config = url
        .replace('?', "/memory?")
        .parse::<StorageConfig>()
        .unwrap();
    let config = config
        .with_environment(|name| std::env::var(name).ok())
        .unwrap();
    let storage = Storage::open(&config, Secret::random().unwrap()).unwrap();
    assert_memory_use(&storage, 64 * MIB, 24 * MIB).await;
}
