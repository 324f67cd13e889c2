//! The key with which a request was authenticated, for the access log.

use lectern_domain::ApiKeyId;

/// The public id of the accepted key of a request, in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuthenticatedKey(pub(crate) ApiKeyId);
