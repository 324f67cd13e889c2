//! Pictures of jobs: those of their clips.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use lectern_domain::{JobId, StorageKey};

use super::clips::Clips;
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::row::RowDecoder;
use crate::sql::stored::Stored;
use crate::sql::types::{Id, Nullable, Text};

/// SQL for the picture of a job's first clip that has one. Read in the order of an index, so that
/// the job's other clips are not.
const FIRST_THUMBNAIL: &str = "(SELECT clips.thumbnail_s3_key FROM clips \
     WHERE clips.job_id = jobs.job_id AND clips.thumbnail_s3_key IS NOT NULL \
     ORDER BY clips.clip_order LIMIT 1)";

/// A job, and its picture if it has one.
#[derive(Queryable)]
struct ThumbnailRow {
    job_id: Id<JobId>,
    thumbnail_s3_key: Option<Stored<StorageKey>>,
}

impl TryFrom<ThumbnailRow> for (JobId, Option<StorageKey>) {
    type Error = Error;

    fn try_from(row: ThumbnailRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("clips", row.job_id.0);
        let key = decoder.column("thumbnail_s3_key", row.thumbnail_s3_key)?;
        Ok((row.job_id.0, key))
    }
}

impl<Mode> Clips<'_, Mode> {
    /// A picture of each of several jobs: that of the job's first clip that has one. One query
    /// for any number of jobs; a job without such a clip is missing.
    pub fn thumbnails_of(
        &mut self,
        job_ids: &[JobId],
    ) -> Result<HashMap<JobId, StorageKey>, Error> {
        let ids: Vec<_> = job_ids.iter().copied().map(Id).collect();
        let rows = jobs::table
            .filter(jobs::job_id.eq_any(ids))
            .filter(self.0.context.owned("jobs"))
            .select((jobs::job_id, sql::<Nullable<Text>>(FIRST_THUMBNAIL)))
            .load::<ThumbnailRow>(self.0.raw)
            .doing("find pictures of jobs")?;
        let found: Vec<(JobId, Option<StorageKey>)> = self.0.readable(rows)?;
        let found = found.into_iter();
        Ok(found
            .filter_map(|(job_id, key)| Some((job_id, key?)))
            .collect())
    }
}
