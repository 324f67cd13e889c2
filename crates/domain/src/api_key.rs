//! Keys, by which programs are recognized.
//!
//! A key is a text such as
//!
//! ```text
//! lct_019b76daa87b7763a8306c97ee0bf06d_<43 characters of secret><6 of checksum>
//! ```
//!
//! - The prefix lets scanners of source code find keys that were published.
//! - The **id** is public: the UUID of the stored key, without hyphens. It names the key in
//!   lists and logs, and finds it with one lookup.
//! - The **secret** has 43 characters of 62, which are 256 random bits. Only its SHA-256 hash
//!   is stored. A slow hash would protect a password that people choose; nobody finds a
//!   secret of 256 bits by trying.
//! - The **checksum** is the CRC-32 of all characters before it. With it a key that was not
//!   copied completely is told from one that is unknown, without a query.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::claim::Stages;
use crate::id::ApiKeyId;
use crate::idempotency_key::Fingerprint;
use crate::owner::OwnerName;
use crate::role::Role;
use crate::scope::Scope;
use crate::value::text::bounded_texts;
use crate::value::{Invalid, TextValue};

bounded_texts! {
    /// What a key is called in lists, 1 to 100 characters.
    ApiKeyName: 1 to 100;
    /// A person who has signed in, as their identity provider names them, 1 to 200 characters.
    PersonName: 1 to 200;
}

const PREFIX: &str = "lct_";
/// Characters of a UUID without hyphens.
const ID_CHARS: usize = 32;
/// 62^43 is a little more than 2^256.
const SECRET_CHARS: usize = 43;
/// 62^6 is more than 2^32.
const CHECKSUM_CHARS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The text of a key. It is a secret, so it is in neither `Debug` nor `Display`.
#[derive(Clone)]
pub struct ApiKeyText {
    id: ApiKeyId,
    /// Without the checksum.
    secret: [u8; SECRET_CHARS],
}

impl ApiKeyText {
    /// The number of characters of a key.
    pub const LEN: usize = PREFIX.len() + ID_CHARS + 1 + SECRET_CHARS + CHECKSUM_CHARS;

    /// The key with this id, and a secret of the characters that `random` returns bytes for:
    /// it is called until enough bytes are usable. The bytes must come from the random source
    /// of the operating system.
    ///
    /// # Errors
    ///
    /// The first error of `random`.
    pub fn generate<E>(
        id: ApiKeyId,
        mut random: impl FnMut() -> Result<[u8; 64], E>,
    ) -> Result<Self, E> {
        let mut secret = [0; SECRET_CHARS];
        let mut filled = 0;
        while filled < SECRET_CHARS {
            let digits = random()?.into_iter().filter_map(digit_of);
            for digit in digits.take(SECRET_CHARS - filled) {
                secret[filled] = digit;
                filled += 1;
            }
        }
        Ok(Self { id, secret })
    }

    /// Reads a key.
    ///
    /// # Errors
    ///
    /// When it has another form, or its checksum does not match. The message does not contain
    /// the key.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let malformed = |reason: &str| Invalid::new(format!("is malformed: {reason}"));
        let Some(rest) = text.strip_prefix(PREFIX) else {
            return Err(malformed("a key begins with lct_"));
        };
        if text.len() != Self::LEN || rest.as_bytes().get(ID_CHARS) != Some(&b'_') {
            return Err(malformed("it is incomplete, or has too many characters"));
        }
        let (body, checksum) = text.as_bytes().split_at(Self::LEN - CHECKSUM_CHARS);
        if checksum != checksum_of(body) {
            return Err(malformed("a character is wrong"));
        }
        let secret = &body[PREFIX.len() + ID_CHARS + 1..];
        let id = rest.get(..ID_CHARS).map(Uuid::try_parse);
        match (id, <[u8; SECRET_CHARS]>::try_from(secret)) {
            (Some(Ok(id)), Ok(secret)) if secret.iter().all(u8::is_ascii_alphanumeric) => {
                Ok(Self {
                    id: id.into(),
                    secret,
                })
            }
            _ => Err(malformed("it is no key")),
        }
    }

    /// The public id.
    pub fn id(&self) -> ApiKeyId {
        self.id
    }

    /// The part of the key whose hash is stored.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The whole text, which lets its holder act.
    pub fn reveal(&self) -> String {
        let mut text = format!("{PREFIX}{}_", self.id.as_uuid().simple());
        text.extend(self.secret.iter().map(|byte| char::from(*byte)));
        let checksum = checksum_of(text.as_bytes());
        text.extend(checksum.iter().map(|byte| char::from(*byte)));
        text
    }
}

impl fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyText({}, …)", self.id)
    }
}

/// The digit for a random byte. Bytes of 248 and more have none, so that all digits are
/// equally likely.
fn digit_of(byte: u8) -> Option<u8> {
    (byte < 62 * 4).then(|| DIGITS[usize::from(byte % 62)])
}

/// The CRC-32 of the text in base 62, most significant digit first.
fn checksum_of(text: &[u8]) -> [u8; CHECKSUM_CHARS] {
    let mut checksum = crc32fast::hash(text) as usize;
    let mut digits = [0; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[checksum % 62];
        checksum /= 62;
    }
    digits
}

/// The SHA-256 hash of the secret of a key. As text it has 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash(String);

impl SecretHash {
    /// The hash with these bytes.
    pub fn of_bytes(hash: [u8; 32]) -> Self {
        Self(Fingerprint(hash).to_string())
    }

    /// The bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        let digits = self.0.as_bytes();
        std::array::from_fn(|i| {
            let digit = |i: usize| match digits.get(i) {
                Some(digit @ b'a'..=b'f') => digit - b'a' + 10,
                Some(digit) => digit - b'0',
                None => 0,
            };
            16 * digit(2 * i) + digit(2 * i + 1)
        })
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl TextValue for SecretHash {
    fn from_text(text: String) -> Result<Self, Invalid> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(is_digit) {
            Ok(Self(text))
        } else {
            Err(Invalid::new("must be 64 hexadecimal digits"))
        }
    }

    fn as_text(&self) -> &str {
        &self.0
    }
}

/// What a key is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What it is called in lists.
    pub name: Option<ApiKeyName>,
    /// Decides what it may do.
    pub role: Role,
    /// For whom it acts; `None`: for nobody in particular.
    pub owner: Option<OwnerName>,
    /// The stages that it may claim; `None`: all. Only for a role that claims.
    pub stages: Option<Stages>,
    /// When it stops to be accepted; `None`: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// How its holder signed in, if it is the session of a browser.
    pub session: Option<Session>,
}

/// How somebody signed in. The session of a browser is a key, whose text is in a cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// A person signed in at their identity provider.
    OfPerson(PersonName),
    /// Somebody signed in with this key, with which the session ends.
    OfKey(ApiKeyId),
}

impl Session {
    /// The person, if one signed in.
    pub fn person(&self) -> Option<&PersonName> {
        match self {
            Self::OfPerson(person) => Some(person),
            Self::OfKey(_) => None,
        }
    }

    /// The key, if somebody signed in with one.
    pub fn parent_key_id(&self) -> Option<ApiKeyId> {
        match self {
            Self::OfPerson(_) => None,
            Self::OfKey(key_id) => Some(*key_id),
        }
    }
}

impl NewApiKey {
    /// A key with this role, without limits.
    pub fn new(role: Role) -> Self {
        Self {
            name: None,
            role,
            owner: None,
            stages: None,
            expires_at: None,
            session: None,
        }
    }

    /// Checks what depends on several fields: only a key of the role `worker` is limited to
    /// stages, and every session expires.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.stages.is_some() && self.role != Role::Worker {
            return Err(Invalid::field("stages", "only workers have stages"));
        }
        if self.session.is_some() && self.expires_at.is_none() {
            return Err(Invalid::field("expires_at", "a session expires"));
        }
        Ok(())
    }
}

/// A stored key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Public id, part of its text.
    pub key_id: ApiKeyId,
    /// What it is for.
    pub data: NewApiKey,
    /// Hash of its secret.
    pub secret_hash: SecretHash,
    /// When it was revoked, if it was.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, up to a minute earlier.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// Whether a key is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeyState {
    /// It is accepted.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl ApiKey {
    /// Whether the key is accepted at the time `now`.
    pub fn state(&self, now: DateTime<Utc>) -> ApiKeyState {
        if self.revoked_at.is_some() {
            ApiKeyState::Revoked
        } else if self.data.expires_at.is_some_and(|end| end <= now) {
            ApiKeyState::Expired
        } else {
            ApiKeyState::Active
        }
    }

    /// The person who signed in, if the key is their session.
    pub fn person(&self) -> Option<&PersonName> {
        self.data.session.as_ref().and_then(Session::person)
    }

    /// Whether its role has the scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.data.role.has(scope)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::clock::{ManualClock, SystemClock};
    use crate::stage::Stage;

    fn key() -> ApiKeyText {
        let mut next = 0_u8;
        let random = || {
            next = next.wrapping_add(37);
            Ok::<_, Infallible>([next; 64].map(|byte| byte.wrapping_mul(next)))
        };
        ApiKeyText::generate(ApiKeyId::new(&SystemClock), random).unwrap()
    }

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        let key = key();
        let text = key.reveal();
        assert_eq!(text.len(), ApiKeyText::LEN);
        let parsed = ApiKeyText::parse(&text).unwrap();
        assert_eq!((parsed.id(), parsed.reveal()), (key.id(), text));
    }

    #[test]
    fn every_digit_of_a_secret_is_equally_likely() {
        let mut counts = [0; 256];
        for digit in (0..=u8::MAX).filter_map(digit_of) {
            counts[usize::from(digit)] += 1;
        }
        assert!(DIGITS.iter().all(|digit| counts[usize::from(*digit)] == 4));
    }

    #[test]
    fn a_typing_error_anywhere_is_found() {
        let text = key().reveal();
        for i in 0..text.len() {
            for replacement in ['x', '0', '_', 'é'] {
                let mut chars: Vec<char> = text.chars().collect();
                if chars[i] == replacement {
                    continue;
                }
                chars[i] = replacement;
                let wrong: String = chars.into_iter().collect();
                let error = ApiKeyText::parse(&wrong).unwrap_err().to_string();
                assert!(error.contains("malformed"), "{error}");
                assert!(!error.contains(&text[40..60]), "{error}");
            }
        }
        for wrong in ["", "lct_", &text[1..], &text[..80], &format!("{text}0")] {
            assert!(ApiKeyText::parse(wrong).is_err(), "{wrong}");
        }
        // Two neighbours that changed places.
        let mut swapped: Vec<char> = text.chars().collect();
        for i in 4..text.len() - 1 {
            if swapped[i] != swapped[i + 1] {
                swapped.swap(i, i + 1);
                assert!(ApiKeyText::parse(&String::from_iter(&swapped)).is_err());
                swapped.swap(i, i + 1);
            }
        }
    }

    #[test]
    fn the_secret_is_not_in_debug_output() {
        let key = key();
        let secret = String::from_utf8(key.secret().to_vec()).unwrap();
        assert!(!format!("{key:?}").contains(&secret));
        let bytes: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8 + 3).unwrap());
        let hash = SecretHash::of_bytes(bytes);
        assert_eq!(hash.to_bytes(), bytes);
        let hash = SecretHash::of_bytes([0xab; 32]);
        assert!(!format!("{hash:?}").contains("abab"));
    }

    #[test]
    fn only_a_worker_is_limited_to_stages() {
        for role in Role::ALL {
            let key = NewApiKey {
                stages: Some(Stages::new(vec![Stage::Transcription]).unwrap()),
                ..NewApiKey::new(*role)
            };
            assert_eq!(key.check().is_ok(), *role == Role::Worker, "{role}");
        }
    }

    #[test]
    fn a_session_expires() {
        let mut session = NewApiKey {
            session: Some(Session::OfKey(ApiKeyId::new(&SystemClock))),
            ..NewApiKey::new(Role::Viewer)
        };
        assert!(session.check().is_err());
        session.expires_at = Some(DateTime::UNIX_EPOCH);
        assert_eq!(session.check(), Ok(()));
    }

    #[test]
    fn a_key_ends_when_it_expires_or_is_revoked() {
        use crate::clock::Clock as _;
        let now = ManualClock::default().now();
        let mut key = ApiKey {
            key_id: ApiKeyId::new(&SystemClock),
            data: NewApiKey::new(Role::Client),
            secret_hash: SecretHash::of_bytes([0; 32]),
            revoked_at: None,
            last_used_at: None,
            created_at: now,
        };
        assert_eq!(key.state(now), ApiKeyState::Active);
        key.data.expires_at = Some(now);
        assert_eq!(key.state(now), ApiKeyState::Expired);
        let earlier = now - chrono::TimeDelta::microseconds(1);
        assert_eq!(key.state(earlier), ApiKeyState::Active);
        key.revoked_at = Some(now);
        assert_eq!(key.state(earlier), ApiKeyState::Revoked);
    }
}
