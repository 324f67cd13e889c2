//! Keys of the interface: the table `api_keys`.
//!
//! The table has hashes of secrets; the text of a key cannot be derived from it.

use chrono::TimeDelta;
use diesel::prelude::*;
use lectern_domain::{
    ApiKey, ApiKeyId, ApiKeyName, AuditAction, AuditChange, NewApiKey, OwnerName, PersonName, Role,
    SecretHash, Session, Stages,
};

use crate::connection::{Conn, ReadWrite, on_either};
use crate::error::{Doing, Error};
use crate::schema::api_keys;
use crate::sql::row::{self, RowDecoder, columns};
use crate::sql::stored::Stored;
use crate::sql::stored_time::StoredTime;
use crate::sql::types::{DbTime, Id};

/// How much older `last_used_at` may be than the last use. A key that is used often then
/// causes one write a minute.
const TOUCH_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// A row of `api_keys`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
struct ApiKeyRow {
    key_id: Id<ApiKeyId>,
    secret_hash: Stored<SecretHash>,
    name: Option<Stored<ApiKeyName>>,
    role: Stored<Role>,
    owner: Option<Stored<OwnerName>>,
    stages: Option<Stored<Stages>>,
    expires_at: Option<StoredTime>,
    revoked_at: Option<StoredTime>,
    last_used_at: Option<StoredTime>,
    created_at: StoredTime,
    person: Option<Stored<PersonName>>,
    parent_key_id: Option<Id<ApiKeyId>>,
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = Error;

    fn try_from(row: ApiKeyRow) -> Result<Self, Error> {
        let decoder = RowDecoder::new("api_keys", row.key_id.0);
        let person = decoder.column("person", row.person)?;
        let parent = row.parent_key_id.map(|id| Session::OfKey(id.0));
        Ok(Self {
            key_id: row.key_id.0,
            data: NewApiKey {
                name: decoder.column("name", row.name)?,
                role: decoder.column("role", row.role)?,
                owner: decoder.column("owner", row.owner)?,
                stages: decoder.column("stages", row.stages)?,
                expires_at: decoder.column("expires_at", row.expires_at)?,
                session: person.map(Session::OfPerson).or(parent),
            },
            secret_hash: decoder.column("secret_hash", row.secret_hash)?,
            revoked_at: decoder.column("revoked_at", row.revoked_at)?,
            last_used_at: decoder.column("last_used_at", row.last_used_at)?,
            created_at: decoder.column("created_at", row.created_at)?,
        })
    }
}

/// The repository of the keys: `conn.api_keys()`.
#[derive(Debug)]
pub struct ApiKeys<'c, Mode>(pub(crate) Conn<'c, Mode>);

impl<Mode> ApiKeys<'_, Mode> {
    /// The key with this id, also if it has expired or was revoked.
    pub fn find(&mut self, key_id: ApiKeyId) -> Result<Option<ApiKey>, Error> {
        let found = api_keys::table
            .filter(api_keys::key_id.eq(Id(key_id)))
            .select(columns::<ApiKeyRow>())
            .get_result::<ApiKeyRow>(self.0.raw)
            .optional()
            .doing("find a key")?;
        row::one(found)
    }

    /// At most `limit` keys, also those that have expired or were revoked, the newest first:
    /// those that are older than the key `before`, if it is given.
    pub fn list(&mut self, before: Option<ApiKeyId>, limit: usize) -> Result<Vec<ApiKey>, Error> {
        // Ids sort by the time of creation.
        let mut query = api_keys::table
            .order(api_keys::key_id.desc())
            .select(columns::<ApiKeyRow>())
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(api_keys::key_id.lt(Id(before)));
        }
        let rows = query.load::<ApiKeyRow>(self.0.raw).doing("list keys")?;
        self.0.readable(rows)
    }

    /// Whether there is a key, other than a session, that is accepted now.
    pub fn any_active(&mut self) -> Result<bool, Error> {
        let now = self.0.time_ago(TimeDelta::zero());
        let active = api_keys::table
            .filter(api_keys::revoked_at.is_null())
            .filter(api_keys::person.is_null())
            .filter(api_keys::parent_key_id.is_null())
            .filter(
                api_keys::expires_at
                    .is_null()
                    .or(api_keys::expires_at.gt(now.nullable())),
            )
            .select(api_keys::key_id)
            .limit(1);
        on_either!(self.0.raw, conn => active.get_result::<Id<ApiKeyId>>(conn))
            .optional()
            .map(|found| found.is_some())
            .doing("look for a key")
    }
}

impl ApiKeys<'_, ReadWrite> {
    /// Stores a key with the hash of its secret.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] when a rule is broken, and when there is a key with this id.
    pub fn create(
        &mut self,
        key_id: ApiKeyId,
        new: &NewApiKey,
        secret_hash: &SecretHash,
    ) -> Result<ApiKey, Error> {
        new.check()?;
        let now = self.0.insert_time();
        let session = new.session.as_ref();
        let person = session.and_then(Session::person).cloned();
        let parent = session.and_then(Session::parent_key_id);
        let row = (
            api_keys::key_id.eq(Id(key_id)),
            api_keys::secret_hash.eq(Stored::from(secret_hash.clone())),
            api_keys::name.eq(new.name.clone().map(Stored::from)),
            api_keys::role.eq(new.role.as_str()),
            api_keys::owner.eq(new.owner.clone().map(Stored::from)),
            api_keys::stages.eq(new.stages.clone().map(Stored::from)),
            api_keys::expires_at.eq(new.expires_at.map(DbTime::bound)),
            api_keys::person.eq(person.map(Stored::from)),
            api_keys::parent_key_id.eq(parent.map(Id)),
            api_keys::created_at.eq(now),
        );
        let insert = diesel::insert_into(api_keys::table)
            .values(row)
            .returning(columns::<ApiKeyRow>());
        let key: ApiKey = on_either!(self.0.raw, conn => insert.get_result::<ApiKeyRow>(conn))
            .doing("create a key")?
            .try_into()?;
        let change = AuditChange::of_key(AuditAction::KeyCreate, None, &key);
        self.0.audit_entries().record(&change)?;
        Ok(key)
    }

    /// Stores a session of whoever has `parent`, with the hash of its secret. `None`: `parent` was
    /// revoked, or has another secret, since it was read.
    ///
    /// # Errors
    ///
    /// As [`ApiKeys::create`].
    pub fn begin_session(
        &mut self,
        key_id: ApiKeyId,
        new: &NewApiKey,
        secret_hash: &SecretHash,
        parent: &ApiKey,
    ) -> Result<Option<ApiKey>, Error> {
        let now = self.0.update_time();
        // Locks the parent: it is revoked before this, or its revocation finds the session.
        let use_parent = diesel::update(api_keys::table)
            .filter(api_keys::key_id.eq(Id(parent.key_id)))
            .filter(api_keys::revoked_at.is_null())
            .filter(api_keys::secret_hash.eq(Stored::from(parent.secret_hash.clone())))
            .set(api_keys::last_used_at.eq(now.nullable()));
        let used = on_either!(self.0.raw, conn => use_parent.execute(conn));
        if used.doing("sign in with a key")? == 0 {
            return Ok(None);
        }
        self.create(key_id, new, secret_hash).map(Some)
    }

    /// Revokes a key and the sessions of those who signed in with it, and returns it. A key
    /// that was revoked before keeps its time. `None`: there is no such key.
    pub fn revoke(&mut self, key_id: ApiKeyId) -> Result<Option<ApiKey>, Error> {
        let now = self.0.update_time();
        let revoke = diesel::update(api_keys::table)
            .filter(api_keys::key_id.eq(Id(key_id)))
            .filter(api_keys::revoked_at.is_null())
            .set(api_keys::revoked_at.eq(now.nullable()))
            .returning(columns::<ApiKeyRow>());
        let revoked = on_either!(self.0.raw, conn => revoke.get_result::<ApiKeyRow>(conn))
            .optional()
            .doing("revoke a key")?;
        let Some(key): Option<ApiKey> = row::one(revoked)? else {
            return self.find(key_id);
        };
        self.end_sessions_of(key_id)?;
        let before = ApiKey {
            revoked_at: None,
            ..key.clone()
        };
        let change = AuditChange::of_key(AuditAction::KeyRevoke, Some(&before), &key);
        self.0.audit_entries().record(&change)?;
        Ok(Some(key))
    }

    /// Ends the sessions of those who signed in with a key.
    fn end_sessions_of(&mut self, key_id: ApiKeyId) -> Result<(), Error> {
        let now = self.0.update_time();
        let revoke = diesel::update(api_keys::table)
            .filter(api_keys::parent_key_id.eq(Id(key_id)))
            .filter(api_keys::revoked_at.is_null())
            .set(api_keys::revoked_at.eq(now.nullable()));
        on_either!(self.0.raw, conn => revoke.execute(conn))
            .doing("end the sessions of a key")
            .map(drop)
    }

    /// Deletes the sessions that expired more than `retention` ago, by the database's clock.
    /// Returns their number.
    pub fn prune_sessions(&mut self, retention: TimeDelta) -> Result<usize, Error> {
        let before = self.0.retention_start(retention)?;
        let delete = diesel::delete(api_keys::table)
            .filter(
                api_keys::person
                    .is_not_null()
                    .or(api_keys::parent_key_id.is_not_null()),
            )
            .filter(api_keys::expires_at.lt(before.nullable()));
        on_either!(self.0.raw, conn => delete.execute(conn)).doing("delete old sessions")
    }

    /// Replaces the secret of a key that was not revoked, ends the sessions of those who
    /// signed in with it, and returns the key. `None`: there is no such key, or it was revoked.
    pub fn rotate(
        &mut self,
        key_id: ApiKeyId,
        secret_hash: &SecretHash,
    ) -> Result<Option<ApiKey>, Error> {
        let rotated = diesel::update(api_keys::table)
            .filter(api_keys::key_id.eq(Id(key_id)))
            .filter(api_keys::revoked_at.is_null())
            .set(api_keys::secret_hash.eq(Stored::from(secret_hash.clone())))
            .returning(columns::<ApiKeyRow>())
            .get_result::<ApiKeyRow>(self.0.raw)
            .optional()
            .doing("replace the secret of a key")?;
        let rotated: Option<ApiKey> = row::one(rotated)?;
        if let Some(key) = &rotated {
            self.end_sessions_of(key_id)?;
            let change = AuditChange::of_key(AuditAction::KeyRotate, Some(key), key);
            self.0.audit_entries().record(&change)?;
        }
        Ok(rotated)
    }

    /// Records that the key is used, unless that was recorded within the last minute.
    pub fn touch(&mut self, key_id: ApiKeyId) -> Result<(), Error> {
        let (now, minute_ago) = (self.0.update_time(), self.0.time_ago(TOUCH_INTERVAL));
        let touch = diesel::update(api_keys::table)
            .filter(api_keys::key_id.eq(Id(key_id)))
            .filter(
                api_keys::last_used_at
                    .is_null()
                    .or(api_keys::last_used_at.le(minute_ago.nullable())),
            )
            .set(api_keys::last_used_at.eq(now.nullable()));
        on_either!(self.0.raw, conn => touch.execute(conn))
            .doing("record the use of a key")
            .map(drop)
    }
}
