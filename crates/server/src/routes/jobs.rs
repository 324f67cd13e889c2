//! Jobs: made, listed, read, changed, reported on, called off, retried, deleted.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{JobCreate, JobListQuery, JobListResponse, JobUpdate, ProgressReport};
use lectern_db::Tx;

use super::job_lookup::job_found;
use crate::database::handle::Db;
use crate::http::error::ApiError;
use crate::http::etag::{IfMatch, IfNoneMatch};
use crate::http::extract::idempotent_body::Once;
use crate::http::extract::json_body::Body;
use crate::http::extract::lease::Under;
use crate::http::extract::path_id::Id;
use crate::http::extract::query::Query;
use crate::http::resource::Resource;
use crate::http::response::{Answer, Reply};
use crate::objects::handle::Objects;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs")
            .get(list)
            .on(Method::POST, create),
        Resource::at("/api/v1/jobs/{job_id}")
            .get(find)
            .on(Method::PATCH, update)
            .on(Method::DELETE, delete),
        Resource::at("/api/v1/jobs/{job_id}/progress").on(Method::POST, report_progress),
        Resource::at("/api/v1/jobs/{job_id}/cancel").on(Method::POST, cancel),
        Resource::at("/api/v1/jobs/{job_id}/retry").on(Method::POST, retry),
    ]
}

async fn create(db: Data<Db>, Once { body: job, key }: Once<JobCreate>) -> Reply {
    db.write(
        move |tx| {
            key.once(tx, |tx| {
                let job = tx.jobs().create(&job)?;
                let job_id = job.job_id;
                Ok((job_id, Answer::job(job)?.created().at_job(job_id)?))
            })
        },
        |answer| answer,
    )
    .await
}

async fn list(db: Data<Db>, Query(wanted): Query<JobListQuery>) -> Reply {
    db.read(
        move |conn| {
            let page = conn.jobs().list(&wanted.filter, wanted.page)?;
            let total = if wanted.include_total {
                Some(conn.jobs().count(&wanted.filter)?)
            } else {
                None
            };
            Ok((page, total))
        },
        |(page, total)| Answer::ok(&JobListResponse::new(page, total)),
    )
    .await?
}

async fn find(db: Data<Db>, Id(job_id): Id, known: IfNoneMatch) -> Reply {
    db.read(
        move |conn| {
            conn.jobs()
                .find(job_id)?
                .ok_or_else(|| ApiError::no_job(job_id))
        },
        move |job| Ok(Answer::job(job)?.unless(&known)),
    )
    .await?
}

async fn update(
    db: Data<Db>,
    Id(job_id): Id,
    lease: Under,
    expected: IfMatch,
    Body(update): Body<JobUpdate>,
) -> Reply {
    db.write(
        move |tx| {
            lease.check(tx, job_id, &[])?;
            let updated = expected.apply(|version| tx.jobs().update(job_id, &update, version))?;
            updated.ok_or_else(|| ApiError::no_job(job_id))
        },
        Answer::job,
    )
    .await?
}

async fn report_progress(
    db: Data<Db>,
    Id(job_id): Id,
    lease: Under,
    Body(report): Body<ProgressReport>,
) -> Reply {
    if let Some(agent) = &report.agent_name {
        let agent = agent.as_str();
        log::debug!(agent, stage = report.stage.as_str(), job_id:%; "progress");
    }
    db.write(
        move |tx| {
            lease.check(tx, job_id, &[report.stage])?;
            let reported = tx.jobs().report_progress(job_id, &report)?;
            reported.ok_or_else(|| ApiError::no_job(job_id))
        },
        Answer::job,
    )
    .await?
}

async fn cancel(db: Data<Db>, Id(job_id): Id) -> Reply {
    db.write(
        move |tx| {
            let cancelled = tx.jobs().cancel(job_id)?;
            cancelled.ok_or_else(|| ApiError::no_job(job_id))
        },
        Answer::job,
    )
    .await?
}

async fn retry(db: Data<Db>, Id(job_id): Id) -> Reply {
    db.write(
        move |tx| {
            let queued = tx.jobs().retry(job_id)?;
            queued.ok_or_else(|| ApiError::no_job(job_id))
        },
        Answer::job,
    )
    .await?
}

async fn delete(db: Data<Db>, objects: Data<Objects>, Id(job_id): Id) -> Reply {
    let change = move |tx: &mut Tx<'_>| job_found(job_id, tx.jobs().delete(job_id)?);
    db.write(change, |()| ()).await?;
    objects.remove(job_id).await;
    Ok(Answer::nothing())
}
