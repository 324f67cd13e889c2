//! Who changed what.

use chrono::{DateTime, Utc};
use lectern_domain::{
    self as domain, ApiKeyId, AuditAction, AuditEntryId, AuditFilter, ClientAddress,
    CommandLineUser, Invalid, JobId, JsonObject, OwnerName, Page, PageLimit, PageRequest,
    PersonName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::upload::EXAMPLE_ID;
use crate::wire::{AuditEntryList, PageCursor, Request};

/// Selects recorded changes; every given condition must hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuery {
    /// Changes of this job, which may be deleted.
    #[schemars(extend("example" = EXAMPLE_ID))]
    pub job_id: Option<JobId>,
    /// Changes made with this key, and changes of the key.
    #[schemars(extend("example" = EXAMPLE_ID))]
    pub key_id: Option<ApiKeyId>,
    /// Changes of this kind.
    #[schemars(extend("example" = "job.delete"))]
    pub action: Option<AuditAction>,
    /// Maximum number of entries on a page.
    #[validate(range(min = 1, max = PageLimit::MAX))]
    #[schemars(extend("default" = PageLimit::default().get()))]
    #[schemars(extend("example" = 10))]
    pub limit: Option<i64>,
    /// The `next_cursor` of the previous page.
    #[schemars(extend("example" = PageCursor::<AuditEntryList>::example()))]
    pub cursor: Option<PageCursor<AuditEntryList>>,
}

/// A page of the recorded changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditRequest {
    /// The entries that the list contains.
    pub filter: AuditFilter,
    /// The page of the list.
    pub page: PageRequest,
}

impl Request for AuditQuery {
    type Domain = AuditRequest;

    const IS_PAGED: bool = true;
}

impl TryFrom<AuditQuery> for AuditRequest {
    type Error = Invalid;

    fn try_from(query: AuditQuery) -> Result<Self, Invalid> {
        Ok(Self {
            filter: AuditFilter {
                job_id: query.job_id,
                key_id: query.key_id,
                action: query.action,
            },
            page: crate::wire::cursor::page(query.limit, query.cursor)?,
        })
    }
}

/// A recorded change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AuditEntry {
    /// Id of the entry.
    pub entry_id: AuditEntryId,
    /// When the change was made.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: AuditAction,
    /// The job that was changed.
    pub job_id: Option<JobId>,
    /// The key that was changed.
    pub changed_key_id: Option<ApiKeyId>,
    /// Who made the change.
    pub actor: AuditActor,
    /// The fields that have changed, with their values before. The beginning of a value of more
    /// than 2,000 bytes is a text.
    pub old_values: JsonObject,
    /// The fields that have changed, with their values after.
    pub new_values: JsonObject,
}

/// Who made a change: a client, or an account on the command line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AuditActor {
    /// The owner of the key.
    pub owner: Option<OwnerName>,
    /// The key of the request; `null` if none was asked for.
    pub key_id: Option<ApiKeyId>,
    /// The address of the client, which may be that of a proxy.
    pub address: Option<ClientAddress>,
    /// The account, if the change was made on the command line.
    pub command_line_user: Option<CommandLineUser>,
    /// The person, if one signed in at the identity provider.
    pub person: Option<PersonName>,
}

impl From<domain::AuditEntry> for AuditEntry {
    fn from(entry: domain::AuditEntry) -> Self {
        let (actor, change) = (entry.actor, entry.change);
        Self {
            entry_id: entry.entry_id,
            at: entry.at,
            action: change.action,
            job_id: change.job_id,
            changed_key_id: change.changed_key_id,
            actor: AuditActor {
                owner: actor.owner,
                key_id: actor.key_id,
                address: actor.address,
                command_line_user: actor.command_line_user,
                person: actor.person,
            },
            old_values: change.old_values,
            new_values: change.new_values,
        }
    }
}

/// A page of the recorded changes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AuditResponse {
    /// The entries of this page, newest first.
    pub entries: Vec<AuditEntry>,
    /// Cursor of the next page; `null` on the last page.
    pub next_cursor: Option<PageCursor<AuditEntryList>>,
    /// Number of entries on this page.
    pub total: usize,
}

impl AuditResponse {
    /// Converts a page of stored entries.
    pub fn new(page: Page<domain::AuditEntry>) -> Self {
        Self {
            total: page.items.len(),
            entries: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(Into::into),
        }
    }
}
