//! What proves that a caller has a key, or was given a token by someone who has.

use lectern_domain::{ApiKeyId, JobId};
use subtle::ConstantTimeEq as _;

use super::watch_token::WatchToken;

/// A credential, which names the key that has to confirm it.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    /// A key, by the hash of its secret.
    Key {
        key_id: ApiKeyId,
        secret_hash: [u8; 32],
    },
    /// A token for watching a job.
    WatchToken { token: WatchToken, job_id: JobId },
}

impl Credential {
    pub(super) fn key_id(&self) -> ApiKeyId {
        match self {
            Self::Key { key_id, .. } => *key_id,
            Self::WatchToken { token, .. } => token.key_id(),
        }
    }

    /// Whether the key with this hash of its secret confirms the credential. Takes the same
    /// time whatever the credential is.
    pub(super) fn is_of(&self, stored: &[u8; 32]) -> bool {
        match self {
            Self::Key { secret_hash, .. } => secret_hash.ct_eq(stored).into(),
            Self::WatchToken { token, job_id } => token.is_genuine(stored, *job_id),
        }
    }
}
