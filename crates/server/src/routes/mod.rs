//! Every path of the service and what answers there, one file per noun.

mod clips;
mod content_segments;
mod events;
mod jobs;
mod layout_analysis;
mod logs;
mod objects;
mod operation;
mod results;
mod silence_regions;
mod stages;
mod stats;
mod subtitles;
mod transcripts;
mod uploads;
mod work;
mod ws;

use actix_web::body::MessageBody;
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Responder, Route, guard};
use lectern_api::Code;
use lectern_db::Conn;
use lectern_domain::JobId;

use crate::http::docs;
use crate::http::error::ApiError;

/// Method (in capitals) and path of every route, such as
/// `("GET", "/api/v1/jobs/{job_id}")`. What answers GET also answers HEAD.
pub fn routes() -> impl Iterator<Item = (String, &'static str)> {
    all().into_iter().flat_map(|resource| {
        let path = resource.path;
        resource
            .routes
            .into_iter()
            .map(move |(method, _)| (method.to_string(), path))
    })
}

fn all() -> Vec<Resource> {
    let all = [
        jobs::resources(),
        uploads::resources(),
        objects::resources(),
        stages::resources(),
        events::resources(),
        ws::resources(),
        work::resources(),
        stats::resources(),
        transcripts::resources(),
        silence_regions::resources(),
        layout_analysis::resources(),
        content_segments::resources(),
        clips::resources(),
        subtitles::resources(),
        logs::resources(),
        results::resources(),
        operation::resources(),
        docs::resources(),
    ];
    all.into_iter().flatten().collect()
}

/// Adds all routes to an app.
pub(crate) fn register(app: &mut ServiceConfig) {
    for resource in all() {
        resource.register(app);
    }
    app.default_service(web::to(|| async {
        Err::<&str, _>(ApiError::new(
            Code::NotFound,
            "there is nothing at this path",
        ))
    }));
}

/// A path and what answers there.
pub(crate) struct Resource {
    path: &'static str,
    /// Whether the last part of the path goes on to its end, slashes and all.
    is_tail: bool,
    routes: Vec<(Method, Route)>,
}

impl Resource {
    /// A path at which nothing answers yet.
    pub(crate) fn at(path: &'static str) -> Self {
        Self {
            path,
            is_tail: false,
            routes: Vec::new(),
        }
    }

    /// The same, for all paths below: the last part stands for what is left.
    pub(crate) fn below(path: &'static str) -> Self {
        Self {
            is_tail: true,
            ..Self::at(path)
        }
    }

    /// Lets `handler` answer `method`.
    pub(crate) fn on<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
        <F::Output as Responder>::Body: MessageBody,
    {
        self.routes.push((method, web::to(handler)));
        self
    }

    pub(crate) fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
        <F::Output as Responder>::Body: MessageBody,
    {
        self.on(Method::GET, handler)
    }

    fn register(self, app: &mut ServiceConfig) {
        let methods = self.routes.iter().map(|(method, _)| match *method {
            Method::GET => "GET, HEAD",
            _ => method.as_str(),
        });
        let allow = methods.collect::<Vec<_>>().join(", ");
        let not_allowed = web::to(move || {
            let error = ApiError::method_not_allowed(allow.clone());
            async { Err::<&str, _>(error) }
        });
        let tail = if self.is_tail { "*" } else { "" };
        let resource = web::resource(format!("{}{tail}", self.path));
        let resource = resource.default_service(not_allowed);
        app.service(
            self.routes
                .into_iter()
                .fold(resource, |resource, (method, route)| {
                    resource.route(match method {
                        Method::GET => route.guard(guard::Any(guard::Get()).or(guard::Head())),
                        method => route.guard(guard::Method(method)),
                    })
                }),
        );
    }
}

/// `rows` of a job. None at all may mean that there is no such job.
fn of_job<T, Mode>(
    conn: &mut Conn<'_, Mode>,
    job_id: JobId,
    rows: Vec<T>,
) -> Result<Vec<T>, ApiError> {
    if rows.is_empty() {
        job_found(job_id, conn.jobs().exists(job_id)?)?;
    }
    Ok(rows)
}

/// Makes an error of a mutation that found no job.
fn job_found(job_id: JobId, found: bool) -> Result<(), ApiError> {
    found.then_some(()).ok_or_else(|| ApiError::no_job(job_id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_routes_are_those_of_the_openapi_document_and_the_pages_for_people() {
        let described: BTreeSet<(String, &str)> = lectern_api::openapi::routes()
            .map(|(method, path)| (method.to_owned(), path))
            .collect();
        let served: BTreeSet<_> = super::routes()
            .filter(|(_, path)| !path.starts_with("/docs"))
            .collect();
        assert_eq!(served, described);
    }
}
