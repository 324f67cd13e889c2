//! Where nothing happens.

use diesel::prelude::*;
use lectern_domain::{
    Decibels, JobId, NewSilenceRegion, Seconds, SilenceRegion, SilenceRegionFilter,
    SilenceRegionId, SilenceType, Window,
};

use crate::connection::MultiBackend;
use crate::connection::{Conn, ReadWrite};
use crate::dialect::{JobRef, insert_all};
use crate::error::{Doing, Error};
use crate::schema::silence_regions;
use crate::sql::row::{RowName, columns};
use crate::sql::types::{DbTime, DbUuid};
use crate::sql::{row, window};

columns!(silence_regions:
    region_id, job_id, start_time, end_time, silence_type, amplitude_threshold, created_at,
);

#[derive(Queryable)]
struct RegionRow {
    region_id: DbUuid,
    job_id: DbUuid,
    start_time: f64,
    end_time: f64,
    silence_type: String,
    amplitude_threshold: Option<f64>,
    created_at: DbTime,
}

impl TryFrom<RegionRow> for SilenceRegion {
    type Error = Error;

    fn try_from(row: RegionRow) -> Result<Self, Error> {
        let name = RowName {
            table: "silence_regions",
            id: row.region_id.0,
        };
        Ok(Self {
            region_id: SilenceRegionId::from(row.region_id.0),
            job_id: JobId::from(row.job_id.0),
            data: NewSilenceRegion {
                time: name.time(row.start_time, row.end_time)?,
                silence_type: name.column("silence_type", row.silence_type.parse())?,
                amplitude_threshold: name.nullable(
                    "amplitude_threshold",
                    row.amplitude_threshold,
                    Decibels::new,
                )?,
            },
            created_at: row.created_at.0,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = silence_regions, treat_none_as_default_value = false)]
struct NewRegionRow {
    region_id: DbUuid,
    job_id: DbUuid,
    start_time: f64,
    end_time: f64,
    silence_type: &'static str,
    amplitude_threshold: Option<f64>,
    created_at: DbTime,
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

    /// The regions that fit `filter`, by time.
    pub fn list(
        &mut self,
        job_id: JobId,
        filter: &SilenceRegionFilter,
    ) -> Result<Vec<SilenceRegion>, Error> {
        let mut query = silence_regions::table
            .filter(silence_regions::job_id.eq(DbUuid(job_id.as_uuid())))
            .order((silence_regions::start_time, silence_regions::id))
            .select(COLUMNS)
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
        row::all(found)
    }
}

impl SilenceRegions<'_, ReadWrite> {
    /// Makes `regions` all the silence of a job; `false` when there is no such
    /// job. A set that is stored already stays as it is, ids and all.
    pub fn replace_for_job(
        &mut self,
        job: impl Into<JobRef>,
        regions: &[NewSilenceRegion],
    ) -> Result<Vec<SilenceRegion>, Error> {
        let lock = self.0.lock_job(job)?;
        let job_id = lock.job_id();
        let mut stored: Vec<_> =
            row::in_insertion_order!(self.0.raw, silence_regions, RegionRow, job_id)?;
        if row::same(&stored, regions, is) {
            stored.sort_by(|a, b| a.time.start().total_cmp(&b.time.start()));
            return Ok(stored);
        }
        let of_job = silence_regions::job_id.eq(DbUuid(job_id.as_uuid()));
        diesel::delete(silence_regions::table.filter(of_job))
            .execute(self.0.raw)
            .doing("delete silence regions")?;
        let clock = self.0.clock;
        let rows: Vec<_> = regions
            .iter()
            .map(|region| NewRegionRow {
                region_id: DbUuid(SilenceRegionId::new(clock).as_uuid()),
                job_id: DbUuid(job_id.as_uuid()),
                start_time: region.time.start(),
                end_time: region.time.end(),
                silence_type: region.silence_type.as_str(),
                amplitude_threshold: region.amplitude_threshold.map(Decibels::get),
                created_at: lock.time(),
            })
            .collect();
        insert_all!(self.0.raw, silence_regions::table, rows).doing("store silence regions")?;
        self.for_job(job_id)
    }
}

fn is(stored: &SilenceRegion, new: &NewSilenceRegion) -> bool {
    stored.time == new.time
        && stored.silence_type == new.silence_type
        && stored.amplitude_threshold == new.amplitude_threshold
}
