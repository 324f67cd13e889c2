//! Which rows are old enough to be deleted.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use crate::connection::{Conn, DbConnection};
use crate::error::{Doing, Error};
use crate::schema::{idempotency_keys, jobs};
use crate::sql::current_time::CurrentTime;
use crate::sql::stored::Check;
use crate::sql::stored_time::StoredTime;

impl<Mode> Conn<'_, Mode> {
    /// The time before which a row is older than `lifetime`, and may be deleted.
    pub(super) fn retention_start(&mut self, lifetime: TimeDelta) -> Result<CurrentTime, Error> {
        let start = self.time_ago(lifetime);
        if self.context.has_custom_clock || matches!(self.raw, DbConnection::Postgres(_)) {
            return Ok(start);
        }
        let retention_clock = self.context.retention_clock;
        // The machine's clock may be days ahead. The retention clock is not: it starts at
        // the latest stored time and runs on.
        let now = retention_clock.clamp_now(self.clock.now(), || latest_time(self.raw))?;
        Ok(start.relative_to(now))
    }
}

/// The latest time at which a job or an idempotency key was created. If another program
/// has stored a value that is not a time, it counts as missing.
fn latest_time(conn: &mut DbConnection) -> Result<Option<DateTime<Utc>>, Error> {
    let job = jobs::table
        .order(jobs::created_at.desc())
        .select(jobs::created_at)
        .first::<StoredTime>(conn)
        .optional();
    let key = idempotency_keys::table
        .order(idempotency_keys::created_at.desc())
        .select(idempotency_keys::created_at)
        .first::<StoredTime>(conn)
        .optional();
    let time = |stored: QueryResult<Option<StoredTime>>| {
        let stored = stored.doing("find the latest stored time")?;
        Ok::<_, Error>(stored.and_then(|time| time.check().ok()))
    };
    Ok(time(job)?.max(time(key)?))
}
