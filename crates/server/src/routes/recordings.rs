//! The page with the list of recordings.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lectern_api::{JobListQuery, JobListRequest, JobListResponse};
use lectern_db::Reader;
use lectern_domain::{Scope, Total};
use lectern_web::{PageQuery, Recordings, Uploads, recordings_page};

use super::tus;
use crate::database::caller_database::CallerDatabase;
use crate::http::auth::{Caller, MaybeCaller};
use crate::http::error::ApiError;
use crate::http::extract::query;
use crate::http::page;
use crate::http::resource::Resource;
use crate::objects::handle::Objects;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/")
            .page()
            .only_html()
            .get(Scope::JobsRead, list),
    ]
}

async fn list(
    database: CallerDatabase,
    objects: Data<Objects>,
    caller: MaybeCaller,
    request: HttpRequest,
) -> HttpResponse {
    let page = render(database, &objects, &caller, &request).await;
    page::respond(&request, page)
}

async fn render(
    CallerDatabase(db): CallerDatabase,
    objects: &Objects,
    caller: &MaybeCaller,
    request: &HttpRequest,
) -> Result<String, ApiError> {
    let language = page::language(request);
    let query = PageQuery::parse(request.query_string());
    let list: JobListRequest = query::parse::<JobListQuery>(&query.to_string())?;
    let has_owners = db.owner().is_none();
    let may_change = caller.has(Scope::JobsWrite);
    let (max_size, caller) = (tus::max_size(objects), caller.get().map(Caller::identity));
    let wanted = list.clone();
    let read = move |conn: &mut Reader<'_>| {
        let page = conn
            .jobs()
            .list_summaries(&wanted.filter, wanted.page, false)?;
        let total = conn.jobs().count_up_to(&wanted.filter, Total::MAX)?;
        Ok((page, total))
    };
    let render = move |(page, total)| {
        let caller = caller.as_deref();
        let recordings = Recordings {
            list: &JobListResponse::new(page, Some(total)),
            request: &list,
            query: &query,
            has_owners,
            // Who sees the recordings of all owners.
            sees_operation: has_owners,
            uploads: may_change.then_some(Uploads { max_size, caller }),
        };
        recordings_page(language, &recordings)
    };
    db.read(read, render).await
}
