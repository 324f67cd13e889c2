//! Conditions on a list of jobs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::job::status::JobStatus;
use crate::stage::Stage;
use crate::value::text::{bounded_texts, check_no_nul};
use crate::value::{InField, Invalid};

/// Conditions on a list of jobs; all that are set must hold.
///
/// ```
/// use lectern_domain::{FilenamePart, JobFilter, JobStatus};
///
/// let lectures = JobFilter {
///     statuses: vec![JobStatus::Queued, JobStatus::Running],
///     filename: Some(FilenamePart::new("lecture")?),
///     ..JobFilter::default()
/// };
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobFilter {
    /// Jobs with one of these statuses. Empty: with any status.
    pub statuses: Vec<JobStatus>,
    /// Jobs with this current stage.
    pub stage: Option<Stage>,
    /// Jobs whose filename contains this text, in upper or lower case.
    pub filename: Option<FilenamePart>,
    /// Jobs whose `extra_metadata` has these values.
    pub metadata: MetadataFilter,
    /// Jobs created at this time or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Jobs created before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Jobs changed at this time or later.
    pub updated_after: Option<DateTime<Utc>>,
    /// Jobs completed at this time or later.
    pub completed_after: Option<DateTime<Utc>>,
}

bounded_texts! {
    /// A part of a filename, at most 255 characters.
    FilenamePart: 0 to 255;
}

/// Values that the `extra_metadata` of a job has, by key.
///
/// A key is a key of the object itself, not of an object within it. A value is that of the
/// key if it is the same text, or if it spells the same number, `true`, `false` or `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetadataFilter(BTreeMap<String, String>);

impl MetadataFilter {
    /// The greatest number of keys.
    pub const MAX_KEYS: usize = 10;

    /// Checks the number of keys, and that there is no NUL; the error names the key.
    pub fn new(values: BTreeMap<String, String>) -> Result<Self, Invalid> {
        if values.len() > Self::MAX_KEYS {
            return Err(Invalid::new(format!(
                "must have at most {} keys",
                Self::MAX_KEYS
            )));
        }
        for (key, value) in &values {
            check_no_nul(key)
                .and_then(|()| check_no_nul(value))
                .in_field(key)?;
        }
        Ok(Self(values))
    }

    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(key, value)| (key.as_str(), value.as_str()))
    }
}
