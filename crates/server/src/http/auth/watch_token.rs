//! Tokens with which a browser watches one job: `EventSource` and `WebSocket` cannot send
//! headers, so a token is a parameter of the URL.
//!
//! A token is `lwt_` and the Base64 of a version, the id of the key that made it, the time
//! when it expires, and an HMAC-SHA256 over these and the id of the job. The HMAC's key is
//! the stored hash of the secret of the API key, which all servers of a database know and no
//! client does: a token ends with its key, also when the secret is replaced, and nothing is
//! stored for it.

use std::fmt;

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use lectern_domain::{ApiKeyId, JobId};
use ring::hmac;
use uuid::Uuid;

/// The parameter with the token.
const PARAMETER: &str = "token";

/// Lets scanners of logs and source code find tokens.
const PREFIX: &str = "lwt_";

/// The version of the format.
const VERSION: u8 = 1;

const ID_BYTES: usize = 16;
const TIME_BYTES: usize = 8;
const MAC_BYTES: usize = 32;
const BYTES: usize = 1 + ID_BYTES + TIME_BYTES + MAC_BYTES;

/// A token as it was received or made. It is a secret, so `Debug` does not show it.
#[derive(Clone)]
pub(super) struct WatchToken {
    key_id: ApiKeyId,
    /// In Unix seconds.
    expires: i64,
    mac: [u8; MAC_BYTES],
}

impl WatchToken {
    /// Makes a token for one job, which expires at `expires_at`, rounded down to whole seconds.
    pub(super) fn sign(
        key_id: ApiKeyId,
        secret_hash: &[u8; 32],
        job_id: JobId,
        expires_at: DateTime<Utc>,
    ) -> Self {
        let expires = expires_at.timestamp();
        let tag = hmac::sign(&mac_key(secret_hash), &signed_text(key_id, job_id, expires));
        let mut mac = [0; MAC_BYTES];
        // An HMAC-SHA256 has 32 bytes.
        mac.copy_from_slice(tag.as_ref());
        Self {
            key_id,
            expires,
            mac,
        }
    }

    /// The key that made the token, if the token is genuine.
    pub(super) fn key_id(&self) -> ApiKeyId {
        self.key_id
    }

    /// When the token expires, if it is genuine. `None`: at no time that there is.
    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.expires, 0)
    }

    /// Whether the key with this hash of its secret has made the token for this job. Takes
    /// the same time for all tokens.
    pub(super) fn is_genuine(&self, secret_hash: &[u8; 32], job_id: JobId) -> bool {
        let text = signed_text(self.key_id, job_id, self.expires);
        hmac::verify(&mac_key(secret_hash), &text, &self.mac).is_ok()
    }

    /// Reads the text of a token; `None` if it has another form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?;
        if encoded.len() != BASE64URL_NOPAD.encode_len(BYTES) {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (key_id, rest) = rest.split_first_chunk::<ID_BYTES>()?;
        let (expires, mac) = rest.split_first_chunk::<TIME_BYTES>()?;
        (*version == VERSION).then_some(())?;
        Some(Self {
            key_id: Uuid::from_bytes(*key_id).into(),
            expires: i64::from_be_bytes(*expires),
            mac: mac.try_into().ok()?,
        })
    }

    /// The text, which lets its holder watch the job.
    pub(super) fn reveal(&self) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(self.key_id.as_uuid().as_bytes());
        bytes.extend_from_slice(&self.expires.to_be_bytes());
        bytes.extend_from_slice(&self.mac);
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl fmt::Debug for WatchToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchToken(of {}, …)", self.key_id)
    }
}

fn mac_key(secret_hash: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret_hash)
}

/// The text that is signed, which is not like one that anything else signs.
fn signed_text(key_id: ApiKeyId, job_id: JobId, expires: i64) -> Vec<u8> {
    format!("lectern watch token\n{VERSION}\n{key_id}\n{job_id}\n{expires}").into_bytes()
}

/// What the query string of a request contains.
#[derive(Debug)]
pub(super) enum TokenParameter {
    /// No token.
    Missing,
    /// Something that is no token, or several.
    Malformed,
    /// A token, which may be wrong.
    Token(WatchToken),
}

impl TokenParameter {
    pub(super) fn of(query: &str) -> Self {
        let is_token = |part: &&str| {
            part.strip_prefix(PARAMETER)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let mut parts = query.split('&').filter(is_token);
        match (parts.next(), parts.next()) {
            (None, _) => Self::Missing,
            (Some(part), None) => part
                .split_once('=')
                // No character of a token needs an escape.
                .and_then(|(_, text)| WatchToken::parse(text))
                .map_or(Self::Malformed, Self::Token),
            (Some(_), Some(_)) => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::SystemClock;

    use super::*;

    const HASH: [u8; 32] = [7; 32];

    fn token(job_id: JobId) -> WatchToken {
        let key_id = ApiKeyId::new(&SystemClock);
        let expires_at = DateTime::from_timestamp(1_800_000_000, 999).unwrap();
        WatchToken::sign(key_id, &HASH, job_id, expires_at)
    }

    #[test]
    fn a_token_is_read_back_as_it_was_written() {
        let job_id = JobId::new(&SystemClock);
        let token = token(job_id);
        let text = token.reveal();
        let parsed = WatchToken::parse(&text).unwrap();
        assert!(parsed.is_genuine(&HASH, job_id));
        assert_eq!(parsed.key_id(), token.key_id());
        assert_eq!(
            parsed.expires_at(),
            DateTime::from_timestamp(1_800_000_000, 0)
        );
        assert!(!format!("{parsed:?}").contains(&text[40..60]));
    }

    #[test]
    fn every_changed_character_is_found() {
        let job_id = JobId::new(&SystemClock);
        let text = token(job_id).reveal();
        for i in 0..text.len() {
            for replacement in ['A', 'b', '-', '=', ' ', 'é'] {
                let mut chars: Vec<char> = text.chars().collect();
                if chars[i] == replacement {
                    continue;
                }
                chars[i] = replacement;
                let changed = WatchToken::parse(&String::from_iter(&chars));
                let is_genuine = changed.is_some_and(|token| token.is_genuine(&HASH, job_id));
                assert!(!is_genuine, "{i} {replacement}");
            }
        }
        for wrong in ["", "lwt_", &text[1..], &text[..70], &format!("{text}A")] {
            assert!(WatchToken::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_for_one_job_and_of_one_secret() {
        let job_id = JobId::new(&SystemClock);
        let token = token(job_id);
        assert!(!token.is_genuine(&HASH, JobId::new(&SystemClock)));
        assert!(!token.is_genuine(&[8; 32], job_id));
    }

    #[test]
    fn a_query_has_one_token() {
        let text = token(JobId::new(&SystemClock)).reveal();
        let found = |query: &str| match TokenParameter::of(query) {
            TokenParameter::Missing => "missing",
            TokenParameter::Malformed => "malformed",
            TokenParameter::Token(_) => "token",
        };
        for missing in ["", "after=1", "tokens=1", "a=token"] {
            assert_eq!(found(missing), "missing", "{missing}");
        }
        assert_eq!(found(&format!("token={text}")), "token");
        assert_eq!(found(&format!("after=1&token={text}&x")), "token");
        for malformed in ["token", "token=", "token=lwt_", "after=1&token=a"] {
            assert_eq!(found(malformed), "malformed", "{malformed}");
        }
        assert_eq!(found(&format!("token={text}&token={text}")), "malformed");
    }
}
