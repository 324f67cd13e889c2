//! Opens connections, with the settings of each.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::config::{ConnectionSettings, Durability, Timeouts};

/// The unit of PostgreSQL's and SQLite's settings; `Duration::ZERO` is 0.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn open_sqlite(
    name: &str,
    settings: ConnectionSettings,
) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(name)?;
    let busy_timeout = match milliseconds(settings.timeouts.lock) {
        // Zero means unlimited here, but for SQLite it means not to wait at all.
        0 => i32::MAX.unsigned_abs().into(),
        limit => limit,
    };
    let synchronous = match settings.durability {
        Durability::Full => "FULL",
        Durability::Relaxed => "NORMAL",
    };
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = {busy_timeout};
         PRAGMA foreign_keys = ON;
         PRAGMA synchronous = {synchronous};"
    ))
    .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// diesel passes on an error's message and not its SQLSTATE, so `crate::error`
/// recognizes some errors by their messages. Only a superuser may set the language
/// of messages.
const ENGLISH_MESSAGES: &str = "SELECT CASE current_setting('is_superuser')
    WHEN 'on' THEN set_config('lc_messages', 'C', false) END";

pub(super) fn open_postgres(url: &str, timeouts: Timeouts) -> ConnectionResult<PgConnection> {
    let mut conn = PgConnection::establish(&with_parameters(url, timeouts))?;
    // Set by statements, not in the URL, because connection poolers such as
    // PgBouncer refuse or ignore the parameter `options`.
    let mut settings = String::new();
    for (name, value) in [
        ("statement_timeout", timeouts.statement),
        ("lock_timeout", timeouts.lock),
        (
            "idle_in_transaction_session_timeout",
            timeouts.idle_in_transaction,
        ),
        // For the server's end of the connection: by default, PostgreSQL keeps the
        // locks of an unreachable client for hours.
        ("tcp_user_timeout", timeouts.unacknowledged),
    ] {
        if !url.contains(name) {
            settings.extend(["SET ", name, " = ", &milliseconds(value).to_string(), "; "]);
        }
    }
    let silent = keepalive_seconds(timeouts).to_string();
    for (name, value) in [
        ("tcp_keepalives_idle", silent.as_str()),
        ("tcp_keepalives_interval", "1"),
        ("tcp_keepalives_count", &silent),
    ] {
        settings.extend(["SET ", name, " = ", value, "; "]);
    }
    settings += ENGLISH_MESSAGES;
    conn.batch_execute(&settings)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// The seconds without traffic before the first keepalive probe, and the number of
/// unanswered probes, one per second, after which the connection is closed.
fn keepalive_seconds(timeouts: Timeouts) -> u64 {
    timeouts.unacknowledged.as_secs().max(1)
}

/// Adds the parameters for timeouts, keepalives and the application name that the URL
/// lacks.
fn with_parameters(url: &str, timeouts: Timeouts) -> String {
    // libpq rounds one second up to two.
    let connect = timeouts.connect.as_secs().max(2);
    let silent = keepalive_seconds(timeouts).to_string();
    let parameters: Vec<_> = [
        ("connect_timeout", connect.to_string()),
        (
            "tcp_user_timeout",
            milliseconds(timeouts.unacknowledged).to_string(),
        ),
        ("keepalives_idle", silent.clone()),
        ("keepalives_interval", "1".to_owned()),
        ("keepalives_count", silent),
        ("fallback_application_name", "lectern".to_owned()),
    ]
    .into_iter()
    .filter(|(name, _)| !url.contains(name))
    .map(|(name, value)| format!("{name}={value}"))
    .collect();
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{}", parameters.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_a_url_that_lacks_them() {
        let timeouts = Timeouts {
            connect: Duration::from_secs(3),
            unacknowledged: Duration::from_secs(4),
            ..Timeouts::default()
        };
        assert_eq!(
            with_parameters("postgres://me@db/lectern", timeouts),
            "postgres://me@db/lectern?connect_timeout=3&tcp_user_timeout=4000&keepalives_idle=4\
             &keepalives_interval=1&keepalives_count=4\
             &fallback_application_name=lectern"
        );
        assert_eq!(
            with_parameters(
                "postgres://db/lectern?connect_timeout=9&keepalives_idle=60",
                timeouts
            ),
            "postgres://db/lectern?connect_timeout=9&keepalives_idle=60&tcp_user_timeout=4000\
             &keepalives_interval=1&keepalives_count=4\
             &fallback_application_name=lectern"
        );
    }
}
