//! Objects whose names begin like that of another object.

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

impl Storage {
    /// The objects in the directory of `key` whose names begin with the name of `key` without
    /// its extension, in any order: `talks/1.mp4`, `talks/1.en.srt` and `talks/10.mp4` for
    /// `talks/1.mp4`. At most 1,000. On local disk the names may differ in case; a bucket lists
    /// names only by their exact beginning.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub async fn list_beside(&self, key: &ObjectKey) -> Result<Vec<ObjectInfo>, Error> {
        let (directory, name) = key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()));
        let stem = stem(name);
        let prefix = if directory.is_empty() {
            ObjectPrefix::everything()
        } else {
            ObjectKey::new(directory)
                .map_err(|error| Error::other(format!("list {directory}/"), error))?
                .into()
        };
        match &self.0 {
            Backend::Local { disk, .. } => disk.list_named(&prefix, stem, MAX_OBJECTS).await,
            Backend::S3(bucket) => {
                let start = &key.as_str()[..key.as_str().len() - name.len() + stem.len()];
                let doing = || format!("list {start}*");
                // Keys are listed in their order, so those after the offset that begin
                // differently are the end.
                let offset = Path::parse(start)?;
                let prefix = prefix.to_path()?;
                let listed = bucket.store.list_with_offset(Some(&prefix), &offset);
                let mut objects = Vec::new();
                let mut listed = listed
                    .map_err(|error| Error::driver(error, doing()))
                    .try_take_while(|meta| {
                        future::ready(Ok(meta.location.as_ref().starts_with(start)))
                    });
                while objects.len() < MAX_OBJECTS
                    && let Some(meta) = listed.try_next().await?
                {
                    let key = ObjectKey::new(meta.location.as_ref());
                    let is_beside = !meta.location.as_ref()[start.len()..].contains('/');
                    objects.extend(key.ok().filter(|_| is_beside).map(|key| info(key, meta)));
                }
                Ok(objects)
            }
        }
    }
}

/// The name of a file without its extension.
fn stem(name: &str) -> &str {
    match name.rfind('.') {
        Some(dot) if dot > 0 => &name[..dot],
        _ => name,
    }
}
