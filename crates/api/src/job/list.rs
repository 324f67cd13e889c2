//! Lists of jobs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, InField, Invalid, JobFilter, JobStatus, Stage};
use lectern_domain::{
    Direction, FilenamePart, JobCursor, JobOrder, JobPageRequest, MetadataFilter, Page, PageLimit,
    Total,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::job::JobResponse;
use crate::wire::cursor::page_limit;
use crate::wire::query::{CommaSeparated, Words, optional_time};
use crate::wire::request::optional;
use crate::wire::validation::chars;
use crate::wire::{FieldError, JobPageCursor, Request};

/// Selects jobs; every given condition must hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JobListQuery {
    /// Jobs of this status, or of one of several, separated by commas.
    #[schemars(extend("example" = ["completed", "failed"]))]
    pub status: CommaSeparated<JobStatus>,
    /// Jobs that are in this stage.
    #[schemars(extend("example" = "transcription"))]
    pub stage: Option<Stage>,
    /// Jobs whose filename contains this text, in upper or lower case.
    #[validate(length(max = chars(FilenamePart::MAX)))]
    #[schemars(extend("example" = "lecture"))]
    pub filename: Option<String>,
    /// Jobs whose `extra_metadata` has these values, as in `metadata.course=ML 101`: the
    /// value of the key is this text, or the number, `true`, `false` or `null` that the text
    /// spells. At most 10 parameters, whose names begin with `metadata.`.
    #[schemars(extend("example" = { "metadata.course": "ML 101" }))]
    pub metadata: BTreeMap<String, String>,
    /// Jobs created at this time or later. A date without a time is the start of that day
    /// in UTC.
    #[serde(deserialize_with = "optional_time")]
    #[schemars(extend("example" = "2026-01-01T00:00:00Z"))]
    pub created_after: Option<DateTime<Utc>>,
    /// Jobs created before this time, or before the start of this day in UTC.
    #[serde(deserialize_with = "optional_time")]
    #[schemars(extend("example" = "2027-01-01T00:00:00Z"))]
    pub created_before: Option<DateTime<Utc>>,
    /// Jobs changed at this time or later, or since the start of this day in UTC.
    #[serde(deserialize_with = "optional_time")]
    #[schemars(extend("example" = "2026-01-01T00:00:00Z"))]
    pub updated_after: Option<DateTime<Utc>>,
    /// Jobs completed at this time or later, or since the start of this day in UTC.
    #[serde(deserialize_with = "optional_time")]
    #[schemars(extend("example" = "2026-01-01T00:00:00Z"))]
    pub completed_after: Option<DateTime<Utc>>,
    /// The time by which the list is sorted.
    #[schemars(extend("default" = JobOrder::CreatedAt))]
    #[schemars(extend("example" = JobOrder::CreatedAt))]
    pub order: Option<JobOrder>,
    /// Whether the list begins with the oldest job (`asc`) or with the newest (`desc`).
    #[schemars(extend("default" = Direction::Descending))]
    #[schemars(extend("example" = Direction::Descending))]
    pub direction: Option<Direction>,
    /// Adds `extra_metadata` and `video_metadata` to the jobs.
    #[schemars(extend("example" = "metadata"))]
    pub include: Option<JobListInclude>,
    /// Maximum number of jobs on a page.
    #[validate(range(min = 1, max = PageLimit::MAX))]
    #[schemars(extend("default" = PageLimit::default().get()))]
    #[schemars(extend("example" = 10))]
    pub limit: Option<i64>,
    /// The `next_cursor` of the previous page, which must have the same order and direction.
    #[schemars(extend("example" = JobPageCursor::example()))]
    pub cursor: Option<JobPageCursor>,
    /// Whether to count the jobs on all pages, up to 10,000.
    #[schemars(extend("example" = true))]
    pub include_total: bool,
}

/// Fields that a list leaves out unless they are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobListInclude {
    /// `extra_metadata` and `video_metadata`.
    Metadata,
}

impl Words for JobStatus {
    const ALL: &'static [Self] = Self::ALL;
}

/// A page of a list of jobs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobListRequest {
    /// The jobs that the list contains.
    pub filter: JobFilter,
    /// The page of the list.
    pub page: JobPageRequest,
    /// Whether the jobs have their metadata.
    pub with_metadata: bool,
    /// Whether to count the jobs on all pages.
    pub include_total: bool,
}

impl JobListQuery {
    fn order(&self) -> JobOrder {
        self.order.unwrap_or(JobOrder::CreatedAt)
    }

    fn direction(&self) -> Direction {
        self.direction.unwrap_or(Direction::Descending)
    }
}

impl Request for JobListQuery {
    type Domain = JobListRequest;

    const MAP_PARAMETER: Option<&'static str> = Some("metadata");
    const IS_PAGED: bool = true;

    fn contradiction(&self) -> Option<FieldError> {
        let cursor = JobCursor::from(self.cursor?);
        let is_of_list = (cursor.order, cursor.direction) == (self.order(), self.direction());
        let rule = format!(
            "must be used with order={} and direction={}, like the page that it is from",
            cursor.order, cursor.direction
        );
        (!is_of_list).then(|| FieldError::new("cursor", rule))
    }
}

impl TryFrom<JobListQuery> for JobListRequest {
    type Error = Invalid;

    fn try_from(query: JobListQuery) -> Result<Self, Invalid> {
        let (order, direction) = (query.order(), query.direction());
        Ok(Self {
            filter: JobFilter {
                statuses: query.status.0,
                stage: query.stage,
                filename: optional("filename", query.filename, FilenamePart::new)?,
                metadata: MetadataFilter::new(query.metadata).in_field("metadata")?,
                created_after: query.created_after,
                created_before: query.created_before,
                updated_after: query.updated_after,
                completed_after: query.completed_after,
            },
            page: JobPageRequest {
                limit: page_limit(query.limit)?,
                order,
                direction,
                after: query.cursor.map(Into::into),
            },
            with_metadata: query.include.is_some(),
            include_total: query.include_total,
        })
    }
}

/// A page of jobs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobListResponse {
    /// The jobs of this page.
    pub jobs: Vec<JobResponse>,
    /// Cursor of the next page; `null` on the last page.
    pub next_cursor: Option<JobPageCursor>,
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
    pub fn new(page: Page<domain::JobSummary, JobCursor>, total: Option<Total>) -> Self {
        Self {
            jobs: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(Into::into),
            total: total.map(|total| total.count),
            total_is_lower_bound: total.is_some_and(|total| total.is_lower_bound),
        }
    }
}
