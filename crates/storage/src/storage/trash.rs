//! The trash, in which deleted objects wait: their keys `trash/{time}/{key}`, and moving
//! objects there.

use chrono::{DateTime, NaiveDateTime, Utc};
use lectern_domain::Invalid;
use object_store::ObjectStoreExt as _;

use super::{Backend, Storage};
use crate::error::Error;
use crate::key::{ObjectKey, ObjectPrefix};
use crate::object::ObjectInfo;
use crate::s3::Bucket;

/// Upper bound of S3 for an object that is copied in one request.
const S3_MAX_COPY_BYTES: u64 = 5 << 30;

/// The time in a key: UTC to the second. Contains no characters that a file system may refuse.
const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

impl Storage {
    /// Moves an object to the key [`ObjectKey::in_trash`], and returns this key.
    ///
    /// On local disk the file is renamed. In a bucket the object is copied and then
    /// deleted; after an error both objects may exist. The service copies objects of up to
    /// 5 GiB; larger objects are copied through this process.
    pub async fn move_to_trash(
        &self,
        object: &ObjectInfo,
        moved_at: DateTime<Utc>,
    ) -> Result<ObjectKey, Error> {
        let target = object.key.in_trash(moved_at)?;
        match &self.0 {
            Backend::Local { disk, .. } => {
                disk.check_writable(&target).await?;
                disk.rename(&object.key, &target).await?;
            }
            Backend::S3(bucket) => {
                if object.size <= S3_MAX_COPY_BYTES {
                    copy(bucket, &object.key, &target).await?;
                } else {
                    self.copy_bytes(&object.key, &target).await?;
                }
                self.delete(&object.key).await?;
            }
        }
        Ok(target)
    }

    /// Copies an object through this process.
    async fn copy_bytes(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), Error> {
        let object = self.get(from, None).await?;
        self.put(to, object.info.size, object.stream).await
    }
}

/// Copies an object within the bucket.
async fn copy(bucket: &Bucket, from: &ObjectKey, to: &ObjectKey) -> Result<(), Error> {
    let (source, target) = (from.to_path()?, to.to_path()?);
    let copied = bucket.store.copy(&source, &target).await;
    copied.map_err(|error| Error::driver_for_key(error, "move to the trash", from))
}

impl ObjectKey {
    /// The key of this object in the trash, such as `trash/20261127T064500Z/{key}`. The key
    /// has the time of the move, because the modification time of an object in a bucket
    /// cannot be set.
    ///
    /// Fails if the key would be too long.
    pub fn in_trash(&self, moved_at: DateTime<Utc>) -> Result<Self, Invalid> {
        Self::new(format!("trash/{}/{self}", moved_at.format(TIME_FORMAT)))
    }

    /// When the object was moved to the trash; `None` if the object is not in the trash.
    pub fn trashed_at(&self) -> Option<DateTime<Utc>> {
        let (time, _) = self.strip_prefix("trash/")?.split_once('/')?;
        let time = NaiveDateTime::parse_from_str(time, TIME_FORMAT).ok()?;
        Some(time.and_utc())
    }
}

impl ObjectPrefix {
    /// The prefix of all objects in the trash: `trash`.
    pub fn trash() -> Self {
        ObjectKey::from_valid("trash".to_owned()).into()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::{TryStreamExt as _, stream};

    use super::*;
    use crate::{Secret, StorageConfig};

    #[tokio::test]
    async fn an_object_can_be_copied_through_this_process() {
        let dir = tempfile::tempdir().unwrap();
        let config = StorageConfig::Local {
            dir: dir.path().to_owned(),
        };
        let storage = Storage::open(&config, Secret::random().unwrap()).unwrap();
        let [from, to] = ["a", "b/c"].map(|key| ObjectKey::new(key).unwrap());
        let bytes = vec![7; 3 << 20];
        let data = stream::iter([Ok::<_, Error>(Bytes::from(bytes.clone()))]);
        storage.put(&from, bytes.len() as u64, data).await.unwrap();
        storage.copy_bytes(&from, &to).await.unwrap();
        for key in [from, to] {
            let object = storage.get(&key, None).await.unwrap();
            let read: Vec<Bytes> = object.stream.try_collect().await.unwrap();
            assert!(read.concat() == bytes, "{key}");
        }
    }

    #[test]
    fn a_key_in_the_trash_has_the_time_of_the_move() {
        let time: DateTime<Utc> = "2026-11-27T06:45:01Z".parse().unwrap();
        let key = ObjectKey::new("jobs/1/a b.mp4").unwrap();
        assert_eq!(key.trashed_at(), None);
        let trashed = key.in_trash(time).unwrap();
        assert_eq!(trashed.as_str(), "trash/20261127T064501Z/jobs/1/a b.mp4");
        assert_eq!(trashed.trashed_at(), Some(time));
        let other = ["trash/a.mp4", "trash/2026/a.mp4", "jobs/20261127T064501Z/a"];
        for key in other.map(|key| ObjectKey::new(key).unwrap()) {
            assert_eq!(key.trashed_at(), None, "{key}");
        }
        let long = ObjectKey::new("a/".repeat(245) + "a").unwrap();
        assert!(long.in_trash(time).is_err());
    }
}
