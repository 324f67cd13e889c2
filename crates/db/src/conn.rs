//! What the closures of [`crate::Database`] get: a connection, seen as
//! repositories.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use lectern_domain::Clock;

use crate::connection::DbConnection;
use crate::session::Session;
use crate::{
    Clips, ContentSegments, Error, IdempotencyKeys, JobEvents, Jobs, LayoutAnalyses,
    ProcessingLogs, SilenceRegions, StageRuns, Transcripts, Work, dialect,
};

/// May only look.
#[derive(Debug)]
pub enum ReadOnly {}

/// May look and change, within a transaction.
#[derive(Debug)]
pub enum ReadWrite {}

/// A borrowed connection. [`Reader`] and [`Tx`] are the two there are; a
/// repository's changing methods exist only on the second, so a write outside
/// a transaction does not compile.
pub struct Conn<'c, Mode> {
    pub(crate) raw: &'c mut DbConnection,
    pub(crate) clock: &'c dyn Clock,
    pub(crate) session: &'c Session<'c>,
    mode: PhantomData<Mode>,
}

/// What [`crate::Database::read`] gives.
pub type Reader<'c> = Conn<'c, ReadOnly>;

/// What [`crate::Database::write`] gives: one transaction.
pub type Tx<'c> = Conn<'c, ReadWrite>;

impl<'c, Mode> Conn<'c, Mode> {
    pub(crate) fn new(raw: &'c mut DbConnection, session: &'c Session<'c>) -> Self {
        Self {
            raw,
            clock: session.clock,
            session,
            mode: PhantomData,
        }
    }

    pub(crate) fn reborrow(&mut self) -> Conn<'_, Mode> {
        Conn::new(self.raw, self.session)
    }

    /// The time leases go by: the database server's, which all its clients
    /// share, unless the caller brought a clock of its own.
    pub(crate) fn shared_now(&mut self) -> Result<DateTime<Utc>, Error> {
        if self.session.own_clock {
            Ok(self.clock.now())
        } else {
            dialect::now(self.raw, self.clock)
        }
    }

    /// The jobs.
    pub fn jobs(&mut self) -> Jobs<'_, Mode> {
        Jobs(self.reborrow())
    }

    /// What was said.
    pub fn transcripts(&mut self) -> Transcripts<'_, Mode> {
        Transcripts(self.reborrow())
    }

    /// Where nothing happens.
    pub fn silence_regions(&mut self) -> SilenceRegions<'_, Mode> {
        SilenceRegions(self.reborrow())
    }

    /// What the pictures consist of.
    pub fn layout_analysis(&mut self) -> LayoutAnalyses<'_, Mode> {
        LayoutAnalyses(self.reborrow())
    }

    /// What the recordings are about.
    pub fn content_segments(&mut self) -> ContentSegments<'_, Mode> {
        ContentSegments(self.reborrow())
    }

    /// What is cut out of the recordings.
    pub fn clips(&mut self) -> Clips<'_, Mode> {
        Clips(self.reborrow())
    }

    /// The audit trail.
    pub fn processing_logs(&mut self) -> ProcessingLogs<'_, Mode> {
        ProcessingLogs(self.reborrow())
    }

    /// What has become of each stage.
    pub fn stage_runs(&mut self) -> StageRuns<'_, Mode> {
        StageRuns(self.reborrow())
    }

    /// What happened to the jobs.
    pub fn job_events(&mut self) -> JobEvents<'_, Mode> {
        JobEvents(self.reborrow())
    }
}

impl Tx<'_> {
    /// Claims and leases.
    pub fn work(&mut self) -> Work<'_> {
        Work(self.reborrow())
    }

    /// Requests that are to be done once.
    pub fn idempotency_keys(&mut self) -> IdempotencyKeys<'_> {
        IdempotencyKeys(self.reborrow())
    }
}

impl<Mode> std::fmt::Debug for Conn<'_, Mode> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn")
            .field("backend", &self.raw.backend())
            .finish_non_exhaustive()
    }
}
