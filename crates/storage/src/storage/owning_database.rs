//! The database that the objects belong to.

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use lectern_domain::DatabaseId;

use super::Storage;
use crate::error::Error;
use crate::key::ObjectKey;

impl Storage {
    /// The id of the database that the objects belong to; `None` if no id was recorded.
    pub async fn owner(&self) -> Result<Option<DatabaseId>, Error> {
        let key = ObjectKey::database_id();
        let object = match self.get(&key, None).await {
            Err(Error::NotFound(_)) => return Ok(None),
            object => object?,
        };
        let bytes: Vec<Bytes> = object.stream.try_collect().await?;
        let text = String::from_utf8(bytes.concat()).unwrap_or_default();
        let id = text.trim_end().parse().map_err(|_| {
            Error::Config(format!(
                "{key} in the storage is not the id of a database; delete it to record one again"
            ))
        })?;
        Ok(Some(id))
    }

    /// Records the id of the database that the objects belong to. The id is an object in
    /// the same storage.
    pub async fn set_owner(&self, id: DatabaseId) -> Result<(), Error> {
        let text = Bytes::from(format!("{id}\n"));
        let size = text.len() as u64;
        let data = stream::iter([Ok::<_, Error>(text)]);
        self.put(&ObjectKey::database_id(), size, data).await
    }
}
