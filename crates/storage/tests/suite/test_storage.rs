//! A storage for one test.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use lectern_domain::{JobId, SystemClock};
use lectern_storage::{
    Error, Object, ObjectKey, ObjectPrefix, S3Config, Secret, Storage, StorageConfig,
};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer as _};
use tempfile::TempDir;

/// An empty storage.
pub(crate) struct TestStorage {
    pub(crate) storage: Storage,
    location: Location,
}

enum Location {
    Disk(TempDir),
    S3(Box<S3Config>),
}

impl TestStorage {
    pub(crate) fn on_disk() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StorageConfig::Local {
            dir: dir.path().join("objects"),
        };
        Self {
            storage: Storage::open(&config, Secret::random().unwrap()).unwrap(),
            location: Location::Disk(dir),
        }
    }

    /// A new prefix in the bucket that `tests/e2e/with-s3` provides.
    pub(crate) fn on_s3() -> Self {
        let Ok(url) = std::env::var("LECTERN_TEST_S3") else {
            panic!("LECTERN_TEST_S3 is not set; run this under tests/e2e/with-s3");
        };
        let config = url
            .replace('?', &format!("/test/{}?", JobId::new(&SystemClock)))
            .parse::<StorageConfig>()
            .unwrap()
            .with_environment(|name| std::env::var(name).ok())
            .unwrap();
        let storage = Storage::open(&config, Secret::random().unwrap()).unwrap();
        let StorageConfig::S3(config) = config else {
            panic!("LECTERN_TEST_S3 is not of the form s3://…");
        };
        Self {
            storage,
            location: Location::S3(config),
        }
    }

    /// The parent of `objects`, the root of the storage.
    pub(crate) fn dir(&self) -> &std::path::Path {
        match &self.location {
            Location::Disk(dir) => dir.path(),
            Location::S3(_) => panic!("a bucket has no directory"),
        }
    }

    /// Writes an object from a stream of these pieces.
    pub(crate) async fn put(&self, key: &ObjectKey, pieces: &[&[u8]]) {
        let size = pieces.iter().map(|piece| piece.len() as u64).sum();
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Bytes::copy_from_slice(piece))
            .collect();
        self.storage
            .put(key, size, stream_of(pieces))
            .await
            .unwrap();
    }

    /// The bytes of an object.
    pub(crate) async fn read(&self, key: &ObjectKey) -> Vec<u8> {
        bytes(self.storage.get(key, None).await.unwrap()).await
    }

    /// The names of all objects, sorted.
    pub(crate) async fn names(&self) -> Vec<String> {
        let all = self.storage.list(&ObjectPrefix::everything());
        let mut names: Vec<_> = all
            .map_ok(|info| info.key.to_string())
            .try_collect()
            .await
            .unwrap();
        names.sort();
        names
    }

    /// The number of uploads that are neither completed nor aborted.
    pub(crate) async fn unfinished_uploads(&self) -> usize {
        let config = match &self.location {
            Location::Disk(dir) => return unfinished_files_below(dir.path()),
            Location::S3(config) => config,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_endpoint(
                config
                    .endpoint
                    .as_ref()
                    .unwrap()
                    .as_str()
                    .trim_end_matches('/'),
            )
            .with_allow_http(true);
        for (name, key) in [
            ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
            ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
        ] {
            builder = builder.with_config(key, std::env::var(name).unwrap());
        }
        // The driver cannot list uploads, but it can sign the URL for that.
        let url = builder
            .build()
            .unwrap()
            .signed_url_opts(
                Method::GET,
                &Path::ROOT,
                Duration::from_mins(1),
                &SignedUrlOptions::default().with_query([("uploads", "")]),
            )
            .await
            .unwrap();
        let list = move || ureq::get(url.as_str()).call()?.body_mut().read_to_string();
        let list = tokio::task::spawn_blocking(list).await.unwrap().unwrap();
        assert!(list.contains("<ListMultipartUploadsResult"), "{list}");
        list.matches(&format!("<Key>{}/", config.prefix)).count()
    }
}

fn unfinished_files_below(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                return unfinished_files_below(&entry.path());
            }
            usize::from(entry.file_name().to_str().unwrap().contains('#'))
        })
        .sum()
}

/// A stream of these pieces, without errors.
pub(crate) fn stream_of(
    pieces: impl IntoIterator<Item = Bytes>,
) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::iter(pieces.into_iter().map(Ok).collect::<Vec<_>>())
}

pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

/// Reads an object to its end.
pub(crate) async fn bytes(object: Object) -> Vec<u8> {
    let pieces: Vec<Bytes> = object.stream.try_collect().await.unwrap();
    pieces.concat()
}

/// Pseudo-random bytes, so that a wrong offset is noticed.
pub(crate) fn pattern(size: usize) -> Vec<u8> {
    let mut state = 1u32;
    (0..size)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect()
}

/// A stream that never ends after these pieces.
pub(crate) fn stalled(pieces: Vec<Bytes>) -> impl Stream<Item = Result<Bytes, Error>> + Unpin {
    stream::iter(pieces.into_iter().map(Ok)).chain(stream::pending())
}

/// Waits until the condition is true.
macro_rules! wait_until {
    ($condition:expr) => {
        tokio::time::timeout(std::time::Duration::from_mins(1), async {
            while !$condition {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect(stringify!($condition))
    };
}
pub(crate) use wait_until;

/// Defines two tests for each function: one on local disk, one on S3.
macro_rules! on_disk_and_s3 {
    ($($name:ident),+ $(,)?) => {
        mod on_disk {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::TestStorage::on_disk()).await;
            })+
        }

        mod on_s3 {
            $(#[tokio::test]
            #[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-storage -- --include-ignored"]
            async fn $name() {
                super::$name(super::TestStorage::on_s3()).await;
            })+
        }
    };
}
pub(crate) use on_disk_and_s3;
