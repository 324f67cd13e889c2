//! Jobs: create, list, read, update, report progress, cancel, retry, rerun, delete.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{
    JobCreate, JobCreation, JobListQuery, JobListRequest, JobListResponse, JobUpdate,
    ProgressReport, RerunBody,
};
use lectern_db::{Reader, Tx};
use lectern_domain::{Job, Scope, Total};

use super::next_page_link::NextPageLink;
use crate::database::caller_database::CallerDatabase;
use crate::database::handle::DatabaseHandle;
use crate::http::auth::{PriorityLimit, RequestActor};
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::{IdempotentBody, RequestKey};
use crate::http::extract::json_body::PatchBody;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query::Query;
use crate::http::memory_budget::WithPermit;
use crate::http::resource::Resource;
use crate::http::response::etag::{IfMatch, IfNoneMatch};
use crate::http::response::shared::SharedRequest;
use crate::http::response::{ApiResponse, ApiResult};
use crate::objects::expired_uploads::MultipartUpload;
use crate::objects::handle::Objects;
use crate::objects::owner_keys::check_recording;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs").get(Scope::JobsRead, list).on(
            Method::POST,
            Scope::JobsWrite,
            create,
        ),
        Resource::at("/api/v1/jobs/{job_id}")
            .get(Scope::JobsRead, find)
            .on(Method::PATCH, Scope::JobsWrite, update)
            .on(Method::DELETE, Scope::JobsWrite, delete),
        Resource::at("/api/v1/jobs/{job_id}/progress").on(
            Method::POST,
            Scope::OutputsWrite,
            report_progress,
        ),
        Resource::at("/api/v1/jobs/{job_id}/cancel").on(Method::POST, Scope::JobsWrite, cancel),
        Resource::at("/api/v1/jobs/{job_id}/retry").on(Method::POST, Scope::JobsWrite, retry),
        Resource::at("/api/v1/jobs/{job_id}/rerun").on(Method::POST, Scope::JobsWrite, rerun),
    ]
}

async fn create(
    CallerDatabase(db): CallerDatabase,
    priorities: PriorityLimit,
    IdempotentBody { body: job, key }: IdempotentBody<JobCreate>,
) -> ApiResult {
    let priority = match &*job {
        JobCreation::Object(job) => job.priority,
        JobCreation::Source(job) => job.priority,
    };
    priorities.check("priority", priority)?;
    // A job with large values is not in memory together with those of other requests.
    let is_small = key.is_none() && !job.is_large();
    let (job, permit) = job.into_parts();
    if let JobCreation::Object(job) = &job {
        check_recording(db.owner(), job)?;
    }
    let job = match job {
        JobCreation::Object(job) if is_small => return created(db.create_job(job).await?),
        job => WithPermit::new(job, permit),
    };
    db.write(
        move |tx| {
            key.run_once(tx, |tx| {
                let job = match &*job {
                    JobCreation::Object(job) => tx.jobs().create(job)?,
                    JobCreation::Source(job) => tx.jobs().create_from_source(job)?,
                };
                Ok((Some(job.job_id), created(job)?))
            })
        },
        |response| response,
    )
    .await
}

fn created(job: Job) -> ApiResult {
    let job_id = job.job_id;
    ApiResponse::job(job)?.created().with_location(job_id)
}

async fn list(
    CallerDatabase(db): CallerDatabase,
    request: SharedRequest,
    link: NextPageLink,
    Query(query): Query<JobListQuery>,
) -> ApiResult {
    let request = request.with_base_url(link.base());
    request.respond(page(db, link, query)).await
}

async fn page(db: Data<DatabaseHandle>, link: NextPageLink, query: JobListRequest) -> ApiResult {
    let respond = move |(page, total)| {
        let list = JobListResponse::new(page, total);
        let response = ApiResponse::ok(&list)?;
        match list.next_cursor {
            Some(cursor) => link.add_to(response, &cursor),
            None => Ok(response),
        }
    };
    let list = move |conn: &mut Reader<'_>, query: &JobListRequest| {
        let with_metadata = query.with_metadata;
        conn.jobs()
            .list_summaries(&query.filter, query.page, with_metadata)
    };
    if !query.include_total {
        let page = move |conn: &mut Reader<'_>| Ok((list(conn, &query)?, None));
        return db.read_committed(page, respond).await?;
    }
    let page_and_total = move |conn: &mut Reader<'_>| {
        let page = list(conn, &query)?;
        Ok((
            page,
            Some(conn.jobs().count_up_to(&query.filter, Total::MAX)?),
        ))
    };
    db.read(page_and_total, respond).await?
}

async fn find(
    CallerDatabase(db): CallerDatabase,
    JobIdPath(job_id): JobIdPath,
    known: IfNoneMatch,
) -> ApiResult {
    let job = db.find_job(job_id).await?;
    let job = job.ok_or_else(|| ApiError::no_job(job_id))?;
    Ok(ApiResponse::job(job)?.not_modified_if(&known))
}

async fn update(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    expected: IfMatch,
    priorities: PriorityLimit,
    PatchBody(update): PatchBody<JobUpdate>,
) -> ApiResult {
    if let Some(priority) = update.priority {
        priorities.check("priority", priority)?;
    }
    db.acting_as(actor)
        .one_at_a_time_for(job_id.as_uuid())
        .write(
            move |tx| {
                lease.check(tx, job_id, &[])?;
                Ok(expected
                    .apply(|version| tx.jobs().update_idempotently(job_id, &update, version))?)
            },
            ApiResponse::job,
        )
        .await?
}

async fn report_progress(
    CallerDatabase(db): CallerDatabase,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    IdempotentBody { body: report, key }: IdempotentBody<ProgressReport>,
) -> ApiResult {
    let (report, _) = report.into_parts();
    if key.is_none() {
        return ApiResponse::job(db.report_progress(job_id, lease.id(), report).await?);
    }
    let store = move |tx: &mut Tx<'_>| {
        lease.check(tx, job_id, &[report.stage])?;
        Ok((Some(job_id), tx.jobs().report_progress(job_id, &report)?))
    };
    db.one_at_a_time_for(job_id.as_uuid())
        .write_once(key, store, ApiResponse::job)
        .await
}

async fn cancel(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    JobIdPath(job_id): JobIdPath,
    key: RequestKey,
) -> ApiResult {
    let cancel = move |tx: &mut Tx<'_>| Ok((Some(job_id), tx.jobs().cancel(job_id)?));
    db.acting_as(actor)
        .one_at_a_time_for(job_id.as_uuid())
        .write_once(key, cancel, ApiResponse::job)
        .await
}

async fn retry(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    JobIdPath(job_id): JobIdPath,
    key: RequestKey,
) -> ApiResult {
    let retry = move |tx: &mut Tx<'_>| Ok((Some(job_id), tx.jobs().retry(job_id)?));
    db.acting_as(actor)
        .one_at_a_time_for(job_id.as_uuid())
        .write_once(key, retry, ApiResponse::job)
        .await
}

async fn rerun(
    CallerDatabase(db): CallerDatabase,
    RequestActor(actor): RequestActor,
    JobIdPath(job_id): JobIdPath,
    IdempotentBody { body: from, key }: IdempotentBody<RerunBody>,
) -> ApiResult {
    let rerun = move |tx: &mut Tx<'_>| Ok((Some(job_id), tx.jobs().rerun(job_id, *from)?));
    db.acting_as(actor)
        .one_at_a_time_for(job_id.as_uuid())
        .write_once(key, rerun, ApiResponse::job)
        .await
}

async fn delete(
    CallerDatabase(db): CallerDatabase,
    objects: Data<Objects>,
    RequestActor(actor): RequestActor,
    JobIdPath(job_id): JobIdPath,
) -> ApiResult {
    let is_in_bucket = objects.storage.max_put_size().is_some();
    let delete = move |tx: &mut Tx<'_>| {
        let upload = if is_in_bucket {
            MultipartUpload::find(tx, job_id)?
        } else {
            None
        };
        Ok((tx.jobs().delete(job_id)?, upload))
    };
    let db = db.acting_as(actor).one_at_a_time_for(job_id.as_uuid());
    let (unneeded, upload) = db.write(delete, |deleted| deleted).await?;
    objects.delete_with_upload(unneeded, upload).await;
    Ok(ApiResponse::no_content())
}
