//! Layout analyses, at most one per job: the table `layout_analysis`.

use diesel::prelude::*;
use lectern_domain::{
    JobId, LayoutAnalysis, LayoutAnalysisId, LayoutStretches, LayoutType, NewLayoutAnalysis, Ratio,
    Region, Seconds,
};

use crate::connection::{Conn, ReadWrite};
use crate::dialect::JobRef;
use crate::error::{Doing, Error};
use crate::schema::layout_analysis;
use crate::sql::row::{RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbTime, Id};

/// A row of `layout_analysis`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = layout_analysis)]
struct LayoutRow {
    layout_id: Id<LayoutAnalysisId>,
    job_id: Id<JobId>,
    #[diesel(embed)]
    data: DataColumns,
    created_at: StoredTime,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = layout_analysis, treat_none_as_null = true, treat_none_as_default_value = false)]
struct DataColumns {
    layout_type: Stored<LayoutType>,
    screen_region: Option<Stored<Region>>,
    camera_region: Option<Stored<Region>>,
    split_ratio: Option<Stored<Ratio>>,
    confidence_score: Stored<Ratio>,
    sample_frame_time: Option<Stored<Seconds>>,
    stretches: Stored<LayoutStretches>,
}

impl TryFrom<LayoutRow> for LayoutAnalysis {
    type Error = Error;

    fn try_from(row: LayoutRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("layout_analysis", row.layout_id.0);
        let data = row.data;
        Ok(Self {
            layout_id: row.layout_id.0,
            job_id: row.job_id.0,
            data: NewLayoutAnalysis {
                layout_type: decoder.column("layout_type", data.layout_type)?,
                screen_region: decoder.column("screen_region", data.screen_region)?,
                camera_region: decoder.column("camera_region", data.camera_region)?,
                split_ratio: decoder.column("split_ratio", data.split_ratio)?,
                confidence_score: decoder.column("confidence_score", data.confidence_score)?,
                sample_frame_time: decoder.column("sample_frame_time", data.sample_frame_time)?,
                stretches: decoder.column("stretches", data.stretches)?,
            },
            created_at: decoder.column("created_at", row.created_at)?,
        })
    }
}

impl From<&NewLayoutAnalysis> for DataColumns {
    fn from(data: &NewLayoutAnalysis) -> Self {
        Self {
            layout_type: data.layout_type.into(),
            screen_region: data.screen_region.map(Stored::from),
            camera_region: data.camera_region.map(Stored::from),
            split_ratio: data.split_ratio.map(Stored::from),
            confidence_score: data.confidence_score.into(),
            sample_frame_time: data.sample_frame_time.map(Stored::from),
            stretches: data.stretches.clone().into(),
        }
    }
}

/// The repository of the layout analyses: `conn.layout_analysis()`.
#[derive(Debug)]
pub struct LayoutAnalyses<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> LayoutAnalyses<'_, Mode> {
    /// The layout analysis of a job, if there is one.
    pub fn find_for_job(&mut self, job_id: JobId) -> Result<Option<LayoutAnalysis>, Error> {
        let row = layout_analysis::table
            .filter(layout_analysis::job_id.eq(Id(job_id)))
            .filter(self.0.context.owned("layout_analysis"))
            .select(columns::<LayoutRow>())
            .get_result::<LayoutRow>(self.0.raw)
            .optional()
            .doing("find a layout analysis")?;
        Ok(self.0.readable(Vec::from_iter(row))?.pop())
    }
}

impl LayoutAnalyses<'_, ReadWrite> {
    /// Stores the layout analysis of a job, replacing an existing one, and returns
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]; [`Error::JobNotFound`].
    pub fn put(
        &mut self,
        job: impl Into<JobRef>,
        new: &NewLayoutAnalysis,
    ) -> Result<LayoutAnalysis, Error> {
        let lock = self.0.lock_job(job)?;
        let job_id = lock.job_id();
        let by_job = layout_analysis::job_id.eq(Id(job_id));
        let replaced = diesel::update(layout_analysis::table.filter(by_job))
            .set(DataColumns::from(new))
            .returning(columns::<LayoutRow>())
            .get_result::<LayoutRow>(self.0.raw)
            .optional()
            .doing("replace a layout analysis")?;
        if let Some(replaced) = replaced {
            return replaced.try_into();
        }
        self.0.check_row_quota(lock, 1)?;
        self.0.count_rows(lock, 1, 0)?;
        diesel::insert_into(layout_analysis::table)
            .values((
                layout_analysis::layout_id.eq(Id(LayoutAnalysisId::new(self.0.clock))),
                by_job,
                layout_analysis::created_at.eq(lock.time()),
                DataColumns::from(new),
            ))
            .returning(columns::<LayoutRow>())
            .get_result::<LayoutRow>(self.0.raw)
            .doing("store a layout analysis")?
            .try_into()
    }

    /// Stores a layout analysis that has its id and time already.
    pub(crate) fn insert(&mut self, layout: &LayoutAnalysis) -> Result<(), Error> {
        diesel::insert_into(layout_analysis::table)
            .values((
                layout_analysis::layout_id.eq(Id(layout.layout_id)),
                layout_analysis::job_id.eq(Id(layout.job_id)),
                layout_analysis::created_at.eq(DbTime(layout.created_at)),
                DataColumns::from(&layout.data),
            ))
            .execute(self.0.raw)
            .map(drop)
            .doing("store a layout analysis")
    }
}
