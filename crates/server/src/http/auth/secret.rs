//! Makes keys, and the hashes of their secrets.

use anyhow::anyhow;
use lectern_domain::{ApiKeyId, ApiKeyText, SecretHash};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// A key with this id, and the hash to store for it. Its secret comes from the random source
/// of the operating system.
///
/// # Errors
///
/// When the operating system returns no random bytes.
pub fn generate(id: ApiKeyId) -> anyhow::Result<(ApiKeyText, SecretHash)> {
    let source = SystemRandom::new();
    let random = || {
        let mut bytes = [0; 64];
        let filled = source.fill(&mut bytes);
        filled.map_err(|_| anyhow!("the operating system returned no random bytes"))?;
        anyhow::Ok(bytes)
    };
    let key = ApiKeyText::generate(id, random)?;
    let hash = SecretHash::of_bytes(hash(&key));
    Ok((key, hash))
}

/// The SHA-256 hash of the secret of a key.
pub(crate) fn hash(key: &ApiKeyText) -> [u8; 32] {
    let mut hash = [0; 32];
    // A SHA-256 hash has 32 bytes.
    hash.copy_from_slice(digest(&SHA256, key.secret()).as_ref());
    hash
}
