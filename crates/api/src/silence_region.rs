//! Silence regions.

use chrono::{DateTime, Utc};
use lectern_domain::{self as domain, Invalid, JobId, NewSilenceRegion, SilenceType};
use lectern_domain::{Decibels, Seconds, SilenceRegionFilter, SilenceRegionId, TimeRange, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::wire::Request;
use crate::wire::items::Items;
use crate::wire::request::{BodyShape, convert_each, optional};
use crate::wire::validation::FieldErrors;

/// The silence regions of a job, which replace the stored regions.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("example" = {
        "regions": [
            {
                "start_time": 4.2,
                "end_time": 4.9,
                "silence_type": "audio_silence",
                "amplitude_threshold": -40.0,
            },
        ],
    }))]
pub struct SilenceRegionsBody {
    /// The regions, in any order.
    pub regions: Items<SilenceRegionBody>,
}

/// A silence region to be stored.
#[derive(Debug, Clone, PartialEq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceRegionBody {
    /// Start in the recording, in seconds.
    #[validate(range(min = 0.0))]
    pub start_time: f64,
    /// End in the recording, in seconds; not before the start.
    #[validate(range(min = 0.0))]
    pub end_time: f64,
    /// What is missing: sound, picture or both.
    pub silence_type: SilenceType,
    /// The level below which sound counted as silence, in dBFS.
    pub amplitude_threshold: Option<f64>,
}

impl Request for SilenceRegionsBody {
    type Domain = Vec<NewSilenceRegion>;
    const BODY_SHAPE: BodyShape = BodyShape::Rows;

    fn out_of_bounds(&self) -> FieldErrors {
        self.regions.errors("regions")
    }
}

impl TryFrom<SilenceRegionsBody> for Vec<NewSilenceRegion> {
    type Error = Invalid;

    fn try_from(body: SilenceRegionsBody) -> Result<Self, Invalid> {
        convert_each(
            "regions",
            body.regions.into_vec(),
            NewSilenceRegion::try_from,
        )
    }
}

impl TryFrom<SilenceRegionBody> for NewSilenceRegion {
    type Error = Invalid;

    fn try_from(region: SilenceRegionBody) -> Result<Self, Invalid> {
        Ok(Self {
            time: TimeRange::new(region.start_time, region.end_time)?,
            silence_type: region.silence_type,
            amplitude_threshold: optional(
                "amplitude_threshold",
                region.amplitude_threshold,
                Decibels::new,
            )?,
        })
    }
}

/// Selects silence regions of a job; every given condition must hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SilenceRegionsQuery {
    /// Regions of this type.
    #[schemars(extend("example" = "audio_silence"))]
    pub silence_type: Option<SilenceType>,
    /// Regions at least this long, in seconds.
    #[validate(range(min = 0.0))]
    #[schemars(extend("example" = 0.5))]
    pub min_duration: Option<f64>,
    /// Regions that end after this time, in seconds.
    #[validate(range(min = 0.0))]
    #[schemars(extend("example" = 0.0))]
    pub from: Option<f64>,
    /// Regions that begin before this time, in seconds; not before `from`.
    #[validate(range(min = 0.0))]
    #[schemars(extend("example" = 60.0))]
    pub to: Option<f64>,
}

impl Request for SilenceRegionsQuery {
    type Domain = SilenceRegionFilter;
}

impl TryFrom<SilenceRegionsQuery> for SilenceRegionFilter {
    type Error = Invalid;

    fn try_from(query: SilenceRegionsQuery) -> Result<Self, Invalid> {
        Ok(Self {
            silence_type: query.silence_type,
            min_duration: optional("min_duration", query.min_duration, Seconds::new)?,
            window: Window::new(query.from, query.to)?,
        })
    }
}

/// A silence region.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SilenceRegion {
    /// Id of the region.
    pub region_id: SilenceRegionId,
    /// Start in the recording, in seconds.
    pub start_time: f64,
    /// End in the recording, in seconds.
    pub end_time: f64,
    /// Duration in seconds.
    pub duration: f64,
    /// What is missing: sound, picture or both.
    pub silence_type: SilenceType,
    /// The level below which sound counted as silence, in dBFS.
    pub amplitude_threshold: Option<Decibels>,
    /// When the region was stored.
    pub created_at: DateTime<Utc>,
}

impl From<domain::SilenceRegion> for SilenceRegion {
    fn from(region: domain::SilenceRegion) -> Self {
        Self {
            region_id: region.region_id,
            start_time: region.time.start(),
            end_time: region.time.end(),
            duration: region.time.duration(),
            silence_type: region.silence_type,
            amplitude_threshold: region.amplitude_threshold,
            created_at: region.created_at,
        }
    }
}

/// The silence regions of a job, or those that the query selects.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SilenceRegionsResponse {
    /// The job that the regions belong to.
    pub job_id: JobId,
    /// The regions, sorted by time.
    pub regions: Vec<SilenceRegion>,
    /// Number of regions.
    pub total: usize,
}

impl SilenceRegionsResponse {
    /// Converts stored regions.
    pub fn new(job_id: JobId, regions: Vec<domain::SilenceRegion>) -> Self {
        Self {
            job_id,
            total: regions.len(),
            regions: regions.into_iter().map(Into::into).collect(),
        }
    }
}
