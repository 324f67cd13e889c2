//! Silence regions: the table `silence_regions`.

use diesel::prelude::*;
use lectern_domain::{
    Decibels, JobId, NewSilenceRegion, Seconds, SilenceRegion, SilenceRegionFilter,
    SilenceRegionId, SilenceType, Window,
};

use super::replace_set::parts::{self, StagedSet, store_in_parts};
use super::replace_set::set_page::{RowKey, SetCursor, SetPage, page_of_set};
use super::replace_set::{self, job_set};
use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::JobRef;
use crate::error::{Doing, Error};
use crate::schema::silence_regions;
use crate::sql::row::{RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::Id;
use crate::sql::window;

/// A row of `silence_regions`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = silence_regions, treat_none_as_default_value = false)]
pub(crate) struct RegionRow {
    region_id: Id<SilenceRegionId>,
    job_id: Id<JobId>,
    start_time: f64,
    end_time: f64,
    silence_type: Stored<SilenceType>,
    amplitude_threshold: Option<Stored<Decibels>>,
    created_at: StoredTime,
}

impl TryFrom<RegionRow> for SilenceRegion {
    type Error = Error;

    fn try_from(row: RegionRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("silence_regions", row.region_id.0);
        Ok(Self {
            region_id: row.region_id.0,
            job_id: row.job_id.0,
            data: NewSilenceRegion {
                time: decoder.time_range(row.start_time, row.end_time)?,
                silence_type: decoder.column("silence_type", row.silence_type)?,
                amplitude_threshold: decoder
                    .column("amplitude_threshold", row.amplitude_threshold)?,
            },
            created_at: decoder.column("created_at", row.created_at)?,
        })
    }
}

impl From<SilenceRegion> for RegionRow {
    fn from(region: SilenceRegion) -> Self {
        let data = region.data;
        Self {
            region_id: Id(region.region_id),
            job_id: Id(region.job_id),
            start_time: data.time.start(),
            end_time: data.time.end(),
            silence_type: data.silence_type.into(),
            amplitude_threshold: data.amplitude_threshold.map(Stored::from),
            created_at: region.created_at.into(),
        }
    }
}

job_set! {
    silence_regions: SilenceRegion { region_id: SilenceRegionId, data: NewSilenceRegion }
        in RegionRow,
    bytes of long columns: |_| 0,
    order by |a, b| a.time.start().total_cmp(&b.time.start()),
}

/// The repository of the silence regions: `conn.silence_regions()`.
#[derive(Debug)]
pub struct SilenceRegions<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> SilenceRegions<'_, Mode> {
    /// All regions of a job, by time.
    pub fn for_job(&mut self, job_id: JobId) -> Result<Vec<SilenceRegion>, Error> {
        self.list(job_id, &SilenceRegionFilter::default())
    }

    /// The regions of one type, by time.
    pub fn by_type(
        &mut self,
        job_id: JobId,
        silence_type: SilenceType,
    ) -> Result<Vec<SilenceRegion>, Error> {
        let filter = SilenceRegionFilter {
            silence_type: Some(silence_type),
            ..SilenceRegionFilter::default()
        };
        self.list(job_id, &filter)
    }

    /// The regions that last at least `min_duration`, by time.
    pub fn longer_than(
        &mut self,
        job_id: JobId,
        min_duration: Seconds,
    ) -> Result<Vec<SilenceRegion>, Error> {
        let filter = SilenceRegionFilter {
            min_duration: Some(min_duration),
            ..SilenceRegionFilter::default()
        };
        self.list(job_id, &filter)
    }

    /// The regions that overlap `window`, by time.
    pub fn in_range(&mut self, job_id: JobId, window: Window) -> Result<Vec<SilenceRegion>, Error> {
        self.list(
            job_id,
            &SilenceRegionFilter {
                window,
                ..SilenceRegionFilter::default()
            },
        )
    }

    /// The regions that match `filter`, by time.
    pub fn list(
        &mut self,
        job_id: JobId,
        filter: &SilenceRegionFilter,
    ) -> Result<Vec<SilenceRegion>, Error> {
        let mut query = silence_regions::table
            .filter(silence_regions::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("silence_regions"))
            .order((silence_regions::start_time, silence_regions::id))
            .select(columns::<RegionRow>())
            .into_boxed::<MultiBackend>();
        query = window::overlapping!(query, silence_regions, filter.window);
        if let Some(silence_type) = filter.silence_type {
            query = query.filter(silence_regions::silence_type.eq(silence_type.as_str()));
        }
        if let Some(min_duration) = filter.min_duration {
            query = query.filter(silence_regions::duration.ge(min_duration.get()));
        }
        let found = query
            .load::<RegionRow>(self.0.raw)
            .doing("list silence regions")?;
        self.0.readable(found)
    }

    /// A page of the regions that match `filter`, by time:
    /// the first one, or the one that begins at `after`. See
    /// [`Transcripts::page`](crate::Transcripts::page).
    ///
    /// # Errors
    ///
    /// [`Error::ReplacedMeanwhile`].
    pub fn page(
        &mut self,
        job_id: JobId,
        filter: &SilenceRegionFilter,
        after: Option<&SetCursor>,
    ) -> Result<SetPage<SilenceRegion>, Error> {
        page_of_set!(
            self.0, job_id, after,
            silence_regions, RegionRow, region_id,
            query: {
                let all = silence_regions::table.into_boxed::<Db>();
                let mut query = window::overlapping!(all, silence_regions, filter.window);
                if let Some(silence_type) = filter.silence_type {
                    query = query.filter(silence_regions::silence_type.eq(silence_type.as_str()));
                }
                if let Some(min_duration) = filter.min_duration {
                    query = query.filter(silence_regions::duration.ge(min_duration.get()));
                }
                query
            },
            sorted: |query, pages| {
            if let Some(last) = pages.last {
                query = query
                    .filter(silence_regions::start_time.ge(last.start_time))
                    .filter(silence_regions::start_time.gt(last.start_time).or(silence_regions::id.gt(last.id)));
            }
            query.order((silence_regions::start_time, silence_regions::id))
            },
            columns: columns::<RegionRow>(),
            bytes: "CAST(0 AS bigint)",
            key: |row, id| RowKey {
                id,
                public_id: row.region_id.0.as_uuid(),
                start_time: row.start_time,
                position: 0,
            },
            matches: |_row| true,
        )
    }

    /// Whether the job exists and replacing its silence regions by these would change nothing.
    /// In [`Database::read`](crate::Database::read), this does not wait for other writes.
    pub fn is_stored(
        &mut self,
        job_id: JobId,
        regions: &[NewSilenceRegion],
    ) -> Result<bool, Error> {
        replace_set::is_stored::<SilenceRegion, _>(&mut self.0, job_id, regions)
    }
}

impl SilenceRegions<'_, ReadWrite> {
    /// Replaces the silence regions of a job and returns them by time. A set equal
    /// to the stored one changes nothing: its rows keep their ids.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]; [`Error::JobNotFound`].
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        regions: &[NewSilenceRegion],
    ) -> Result<Vec<SilenceRegion>, Error> {
        let lock = self.0.lock_job(job)?;
        replace_set::replace(&mut self.0, lock, regions)
    }

    /// Like [`replace_for_job`](Self::replace_for_job), but does not return the regions, so
    /// that a large set is in memory only once.
    pub fn replace_without_returning(
        &mut self,
        job: impl Into<JobRef>,
        regions: &[NewSilenceRegion],
    ) -> Result<(), Error> {
        let lock = self.0.lock_job(job)?;
        replace_set::replace_without_returning::<SilenceRegion>(&mut self.0, lock, regions)
    }

    /// Puts a set that was stored in parts, and consists of `regions`, in place of the silence
    /// regions of the job; see [`begin_set`](Self::begin_set). If the two are equal, the stored
    /// rows keep their ids.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`]; [`Error::ReplacedMeanwhile`] an hour after the set was begun.
    pub fn show_set(
        &mut self,
        job: impl Into<JobRef>,
        set: StagedSet,
        regions: &[NewSilenceRegion],
    ) -> Result<(), Error> {
        let lock = self.0.lock_job(job)?;
        parts::show::<SilenceRegion>(
            &mut self.0,
            "silence_regions",
            lock,
            set,
            regions,
            |region| region.time.start(),
        )
    }
}

store_in_parts! { SilenceRegions of silence_regions: SilenceRegion { data: NewSilenceRegion } }
