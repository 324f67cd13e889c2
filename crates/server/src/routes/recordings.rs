//! The page with the list of recordings.

use std::collections::HashMap;

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use lectern_api::{EventCursor, JobListQuery, JobListRequest, JobListResponse};
use lectern_db::Reader;
use lectern_domain::{JobId, Scope, StorageKey, Total};
use lectern_web::{PageQuery, Recordings, Uploads, recordings_page};

use super::tus;
use crate::database::caller_database::CallerDatabase;
use crate::http::auth::{Caller, MaybeCaller};
use crate::http::error::ApiError;
use crate::http::extract::query;
use crate::http::page;
use crate::http::resource::Resource;
use crate::objects::handle::Objects;
use crate::objects::signed_urls::SignedUrls;

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
    urls: Result<SignedUrls, ApiError>,
    request: HttpRequest,
) -> HttpResponse {
    let render = async {
        let page = Page {
            database,
            objects,
            caller,
            urls: urls?,
        };
        page.render(&request).await
    };
    match render.await {
        Ok((page, media)) => page::respond_with_media(page, media.as_deref()),
        Err(error) => page::refuse(&request, &error),
    }
}

/// What the page is made with.
struct Page {
    database: CallerDatabase,
    objects: Data<Objects>,
    caller: MaybeCaller,
    urls: SignedUrls,
}

impl Page {
    /// The page, and a URL of an object on it.
    async fn render(self, request: &HttpRequest) -> Result<(String, Option<String>), ApiError> {
        let language = page::language(request);
        let query = PageQuery::parse(request.query_string());
        let list: JobListRequest = query::parse::<JobListQuery>(&query.to_string())?;
        let CallerDatabase(db) = &self.database;
        let has_owners = db.owner().is_none();
        let may_change = self.caller.has(Scope::JobsWrite);
        // The page for operators is for those who see the recordings of all owners.
        let header = page::header(request, has_owners);
        let max_size = tus::max_size(&self.objects);
        let caller = self.caller.get().map(Caller::identity);
        let wanted = list.clone();
        let read = move |conn: &mut Reader<'_>| {
            // First, so that no event is between this position and the list.
            let events_after = conn.job_events().last_position()?;
            let page = conn
                .jobs()
                .list_summaries(&wanted.filter, wanted.page, false)?;
            let total = conn.jobs().count_up_to(&wanted.filter, Total::MAX)?;
            let ids: Vec<_> = page.items.iter().map(|job| job.job_id).collect();
            let thumbnails = conn.clips().thumbnails_of(&ids)?;
            let list = JobListResponse::new(page, Some(total));
            Ok((list, thumbnails, EventCursor(events_after)))
        };
        let (jobs, thumbnails, events_after) = db.read(read, |rows| rows).await?;
        let thumbnail_urls = self.thumbnail_urls(&jobs, &thumbnails).await;
        let media = thumbnail_urls.values().next().cloned();
        let render = move || {
            let caller = caller.as_deref();
            let recordings = Recordings {
                list: &jobs,
                thumbnail_urls: &thumbnail_urls,
                request: &list,
                query: &query,
                events_after,
                has_owners,
                header,
                uploads: may_change.then_some(Uploads { max_size, caller }),
            };
            recordings_page(language, &recordings)
        };
        let page = web::block(render).await.map_err(ApiError::internal)?;
        Ok((page, media))
    }

    async fn thumbnail_urls(
        &self,
        list: &JobListResponse,
        thumbnails: &HashMap<JobId, StorageKey>,
    ) -> HashMap<JobId, String> {
        let ttl = self.objects.limits.download_ttl;
        let mut urls = HashMap::new();
        for job in &list.jobs {
            let Some(key) = thumbnails.get(&job.job_id) else {
                continue;
            };
            let owner = (job.job_id, job.owner_id.as_ref());
            if let Some(url) = self.urls.download(owner, key, None, ttl).await {
                urls.insert(job.job_id, url);
            }
        }
        urls
    }
}
