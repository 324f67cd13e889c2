//! Storing large sets of rows.

use std::ops::Deref;
use std::sync::Arc;

use lectern_db::{Backend, Reader, Tx};

use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;

impl DatabaseHandle {
    /// Stores a large set of rows with `store`, unless `is_stored` finds that this would change
    /// nothing. Both get `set`, which is dropped at the end.
    ///
    /// SQLite has one writer, and comparing two large sets takes as long as hundreds of small
    /// writes. So there, `is_stored` compares them on a snapshot, beside the writer. A set that
    /// equals the stored one is then answered as of the snapshot, without a transaction.
    /// Otherwise `store` compares them again, because other writes may come in between. On
    /// PostgreSQL, where only writes of the same job wait, `is_stored` is not called.
    pub(crate) async fn store_set<T: 'static>(
        &self,
        set: impl Deref<Target = Vec<T>> + Send + Sync + 'static,
        is_stored: impl Fn(&mut Reader<'_>, &[T]) -> Result<bool, ApiError> + Send + 'static,
        mut store: impl FnMut(&mut Tx<'_>, &[T]) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), ApiError> {
        let set = Arc::new(set);
        if self.database.backend() == Backend::Sqlite {
            let set = Arc::clone(&set);
            let compare = move |conn: &mut Reader<'_>| is_stored(conn, &set);
            if self.read(compare, |is_stored| is_stored).await? {
                return Ok(());
            }
        }
        self.write(move |tx| store(tx, &set), |()| ()).await
    }
}
