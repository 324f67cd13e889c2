//! Who changed what: the table `audit_entries`. A trigger refuses to change its rows.
//!
//! An entry is written by the transaction of the change, with the [`Actor`] of
//! [`Database::acting_as`](crate::Database::acting_as). Without an actor nothing is recorded.

use std::ops::ControlFlow;

use chrono::TimeDelta;
use diesel::prelude::*;
use lectern_domain::{
    Actor, ApiKeyId, AuditAction, AuditChange, AuditEntry, AuditEntryId, AuditFilter,
    ClientAddress, CommandLineUser, Cursor, JobId, JsonObject, OwnerName, Page, PageRequest,
    PersonName,
};

use crate::connection::{Conn, ReadWrite, each_row, on_either};
use crate::error::{Doing, Error};
use crate::schema::audit_entries;
use crate::sql::page::{self, BoundedPage};
use crate::sql::row::{RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbTime, Id};

/// A row of `audit_entries`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
struct AuditRow {
    entry_id: Id<AuditEntryId>,
    at: StoredTime,
    action: Stored<AuditAction>,
    job_id: Option<Id<JobId>>,
    changed_key_id: Option<Id<ApiKeyId>>,
    owner: Option<Stored<OwnerName>>,
    key_id: Option<Id<ApiKeyId>>,
    address: Option<Stored<ClientAddress>>,
    command_line_user: Option<Stored<CommandLineUser>>,
    old_values: Stored<JsonObject>,
    new_values: Stored<JsonObject>,
    person: Option<Stored<PersonName>>,
}

impl AuditRow {
    fn cursor(&self) -> Option<Cursor> {
        self.at.descending_cursor(self.entry_id.0)
    }

    /// Approximate number of bytes of the values.
    fn memory(&self) -> usize {
        let memory = |values: &Stored<JsonObject>| values.readable().map_or(0, JsonObject::memory);
        memory(&self.old_values) + memory(&self.new_values)
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = Error;

    fn try_from(row: AuditRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("audit_entries", row.entry_id.0);
        Ok(Self {
            entry_id: row.entry_id.0,
            at: decoder.column("at", row.at)?,
            actor: Actor {
                owner: decoder.column("owner", row.owner)?,
                key_id: row.key_id.map(|id| id.0),
                address: decoder.column("address", row.address)?,
                command_line_user: decoder.column("command_line_user", row.command_line_user)?,
                person: decoder.column("person", row.person)?,
            },
            change: AuditChange {
                action: decoder.column("action", row.action)?,
                job_id: row.job_id.map(|id| id.0),
                changed_key_id: row.changed_key_id.map(|id| id.0),
                old_values: decoder.column("old_values", row.old_values)?,
                new_values: decoder.column("new_values", row.new_values)?,
            },
        })
    }
}

/// The repository of the audit: `conn.audit_entries()`.
#[derive(Debug)]
pub struct AuditEntries<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> AuditEntries<'_, Mode> {
    /// A page of the entries that match `filter`, newest first; in a database of an owner, of
    /// what the owner's keys have done. It ends before its limit when its values have a
    /// megabyte.
    pub fn list(
        &mut self,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, Error> {
        let context = self.0.context;
        let mut entries = BoundedPage::new(page.limit);
        each_row!(
            self.0.raw,
            {
                let mut query = audit_entries::table
                    .order((audit_entries::at.desc(), audit_entries::entry_id.desc()))
                    .select(columns::<AuditRow>())
                    .limit(page::query_limit(page.limit))
                    .into_boxed::<Db>();
                // Others' keys and addresses are no owner's business.
                if let Some(owner) = context.owner {
                    query = query.filter(audit_entries::owner.eq(owner.as_str()));
                }
                if let Some(job_id) = filter.job_id {
                    query = query.filter(audit_entries::job_id.eq(Id(job_id)));
                }
                if let Some(key_id) = filter.key_id {
                    query = query.filter(
                        audit_entries::key_id
                            .eq(Id(key_id))
                            .or(audit_entries::changed_key_id.eq(Id(key_id))),
                    );
                }
                if let Some(action) = filter.action {
                    query = query.filter(audit_entries::action.eq(action.as_str()));
                }
                if let Some(Cursor { time, id }) = page.after {
                    let (time, id) = (DbTime::bound(time), Id(id));
                    query = query.filter(audit_entries::at.le(time)).filter(
                        audit_entries::at
                            .lt(time)
                            .or(audit_entries::entry_id.lt(id)),
                    );
                }
                query
            } => AuditRow,
            "list audit entries",
            |row: AuditRow| {
                // The cursor is that of the last row, even if that row is unreadable.
                if entries.admit(row.cursor(), row.memory()).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                entries.push(context.readable(row)?);
                Ok::<_, Error>(ControlFlow::Continue(()))
            }
        );
        Ok(entries.finish())
    }
}

impl AuditEntries<'_, ReadWrite> {
    /// Whether changes of this transaction are recorded.
    pub(crate) fn is_recording(&self) -> bool {
        self.0.context.actor.is_some()
    }

    /// Records a change, if the transaction has an actor.
    pub(crate) fn record(&mut self, change: &AuditChange) -> Result<(), Error> {
        let Some(actor) = self.0.context.actor else {
            return Ok(());
        };
        let row = (
            audit_entries::entry_id.eq(Id(AuditEntryId::new(self.0.clock))),
            audit_entries::at.eq(self.0.insert_time()),
            audit_entries::action.eq(change.action.as_str()),
            audit_entries::job_id.eq(change.job_id.map(Id)),
            audit_entries::changed_key_id.eq(change.changed_key_id.map(Id)),
            audit_entries::owner.eq(actor.owner.clone().map(Stored::from)),
            audit_entries::key_id.eq(actor.key_id.map(Id)),
            audit_entries::address.eq(actor.address.clone().map(Stored::from)),
            audit_entries::command_line_user.eq(actor.command_line_user.clone().map(Stored::from)),
            audit_entries::person.eq(actor.person.clone().map(Stored::from)),
            audit_entries::old_values.eq(Stored::from(change.old_values.clone())),
            audit_entries::new_values.eq(Stored::from(change.new_values.clone())),
        );
        let insert = diesel::insert_into(audit_entries::table).values(row);
        on_either!(self.0.raw, conn => insert.execute(conn))
            .doing("record a change in the audit")
            .map(drop)
    }

    /// Deletes the entries that are older than `retention`, by the database's clock. Returns
    /// their number.
    pub fn prune(&mut self, retention: TimeDelta) -> Result<usize, Error> {
        let before = self.0.retention_start(retention)?;
        let delete = diesel::delete(audit_entries::table).filter(audit_entries::at.lt(before));
        on_either!(self.0.raw, conn => delete.execute(conn)).doing("delete old audit entries")
    }
}
