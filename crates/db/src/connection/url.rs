//! Addresses of databases, and the kinds of databases.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::Error;

/// The kind of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        })
    }
}

/// The address of a database: `sqlite://path`, `sqlite::memory:` or
/// `postgres://…` (also spelled `postgresql://…`).
///
/// Other addresses are rejected, so that a typo does not create a file.
///
/// ```
/// use lectern_db::{Backend, DatabaseUrl};
///
/// let url: DatabaseUrl = "sqlite://lectern-data/lectern.db".parse()?;
/// assert_eq!(url.backend(), Backend::Sqlite);
/// assert!("postgers://localhost/lectern".parse::<DatabaseUrl>().is_err());
/// assert!("lectern.db".parse::<DatabaseUrl>().is_err());
/// # Ok::<(), lectern_db::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Location);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Postgres(String),
    File(PathBuf),
    Memory,
}

impl DatabaseUrl {
    /// PostgreSQL or SQLite.
    pub fn backend(&self) -> Backend {
        match self.0 {
            Location::Postgres(_) => Backend::Postgres,
            Location::File(_) | Location::Memory => Backend::Sqlite,
        }
    }

    /// The file of an SQLite database; `None` for one in memory and for PostgreSQL.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Location::File(path) => Some(path),
            Location::Postgres(_) | Location::Memory => None,
        }
    }

    /// Whether the database is in the memory of this process, so that no other process
    /// can open it.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.0, Location::Memory)
    }

    /// The parameter `sslmode` of a PostgreSQL URL; `None` also for SQLite.
    pub fn ssl_mode(&self) -> Option<&str> {
        let Location::Postgres(url) = &self.0 else {
            return None;
        };
        let (_, parameters) = url.split_once('?')?;
        let modes = parameters.split('&');
        // libpq takes the last one.
        modes
            .filter_map(|parameter| parameter.strip_prefix("sslmode="))
            .next_back()
    }

    pub(crate) fn location(&self) -> &Location {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Err(Error::Url(why.to_owned()));
        if url.contains('\0') {
            return refuse("it contains a NUL character");
        }
        if url == "sqlite::memory:" {
            return Ok(Self(Location::Memory));
        }
        if let Some(path) = url.strip_prefix("sqlite://") {
            return match path {
                "" => refuse("the path is missing"),
                path if path.ends_with('/') => refuse("the path names a directory"),
                path if path.contains(":memory:") => {
                    refuse("a database in memory is spelled sqlite::memory:")
                }
                path => Ok(Self(Location::File(path.into()))),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self(Location::Postgres(url.to_owned())));
        }
        // The message does not repeat the text, which may contain a password.
        refuse("unknown scheme")
    }
}

impl fmt::Display for DatabaseUrl {
    /// Shows the address without its password and parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Location::Memory => f.write_str("sqlite::memory:"),
            Location::File(path) => write!(f, "sqlite://{}", path.display()),
            Location::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", ""));
                let without_parameters =
                    |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
                // As in libpq, everything up to the last `@` before the first slash is user
                // and password, even a question mark. A password may also have a slash.
                let authority = rest.split('/').next().unwrap_or_default();
                let at_sign = authority.rfind('@');
                let at_sign = at_sign.or_else(|| without_parameters(rest).rfind('@'));
                let Some(at_sign) = at_sign else {
                    return write!(f, "{scheme}://{}", without_parameters(rest));
                };
                let user = rest[..at_sign]
                    .split([':', '?', '#'])
                    .next()
                    .unwrap_or_default();
                let host = without_parameters(&rest[at_sign + 1..]);
                write!(f, "{scheme}://{user}@{host}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_displayed_url_has_no_password() {
        let shown = |url: &str| url.parse::<DatabaseUrl>().unwrap().to_string();
        assert_eq!(
            shown("postgres://me:s3cret@db:5432/lectern?sslpassword=x"),
            "postgres://me@db:5432/lectern"
        );
        assert_eq!(
            shown("postgres://me:a@b@db/lectern"),
            "postgres://me@db/lectern"
        );
        assert_eq!(
            shown("postgres://me:a?b#c@db/lectern?options=x@y"),
            "postgres://me@db/lectern"
        );
        assert_eq!(
            shown("postgres://me:a/b@db/lectern"),
            "postgres://me@db/lectern"
        );
        assert_eq!(
            shown("postgresql://db/lectern?password=a@b"),
            "postgresql://db/lectern"
        );
    }

    #[test]
    fn other_forms_are_rejected() {
        for url in [
            "",
            "sqlite:",
            "sqlite://",
            "sqlite:lectern.db",
            "sqlite://dir/",
            "sqlite://:memory:",
            "mysql://localhost/x",
            "postgres:/localhost",
            "lectern.db",
            " postgres://x",
            "sqlite://a\0b",
        ] {
            let error = url.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains("sqlite://path"), "{url}: {error}");
        }
    }
}
