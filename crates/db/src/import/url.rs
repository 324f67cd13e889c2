//! The address of the source, as a SQLAlchemy application has it in its settings.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::connection::DatabaseUrl;
use crate::error::Error;

/// The address of the database that is imported: `postgres://…`, also with the name of a
/// driver (`postgresql+psycopg2://…`), or `sqlite:///path`.
///
/// The path of an SQLite file is read as SQLAlchemy does: `sqlite:///app.db` is relative and
/// `sqlite:////srv/app.db` absolute. If there is no such file, `sqlite:///srv/app.db` is
/// absolute, as in the other settings of Lectern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUrl(pub(super) DatabaseUrl);

/// Parameters of the driver asyncpg that libpq does not know.
const OF_ASYNCPG: &[&str] = &[
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
    "statement_cache_size",
    "async_fallback",
    "command_timeout",
];

impl SourceUrl {
    /// The file of an SQLite database.
    pub fn file(&self) -> Option<&Path> {
        self.0.file()
    }
}

impl FromStr for SourceUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Err(Error::Url(why.to_owned()));
        let Some((scheme, rest)) = url.split_once("://") else {
            return refuse("unknown scheme");
        };
        let dialect = scheme.split('+').next().unwrap_or_default();
        match dialect {
            "postgres" | "postgresql" => format!("postgresql://{}", with_parameters_of_libpq(rest))
                .parse()
                .map(Self),
            "sqlite" => {
                let path = rest.split('?').next().unwrap_or_default();
                let of_sqlalchemy = path.strip_prefix('/').map(PathBuf::from);
                let path = match of_sqlalchemy {
                    Some(relative) if relative.exists() || !Path::new(path).exists() => relative,
                    _ => PathBuf::from(path),
                };
                format!("sqlite://{}", path.display()).parse().map(Self)
            }
            _ => refuse("unknown scheme"),
        }
    }
}

impl fmt::Display for SourceUrl {
    /// Shows the address without its password and parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn with_parameters_of_libpq(rest: &str) -> String {
    // A password may have a question mark; the parameters come after the last `@`.
    let host = rest.rfind('@').map_or(0, |at| at + 1);
    let Some(question_mark) = rest[host..].find('?') else {
        return rest.to_owned();
    };
    let (address, parameters) = rest.split_at(host + question_mark);
    let parameters: Vec<_> = parameters[1..]
        .split('&')
        .filter(|parameter| {
            let name = parameter.split('=').next().unwrap_or_default();
            !name.is_empty() && !OF_ASYNCPG.contains(&name)
        })
        .map(|parameter| match parameter.strip_prefix("ssl=") {
            Some(mode) => format!("sslmode={mode}"),
            None => parameter.to_owned(),
        })
        .collect();
    match parameters[..] {
        [] => address.to_owned(),
        _ => format!("{address}?{}", parameters.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_of_sqlalchemy_are_accepted() {
        let location = |url: &str| match url.parse::<SourceUrl>().unwrap().0.location() {
            crate::connection::Location::Postgres(url) => url.clone(),
            crate::connection::Location::File(path) => path.display().to_string(),
            crate::connection::Location::Memory => String::new(),
        };
        for scheme in [
            "postgres",
            "postgresql",
            "postgresql+psycopg2",
            "postgresql+psycopg",
            "postgresql+asyncpg",
        ] {
            assert_eq!(
                location(&format!("{scheme}://me:a?b@db/app")),
                "postgresql://me:a?b@db/app"
            );
        }
        assert_eq!(
            location("postgresql+asyncpg://db/app?ssl=require&prepared_statement_cache_size=0"),
            "postgresql://db/app?sslmode=require"
        );
        assert_eq!(location("sqlite:///app.db"), "app.db");
        assert_eq!(
            location("sqlite+aiosqlite:////srv/app.db?timeout=3"),
            "/srv/app.db"
        );
        for url in ["mysql://db/app", "app.db", "sqlite://", "sqlite:///"] {
            assert!(url.parse::<SourceUrl>().is_err(), "{url}");
        }
    }
}
