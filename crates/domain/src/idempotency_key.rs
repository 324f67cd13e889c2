//! Keys and fingerprints that make a repeated request take effect once.

use std::fmt;

use crate::value::Invalid;

/// A key that a client chooses for a request, so that a repetition has no further
/// effect: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The greatest number of characters.
    pub const MAX: usize = 255;

    /// Checks the length and the characters.
    pub fn new(key: impl Into<String>) -> Result<Self, Invalid> {
        let key = key.into();
        let fits = (1..=Self::MAX).contains(&key.len());
        if fits && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(key))
        } else {
            Err(Invalid::new(
                "must be 1 to 255 visible ASCII characters long",
            ))
        }
    }
}

crate::value::text::text_impls!(IdempotencyKey);

/// A 32-byte hash of a request. A repeated request has the same fingerprint; a
/// different request with the same key is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
