//! Requests that are to be done once, however often they are sent.

use chrono::TimeDelta;
use diesel::prelude::*;
use lectern_domain::{Fingerprint, IdempotencyKey, JobId};
use serde_json::Value;

use crate::connection::{Tx, on_either};
use crate::dialect;
use crate::error::{Doing, Error};
use crate::schema::idempotency_keys;
use crate::sql::types::{DbJson, Id};

/// How long a key is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// The repository of the idempotency keys: `tx.idempotency_keys()`.
#[derive(Debug)]
pub struct IdempotencyKeys<'c>(pub(crate) Tx<'c>);

impl IdempotencyKeys<'_> {
    /// Takes a key for a request. `None`: it is the caller's, who does what was
    /// asked and says [`IdempotencyKeys::answer`] in the same transaction.
    /// `Some`: it was done before, and this was the answer.
    ///
    /// While another transaction has the key, this waits for its end.
    ///
    /// # Errors
    ///
    /// [`Error::IdempotencyMismatch`] when the key was used for another request
    /// within the last 24 hours.
    pub fn take(
        &mut self,
        key: &IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Option<Value>, Error> {
        let expired = idempotency_keys::table
            .filter(idempotency_keys::key.eq(key.as_str()))
            .filter(idempotency_keys::created_at.le(self.0.time_ago(KEPT)));
        on_either!(self.0.raw, conn => diesel::delete(expired).execute(conn))
            .doing("forget an old idempotency key")?;
        let now = self.0.insert_time();
        loop {
            if dialect::take_key(self.0.raw, key, fingerprint, now)? {
                return Ok(None);
            }
            let used = idempotency_keys::table
                .filter(idempotency_keys::key.eq(key.as_str()))
                .select((idempotency_keys::fingerprint, idempotency_keys::answer))
                .get_result::<(String, Option<DbJson>)>(self.0.raw)
                .optional()
                .doing("read an idempotency key")?;
            match used {
                // Its job was deleted this very moment, and it is free again.
                None => {}
                Some((used_for, answer)) if used_for == fingerprint.to_string() => {
                    return Ok(Some(answer.map_or(Value::Null, |json| json.0)));
                }
                Some(_) => return Err(Error::IdempotencyMismatch),
            }
        }
    }

    /// Keeps the answer to the request a key was taken for, until its job is
    /// deleted or 24 hours have gone by.
    pub fn answer(
        &mut self,
        key: &IdempotencyKey,
        job_id: JobId,
        answer: &Value,
    ) -> Result<(), Error> {
        diesel::update(idempotency_keys::table.filter(idempotency_keys::key.eq(key.as_str())))
            .set((
                idempotency_keys::job_id.eq(Some(Id(job_id))),
                idempotency_keys::answer.eq(Some(DbJson(answer.clone()))),
            ))
            .execute(self.0.raw)
            .doing("keep the answer to an idempotency key")
            .map(drop)
    }

    /// Forgets keys older than 24 hours; tells how many.
    pub fn prune(&mut self) -> Result<usize, Error> {
        let before = self.0.time_ago(KEPT);
        let old = idempotency_keys::table.filter(idempotency_keys::created_at.le(before));
        on_either!(self.0.raw, conn => diesel::delete(old).execute(conn))
            .doing("forget old idempotency keys")
    }
}
