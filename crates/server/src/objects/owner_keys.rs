//! Checks of the object keys that clients with an owner name.

use lectern_domain::{
    ClipMedia, ClipMediaUpdate, InField as _, Invalid, JobId, NewJob, OwnerName, Patch, StorageKey,
};
use lectern_storage::ObjectKey;

/// Checks the recording of a new job. Without an owner, every key is allowed.
///
/// # Errors
///
/// The error names `s3_key`, whether or not there is an object.
pub(crate) fn check_recording(owner: Option<&OwnerName>, job: &NewJob) -> Result<(), Invalid> {
    let key = job.original_s3_key.as_ref();
    check(owner, None, [("s3_key", key)])
}

/// Checks the files of a clip of a job.
pub(crate) fn check_clip(
    owner: Option<&OwnerName>,
    job_id: JobId,
    media: &ClipMedia,
) -> Result<(), Invalid> {
    let keys = [
        ("s3_key", media.s3_key.as_ref()),
        ("thumbnail_s3_key", media.thumbnail_s3_key.as_ref()),
        ("subtitle_s3_key", media.subtitle_s3_key.as_ref()),
    ];
    check(owner, Some(job_id), keys)
}

/// Checks the files that a change of a clip of a job names.
pub(crate) fn check_clip_update(
    owner: Option<&OwnerName>,
    job_id: JobId,
    media: &ClipMediaUpdate,
) -> Result<(), Invalid> {
    let keys = [
        ("s3_key", named(&media.s3_key)),
        ("thumbnail_s3_key", named(&media.thumbnail_s3_key)),
        ("subtitle_s3_key", named(&media.subtitle_s3_key)),
    ];
    check(owner, Some(job_id), keys)
}

fn named(key: &Patch<StorageKey>) -> Option<&StorageKey> {
    match key {
        Patch::Set(key) => Some(key),
        _ => None,
    }
}

fn check<const N: usize>(
    owner: Option<&OwnerName>,
    job_id: Option<JobId>,
    keys: [(&str, Option<&StorageKey>); N],
) -> Result<(), Invalid> {
    let Some(owner) = owner else {
        return Ok(());
    };
    for (field, key) in keys {
        if let Some(key) = key {
            ObjectKey::check_for_owner(key, job_id, owner).in_field(field)?;
        }
    }
    Ok(())
}
