//! What the closures of [`crate::Database`] get: a connection, seen as
//! repositories.

use std::marker::PhantomData;

use lectern_domain::Clock;

use crate::connection::DbConnection;
use crate::{
    Clips, ContentSegments, Jobs, LayoutAnalyses, ProcessingLogs, SilenceRegions, Transcripts,
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
    mode: PhantomData<Mode>,
}

/// What [`crate::Database::read`] gives.
pub type Reader<'c> = Conn<'c, ReadOnly>;

/// What [`crate::Database::write`] gives: one transaction.
pub type Tx<'c> = Conn<'c, ReadWrite>;

impl<'c, Mode> Conn<'c, Mode> {
    pub(crate) fn new(raw: &'c mut DbConnection, clock: &'c dyn Clock) -> Self {
        Self {
            raw,
            clock,
            mode: PhantomData,
        }
    }

    fn reborrow(&mut self) -> Conn<'_, Mode> {
        Conn::new(self.raw, self.clock)
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
}

impl<Mode> std::fmt::Debug for Conn<'_, Mode> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn")
            .field("backend", &self.raw.backend())
            .finish_non_exhaustive()
    }
}
