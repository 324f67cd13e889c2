//! `Expect: 100-continue`: the interim response that invites a body is sent when the app
//! begins to read the body. A request that the app refuses by its head gets its final
//! response instead.
//!
//! For such a request, actix first calls the expect service, sends `100 Continue` if that
//! succeeds, and then calls the service for requests. Here the expect service calls the
//! app. When the app reads the body, the expect service suspends it and succeeds, and the
//! service for requests resumes it.

use std::cell::{Cell, OnceCell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actix_http::body::BoxBody;
use actix_http::error::PayloadError;
use actix_http::{
    BoxedPayloadStream, ConnectionType, HttpMessage as _, Payload, Request, Response, header,
};
use actix_service::boxed::{RcService, rc_service};
use actix_service::{Service as _, ServiceFactory, fn_factory, fn_service};
use actix_web::web::Bytes;
use futures_util::Stream;
use futures_util::future::LocalBoxFuture;

use crate::http::connections::Connection;

/// The app of one HTTP thread. Its errors are responses, too.
type App = RcService<Request, Response<BoxBody>, Response<BoxBody>>;

/// The response of the app, when it has one.
type Handling = LocalBoxFuture<'static, Result<Response<BoxBody>, Response<BoxBody>>>;

/// Makes a service for each HTTP thread that takes requests and returns `Answer`, or else the
/// final response.
pub(crate) trait HttpServiceFactory<Answer>:
    ServiceFactory<
        Request,
        Config = (),
        Response = Answer,
        Error = Response<BoxBody>,
        InitError = (),
        Service: 'static,
    >
{
}

impl<F, Answer> HttpServiceFactory<Answer> for F where
    F: ServiceFactory<
            Request,
            Config = (),
            Response = Answer,
            Error = Response<BoxBody>,
            InitError = (),
            Service: 'static,
        >
{
}

/// The app that the expect service and the service for requests call.
#[derive(Clone, Default)]
pub(crate) struct SharedApp(Rc<OnceCell<App>>);

impl SharedApp {
    pub(crate) fn expect_service(&self) -> impl HttpServiceFactory<Request> + use<> {
        let shared = self.clone();
        fn_factory(move || {
            let shared = shared.clone();
            let call = move |request| call_until_body_is_read(shared.0.get().cloned(), request);
            async move { Ok::<_, ()>(fn_service(call)) }
        })
    }

    /// The service for requests, whose app is built by `factory`.
    pub(crate) fn request_service<F>(
        &self,
        factory: F,
    ) -> impl HttpServiceFactory<Response<BoxBody>> + use<F>
    where
        F: HttpServiceFactory<Response<BoxBody>> + 'static,
    {
        let shared = self.clone();
        fn_factory(move || {
            let (app, shared) = (factory.new_service(()), shared.clone());
            async move {
                let app = rc_service(app.await?);
                let app = shared.0.get_or_init(|| app).clone();
                Ok::<_, ()>(fn_service(move |request| call_or_resume(&app, request)))
            }
        })
    }
}

/// Calls the app until it reads the body.
///
/// # Errors
///
/// The response, if the app has one before it reads the body.
async fn call_until_body_is_read(
    app: Option<App>,
    request: Request,
) -> Result<Request, Response<BoxBody>> {
    let Some(app) = app else {
        // Requests come after the service for requests was built.
        return Ok(request);
    };
    // Without a length, actix would wait for the end of a body that was not invited.
    let has_unknown_length = request.headers().contains_key(header::TRANSFER_ENCODING);
    let connection = request.conn_data::<Arc<Connection>>().cloned();
    let gate: Rc<Gate> = Rc::default();
    let (mut request, body) = request.replace_payload(Payload::None);
    let body: BoxedPayloadStream = Box::pin(InvitedBody {
        body,
        gate: Rc::clone(&gate),
    });
    *request.payload() = Payload::Stream { payload: body };
    let mut handling: Handling = Box::pin(app.call(request));
    let response = poll_fn(|cx| {
        gate.inviter.replace(Some(cx.waker().clone()));
        match handling.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending if gate.is_awaited.get() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    if let Some(Ok(mut response) | Err(mut response)) = response.await {
        if has_unknown_length {
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
            connection.inspect(|connection| connection.close());
        }
        return Err(response);
    }
    let suspended = Request::new();
    suspended
        .extensions_mut()
        .insert(Suspended { handling, gate });
    Ok(suspended)
}

/// Resumes the app if it was suspended, or else calls it.
fn call_or_resume(app: &App, request: Request) -> Handling {
    let suspended = request.extensions_mut().remove::<Suspended>();
    match suspended {
        Some(Suspended { handling, gate }) => {
            gate.open();
            handling
        }
        None => app.call(request),
    }
}

/// A call of the app that waits for the body, which is not invited yet.
struct Suspended {
    handling: Handling,
    gate: Rc<Gate>,
}

/// Whether the body of a request was invited.
#[derive(Default)]
struct Gate {
    is_awaited: Cell<bool>,
    is_open: Cell<bool>,
    /// Wakes the expect service.
    inviter: RefCell<Option<Waker>>,
    /// Wakes the reader of the body.
    reader: RefCell<Option<Waker>>,
}

impl Gate {
    fn open(&self) {
        self.is_open.set(true);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// A body that is read only after it was invited.
struct InvitedBody {
    body: Payload<BoxedPayloadStream>,
    gate: Rc<Gate>,
}

impl Stream for InvitedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.gate.is_open.get() {
            return Pin::new(&mut self.body).poll_next(cx);
        }
        self.gate.is_awaited.set(true);
        self.gate.reader.replace(Some(cx.waker().clone()));
        if let Some(inviter) = self.gate.inviter.take() {
            inviter.wake();
        }
        Poll::Pending
    }
}
