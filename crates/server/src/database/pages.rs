//! Response bodies that are read from the database page by page.
//!
//! Reading one page occupies a connection for a moment. A snapshot for the whole body would
//! occupy a connection until a slow client has received the whole body.

use std::sync::Arc;

use actix_web::web::Data;
use lectern_db::Reader;

use super::handle::DatabaseHandle;
use crate::http::error::ApiError;
use crate::http::memory_budget::MemoryBudget;
use crate::http::response::streamed_body::{Part, memory_for_row, with_retries};

/// A body that consists of pages of rows.
pub(crate) trait Pages: Send + Sync + 'static {
    /// Where a page begins.
    type Cursor: Clone + Send + Sync + 'static;

    /// Reads and serializes the page at `at`, or the first page; returns the cursor of
    /// the next page, if there is one.
    fn page(
        &self,
        conn: &mut Reader<'_>,
        at: Option<&Self::Cursor>,
    ) -> Result<(Vec<u8>, Option<Self::Cursor>), ApiError>;

    /// The size in bytes of the row at the cursor, if it is a large row.
    fn large_row_bytes(at: &Self::Cursor) -> Option<usize>;
}

/// The first part of a body.
///
/// Most bodies are one page, so the first page is read with a single query, without a
/// snapshot. If more pages follow, the first page is read again in a snapshot, like every
/// other page. A page needs a snapshot because several queries read it: whether the last
/// row of the previous page still exists, the rows, and the newest id.
pub(crate) async fn first_part<P: Pages>(
    db: &Data<DatabaseHandle>,
    memory: &Data<MemoryBudget>,
    pages: P,
) -> Result<Part, ApiError> {
    let pages = Arc::new(pages);
    let pages_in_query = Arc::clone(&pages);
    let (bytes, next) = db
        .read_committed(move |conn| pages_in_query.page(conn, None), |page| page)
        .await?;
    if next.is_none() {
        return Ok(Part::new(bytes, None));
    }
    drop((bytes, next));
    part(db.clone(), memory.clone(), pages, None).await
}

async fn part<P: Pages>(
    db: Data<DatabaseHandle>,
    memory: Data<MemoryBudget>,
    pages: Arc<P>,
    at: Option<P::Cursor>,
) -> Result<Part, ApiError> {
    let large_row_bytes = at.as_ref().and_then(P::large_row_bytes);
    let permit = memory_for_row(&memory, large_row_bytes).await?;
    let large_row_kib = large_row_bytes.unwrap_or_default() >> 10;
    let pages_in_query = Arc::clone(&pages);
    let (bytes, next) = db
        .with_time_for_rows(large_row_kib)
        .read(
            move |conn| pages_in_query.page(conn, at.as_ref()),
            |page| page,
        )
        .await?;
    let read_next = next.map(|next| {
        with_retries(move || {
            let (db, memory, pages) = (db.clone(), memory.clone(), Arc::clone(&pages));
            Box::pin(part(db, memory, pages, Some(next.clone())))
        })
    });
    Ok(Part::new(bytes, read_next).with_permit(permit))
}
