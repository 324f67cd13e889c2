//! The secret that URLs are signed with.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use lectern_domain::Invalid;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::{Error, hex};

/// What URLs are signed with: at least 32 bytes that nobody else knows. It is
/// never printed.
///
/// All servers on one storage need the same one, or they refuse each other's
/// URLs.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// The least bytes of a secret: as many as a SHA-256 has.
const BYTES: usize = 32;

impl Secret {
    /// Checks that there are at least 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, Invalid> {
        if bytes.len() < BYTES {
            return Err(Invalid::new("must be at least 32 bytes long"));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// A new one, which nobody else will ever know.
    pub fn random() -> Result<Self, Error> {
        Self::new(&random::<BYTES>()?).map_err(Error::from)
    }

    /// Reads the secret from the file `secret` in a directory, or makes both.
    ///
    /// The file is for its owner alone (mode 0600) and holds the bytes in
    /// hexadecimal. It appears whole or not at all, so of several processes
    /// that start at once one makes it and the others read it. Blocks.
    pub fn read_or_create(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("secret");
        let failed =
            |doing: &str, error| Error::other(format!("{doing} {}", path.display()), error);
        match fs::read_to_string(&path) {
            Ok(text) => return Self::parse(&text, &path),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read the secret", error)),
        }
        fs::create_dir_all(dir).map_err(|error| failed("make the directory of", error))?;
        let text = hex::encode(&random::<BYTES>()?);
        let draft = dir.join(format!("secret.{}", hex::encode(&random::<8>()?)));
        let published = write_private(&draft, &text).and_then(|()| {
            // A link, unlike a rename, does not replace what another process made first.
            fs::hard_link(&draft, &path)?;
            File::open(dir)?.sync_all()
        });
        // Not being able to is no reason to fail: nobody will ever look at it.
        let _ = fs::remove_file(&draft);
        match published {
            Ok(()) => Self::parse(&text, &path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::read_to_string(&path)
                .map_err(|error| failed("read the secret", error))
                .and_then(|text| Self::parse(&text, &path)),
            Err(error) => Err(failed("make the secret", error)),
        }
    }

    pub(crate) fn key(&self) -> &hmac::Key {
        &self.0
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        hex::decode(text.trim_end())
            .and_then(|bytes| Self::new(&bytes).ok())
            .ok_or_else(|| {
                Error::Config(format!(
                    "{} is no secret: at least 64 hexadecimal digits are expected",
                    path.display()
                ))
            })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A new file that only its owner can read, on disk when this returns.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Bytes nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::other("make a secret", "the system gives no random bytes"))?;
    Ok(bytes)
}
