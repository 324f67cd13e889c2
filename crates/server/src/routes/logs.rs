//! Log entries of a job.

use actix_web::http::Method;
use actix_web::web::Data;
use lectern_api::{
    Code, FieldError, LogEntry, LogEntryBody, LogEntryListQuery, LogEntryListResponse,
};
use lectern_db::Tx;
use lectern_domain::Scope;

use crate::database::caller_database::CallerDatabase;
use crate::http::error::ApiError;
use crate::http::extract::idempotent_body::IdempotentBody;
use crate::http::extract::lease_header::LeaseHeader;
use crate::http::extract::path_ids::JobIdPath;
use crate::http::extract::query::Query;
use crate::http::extract::receive_body::BodyLimits;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/api/v1/jobs/{job_id}/logs")
            .get(Scope::JobsRead, list)
            .on(Method::POST, Scope::OutputsWrite, append),
    ]
}

async fn list(
    CallerDatabase(db): CallerDatabase,
    JobIdPath(job_id): JobIdPath,
    Query(query): Query<LogEntryListQuery>,
) -> ApiResult {
    db.read_committed(
        move |conn| {
            let page = conn
                .processing_logs()
                .list(job_id, &query.filter, query.page)?;
            if page.items.is_empty() && page.next.is_none() {
                ApiError::unless_found(job_id, conn.jobs().exists(job_id)?)?;
            }
            Ok(page)
        },
        move |page| ApiResponse::ok(&LogEntryListResponse::new(job_id, page)),
    )
    .await?
}

async fn append(
    CallerDatabase(db): CallerDatabase,
    limits: Data<BodyLimits>,
    JobIdPath(job_id): JobIdPath,
    lease: LeaseHeader,
    IdempotentBody { body: entry, key }: IdempotentBody<LogEntryBody>,
) -> ApiResult {
    let rows = limits.rows;
    let append = move |tx: &mut Tx<'_>| {
        let job = lease.check(tx, job_id, &[entry.stage])?;
        let stored = usize::try_from(tx.processing_logs().count(job_id)?);
        if stored.unwrap_or_default() >= rows {
            let message = format!("has {rows} log entries already, the greatest number");
            let error = FieldError::new("job_id", message);
            return Err(ApiError::fields(Code::ValidationFailed, error));
        }
        Ok((Some(job_id), tx.processing_logs().append(job, &entry)?))
    };
    let respond = |entry| Ok(ApiResponse::ok(&LogEntry::from(entry))?.created());
    db.one_at_a_time_for(job_id.as_uuid())
        .write_once(key, append, respond)
        .await
}
