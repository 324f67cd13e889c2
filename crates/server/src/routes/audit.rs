//! Who changed what.

use lectern_api::{AuditQuery, AuditResponse};
use lectern_domain::Scope;

use crate::database::caller_database::CallerDatabase;
use crate::http::extract::query::Query;
use crate::http::resource::Resource;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/audit").get(Scope::AuditRead, list)]
}

async fn list(CallerDatabase(db): CallerDatabase, Query(query): Query<AuditQuery>) -> ApiResult {
    db.read_committed(
        move |conn| Ok(conn.audit_entries().list(&query.filter, query.page)?),
        |page| ApiResponse::ok(&AuditResponse::new(page)),
    )
    .await?
}
