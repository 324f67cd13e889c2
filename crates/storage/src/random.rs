//! Random bytes and their hexadecimal form.

use std::io;

use data_encoding::{Encoding, HEXLOWER_PERMISSIVE};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Hexadecimal: writes lower case, reads both.
pub(crate) const HEX: Encoding = HEXLOWER_PERMISSIVE;

/// Cryptographically secure random bytes.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| io::Error::other("the operating system returned no random bytes"))?;
    Ok(bytes)
}
