//! What the pictures consist of.

use diesel::prelude::*;
use lectern_domain::{
    JobId, JsonValue, LayoutAnalysis, LayoutAnalysisId, NewLayoutAnalysis, Ratio, Region, Seconds,
};

use crate::connection::{Conn, ReadWrite};
use crate::dialect::JobRef;
use crate::error::{Doing, Error};
use crate::schema::layout_analysis;
use crate::sql::row;
use crate::sql::row::{RowName, columns};
use crate::sql::types::{DbJson, DbTime, DbUuid};

columns!(layout_analysis:
    layout_id, job_id, layout_type, screen_region, camera_region, split_ratio, confidence_score,
    sample_frame_time, created_at,
);

#[derive(Queryable)]
struct LayoutRow {
    layout_id: DbUuid,
    job_id: DbUuid,
    layout_type: String,
    screen_region: Option<DbJson>,
    camera_region: Option<DbJson>,
    split_ratio: Option<f64>,
    confidence_score: f64,
    sample_frame_time: Option<f64>,
    created_at: DbTime,
}

impl TryFrom<LayoutRow> for LayoutAnalysis {
    type Error = Error;

    fn try_from(row: LayoutRow) -> Result<Self, Error> {
        let name = RowName {
            table: "layout_analysis",
            id: row.layout_id.0,
        };
        let region = |column, json: Option<DbJson>| {
            name.nullable(column, json, |json| Region::from_json(json.0))
        };
        Ok(Self {
            layout_id: LayoutAnalysisId::from(row.layout_id.0),
            job_id: JobId::from(row.job_id.0),
            data: NewLayoutAnalysis {
                layout_type: name.column("layout_type", row.layout_type.parse())?,
                screen_region: region("screen_region", row.screen_region)?,
                camera_region: region("camera_region", row.camera_region)?,
                split_ratio: name.fraction("split_ratio", row.split_ratio)?,
                confidence_score: name
                    .column("confidence_score", Ratio::new(row.confidence_score))?,
                sample_frame_time: name.seconds("sample_frame_time", row.sample_frame_time)?,
            },
            created_at: row.created_at.0,
        })
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = layout_analysis, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Found {
    layout_type: &'static str,
    screen_region: Option<DbJson>,
    camera_region: Option<DbJson>,
    split_ratio: Option<f64>,
    confidence_score: f64,
    sample_frame_time: Option<f64>,
}

impl From<&NewLayoutAnalysis> for Found {
    fn from(found: &NewLayoutAnalysis) -> Self {
        let json = |region: Region| DbJson(region.to_json());
        Self {
            layout_type: found.layout_type.as_str(),
            screen_region: found.screen_region.map(json),
            camera_region: found.camera_region.map(json),
            split_ratio: found.split_ratio.map(Ratio::get),
            confidence_score: found.confidence_score.get(),
            sample_frame_time: found.sample_frame_time.map(Seconds::get),
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
            .filter(layout_analysis::job_id.eq(DbUuid(job_id.as_uuid())))
            .select(COLUMNS)
            .get_result::<LayoutRow>(self.0.raw)
            .optional()
            .doing("find a layout analysis")?;
        row::one(row)
    }
}

impl LayoutAnalyses<'_, ReadWrite> {
    /// Makes `found` the layout analysis of a job, in place of the one it has,
    /// and returns it.
    ///
    /// # Errors
    ///
    /// [`Error::JobNotFound`].
    pub fn put(
        &mut self,
        job: impl Into<JobRef>,
        found: &NewLayoutAnalysis,
    ) -> Result<LayoutAnalysis, Error> {
        let lock = self.0.lock_job(job)?;
        let job_id = lock.job_id();
        let of_job = layout_analysis::job_id.eq(DbUuid(job_id.as_uuid()));
        let replaced = diesel::update(layout_analysis::table.filter(of_job))
            .set(Found::from(found))
            .returning(COLUMNS)
            .get_result::<LayoutRow>(self.0.raw)
            .optional()
            .doing("replace a layout analysis")?;
        if let Some(replaced) = replaced {
            return replaced.try_into();
        }
        diesel::insert_into(layout_analysis::table)
            .values((
                layout_analysis::layout_id
                    .eq(DbUuid(LayoutAnalysisId::new(self.0.clock).as_uuid())),
                of_job,
                layout_analysis::created_at.eq(lock.time()),
                Found::from(found),
            ))
            .returning(COLUMNS)
            .get_result::<LayoutRow>(self.0.raw)
            .doing("store a layout analysis")?
            .try_into()
    }
}
