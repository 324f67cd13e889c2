//! Determines the kind of an error that the database has reported.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

use super::{ConstraintKind, Outage};

/// Why the database is not available; `None` for an error of another kind.
pub(crate) fn outage(error: &DieselError) -> Option<Outage> {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | DieselError::BrokenTransactionManager => Some(Outage::Connection),
        DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => {
            Some(Outage::ReadOnly)
        }
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, info) => {
            outage_of_message(info.message())
        }
        _ => None,
    }
}

/// Recognizes an outage by the message, because diesel passes on neither PostgreSQL's
/// SQLSTATE nor SQLite's result code. PostgreSQL's messages are in English for a
/// superuser, and for other roles if the server's `lc_messages` is English.
fn outage_of_message(message: &str) -> Option<Outage> {
    const MESSAGES: [(&str, Outage); 16] = [
        // PostgreSQL
        ("terminating connection", Outage::Connection),
        ("the database system is", Outage::Connection),
        ("due to lock timeout", Outage::Locked),
        ("could not obtain lock", Outage::Locked),
        ("canceling statement due to", Outage::Cancelled),
        ("No space left on device", Outage::Disk),
        ("Input/output error", Outage::Disk),
        ("out of shared memory", Outage::Resources),
        ("too many clients", Outage::Resources),
        ("remaining connection slots", Outage::Resources),
        // Both
        ("out of memory", Outage::Resources),
        // SQLite
        ("database is locked", Outage::Locked),
        ("database table is locked", Outage::Locked),
        ("database or disk is full", Outage::Disk),
        ("disk I/O error", Outage::Disk),
        ("attempt to write a readonly database", Outage::ReadOnly),
    ];
    let known = MESSAGES.iter().find(|(part, _)| message.contains(part));
    known.map(|(_, outage)| *outage)
}

/// Whether PostgreSQL cancelled the transaction because of another transaction.
pub(super) fn is_conflict(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        // diesel drops the SQLSTATE; most of PostgreSQL's translations of the
        // message contain this word.
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, info) => {
            info.message().to_lowercase().contains("deadlock")
        }
        _ => false,
    }
}

/// The constraint that was violated; `None` for an error of another kind.
pub(super) fn constraint(
    kind: DatabaseErrorKind,
    info: &(dyn DatabaseErrorInformation + Send + Sync),
) -> Option<(ConstraintKind, Option<String>)> {
    let column = || {
        let (table, column) = (info.table_name()?, info.column_name()?);
        Some(format!("{table}.{column}"))
    };
    // SQLite reports a constraint of a trigger or of the rowid by its message alone.
    let from_message = sqlite_constraint(info.message());
    let kind = match kind {
        DatabaseErrorKind::CheckViolation => ConstraintKind::Check,
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
            ConstraintKind::ForeignKey
        }
        DatabaseErrorKind::NotNullViolation => ConstraintKind::NotNull,
        DatabaseErrorKind::UniqueViolation => ConstraintKind::Unique,
        _ => from_message.as_ref()?.0,
    };
    let name = info.constraint_name().map(str::to_owned);
    Some((kind, name.or_else(column).or_else(|| from_message?.1)))
}

/// Parses `CHECK constraint failed: clips_time_order`,
/// `UNIQUE constraint failed: clips.job_id, clips.clip_order` and
/// `UNIQUE constraint failed: index 'name'`.
fn sqlite_constraint(message: &str) -> Option<(ConstraintKind, Option<String>)> {
    let (kind, rest) = message.split_once(" constraint failed")?;
    let kind = match kind {
        "CHECK" => ConstraintKind::Check,
        "FOREIGN KEY" => ConstraintKind::ForeignKey,
        "NOT NULL" => ConstraintKind::NotNull,
        "UNIQUE" => ConstraintKind::Unique,
        _ => return None,
    };
    let name = rest.strip_prefix(": ").map(|name| {
        let index = name
            .strip_prefix("index '")
            .and_then(|name| name.strip_suffix('\''));
        index.unwrap_or(name).to_owned()
    });
    Some((kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_is_parsed_from_the_message_of_sqlite() {
        let parsed = |message| {
            sqlite_constraint(message).map(|(kind, name)| (kind, name.unwrap_or_default()))
        };
        for (message, kind, name) in [
            (
                "CHECK constraint failed: jobs_status",
                ConstraintKind::Check,
                "jobs_status",
            ),
            (
                "NOT NULL constraint failed: jobs.filename",
                ConstraintKind::NotNull,
                "jobs.filename",
            ),
            (
                "UNIQUE constraint failed: a.b, a.c",
                ConstraintKind::Unique,
                "a.b, a.c",
            ),
            (
                "UNIQUE constraint failed: index 'lower_name'",
                ConstraintKind::Unique,
                "lower_name",
            ),
            (
                "FOREIGN KEY constraint failed",
                ConstraintKind::ForeignKey,
                "",
            ),
        ] {
            assert_eq!(parsed(message), Some((kind, name.to_owned())), "{message}");
        }
        assert_eq!(parsed("no such table: jobs"), None);
    }
}
