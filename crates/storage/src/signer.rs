//! URLs of this server that whoever has them may use, for a while.

use chrono::{DateTime, Utc};
use ring::hmac;

use crate::{ObjectKey, Secret, hex};

/// Signs the URLs of objects on local disk, and checks them.
///
/// A signature is an HMAC-SHA256 over the method, the key, the time it expires
/// and, for a PUT, the size: a URL is good for exactly that. It travels in the
/// query: `expires=<unix seconds>&size=<bytes, PUT only>&signature=<hex>`.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use lectern_storage::{ObjectKey, Refused, Secret, Signer};
///
/// let signer = Signer::new(Secret::random()?);
/// let key = ObjectKey::new("jobs/1/original/lecture.mp4")?;
/// let now = DateTime::UNIX_EPOCH;
///
/// let query = signer.sign_put(&key, 1_048_576, now + TimeDelta::hours(1));
/// assert_eq!(signer.verify_put(&key, &query, now), Ok(1_048_576));
/// assert_eq!(signer.verify_get(&key, &query, now), Err(Refused::Signature));
/// # Ok::<(), lectern_storage::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    secret: Secret,
}

/// Why a URL is not good, for the log: whoever tries it is told nothing but
/// that there is no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The query is not one that was ever signed.
    #[error("the query of the URL is malformed")]
    Malformed,
    /// The signature is for something else.
    #[error("the signature of the URL is wrong")]
    Signature,
    /// The URL was good, and is no longer.
    #[error("the URL has expired")]
    Expired,
}

/// What stands in the query.
struct Query {
    expires: i64,
    size: Option<u64>,
    signature: Vec<u8>,
}

impl Signer {
    /// A signer whose URLs are good wherever the secret is the same.
    pub fn new(secret: Secret) -> Self {
        Self { secret }
    }

    /// The query that lets GET and HEAD read an object before `expires_at`, in
    /// whole seconds.
    pub fn sign_get(&self, key: &ObjectKey, expires_at: DateTime<Utc>) -> String {
        self.sign(key, expires_at.timestamp(), None)
    }

    /// The query that lets PUT write an object of exactly `size` bytes before
    /// `expires_at`, in whole seconds.
    pub fn sign_put(&self, key: &ObjectKey, size: u64, expires_at: DateTime<Utc>) -> String {
        self.sign(key, expires_at.timestamp(), Some(size))
    }

    /// Whether a query lets GET and HEAD read an object `now`.
    pub fn verify_get(
        &self,
        key: &ObjectKey,
        query: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let query = parse(query)?;
        match query.size {
            None => self.verify(key, &query, now),
            Some(_) => Err(Refused::Signature),
        }
    }

    /// Whether a query lets PUT write an object `now`, and of how many bytes.
    pub fn verify_put(
        &self,
        key: &ObjectKey,
        query: &str,
        now: DateTime<Utc>,
    ) -> Result<u64, Refused> {
        let query = parse(query)?;
        let size = query.size.ok_or(Refused::Signature)?;
        self.verify(key, &query, now).map(|()| size)
    }

    fn sign(&self, key: &ObjectKey, expires: i64, size: Option<u64>) -> String {
        let tag = hmac::sign(self.secret.key(), message(key, expires, size).as_bytes());
        let size = size.map_or(String::new(), |size| format!("&size={size}"));
        format!(
            "expires={expires}{size}&signature={}",
            hex::encode(tag.as_ref())
        )
    }

    fn verify(&self, key: &ObjectKey, query: &Query, now: DateTime<Utc>) -> Result<(), Refused> {
        let message = message(key, query.expires, query.size);
        // Takes as long for a wrong signature as for a right one.
        hmac::verify(self.secret.key(), message.as_bytes(), &query.signature)
            .map_err(|_| Refused::Signature)?;
        if now.timestamp() < query.expires {
            Ok(())
        } else {
            Err(Refused::Expired)
        }
    }
}

/// What is signed. No key holds a line break, so no two say the same.
fn message(key: &ObjectKey, expires: i64, size: Option<u64>) -> String {
    match size {
        None => format!("lectern object\nGET\n{key}\n{expires}"),
        Some(size) => format!("lectern object\nPUT\n{key}\n{expires}\n{size}"),
    }
}

/// Each parameter at most once, and no other.
fn parse(query: &str) -> Result<Query, Refused> {
    let (mut expires, mut size, mut signature) = (None, None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').ok_or(Refused::Malformed)?;
        let place = match name {
            "expires" => &mut expires,
            "size" => &mut size,
            "signature" => &mut signature,
            _ => return Err(Refused::Malformed),
        };
        if place.replace(value).is_some() {
            return Err(Refused::Malformed);
        }
    }
    let read = || {
        Some(Query {
            expires: expires?.parse().ok()?,
            size: size.map(str::parse).transpose().ok()?,
            signature: hex::decode(signature?)?,
        })
    };
    read().ok_or(Refused::Malformed)
}
