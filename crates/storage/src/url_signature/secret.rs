//! The secret that signs URLs.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use lectern_domain::Invalid;
use ring::hmac;

use crate::error::Error;
use crate::random::{HEX, random};

/// The secret that signs URLs; at least 32 bytes. `Debug` does not show the secret.
///
/// All servers that share a storage need the same secret, because a server refuses URLs
/// that were signed with another secret.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// The minimum length in bytes: the size of a SHA-256 hash.
const MIN_BYTES: usize = 32;

impl Secret {
    /// Checks that there are at least 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, Invalid> {
        if bytes.len() < MIN_BYTES {
            return Err(Invalid::new("must be at least 32 bytes long"));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// A new random secret.
    pub fn random() -> Result<Self, Error> {
        let bytes =
            random::<MIN_BYTES>().map_err(|error| Error::other("create a secret", error))?;
        Self::new(&bytes).map_err(Error::from)
    }

    /// Reads the file `secret` in a directory. Creates the file and the directory if they
    /// do not exist. Blocks.
    ///
    /// The file contains the bytes in hexadecimal and has the mode 0600. The file is
    /// created atomically: if several processes start at the same time, one process creates
    /// the file and the others read the same secret.
    pub fn read_or_create(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("secret");
        let failed =
            |doing: &str, error| Error::other(format!("{doing} {}", path.display()), error);
        match fs::read_to_string(&path) {
            Ok(text) => return Self::parse(&text, &path),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("read the secret", error)),
        }
        fs::create_dir_all(dir).map_err(|error| failed("create the directory of", error))?;
        match create(dir, &path) {
            Ok(text) => Self::parse(&text, &path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::read_to_string(&path)
                .map_err(|error| failed("read the secret", error))
                .and_then(|text| Self::parse(&text, &path)),
            Err(error) => Err(failed("create the secret", error)),
        }
    }

    pub(crate) fn key(&self) -> &hmac::Key {
        &self.0
    }

    fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        HEX.decode(text.trim_end().as_bytes())
            .ok()
            .and_then(|bytes| Self::new(&bytes).ok())
            .ok_or_else(|| {
                Error::Config(format!(
                    "{} is not a secret: expected at least 64 hexadecimal digits",
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

/// Creates the file with a new secret, and returns the text of the file.
fn create(dir: &Path, path: &Path) -> io::Result<String> {
    let text = HEX.encode(&random::<MIN_BYTES>()?);
    let temporary = dir.join(format!("secret.{}", HEX.encode(&random::<8>()?)));
    let linked = write_private(&temporary, &text).and_then(|()| {
        // Unlike a rename, a link fails if another process has created the file.
        fs::hard_link(&temporary, path)?;
        File::open(dir)?.sync_all()
    });
    // A temporary file that cannot be removed is harmless: no process reads it.
    let _ = fs::remove_file(&temporary);
    linked.map(|()| text)
}

/// Creates a file that only its owner can read, and waits until the file is on disk.
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
