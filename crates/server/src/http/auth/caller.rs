//! The caller of a request, as handlers see it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use lectern_api::Code;
use lectern_domain::{ApiKey, OwnerName, Scope, Session, Stage};

use crate::http::error::ApiError;

/// The key with which a request was authenticated. A stored one is made when the key is read,
/// not for each request. It is one pointer, because a request clones it several times.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    key: ApiKey,
    namespace: Arc<str>,
    /// Whether the database has it; a token of an identity provider stands for a key as well.
    is_stored: bool,
}

impl Caller {
    pub(super) fn of_stored_key(key: ApiKey) -> Self {
        Self::new(key, true)
    }

    pub(super) fn of_token(key: ApiKey) -> Self {
        Self::new(key, false)
    }

    fn new(key: ApiKey, is_stored: bool) -> Self {
        let namespace = match &key.data.owner {
            Some(owner) => format!("owner {owner}"),
            None => format!("key {}", key.key_id),
        };
        Self(Arc::new(Parts {
            key,
            namespace: namespace.into(),
            is_stored,
        }))
    }

    pub(crate) fn key(&self) -> &ApiKey {
        &self.0.key
    }

    /// Whether the database has the key.
    pub(crate) fn is_stored(&self) -> bool {
        self.0.is_stored
    }

    /// The caller of a request; `None` if no key was asked for.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// The owner whose jobs the caller finds and creates; `None`: all jobs.
    pub(crate) fn owner(&self) -> Option<&OwnerName> {
        self.0.key.data.owner.as_ref()
    }

    /// Who the caller is, in all their sessions: the person or the key that signed in, and the
    /// owner.
    pub(crate) fn identity(&self) -> String {
        let key = self.key();
        let session = key.data.session.as_ref();
        let name = match (key.person(), session.and_then(Session::parent_key_id)) {
            (Some(person), _) => person.to_string(),
            (None, Some(parent)) => parent.to_string(),
            (None, None) => key.key_id.to_string(),
        };
        let owner = self.owner().map(OwnerName::to_string);
        format!("{name} {}", owner.unwrap_or_default())
    }

    /// The name of the caller: one for all keys of an owner, and one for each key without owner.
    pub(crate) fn namespace(&self) -> &Arc<str> {
        &self.0.namespace
    }
}

/// The caller, if a key was asked for.
#[derive(Debug, Clone)]
pub(crate) struct MaybeCaller(Option<Caller>);

impl MaybeCaller {
    pub(crate) fn get(&self) -> Option<&Caller> {
        self.0.as_ref()
    }

    /// The owner of the caller's key.
    pub(crate) fn owner(&self) -> Option<&OwnerName> {
        self.0.as_ref().and_then(Caller::owner)
    }

    /// Whether the caller may call the routes of a scope.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.0.as_ref().is_none_or(|caller| caller.key().has(scope))
    }

    /// Checks that the caller is not limited to the jobs of one owner, for what concerns the jobs
    /// of all.
    ///
    /// # Errors
    ///
    /// [`Code::ScopeMissing`] when its key has an owner.
    pub(crate) fn has_no_owner(&self) -> Result<(), ApiError> {
        if self.owner().is_none() {
            return Ok(());
        }
        let detail = "this is for keys without an owner: it concerns the jobs of all owners";
        Err(ApiError::new(Code::ScopeMissing, detail))
    }

    /// Checks that the caller may claim these stages.
    ///
    /// # Errors
    ///
    /// [`Code::ScopeMissing`] when its key is limited to others.
    pub(crate) fn may_claim(&self, wanted: &[Stage]) -> Result<(), ApiError> {
        let stages = self
            .0
            .as_ref()
            .and_then(|caller| caller.key().data.stages.as_ref());
        let Some(stages) = stages else {
            return Ok(());
        };
        match wanted
            .iter()
            .find(|stage| !stages.as_slice().contains(stage))
        {
            None => Ok(()),
            Some(stage) => {
                let detail = format!("the key may not claim the stage {stage}");
                Err(ApiError::new(Code::ScopeMissing, detail))
            }
        }
    }
}

impl FromRequest for MaybeCaller {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(Caller::of(request))))
    }
}
