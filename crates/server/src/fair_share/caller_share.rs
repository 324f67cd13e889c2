//! Whose request a task handles.

use std::sync::Arc;

use actix_web::HttpRequest;

tokio::task_local! {
    /// The caller of the current task's request.
    static CURRENT: CallerShare;
}

/// Those who share with all others as one: the keys of an owner, a key without owner, or,
/// if no key is asked for, an address. Work that no request has asked for is one, too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CallerShare(Arc<str>);

impl CallerShare {
    /// The share of all callers of this name.
    pub(crate) fn named(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The share of a client whose key is not asked for. Clients behind a proxy have one share.
    pub(crate) fn of_client(request: &HttpRequest) -> Self {
        let address = request.peer_addr().map(|peer| peer.ip().to_string());
        Self::named(address.unwrap_or_default())
    }

    /// The share of the current request, or that of the server itself.
    pub(crate) fn current() -> Self {
        CURRENT
            .try_with(Clone::clone)
            .unwrap_or_else(|_| Self::named("the server"))
    }

    /// Runs `future`, which handles a request of this caller.
    pub(crate) fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }
}
