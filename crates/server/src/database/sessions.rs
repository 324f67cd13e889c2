//! Sessions of people who have signed in.

use chrono::{DateTime, Utc};
use lectern_domain::{Actor, ApiKey, ApiKeyId, ApiKeyText, NewApiKey, Session};

use super::handle::DatabaseHandle;
use crate::http::auth::{Caller, secret};
use crate::http::error::ApiError;

/// Stores a session of the caller, which ends with the caller's key, and not later than
/// `expires_at`. The key of the session is returned once. `None`: the caller's key has ended
/// since it was checked.
///
/// # Errors
///
/// When the database does not respond.
pub(crate) async fn begin(
    db: &DatabaseHandle,
    caller: &Caller,
    actor: Actor,
    expires_at: DateTime<Utc>,
) -> Result<Option<(ApiKey, ApiKeyText)>, ApiError> {
    let key = caller.key().clone();
    let end_of_key = key.data.expires_at.unwrap_or(expires_at);
    let data = NewApiKey {
        name: None,
        expires_at: Some(expires_at.min(end_of_key)),
        ..key.data.clone()
    };
    if !caller.is_stored() {
        // The session of a person, as the token says.
        return store(db, data, |_| actor).await.map(Some);
    }
    let data = NewApiKey {
        session: Some(Session::OfKey(key.key_id)),
        ..data
    };
    let id = ApiKeyId::new(db.database.clock());
    let (text, hash) = secret::generate(id).map_err(ApiError::internal)?;
    let session = db
        .acting_as(actor)
        .write(
            move |tx| Ok(tx.api_keys().begin_session(id, &data, &hash, &key)?),
            |session| session,
        )
        .await?;
    Ok(session.map(|session| (session, text)))
}

/// Stores a session. `actor` returns who has signed in, who may be the session itself.
///
/// # Errors
///
/// When the database does not respond.
pub(crate) async fn store(
    db: &DatabaseHandle,
    data: NewApiKey,
    actor: impl FnOnce(ApiKeyId) -> Actor,
) -> Result<(ApiKey, ApiKeyText), ApiError> {
    let id = ApiKeyId::new(db.database.clock());
    let (text, hash) = secret::generate(id).map_err(ApiError::internal)?;
    let db = db.acting_as(actor(id));
    let key = db
        .write(
            move |tx| Ok(tx.api_keys().create(id, &data, &hash)?),
            |key| key,
        )
        .await?;
    Ok((key, text))
}
