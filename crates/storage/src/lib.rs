//! Stores recordings and clips on local disk or in a bucket of an S3-compatible
//! service. Contains no HTTP server and no SQL.
//!
//! ```
//! use std::time::Duration;
//!
//! use bytes::Bytes;
//! use futures_util::{TryStreamExt as _, stream};
//! use lectern_domain::{Clock, JobId, SystemClock};
//! use lectern_storage::{ByteRange, Error, ObjectKey, Secret, Storage, StorageConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let data_dir = tempfile::tempdir()?;
//! # let data_dir = data_dir.path();
//! // A directory; for a bucket: "s3://bucket/prefix?region=…".parse()?
//! let config = StorageConfig::Local { dir: data_dir.join("objects") };
//! let storage = Storage::open(&config, Secret::read_or_create(data_dir)?)?;
//!
//! // The constructors check keys, so every key is below the root.
//! let job_id = JobId::new(&SystemClock);
//! let key = ObjectKey::original(job_id, "Lecture 7.mp4");
//! assert_eq!(key.as_str(), format!("jobs/{job_id}/original/Lecture_7.mp4"));
//! assert!(ObjectKey::new("../lectern.db").is_err());
//!
//! // An object is written from a stream, and exists completely or not at all.
//! let bytes = stream::iter([Ok::<_, Error>(Bytes::from("welcome")), Ok(Bytes::from(" back"))]);
//! storage.put(&key, 12, bytes).await?;
//! assert_eq!(storage.head(&key).await?.map(|info| info.size), Some(12));
//!
//! // An object is read as a stream, too.
//! let object = storage.get(&key, Some(ByteRange::Last(4))).await?;
//! let bytes: Vec<Bytes> = object.stream.try_collect().await?;
//! assert_eq!(bytes.concat(), b"back");
//!
//! // A URL that a browser can use for an hour.
//! let base = "https://lectern.example".parse()?;
//! let url = storage
//!     .download_url(&base, &key, None, Duration::from_secs(3600), SystemClock.now())
//!     .await?;
//! assert!(url.as_str().starts_with("https://lectern.example/api/v1/objects/jobs/"));
//!
//! // All objects of a job are deleted together.
//! assert_eq!(storage.delete_prefix(&ObjectKey::job_prefix(job_id)).await?, 1);
//! assert_eq!(storage.head(&key).await?, None);
//! # Ok(())
//! # }
//! ```
//!
//! | noun | types |
//! |---|---|
//! | storage | [`Storage`], [`StorageConfig`], [`S3Config`], [`Error`] |
//! | key | [`ObjectKey`], [`ObjectPrefix`], [`ObjectVersion`] |
//! | object | [`Object`], [`ObjectInfo`], [`ByteRange`] |
//! | resumable upload | [`Append`], [`ResumableState`] |
//! | local disk | [`Upload`], [`ReceivedObject`], [`DiskSpace`] |
//! | signed URL | [`Signer`], [`Secret`], [`SignatureError`] |
//!
//! # Guarantees
//!
//! - Writes are atomic. On local disk an object is written to a temporary file and
//!   renamed; on S3 a multipart upload is completed. When [`Storage::put`] returns, the
//!   object is on disk.
//! - Memory use does not grow with the size of the object, in either direction.
//! - Every key is below the root of the storage. On local disk symlinks below the root
//!   are refused, whatever their target. The root itself may be a symlink.
//! - A URL of [`Storage::upload_url`] or [`Storage::download_url`] allows one method on
//!   one key until it expires.
//! - Neither `Debug` nor `Display` shows a secret or a credential.
//!
//! # Requirements of a bucket
//!
//! The credentials need the permissions `s3:GetObject`, `s3:PutObject`,
//! `s3:DeleteObject`, `s3:AbortMultipartUpload` and `s3:ListBucket`. Without
//! `s3:ListBucket`, S3 responds to a request for a missing object with 403 instead of
//! 404. A lifecycle rule should abort incomplete multipart uploads, because a crash leaves
//! such uploads in the bucket, but not before resumable uploads expire: after seven days,
//! unless configured.

mod config;
mod disk;
mod error;
mod key;
mod object;
mod random;
mod s3;
mod storage;
mod url_signature;

pub use config::{AddressingStyle, S3Config, StorageConfig};
pub use disk::DiskSpace;
pub use error::{Error, Source};
pub use key::{ObjectKey, ObjectPrefix, ObjectVersion};
pub use object::{ByteRange, Object, ObjectInfo};
pub use storage::{Append, OBJECTS_PATH, ReceivedObject, ResumableState, Storage, Upload};
pub use url_signature::{Secret, SignatureError, Signer};
