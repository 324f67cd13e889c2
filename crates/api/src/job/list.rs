//! Lists of jobs.

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, Invalid, JobFilter, JobStatus, Stage};
use lectern_domain::{Page, PageLimit, PageRequest, Total};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::job::JobResponse;
use crate::wire::cursor::page;
use crate::wire::{JobList, PageCursor, Request};

/// Selects jobs; every given condition must hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JobListQuery {
    /// Jobs of this status.
    #[schemars(extend("example" = "completed"))]
    pub status: Option<JobStatus>,
    /// Jobs that are in this stage.
    #[schemars(extend("example" = "transcription"))]
    pub stage: Option<Stage>,
    /// Jobs created at this time or later.
    #[schemars(extend("example" = "2026-01-01T00:00:00Z"))]
    pub created_after: Option<DateTime<Utc>>,
    /// Jobs created before this time.
    #[schemars(extend("example" = "2027-01-01T00:00:00Z"))]
    pub created_before: Option<DateTime<Utc>>,
    /// Maximum number of jobs on a page.
    #[validate(range(min = 1, max = PageLimit::MAX))]
    #[schemars(extend("default" = PageLimit::default().get()))]
    #[schemars(extend("example" = 10))]
    pub limit: Option<i64>,
    /// The `next_cursor` of the previous page.
    #[schemars(extend("example" = PageCursor::<JobList>::example()))]
    pub cursor: Option<PageCursor<JobList>>,
    /// Whether to count the jobs on all pages, up to 10,000.
    #[schemars(extend("example" = true))]
    pub include_total: bool,
}

/// A page of a list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobListRequest {
    /// The jobs that the list contains.
    pub filter: JobFilter,
    /// The page of the list.
    pub page: PageRequest,
    /// Whether to count the jobs on all pages.
    pub include_total: bool,
}

impl Request for JobListQuery {
    type Domain = JobListRequest;
}

impl TryFrom<JobListQuery> for JobListRequest {
    type Error = Invalid;

    fn try_from(query: JobListQuery) -> Result<Self, Invalid> {
        Ok(Self {
            filter: JobFilter {
                status: query.status,
                stage: query.stage,
                created_after: query.created_after,
                created_before: query.created_before,
            },
            page: page(query.limit, query.cursor)?,
            include_total: query.include_total,
        })
    }
}

/// A page of jobs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobListResponse {
    /// The jobs of this page.
    pub jobs: Vec<JobResponse>,
    /// Cursor of the next page; `null` on the last page.
    pub next_cursor: Option<PageCursor<JobList>>,
    /// Number of jobs on all pages, at most 10,000; only present if `include_total` was
    /// true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    pub total: Option<i64>,
    /// True if there are more jobs than `total`; otherwise absent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("default" = false))]
    pub total_is_lower_bound: bool,
}

impl JobListResponse {
    /// Converts a page of jobs. `total` is the number of jobs on all pages, or `None` if
    /// the query has no `include_total`.
    pub fn new(page: Page<domain::JobSummary>, total: Option<Total>) -> Self {
        Self {
            jobs: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(Into::into),
            total: total.map(|total| total.count),
            total_is_lower_bound: total.is_some_and(|total| total.is_lower_bound),
        }
    }
}
