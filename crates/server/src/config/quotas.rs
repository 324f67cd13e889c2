//! What one caller may have, as settings.

use std::num::NonZeroU32;

use clap::Args;
use lectern_domain::JobQuota;

use crate::app::server_config::Quotas;
use crate::http::rate_limit::RateLimit;

/// Settings of quotas. All are unlimited unless they are given.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct QuotaSettings {
    /// Maximum number of jobs of an owner that are pending, queued or running; jobs without
    /// an owner have one quota together [default: unlimited]
    #[arg(
        long,
        env = "LECTERN_QUOTA_OPEN_JOBS",
        global = true,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub quota_open_jobs: Option<u32>,

    /// Maximum size in bytes of the recordings of all jobs of an owner [default: unlimited]
    #[arg(
        long,
        env = "LECTERN_QUOTA_STORED_BYTES",
        global = true,
        value_name = "BYTES",
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub quota_stored_bytes: Option<u64>,

    /// Maximum number of rows of the outputs and log entries of all jobs of an owner, without the
    /// log entries of the service itself; 0: unlimited [default: unlimited]
    #[arg(long, env = "LECTERN_QUOTA_ROWS", global = true, value_name = "N")]
    pub quota_rows: Option<u64>,

    /// Maximum number of clients of a caller that watch jobs at once [default: unlimited]
    #[arg(
        long,
        env = "LECTERN_QUOTA_WATCHERS",
        global = true,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub quota_watchers: Option<u32>,

    /// Maximum number of claims of a caller that wait for work at once [default: unlimited]
    #[arg(
        long,
        env = "LECTERN_QUOTA_WAITERS",
        global = true,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub quota_waiters: Option<u32>,

    /// Maximum number of requests of a caller in each second, on average [default: unlimited]
    #[arg(long, env = "LECTERN_RATE_LIMIT", global = true, value_name = "N")]
    pub rate_limit: Option<NonZeroU32>,

    /// Requests that a caller may send at once after a while without any, if there is a rate
    /// limit [default: twice the rate limit]
    #[arg(long, env = "LECTERN_RATE_BURST", global = true, value_name = "N")]
    pub rate_burst: Option<NonZeroU32>,
}

impl QuotaSettings {
    /// What the owner of jobs may have.
    pub fn job_quota(&self) -> JobQuota {
        JobQuota {
            open_jobs: self.quota_open_jobs.map(u64::from),
            stored_bytes: self.quota_stored_bytes,
            stored_rows: self.quota_rows.filter(|max| *max > 0),
        }
    }

    pub(super) fn quotas(&self) -> Quotas {
        let count = |max: Option<u32>| max.map(|max| max as usize);
        Quotas {
            jobs: self.job_quota(),
            watchers: count(self.quota_watchers),
            waiters: count(self.quota_waiters),
            requests: self.rate_limit.map(|per_second| RateLimit {
                per_second,
                burst: self
                    .rate_burst
                    .unwrap_or_else(|| per_second.saturating_mul(TWO)),
            }),
        }
    }
}

const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
