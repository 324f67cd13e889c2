//! Objects whose names begin like that of another object.
//!
//! `1` begins `1.mp4` and `1_captions.srt`, but not `10.mp4`.

use futures_util::TryStreamExt as _;
use futures_util::future;
use object_store::ObjectStore as _;
use object_store::path::Path;

use super::{Backend, Storage, info};
use crate::error::Error;
use crate::key::{ObjectKey, ObjectPrefix};
use crate::object::ObjectInfo;

/// The most objects that are returned.
const MAX_OBJECTS: usize = 1_000;
/// The most names of a bucket that are looked at.
const MAX_LISTED: usize = 10_000;

impl Storage {
    /// The objects in the directory of `key` whose names begin with `start`, without a letter or a
    /// digit after it, in any order: `talks/1.mp4`, `talks/1.en.srt` and `talks/1_en.mp4` for
    /// `talks/1.mp4` and `1`. At most 1,000. On local disk the names may differ in case; a bucket
    /// lists names only by their exact beginning.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub async fn list_beside(
        &self,
        key: &ObjectKey,
        start: &str,
    ) -> Result<Vec<ObjectInfo>, Error> {
        let (directory, _) = key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()));
        let prefix = if directory.is_empty() {
            ObjectPrefix::everything()
        } else {
            ObjectKey::new(directory)
                .map_err(|error| Error::other(format!("list {directory}/"), error))?
                .into()
        };
        match &self.0 {
            Backend::Local { disk, .. } => disk.list_named(&prefix, start, MAX_OBJECTS).await,
            Backend::S3(bucket) => {
                let start = match directory {
                    "" => start.to_owned(),
                    directory => format!("{directory}/{start}"),
                };
                let doing = || format!("list {start}*");
                // Keys are listed in their order, so those after the offset that begin
                // differently are the end.
                let offset = Path::parse(&start)?;
                let prefix = prefix.to_path()?;
                let listed = bucket.store.list_with_offset(Some(&prefix), &offset);
                let mut objects = Vec::new();
                let mut listed = listed
                    .map_err(|error| Error::driver(error, doing()))
                    .try_take_while(|meta| {
                        future::ready(Ok(meta.location.as_ref().starts_with(&start)))
                    });
                let mut count = 0;
                while objects.len() < MAX_OBJECTS
                    && count < MAX_LISTED
                    && let Some(meta) = listed.try_next().await?
                {
                    count += 1;
                    let key = ObjectKey::new(meta.location.as_ref());
                    let rest = &meta.location.as_ref()[start.len()..];
                    let is_beside = !rest.contains('/') && !rest.starts_with(char::is_alphanumeric);
                    objects.extend(key.ok().filter(|_| is_beside).map(|key| info(key, meta)));
                }
                Ok(objects)
            }
        }
    }
}
