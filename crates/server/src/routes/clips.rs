//! Clips of a job.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{Clip, ClipUpdateBody, ClipsBody, ClipsQuery, ClipsResponse, NewClipBody};
use lectern_db::{Conn, Error, JobRef, Reader, SetCursor, Tx};
use lectern_domain::{self as domain, ClipId, ClipItem, InField as _, JobId, Scope, Stage};

use super::set_pages::{JsonSet, check_row_count, fits_in_memory, json_bytes, respond_json};
use super::single_row::{self, Preconditions, SingleRow};
use crate::database::caller_database::CallerDatabase;
use crate::http::auth::RequestActor;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::IdempotentBody;
use crate::http::extract::json_body::{OutputBody, OutputPatchBody};
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::{ClipIdPath, JobIdPath};
use crate::http::extract::query::Query;
use crate::http::extract::receive_body::BodyLimits;
use crate::http::memory_budget::MemoryBudget;
use crate::http::resource::Resource;
use crate::http::response::etag::{IfMatchContent, IfNoneMatch};
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::owner_keys::{check_clip, check_clip_update};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/clips")
            .get(Scope::JobsRead, list)
            .on(Method::PUT, Scope::OutputsWrite, replace)
            .on(Method::POST, Scope::OutputsWrite, add),
        Resource::at("/api/v1/clips/{clip_id}")
            .get(Scope::JobsRead, find_one)
            .on(Method::PATCH, Scope::JobsWrite, update_one)
            .on(Method::DELETE, Scope::JobsWrite, delete_one),
    ]
}

/// The stages that store clips.
const OWNERS: &[Stage] = &[Stage::Segmentation, Stage::Compilation];

async fn list(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<ClipsQuery>,
) -> ApiResult {
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        conn.clips().page(job_id, query.top, after)
    };
    let pages = JsonSet::<Clip, _>::of_job(job_id, "clips", read);
    respond_json(&db, &memory, pages).await
}

async fn replace(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    OutputBody(new): OutputBody<ClipsBody>,
) -> ApiResult {
    for (i, item) in new.iter().enumerate() {
        check_clip(db.owner(), job_id, &item.clip.media).in_field(&format!("clips[{i}]"))?;
    }
    let writer = db
        .one_at_a_time_for(job_id.as_uuid())
        .with_time_for_rows(new.len());
    if fits_in_memory(&new, |item| json_bytes(&item.clip.extra_metadata)) {
        let replace = move |tx: &mut Tx<'_>| {
            let job = lease.check_output(tx, job_id, OWNERS)?;
            Ok(tx.clips().replace_with_items(job, &new)?)
        };
        let respond = move |rows| ApiResponse::ok(&ClipsResponse::new(job_id, rows));
        return writer.write(replace, respond).await?;
    }
    let is_stored = move |conn: &mut Reader<'_>, new: &[ClipItem]| {
        let is_allowed = lease.allows_output(conn, job_id, OWNERS)?;
        Ok(is_allowed && conn.clips().is_stored(job_id, new)?)
    };
    let store = move |tx: &mut Tx<'_>, new: &[ClipItem]| {
        let job = lease.check_output(tx, job_id, OWNERS)?;
        Ok(tx.clips().replace_without_returning(job, new)?)
    };
    writer.store_set(new, is_stored, store).await?;
    let read = move |conn: &mut Reader<'_>, after: Option<&SetCursor>| {
        conn.clips().page(job_id, None, after)
    };
    let pages = JsonSet::<Clip, _>::of_job(job_id, "clips", read);
    respond_json(&db, &memory, pages).await
}

async fn add(
    CallerDatabase(db): CallerDatabase,
    limits: Data<BodyLimits>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    IdempotentBody { body: added, key }: IdempotentBody<NewClipBody>,
) -> ApiResult {
    check_clip(db.owner(), job_id, &added.clip.media)?;
    let max_clips = limits.rows;
    let add = move |tx: &mut Tx<'_>| {
        key.run_once(tx, |tx| {
            let job = lease.check_output(tx, job_id, OWNERS)?;
            check_row_count("clips", tx.clips().count(job_id)?, 1, max_clips)?;
            let clip = tx.clips().add(job, added.clip.clone(), added.position)?;
            let clip_id = clip.clip_id;
            let response = ApiResponse::with_content_etag(&Clip::from(clip))?;
            let response = response.created().with_clip_location(clip_id)?;
            Ok((Some(job_id), response))
        })
    };
    db.one_at_a_time_for(job_id.as_uuid())
        .write(add, |response| response)
        .await
}

async fn find_one(
    CallerDatabase(db): CallerDatabase,
    memory: Data<MemoryBudget>,
    ClipIdPath(id): ClipIdPath,
    known: IfNoneMatch,
) -> ApiResult {
    single_row::find(&db, &memory, id, &known).await
}

async fn update_one(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    memory: Data<MemoryBudget>,
    ClipIdPath(id): ClipIdPath,
    lease: LeaseHeader,
    expected: IfMatchContent,
    OutputPatchBody(update): OutputPatchBody<ClipUpdateBody>,
) -> ApiResult {
    let owner = db.owner().cloned();
    let change = move |tx: &mut Tx<'_>, job| {
        if let Some(clip) = tx.clips().find(id)? {
            check_clip_update(owner.as_ref(), clip.job_id, &update.media)?;
        }
        tx.clips().update(job, id, &update)
    };
    single_row::update(
        &db.acting_as(actor),
        &memory,
        id,
        Preconditions { lease, expected },
        change,
    )
    .await
}

async fn delete_one(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    ClipIdPath(id): ClipIdPath,
    lease: LeaseHeader,
    expected: IfMatchContent,
) -> ApiResult {
    single_row::delete(&db.acting_as(actor), id, Preconditions { lease, expected }).await
}

impl SingleRow for ClipId {
    type Value = domain::Clip;
    type Wire = Clip;

    const NOUN: &'static str = "clip";
    const OWNERS: &'static [Stage] = OWNERS;

    fn large_bytes(self, conn: &mut Reader<'_>) -> Result<Option<usize>, Error> {
        conn.clips().large_bytes(self)
    }

    fn find<Mode>(self, conn: &mut Conn<'_, Mode>) -> Result<Option<Self::Value>, Error> {
        conn.clips().find(self)
    }

    fn delete(self, tx: &mut Tx<'_>, job: JobRef) -> Result<(), Error> {
        tx.clips().delete(job, self)
    }

    fn job_of(value: &Self::Value) -> JobId {
        value.job_id
    }

    fn missing(self) -> ApiError {
        ApiError::no_clip(self)
    }
}
