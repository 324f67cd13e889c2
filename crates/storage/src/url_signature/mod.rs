//! Signed URLs of this server, which allow their holder one operation for a limited time.

mod secret;

use chrono::{DateTime, Utc};
use lectern_domain::DownloadName;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::hmac;

use crate::key::ObjectKey;
use crate::random::HEX;

pub use secret::Secret;

/// Signs URLs of objects on local disk, and verifies them.
///
/// The signature is an HMAC-SHA256 of the method, the key, the expiry time and, for a
/// PUT, the size, or for a GET the name under which the object is saved, if it has one. It
/// is part of the query:
/// `expires=<unix seconds>&size=<bytes, PUT only>&filename=<name, GET only>&signature=<hex>`.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use lectern_storage::{ObjectKey, Secret, SignatureError, Signer};
///
/// let signer = Signer::new(Secret::random()?);
/// let key = ObjectKey::new("jobs/1/original/lecture.mp4")?;
/// let now = DateTime::UNIX_EPOCH;
///
/// let query = signer.sign_put(&key, 1_048_576, now + TimeDelta::hours(1));
/// assert_eq!(signer.verify_put(&key, &query, now), Ok(1_048_576));
/// assert_eq!(signer.verify_get(&key, &query, now), Err(SignatureError::Wrong));
/// # Ok::<(), lectern_storage::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    secret: Secret,
}

/// Why a signed URL was refused. For the log only, except [`SignatureError::Expired`]: a
/// response must not show why a URL that was never signed is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The query does not have the form of a signed query.
    #[error("the query of the URL is malformed")]
    Malformed,
    /// The signature does not match the method, key, size and expiry time.
    #[error("the signature of the URL is wrong")]
    Wrong,
    /// The signature is right, but the expiry time has passed.
    #[error("the URL has expired")]
    Expired,
}

struct Query {
    /// In Unix seconds.
    expires: i64,
    /// In bytes; `None` in URLs for GET.
    size: Option<u64>,
    /// `None` in URLs for PUT.
    filename: Option<String>,
    signature: Vec<u8>,
}

impl Signer {
    /// Signers with the same secret accept each other's URLs.
    pub fn new(secret: Secret) -> Self {
        Self { secret }
    }

    /// The query that allows GET and HEAD on an object until `expires_at`,
    /// rounded down to whole seconds. Clients save the object under `name`.
    pub fn sign_get(
        &self,
        key: &ObjectKey,
        name: Option<&DownloadName>,
        expires_at: DateTime<Utc>,
    ) -> String {
        let name = name.map(DownloadName::as_str);
        self.sign(key, expires_at.timestamp(), &Operation::Get { name })
    }

    /// The query that allows PUT of an object of exactly `size` bytes until `expires_at`,
    /// rounded down to whole seconds.
    pub fn sign_put(&self, key: &ObjectKey, size: u64, expires_at: DateTime<Utc>) -> String {
        self.sign(key, expires_at.timestamp(), &Operation::Put { size })
    }

    /// Checks that a query allows GET and HEAD on an object at the time `now`, and returns
    /// the name under which clients save the object.
    pub fn verify_get(
        &self,
        key: &ObjectKey,
        query: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DownloadName>, SignatureError> {
        let query = parse(query)?;
        if query.size.is_some() {
            return Err(SignatureError::Wrong);
        }
        let name = query.filename.as_deref();
        self.verify(key, &query, &Operation::Get { name }, now)?;
        Ok(name.map(DownloadName::of_file))
    }

    /// Checks that a query allows PUT of an object at the time `now`, and returns the
    /// required size of the object.
    pub fn verify_put(
        &self,
        key: &ObjectKey,
        query: &str,
        now: DateTime<Utc>,
    ) -> Result<u64, SignatureError> {
        let query = parse(query)?;
        let size = query.size.ok_or(SignatureError::Wrong)?;
        if query.filename.is_some() {
            return Err(SignatureError::Wrong);
        }
        self.verify(key, &query, &Operation::Put { size }, now)?;
        Ok(size)
    }

    fn sign(&self, key: &ObjectKey, expires: i64, operation: &Operation<'_>) -> String {
        let text = signed_text(key, expires, operation);
        let tag = hmac::sign(self.secret.key(), text.as_bytes());
        let parameter = match operation {
            Operation::Get { name: None } => String::new(),
            Operation::Get { name: Some(name) } => {
                format!("&filename={}", utf8_percent_encode(name, NON_ALPHANUMERIC))
            }
            Operation::Put { size } => format!("&size={size}"),
        };
        let signature = HEX.encode(tag.as_ref());
        format!("expires={expires}{parameter}&signature={signature}")
    }

    fn verify(
        &self,
        key: &ObjectKey,
        query: &Query,
        operation: &Operation<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), SignatureError> {
        let text = signed_text(key, query.expires, operation);
        // Constant time, so that the duration reveals nothing about the signature.
        hmac::verify(self.secret.key(), text.as_bytes(), &query.signature)
            .map_err(|_| SignatureError::Wrong)?;
        if now.timestamp() < query.expires {
            Ok(())
        } else {
            Err(SignatureError::Expired)
        }
    }
}

/// What a URL allows.
enum Operation<'q> {
    Get { name: Option<&'q str> },
    Put { size: u64 },
}

/// The text that is signed. Different arguments give different texts, because only the name
/// at the end could have line breaks.
fn signed_text(key: &ObjectKey, expires: i64, operation: &Operation<'_>) -> String {
    match operation {
        Operation::Get { name: None } => format!("lectern object\nGET\n{key}\n{expires}"),
        Operation::Get { name: Some(name) } => {
            format!("lectern object\nGET\n{key}\n{expires}\n{name}")
        }
        Operation::Put { size } => format!("lectern object\nPUT\n{key}\n{expires}\n{size}"),
    }
}

/// Accepts each known parameter at most once and no other parameter.
fn parse(query: &str) -> Result<Query, SignatureError> {
    let (mut expires, mut size, mut filename, mut signature) = (None, None, None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').ok_or(SignatureError::Malformed)?;
        let parameter = match name {
            "expires" => &mut expires,
            "size" => &mut size,
            "filename" => &mut filename,
            "signature" => &mut signature,
            _ => return Err(SignatureError::Malformed),
        };
        if parameter.replace(value).is_some() {
            return Err(SignatureError::Malformed);
        }
    }
    let decode = |name| Some(percent_decode_str(name).decode_utf8().ok()?.into_owned());
    let query = || {
        Some(Query {
            expires: expires?.parse().ok()?,
            size: size.map(str::parse).transpose().ok()?,
            filename: match filename {
                Some(name) => Some(decode(name)?),
                None => None,
            },
            signature: HEX.decode(signature?.as_bytes()).ok()?,
        })
    };
    query().ok_or(SignatureError::Malformed)
}
