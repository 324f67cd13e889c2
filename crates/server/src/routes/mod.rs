//! Routes, one file per noun.

mod all_events;
mod assets;
mod audit;
mod clips;
mod clips_archive;
mod content_segments;
mod events;
mod jobs;
mod layout_analysis;
mod logs;
mod missing_resource;
mod monitoring;
mod next_page_link;
mod objects;
mod operation;
mod recording;
mod recordings;
mod results;
pub(crate) mod sessions;
mod set_pages;
mod sign_in;
mod sign_out;
mod silence_regions;
mod single_row;
mod stage_pauses;
mod stages;
mod stats;
mod subtitles;
mod thumbnails;
mod transcripts;
mod tus;
mod uploads;
mod watch_tokens;
mod waveform;
mod work;
mod work_objects;
mod work_stats;

use actix_web::HttpRequest;
use actix_web::web::{self, ServiceConfig};
use lectern_api::Code;
use lectern_domain::Access;

use crate::http::docs;
use crate::http::error::ApiError;
use crate::http::page;
use crate::http::resource::Resource;

/// Method and path of every route, such as `("GET", "/api/v1/jobs/{job_id}")`, and who may
/// call it. GET routes also answer HEAD.
pub fn routes() -> impl Iterator<Item = (String, &'static str, Access)> {
    described(all())
}

/// The same of the pages, which only a server has, and not an app with routes of its own.
pub fn page_routes() -> impl Iterator<Item = (String, &'static str, Access)> {
    described(pages())
}

fn described(resources: Vec<Resource>) -> impl Iterator<Item = (String, &'static str, Access)> {
    resources.into_iter().flat_map(|resource| {
        let methods = resource.methods();
        methods
            .map(|(method, access)| (method.to_string(), resource.path, access))
            .collect::<Vec<_>>()
    })
}

fn all() -> Vec<Resource> {
    let all = [
        jobs::resources(),
        uploads::resources(),
        tus::resources(),
        objects::resources(),
        stages::resources(),
        events::resources(),
        all_events::resources(),
        watch_tokens::resources(),
        work::resources(),
        work_objects::resources(),
        work_stats::resources(),
        stage_pauses::resources(),
        stats::resources(),
        transcripts::resources(),
        silence_regions::resources(),
        layout_analysis::resources(),
        waveform::resources(),
        thumbnails::resources(),
        content_segments::resources(),
        clips::resources(),
        clips_archive::resources(),
        subtitles::resources(),
        logs::resources(),
        results::resources(),
        monitoring::resources(),
        audit::resources(),
        sessions::resources(),
        sign_in::resources(),
        docs::resources(),
    ];
    all.into_iter().flatten().collect()
}

/// The pages for people, and the root. It is a page for browsers only: other clients are led
/// to the documentation of the API.
fn pages() -> Vec<Resource> {
    let all = [
        recordings::resources(),
        operation::resources(),
        recording::resources(),
        sign_out::resources(),
        vec![docs::root()],
        assets::resources(),
    ];
    all.into_iter().flatten().collect()
}

/// Adds all routes to an app that has routes of its own. Requests for all other paths are
/// left to the app.
pub(crate) fn mount(app: &mut ServiceConfig) {
    for resource in all() {
        resource.mount(app);
    }
}

/// Adds all routes to the app of a server, which responds to requests for all other paths
/// with a problem document.
pub(crate) fn register(app: &mut ServiceConfig) {
    for resource in all().into_iter().chain(pages()) {
        resource.register(app, missing_resource::check_before_body);
    }
    // A page for browsers: their readers may have mistyped the address.
    app.default_service(web::to(|request: HttpRequest| async move {
        let error = ApiError::new(Code::NotFound, "there is nothing at this path");
        page::refuse(&request, &error)
    }));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_routes_are_those_of_the_openapi_document_and_pages_for_people() {
        let described: BTreeSet<(String, &str)> = lectern_api::openapi::routes()
            .map(|(method, path)| (method.to_owned(), path))
            .collect();
        let served: BTreeSet<_> = super::routes()
            .map(|(method, path, _)| (method, path))
            .filter(|(_, path)| !path.starts_with("/docs") && !path.starts_with("/login"))
            .collect();
        assert_eq!(served, described);
    }
}
