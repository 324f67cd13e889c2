//! Row-level security of PostgreSQL: transactions of a handle that is limited to an owner
//! take a role for which policies hide the rows of all other owners.
//!
//! A second fence behind the conditions of the queries (`sql/owned.rs`). Role and owner are
//! set for one transaction, by the statements that begin it, so its end resets both, and the
//! next user of the connection inherits neither, also behind a pooler such as `PgBouncer`.

use std::fmt;
use std::str::FromStr;

use lectern_domain::{Invalid, OwnerName};

/// The name of a role of PostgreSQL, 1 to 63 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleName(String);

/// PostgreSQL cuts longer names.
const MAX_BYTES: usize = 63;

impl RoleName {
    /// # Errors
    ///
    /// When the name is empty, too long, has control characters, or is a keyword of
    /// `SET ROLE`.
    pub fn new(name: &str) -> Result<Self, Invalid> {
        if name.is_empty() || name.len() > MAX_BYTES || name.chars().any(char::is_control) {
            return Err(Invalid::new(
                "must be the name of a role, 1 to 63 bytes without control characters",
            ));
        }
        // PostgreSQL reserves them, and `SET ROLE none` would leave the role.
        if name == "none" || name == "public" || name.starts_with("pg_") {
            return Err(Invalid::new("must not be a name that PostgreSQL reserves"));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as an identifier in SQL.
    pub(crate) fn identifier(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl FromStr for RoleName {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        Self::new(name)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The role and the owner of one transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence<'f> {
    pub(crate) role: &'f RoleName,
    pub(crate) owner: &'f OwnerName,
}

impl Fence<'_> {
    /// Statements that begin a transaction behind the fence. They are sent together, so they
    /// need no more round trips than `begin` alone.
    pub(crate) fn begin_with(&self, begin: &str) -> String {
        let (role, owner) = (self.role.identifier(), literal(self.owner));
        format!("{begin}; SET LOCAL lectern.owner = {owner}; SET LOCAL ROLE {role}")
    }
}

/// A text in SQL, whatever `standard_conforming_strings` is.
pub(crate) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_owners_cannot_end_their_quotes() {
        let role = RoleName::new("a\"b").unwrap();
        let owner = OwnerName::new(r"it's\").unwrap();
        let fence = Fence {
            role: &role,
            owner: &owner,
        };
        assert_eq!(
            fence.begin_with("BEGIN"),
            r#"BEGIN; SET LOCAL lectern.owner = E'it''s\\'; SET LOCAL ROLE "a""b""#
        );
    }

    #[test]
    fn reserved_and_overlong_names_are_refused() {
        let long = "a".repeat(64);
        for bad in ["", "none", "public", "pg_monitor", "a\nb", &long] {
            assert!(RoleName::new(bad).is_err(), "{bad:?}");
        }
        assert!(RoleName::new(&long[1..]).is_ok());
    }
}
