//! The stages whose claims give nothing: the table `stage_pauses`.
//!
//! Claims read it in their transactions (`dialect/pick_runs.rs`), so every server and every
//! worker of the database obeys. Runs that are being processed go on.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use lectern_domain::{AuditAction, AuditChange, Stage};

use crate::connection::{Conn, ReadWrite, on_either};
use crate::error::{Doing, Error};
use crate::schema::stage_pauses;
use crate::sql::prepared::Prepared;
use crate::sql::row::RowDecoder;
use crate::sql::stored::{Check as _, Stored};
use crate::sql::stored_time::StoredTime;

/// The repository of paused stages: `conn.stage_pauses()`.
#[derive(Debug)]
pub struct StagePauses<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> StagePauses<'_, Mode> {
    /// Since when a stage is paused; `None`: it is not.
    pub fn find(&mut self, stage: Stage) -> Result<Option<DateTime<Utc>>, Error> {
        let found = stage_pauses::table
            .filter(stage_pauses::stage.eq(stage.as_str()))
            .select(stage_pauses::paused_at);
        let found = on_either!(self.0.raw, conn => found.get_result::<StoredTime>(conn))
            .optional()
            .doing("find the pause of a stage")?;
        // A stage is no id; the error names the column.
        let decoder = RowDecoder::new("stage_pauses", uuid::Uuid::nil());
        found
            .map(|paused_at| decoder.column("paused_at", paused_at))
            .transpose()
    }

    /// The stages among `stages` that are not paused, in the same order.
    pub(crate) fn without_paused(&mut self, stages: &[Stage]) -> Result<Vec<Stage>, Error> {
        let paused = Prepared(stage_pauses::table.select(stage_pauses::stage));
        let paused = on_either!(self.0.raw, conn => paused.load::<Stored<Stage>>(conn))
            .doing("list paused stages")?;
        let paused: Vec<_> = paused
            .into_iter()
            .filter_map(|stage| stage.check().ok())
            .collect();
        let stages = stages.iter().copied();
        Ok(stages.filter(|stage| !paused.contains(stage)).collect())
    }
}

impl StagePauses<'_, ReadWrite> {
    /// Pauses a stage of [`Stage::WORK`]: from the commit on, claims give no run of it. Returns
    /// since when it is paused, which stays the same if it is paused already.
    ///
    /// # Errors
    ///
    /// [`Error::Constraint`] for a stage that workers do not claim.
    pub fn pause(&mut self, stage: Stage) -> Result<DateTime<Utc>, Error> {
        let now = self.0.insert_time();
        let row = (
            stage_pauses::stage.eq(stage.as_str()),
            stage_pauses::paused_at.eq(now),
        );
        let insert = diesel::insert_into(stage_pauses::table).values(row);
        // Both arms are the same: diesel's enum connection has no ON CONFLICT.
        let paused = on_either!(self.0.raw, conn => {
            insert.on_conflict_do_nothing().execute(conn)
        })
        .doing("pause a stage")?;
        if paused > 0 {
            self.record(AuditAction::StagePause, stage)?;
        }
        let paused_at = self.find(stage)?;
        // Always found: this transaction has stored it, or waited for the one that has.
        Ok(paused_at.unwrap_or_else(|| self.0.clock.now()))
    }

    /// Ends the pause of a stage, and notifies waiting claims; `false` if it was not paused.
    pub fn resume(&mut self, stage: Stage) -> Result<bool, Error> {
        let delete =
            diesel::delete(stage_pauses::table).filter(stage_pauses::stage.eq(stage.as_str()));
        let resumed =
            on_either!(self.0.raw, conn => delete.execute(conn)).doing("resume a stage")?;
        if resumed == 0 {
            return Ok(false);
        }
        self.record(AuditAction::StageResume, stage)?;
        self.0.stage_runs().note_ready(stage);
        Ok(true)
    }

    fn record(&mut self, action: AuditAction, stage: Stage) -> Result<(), Error> {
        let change = AuditChange::of_stage(action, stage);
        self.0.audit_entries().record(&change)
    }
}
