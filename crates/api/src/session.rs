//! Who the caller is.

use chrono::{DateTime, Utc};
use lectern_domain::{ApiKey, ApiKeyId, ApiKeyName, OwnerName, PersonName, Role, Scope};
use schemars::JsonSchema;
use serde::Serialize;

/// Who the caller is, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SessionResponse {
    /// The key of the caller, or of their session; `null` if none was asked for.
    pub key_id: Option<ApiKeyId>,
    /// The role of the caller; `null` if no key was asked for.
    pub role: Option<Role>,
    /// What the caller may do.
    pub scopes: Vec<Scope>,
    /// Whose jobs the caller finds and creates; `null`: the jobs of all owners.
    pub owner: Option<OwnerName>,
    /// What the key is called.
    pub name: Option<ApiKeyName>,
    /// The person, if one signed in at the identity provider.
    pub person: Option<PersonName>,
    /// When the key ends; `null`: never.
    pub expires_at: Option<DateTime<Utc>>,
}

impl SessionResponse {
    /// The caller with this key; `None`: none was asked for, so they may do everything.
    pub fn new(key: Option<&ApiKey>) -> Self {
        let may = |scope: &&Scope| key.is_none_or(|key| key.has(**scope));
        Self {
            key_id: key.map(|key| key.key_id),
            role: key.map(|key| key.data.role),
            scopes: Scope::ALL.iter().filter(may).copied().collect(),
            owner: key.and_then(|key| key.data.owner.clone()),
            name: key.and_then(|key| key.data.name.clone()),
            person: key.and_then(ApiKey::person).cloned(),
            expires_at: key.and_then(|key| key.data.expires_at),
        }
    }
}
