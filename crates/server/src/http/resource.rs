//! A path with its handlers.

use actix_web::body::MessageBody;
use actix_web::http::Method;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Responder, Route, guard};

use crate::http::error::ApiError;
use crate::http::middleware::{access_log, compress};

/// A path with the handlers of its methods. GET handlers also answer HEAD.
pub(crate) struct Resource {
    pub(crate) path: &'static str,
    /// Whether the last parameter matches the rest of the path, including slashes.
    is_tail: bool,
    pub(crate) routes: Vec<(Method, Route)>,
}

impl Resource {
    /// A path without handlers.
    pub(crate) fn at(path: &'static str) -> Self {
        Self {
            path,
            is_tail: false,
            routes: Vec::new(),
        }
    }

    /// Like [`at`](Self::at), but the last parameter matches the rest of the path.
    pub(crate) fn at_prefix(path: &'static str) -> Self {
        Self {
            is_tail: true,
            ..Self::at(path)
        }
    }

    /// Adds a handler.
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

    /// Adds the path to the app of a server, whose middleware surrounds all paths.
    pub(crate) fn register(self, app: &mut ServiceConfig) {
        app.service(self.build());
    }

    /// Adds the path to an app that has other routes too. The middleware surrounds only
    /// this path.
    pub(crate) fn mount(self, app: &mut ServiceConfig) {
        app.service(
            self.build()
                .wrap(from_fn(compress::skip_small_bodies))
                .wrap(Compress::default())
                .wrap(from_fn(compress::negotiate_gzip))
                .wrap(from_fn(access_log::record_request)),
        );
    }

    /// The path without middleware.
    pub(crate) fn build(self) -> actix_web::Resource {
        let methods = self.routes.iter().map(|(method, _)| match *method {
            Method::GET => "GET, HEAD",
            _ => method.as_str(),
        });
        let allow = methods.collect::<Vec<_>>().join(", ");
        let not_allowed = web::to(move || {
            let error = ApiError::method_not_allowed(allow.clone());
            async { Err::<&str, _>(error) }
        });
        let tail_pattern = if self.is_tail { "*" } else { "" };
        let resource = web::resource(format!("{}{tail_pattern}", self.path));
        let resource = resource.default_service(not_allowed);
        self.routes
            .into_iter()
            .fold(resource, |resource, (method, route)| {
                resource.route(match method {
                    Method::GET => route.guard(guard::Any(guard::Get()).or(guard::Head())),
                    method => route.guard(guard::Method(method)),
                })
            })
    }
}
