//! Idempotency keys, by which a repeated request is executed once: the table
//! `idempotency_keys`.

use chrono::TimeDelta;
use diesel::prelude::*;
use lectern_domain::{Fingerprint, IdempotencyKey, JobId};
use serde_json::Value;

use crate::connection::{Tx, on_either};
use crate::dialect;
use crate::error::{Doing, Error};
use crate::schema::idempotency_keys;
use crate::sql::types::{DbJson, Id};

/// How long a key is stored.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Attempts to take a key that exists and cannot be read.
const ATTEMPTS: usize = 3;

/// The repository of the idempotency keys: `tx.idempotency_keys()`.
#[derive(Debug)]
pub struct IdempotencyKeys<'c>(pub(crate) Tx<'c>);

impl IdempotencyKeys<'_> {
    /// Takes a key for a request. `None`: the key is new. Execute the request and
    /// store its response with [`IdempotencyKeys::store_response`] in the same
    /// transaction. `Some`: the request was executed before, with this response.
    ///
    /// Waits for the end of another transaction that has taken the key.
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
        let before = self.0.retention_start(LIFETIME)?;
        let expired = idempotency_keys::table
            .filter(idempotency_keys::key.eq(key.as_str()))
            .filter(idempotency_keys::created_at.le(before));
        on_either!(self.0.raw, conn => diesel::delete(expired).execute(conn))
            .doing("delete an expired idempotency key")?;
        let now = self.0.insert_time();
        for _ in 0..ATTEMPTS {
            if dialect::take_key(self.0.raw, key, fingerprint, now)? {
                return Ok(None);
            }
            let stored = idempotency_keys::table
                .filter(idempotency_keys::key.eq(key.as_str()))
                .select((idempotency_keys::fingerprint, idempotency_keys::answer))
                .get_result::<(String, Option<DbJson>)>(self.0.raw)
                .optional()
                .doing("read an idempotency key")?;
            match stored {
                // Deleted meanwhile, together with its job: try again. With row-level security,
                // also hidden, after its job was given to another owner.
                None => {}
                Some((stored_fingerprint, response))
                    if stored_fingerprint == fingerprint.to_string() =>
                {
                    return Ok(Some(response.map_or(Value::Null, |json| json.0)));
                }
                Some(_) => return Err(Error::IdempotencyMismatch),
            }
        }
        Err(Error::IdempotencyMismatch)
    }

    /// Stores the response to the request that took the key. It is kept for 24
    /// hours, or until the job, if there is one, is deleted.
    pub fn store_response(
        &mut self,
        key: &IdempotencyKey,
        job_id: Option<JobId>,
        response: &Value,
    ) -> Result<(), Error> {
        diesel::update(idempotency_keys::table.filter(idempotency_keys::key.eq(key.as_str())))
            .set((
                idempotency_keys::job_id.eq(job_id.map(Id)),
                idempotency_keys::answer.eq(Some(DbJson(response.clone()))),
            ))
            .execute(self.0.raw)
            .doing("store the response of an idempotency key")
            .map(drop)
    }

    /// Releases a key that this transaction has taken, because its request was not
    /// executed.
    pub fn release(&mut self, key: &IdempotencyKey) -> Result<(), Error> {
        diesel::delete(idempotency_keys::table.filter(idempotency_keys::key.eq(key.as_str())))
            .execute(self.0.raw)
            .doing("release an idempotency key")
            .map(drop)
    }

    /// Deletes keys older than 24 hours; returns how many.
    pub fn prune(&mut self) -> Result<usize, Error> {
        let before = self.0.retention_start(LIFETIME)?;
        let old = idempotency_keys::table.filter(idempotency_keys::created_at.le(before));
        on_either!(self.0.raw, conn => diesel::delete(old).execute(conn))
            .doing("delete expired idempotency keys")
    }
}
