//! Numbers over all jobs.

use actix_web::web::Data;
use lectern_api::StatsResponse;

use crate::database::handle::Db;
use crate::http::resource::Resource;
use crate::http::response::{Answer, Reply};

pub(super) fn resources() -> Vec<Resource> {
    vec![Resource::at("/api/v1/stats").get(count)]
}

async fn count(db: Data<Db>) -> Reply {
    db.read(
        |conn| Ok(conn.jobs().metrics()?),
        |metrics| Answer::ok(&StatsResponse::from(metrics)),
    )
    .await?
}
