//! The audit trail of a job.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{LogEntry, LogEntryBody, LogEntryListQuery, LogEntryListResponse};

use super::job_lookup::job_found;
use crate::database::handle::Db;
use crate::http::error::ApiError;
use crate::http::extract::json_body::Body;
use crate::http::extract::lease::Under;
use crate::http::extract::path_id::Id;
use crate::http::extract::query::Query;
use crate::http::resource::Resource;
use crate::http::response::{Answer, Reply};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/logs")
            .get(list)
            .on(Method::POST, append),
    ]
}

async fn list(db: Data<Db>, Id(job_id): Id, Query(wanted): Query<LogEntryListQuery>) -> Reply {
    db.read(
        move |conn| {
            let page = conn
                .processing_logs()
                .list(job_id, &wanted.filter, wanted.page)?;
            if page.items.is_empty() {
                job_found(job_id, conn.jobs().exists(job_id)?)?;
            }
            Ok(page)
        },
        move |page| Answer::ok(&LogEntryListResponse::new(job_id, page)),
    )
    .await?
}

async fn append(
    db: Data<Db>,
    Id(job_id): Id,
    lease: Under,
    Body(entry): Body<LogEntryBody>,
) -> Reply {
    db.write(
        move |tx| {
            lease.check(tx, job_id, &[entry.stage])?;
            let appended = tx.processing_logs().append(job_id, &entry)?;
            appended.ok_or_else(|| ApiError::no_job(job_id))
        },
        |entry| Ok(Answer::ok(&LogEntry::from(entry))?.created()),
    )
    .await?
}
