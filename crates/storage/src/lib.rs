//! Where recordings and clips **lie**: on local disk, or in a bucket of an
//! S3-compatible service. No HTTP server, no SQL.
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
//! // A directory here; "s3://bucket/prefix?region=…".parse()? is the other.
//! let config = StorageConfig::Local { dir: data_dir.join("objects") };
//! let storage = Storage::open(&config, Secret::read_or_create(data_dir)?)?;
//!
//! // A key is checked when it is made: one that exists stays below the root.
//! let job_id = JobId::new(&SystemClock);
//! let key = ObjectKey::original(job_id, "Lecture 7.mp4");
//! assert_eq!(key.as_str(), format!("jobs/{job_id}/original/Lecture_7.mp4"));
//! assert!(ObjectKey::new("../lectern.db").is_err());
//!
//! // Bytes come as a stream, and are there whole or not at all.
//! let bytes = stream::iter([Ok::<_, Error>(Bytes::from("welcome")), Ok(Bytes::from(" back"))]);
//! storage.put(&key, 12, bytes).await?;
//! assert_eq!(storage.head(&key).await?.map(|info| info.size), Some(12));
//!
//! // Reading is a stream, too.
//! let object = storage.get(&key, Some(ByteRange::Last(4))).await?;
//! let bytes: Vec<Bytes> = object.stream.try_collect().await?;
//! assert_eq!(bytes.concat(), b"back");
//!
//! // A URL that a browser may use for an hour.
//! let base = "https://lectern.example".parse()?;
//! let url = storage
//!     .download_url(&base, &key, Duration::from_secs(3600), SystemClock.now())
//!     .await?;
//! assert!(url.as_str().starts_with("https://lectern.example/api/v1/objects/jobs/"));
//!
//! // What a job owns goes with it.
//! assert_eq!(storage.delete_prefix(&ObjectKey::prefix_of(job_id)).await?, 1);
//! assert_eq!(storage.head(&key).await?, None);
//! # Ok(())
//! # }
//! ```
//!
//! | noun | types |
//! |---|---|
//! | storage | [`Storage`], [`StorageConfig`], [`S3Config`], [`Error`] |
//! | key | [`ObjectKey`], [`ObjectPrefix`] |
//! | object | [`Object`], [`ObjectInfo`], [`ByteRange`] |
//! | signer | [`Signer`], [`Secret`], [`Refused`] |
//!
//! # What holds
//!
//! - An object is there whole, or not at all: it is written aside and renamed
//!   (local disk), or in parts that become an object at once (S3). When
//!   [`Storage::put`] returns, it is on disk.
//! - Memory does not grow with the object, in neither direction.
//! - No key leaves the root of the storage. On local disk that includes
//!   symlinks: below the root they are refused, wherever they lead. The root
//!   itself may be one.
//! - A URL of [`Storage::upload_url`] and [`Storage::download_url`] is good for
//!   one method on one key, until it expires.
//! - Nothing prints a secret or a credential.
//!
//! # What a bucket needs
//!
//! Whoever the credentials belong to may `s3:GetObject`, `s3:PutObject`,
//! `s3:DeleteObject`, `s3:AbortMultipartUpload` and `s3:ListBucket` (without the
//! last a missing object is refused instead of missing). A rule that aborts
//! incomplete multipart uploads after some days clears away what a crash left.

mod config;
mod disk;
mod error;
mod file;
mod hex;
mod key;
mod object;
mod prefix;
mod range;
mod s3;
mod s3_config;
mod secret;
mod signer;
mod storage;
mod upload;
mod urls;

pub use config::StorageConfig;
pub use error::{Error, Source};
pub use key::ObjectKey;
pub use object::{Object, ObjectInfo};
pub use prefix::ObjectPrefix;
pub use range::ByteRange;
pub use s3_config::{S3Config, Style};
pub use secret::Secret;
pub use signer::{Refused, Signer};
pub use storage::Storage;
pub use urls::OBJECTS_PATH;
