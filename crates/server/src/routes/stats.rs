//! Statistics over all jobs.

use lectern_api::StatsResponse;
use lectern_domain::Scope;

use crate::database::caller_database::CallerDatabase;
use crate::http::resource::Resource;
use crate::http::response::shared::SharedRequest;
use crate::http::response::{ApiResponse, ApiResult};

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/stats").get(Scope::JobsRead, stats)]
}

async fn stats(CallerDatabase(db): CallerDatabase, request: SharedRequest) -> ApiResult {
    let metrics = async move {
        db.read_committed(
            |conn| Ok(conn.jobs().metrics()?),
            |metrics| ApiResponse::ok(&StatsResponse::from(metrics)),
        )
        .await?
    };
    request.respond(metrics).await
}
