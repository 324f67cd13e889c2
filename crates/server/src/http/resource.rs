//! A path with its handlers, and who may call them.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::Accept;
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{
    Error, FromRequest, Handler, HttpMessage as _, HttpRequest, HttpResponse, Responder,
    ResponseError as _, Route, guard,
};
use futures_util::future::LocalBoxFuture;
use lectern_domain::Access;

use crate::fair_share::CallerShare;
use crate::http::auth::{Authenticator, Authorized};
use crate::http::error::ApiError;
use crate::http::middleware::{access_log, compress};
use crate::http::page;
use crate::http::rate_limit::RateLimiter;
use crate::http::request::app_data::app_data;

/// A path with the handlers of its methods. GET handlers also answer HEAD.
pub(crate) struct Resource {
    pub(crate) path: &'static str,
    /// Whether the last parameter matches the rest of the path, including slashes.
    is_tail: bool,
    /// Whether its handlers wait for something to happen, and change nothing before.
    waits: bool,
    /// Whether it exists only for requests that accept HTML.
    is_only_html: bool,
    refuse: Refuse,
    routes: Vec<(Method, Access, Route)>,
}

/// The response to a request that is refused before its handler runs.
type Refuse = fn(&HttpRequest, &ApiError) -> HttpResponse;

/// A check of a request after its caller was authorized and before its handler runs. `None`:
/// there is nothing to check.
pub(crate) type Precheck =
    for<'r> fn(&'r HttpRequest) -> Option<LocalBoxFuture<'r, Result<(), ApiError>>>;

impl Resource {
    /// A path without handlers.
    pub(crate) fn at(path: &'static str) -> Self {
        Self {
            path,
            is_tail: false,
            waits: false,
            is_only_html: false,
            refuse: |_, error| error.error_response(),
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

    /// The same path, whose handlers wait for something to happen, and change nothing before.
    pub(crate) fn waits(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }

    /// The same path as a page: browsers are refused with a page, too.
    pub(crate) fn page(self) -> Self {
        Self {
            refuse: page::refuse,
            ..self
        }
    }

    /// The same path for requests that accept HTML. Others go to the next resource with it.
    pub(crate) fn only_html(self) -> Self {
        Self {
            is_only_html: true,
            ..self
        }
    }

    /// Adds a handler, and who may call it.
    pub(crate) fn on<F, Args>(
        mut self,
        method: Method,
        access: impl Into<Access>,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
        <F::Output as Responder>::Body: MessageBody,
    {
        self.routes.push((method, access.into(), web::to(handler)));
        self
    }

    pub(crate) fn get<F, Args>(self, access: impl Into<Access>, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
        <F::Output as Responder>::Body: MessageBody,
    {
        self.on(Method::GET, access, handler)
    }

    /// The methods with a handler, and who may call each.
    pub(crate) fn methods(&self) -> impl Iterator<Item = (&Method, Access)> {
        self.routes
            .iter()
            .map(|(method, access, _)| (method, *access))
    }

    /// Adds the path to the app of a server, whose middleware surrounds all paths.
    pub(crate) fn register(self, app: &mut ServiceConfig, precheck: Precheck) {
        app.service(self.build(precheck));
    }

    /// Adds the path to an app that has other routes too. The middleware surrounds only
    /// this path.
    pub(crate) fn mount(self, app: &mut ServiceConfig) {
        app.service(
            self.build(|_| None)
                .wrap(from_fn(compress::skip_small_bodies))
                .wrap(Compress::default())
                .wrap(from_fn(compress::negotiate_gzip))
                .wrap(from_fn(access_log::record_request)),
        );
    }

    /// The path, with no other middleware than the check of callers, which no route can be
    /// without.
    fn build(
        self,
        precheck: Precheck,
    ) -> actix_web::Resource<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + 'static,
    > {
        let methods = self.routes.iter().map(|(method, ..)| match *method {
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
        let resource = if self.is_only_html {
            resource.guard(guard::fn_guard(|context| {
                let accept = context.header::<Accept>();
                accept.is_some_and(|accept| page::is_html_accepted(&accept))
            }))
        } else {
            resource
        };
        let mut accesses = Vec::with_capacity(self.routes.len());
        let routes = self.routes.into_iter();
        let resource = routes.fold(resource, |resource, (method, access, route)| {
            accesses.push((method.clone(), access));
            resource.route(match method {
                Method::GET => route.guard(guard::Any(guard::Get()).or(guard::Head())),
                method => route.guard(guard::Method(method)),
            })
        });
        let checks = Checks {
            accesses: accesses.into(),
            waits: self.waits,
            precheck,
            refuse: self.refuse,
        };
        resource.wrap(from_fn(move |request: ServiceRequest, next| {
            handle_if_authorized(checks.clone(), request, next)
        }))
    }
}

/// What a path does before its handlers run.
#[derive(Clone)]
struct Checks {
    accesses: Rc<[(Method, Access)]>,
    waits: bool,
    precheck: Precheck,
    refuse: Refuse,
}

/// Runs the handler in `next` if the caller has access to it.
async fn handle_if_authorized(
    checks: Checks,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let access = access_to(&checks.accesses, request.method());
    let refuse = |request: ServiceRequest, error: &ApiError| {
        let response = (checks.refuse)(request.request(), error);
        request.into_response(response)
    };
    let authenticator = app_data::<Authenticator>(request.request())?.clone();
    let arrived = Instant::now();
    let authorized = authenticator.authorize(request.request(), access, arrived);
    let authorized = match authorized.await {
        Ok(authorized) => authorized,
        Err(refusal) => return Ok(refuse(request, &refusal)),
    };
    if let Some(authorized) = &authorized {
        let caller = authorized.caller.clone();
        request.extensions_mut().insert(caller);
    }
    let share = match &authorized {
        Some(authorized) => CallerShare::named(Arc::clone(authorized.caller.namespace())),
        None => CallerShare::of_client(request.request()),
    };
    // Of what is public, health checks must not fail, and signed URLs are read in many parts.
    let limiter = app_data::<RateLimiter>(request.request())?;
    let remaining = match access {
        Access::Public => None,
        Access::AnyKey | Access::Scope(_) | Access::ScopeOrWatchToken(_) => limiter.count(&share),
    };
    let remaining = match remaining {
        Some(Err(none)) => {
            let mut response = refuse(request, &none.refusal());
            none.add_to(response.headers_mut());
            return Ok(response);
        }
        Some(Ok(remaining)) => Some(remaining),
        None => None,
    };
    let checked = match (checks.precheck)(request.request()) {
        Some(check) => check.await,
        None => Ok(()),
    };
    if let Err(error) = checked {
        return Ok(refuse(request, &error));
    }
    let mut response = share
        .scope(handle(authorized, checks.waits, request, next))
        .await?;
    if let Some(remaining) = remaining {
        remaining.add_to(response.headers_mut());
    }
    Ok(response)
}

/// Runs the handler. Waiting ends when the key of the caller is not accepted any more, and nothing
/// is read for a key that has ended meanwhile.
async fn handle(
    authorized: Option<Authorized>,
    waits: bool,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(authorized) = authorized else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    if !waits && !request.method().is_safe() {
        // A write that is given up may have happened, which its response would deny.
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    if waits {
        let head = request.request().clone();
        return tokio::select! {
            biased;
            response = next.call(request) => {
                Ok(authorized.watch_stream(response?.map_into_boxed_body()))
            }
            refusal = Box::pin(authorized.key_end()) => {
                Ok(ServiceResponse::new(head, refusal.error_response()))
            }
        };
    }
    let response = next.call(request).await?.map_into_boxed_body();
    if authorized.is_recent() {
        return Ok(authorized.watch_stream(response));
    }
    Ok(match Box::pin(authorized.check_again()).await {
        Ok(()) => authorized.watch_stream(response),
        Err(refusal) => {
            let (head, _) = response.into_parts();
            ServiceResponse::new(head, refusal.error_response())
        }
    })
}

/// Who may call the method. One without a handler is refused after this, with 405.
fn access_to(accesses: &[(Method, Access)], method: &Method) -> Access {
    let of = |wanted: &Method| accesses.iter().find(|(method, _)| method == wanted);
    let found = of(method).or_else(|| match *method {
        Method::HEAD => of(&Method::GET),
        _ => None,
    });
    found.map_or(Access::Public, |(_, access)| *access)
}
