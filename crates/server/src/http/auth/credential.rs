//! What proves that a caller has a key, or was given a token by someone who has.

use lectern_domain::{ApiKeyId, JobId};
use subtle::{Choice, ConstantTimeEq as _};

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
            Self::Key { secret_hash, .. } => are_equal(secret_hash, stored),
            Self::WatchToken { token, job_id } => token.is_genuine(stored, *job_id),
        }
    }
}

/// Compares hashes in constant time: by words, which takes an eighth of the comparisons of bytes.
fn are_equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let words = one.as_chunks().0.iter().zip(other.as_chunks().0);
    let equal = words
        .map(|(one, other)| u64::from_ne_bytes(*one).ct_eq(&u64::from_ne_bytes(*other)))
        .fold(Choice::from(1), |all, next| all & next);
    equal.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_equal_if_all_bits_are() {
        let hash: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert!(are_equal(&hash, &hash.clone()));
        for byte in 0..32 {
            for bit in 0..8 {
                let mut other = hash;
                other[byte] ^= 1 << bit;
                assert!(!are_equal(&hash, &other), "bit {bit} of byte {byte}");
            }
        }
    }
}
