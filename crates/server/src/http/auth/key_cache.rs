//! Stored keys in memory, for a few seconds.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::LocalBoxFuture;
use lectern_api::Code;
use lectern_domain::{ApiKey, ApiKeyId, ApiKeyState};
use parking_lot::RwLock;
use tokio::sync::Semaphore;

use super::caller::Caller;
use super::credential::Credential;
use crate::http::error::ApiError;

/// A key that was read this long ago is read again by one of the requests that use it.
const REFRESH_AGE: Duration = Duration::from_secs(2);

/// A key that was read this long ago is not used. With the time of the query, a revoked key
/// is refused within five seconds.
const MAX_AGE: Duration = Duration::from_secs(4);

/// Upper bound of the keys in memory, each of about half a kilobyte. More are not kept.
const MAX_KEYS: usize = 10_000;

/// Upper bound of the queries for keys that are not in memory, at a time.
const MAX_LOOKUPS: usize = 2;

/// Upper bound of the requests that wait for these queries.
const MAX_WAITING: usize = 1_000;

/// How old the recorded last use may be before it is recorded again.
const TOUCH_AGE: TimeDelta = TimeDelta::minutes(1);

/// Where keys are stored.
pub(crate) trait KeyStore: Send + Sync {
    /// The stored key with this id, also if it is not accepted any more.
    fn find(&self, key_id: ApiKeyId) -> LocalBoxFuture<'static, Result<Option<ApiKey>, ApiError>>;

    /// Begins to record that a key is used, and does not wait for it.
    fn touch(&self, key_id: ApiKeyId);

    /// The current time.
    fn now(&self) -> DateTime<Utc>;
}

/// Why a key is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no key with this id that confirms the credential.
    Unknown,
    /// The key has expired.
    Expired,
    /// The key was revoked.
    Revoked,
}

/// A key as it was read.
#[derive(Debug)]
struct Entry {
    caller: Caller,
    secret_hash: [u8; 32],
    /// Before the query.
    read_at: Instant,
    is_refreshing: AtomicBool,
    /// Whether its use has to be recorded.
    is_touch_due: AtomicBool,
}

impl Entry {
    fn confirms(&self, credential: &Credential) -> bool {
        credential.is_of(&self.secret_hash)
    }

    fn is_fresh_at(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.read_at) < REFRESH_AGE
    }
}

/// The keys in memory, and the way to the others.
pub(super) struct KeyCache {
    store: Box<dyn KeyStore>,
    entries: RwLock<HashMap<ApiKeyId, Arc<Entry>>>,
    lookups: Semaphore,
    waiting: AtomicUsize,
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").finish_non_exhaustive()
    }
}

impl KeyCache {
    pub(super) fn new(store: Box<dyn KeyStore>) -> Self {
        Self {
            store,
            entries: RwLock::default(),
            lookups: Semaphore::new(MAX_LOOKUPS),
            waiting: AtomicUsize::new(0),
        }
    }

    /// The caller whose stored key confirms the credential, if it is accepted now.
    ///
    /// `arrived` is when the request was received, or later.
    ///
    /// # Errors
    ///
    /// When the database does not respond.
    pub(super) async fn verify(
        &self,
        credential: &Credential,
        arrived: Instant,
    ) -> Result<Result<Caller, Refusal>, ApiError> {
        let key_id = credential.key_id();
        let cached = self.cached(key_id);
        let is_confirmed = cached
            .as_ref()
            .is_some_and(|entry| entry.confirms(credential));
        let entry = match cached {
            Some(entry) if is_confirmed && entry.is_fresh_at(arrived) => entry,
            cached => {
                // Few requests come here. In a box, it does not make the future of each larger.
                let read = Box::pin(async {
                    match cached {
                        Some(entry) if is_confirmed => self.refreshed(entry, arrived).await,
                        // The secret may have been replaced since the key was read.
                        Some(_) => self.look_up(key_id, |read_at| read_at >= arrived).await,
                        None => self.look_up(key_id, is_fresh).await,
                    }
                });
                match read.await?.filter(|entry| entry.confirms(credential)) {
                    Some(entry) => entry,
                    None => return Ok(Err(Refusal::Unknown)),
                }
            }
        };
        Ok(match self.state(entry.caller.key()) {
            ApiKeyState::Active => {
                self.touch(&entry);
                Ok(entry.caller.clone())
            }
            ApiKeyState::Expired => Err(Refusal::Expired),
            ApiKeyState::Revoked => Err(Refusal::Revoked),
        })
    }

    /// Whether the key is accepted now. Reads the clock only for a key that expires.
    fn state(&self, key: &ApiKey) -> ApiKeyState {
        match key.data.expires_at {
            None if key.revoked_at.is_none() => ApiKeyState::Active,
            _ => key.state(self.store.now()),
        }
    }

    /// Records the use of a key if that is due.
    fn touch(&self, entry: &Entry) {
        let is_due = &entry.is_touch_due;
        if is_due.load(Ordering::Relaxed) && is_due.swap(false, Ordering::AcqRel) {
            self.store.touch(entry.caller.key().key_id);
        }
    }

    fn cached(&self, key_id: ApiKeyId) -> Option<Arc<Entry>> {
        self.entries.read().get(&key_id).cloned()
    }

    /// A newer entry; or this one, if another request reads it or the database does not respond.
    async fn refreshed(
        &self,
        entry: Arc<Entry>,
        now: Instant,
    ) -> Result<Option<Arc<Entry>>, ApiError> {
        if entry.is_refreshing.swap(true, Ordering::AcqRel) {
            return if now.saturating_duration_since(entry.read_at) < MAX_AGE {
                Ok(Some(entry))
            } else {
                self.look_up(entry.caller.key().key_id, is_fresh).await
            };
        }
        // The request may be dropped while it waits for the database.
        let _refreshing = ResetOnDrop(&entry.is_refreshing);
        match self.read(entry.caller.key().key_id).await {
            Err(_) if entry.read_at.elapsed() < MAX_AGE => Ok(Some(Arc::clone(&entry))),
            read => read,
        }
    }

    /// The key, from memory if `is_recent` returns true for the time at which it was read.
    async fn look_up(
        &self,
        key_id: ApiKeyId,
        is_recent: impl Fn(Instant) -> bool,
    ) -> Result<Option<Arc<Entry>>, ApiError> {
        let waiting = Waiting::begin(&self.waiting)?;
        let permit = self.lookups.acquire().await.map_err(ApiError::internal)?;
        drop(waiting);
        if let Some(entry) = self.cached(key_id)
            && is_recent(entry.read_at)
        {
            return Ok(Some(entry));
        }
        let read = self.read(key_id).await;
        drop(permit);
        read
    }

    async fn read(&self, key_id: ApiKeyId) -> Result<Option<Arc<Entry>>, ApiError> {
        let read_at = Instant::now();
        let Some(key) = self.store.find(key_id).await? else {
            self.entries.write().remove(&key_id);
            return Ok(None);
        };
        let touched_before = self.store.now() - TOUCH_AGE;
        let is_touch_due = key.last_used_at.is_none_or(|used| used <= touched_before);
        let entry = Arc::new(Entry {
            secret_hash: key.secret_hash.to_bytes(),
            caller: Caller::of_stored_key(key),
            read_at,
            is_refreshing: AtomicBool::new(false),
            is_touch_due: AtomicBool::new(is_touch_due),
        });
        self.keep(key_id, &entry);
        Ok(Some(entry))
    }

    /// Keeps an entry in memory, unless there are too many keys that are used.
    fn keep(&self, key_id: ApiKeyId, entry: &Arc<Entry>) {
        let mut entries = self.entries.write();
        if entries.len() >= MAX_KEYS && !entries.contains_key(&key_id) {
            entries.retain(|_, entry| entry.read_at.elapsed() < MAX_AGE);
            if entries.len() >= MAX_KEYS {
                return;
            }
        }
        let is_newer = |kept: &Arc<Entry>| kept.read_at > entry.read_at;
        if !entries.get(&key_id).is_some_and(is_newer) {
            entries.insert(key_id, Arc::clone(entry));
        }
    }

    /// The current time, by which keys expire.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.store.now()
    }

    /// Waits until the key does not confirm the credential any more, or is not accepted.
    pub(super) async fn key_end(&self, credential: &Credential) -> Refusal {
        loop {
            tokio::time::sleep(REFRESH_AGE).await;
            match self.verify(credential, Instant::now()).await {
                Ok(Err(refusal)) => return refusal,
                Ok(Ok(_)) => {}
                Err(error) => log::debug!("cannot check a key: {}", error.chain()),
            }
        }
    }
}

/// Whether what was read at this time needs not be read again.
pub(super) fn is_fresh(read_at: Instant) -> bool {
    read_at.elapsed() < REFRESH_AGE
}

/// Sets a flag to false when it is dropped.
struct ResetOnDrop<'a>(&'a AtomicBool);

impl Drop for ResetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// A request that waits for a lookup.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Result<Self, ApiError> {
        let this = Self(waiting);
        if waiting.fetch_add(1, Ordering::AcqRel) >= MAX_WAITING {
            let detail = "too many keys are looked up; try again";
            return Err(ApiError::new(Code::Overloaded, detail));
        }
        Ok(this)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
