//! The audit: who changed what, and when.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::api_key::{ApiKey, PersonName, Session};
use crate::id::{ApiKeyId, AuditEntryId, JobId};
use crate::job::Job;
use crate::owner::OwnerName;
use crate::stage::Stage;
use crate::value::string_enum::string_enum;
use crate::value::text::bounded_texts;
use crate::value::{JsonObject, MAX_JSON_DEPTH, VideoDuration};

bounded_texts! {
    /// The IP address of a client, at most 45 characters.
    ClientAddress: 1 to 45;
    /// The account under which a command was run, 1 to 100 characters.
    CommandLineUser: 1 to 100;
}

string_enum! {
    /// A change that is audited.
    AuditAction {
        /// Fields of a job were changed, or its status.
        JobUpdate = "job.update",
        /// A job was cancelled.
        JobCancel = "job.cancel",
        /// A job was queued again after it had failed or was cancelled.
        JobRetry = "job.retry",
        /// Stages of a finished job were queued again.
        JobRerun = "job.rerun",
        /// A job was deleted.
        JobDelete = "job.delete",
        /// Fields of a clip were changed.
        ClipUpdate = "clip.update",
        /// A clip was deleted.
        ClipDelete = "clip.delete",
        /// Fields of a transcript segment were changed.
        TranscriptSegmentUpdate = "transcript_segment.update",
        /// A transcript segment was deleted.
        TranscriptSegmentDelete = "transcript_segment.delete",
        /// Fields of a content segment were changed.
        ContentSegmentUpdate = "content_segment.update",
        /// A content segment was deleted.
        ContentSegmentDelete = "content_segment.delete",
        /// A stage was paused: claims of it give nothing.
        StagePause = "stage.pause",
        /// The pause of a stage was ended.
        StageResume = "stage.resume",
        /// A key was made.
        KeyCreate = "key.create",
        /// The secret of a key was replaced.
        KeyRotate = "key.rotate",
        /// A key was revoked.
        KeyRevoke = "key.revoke",
    }
}

/// Who makes a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actor {
    /// The owner of the key.
    pub owner: Option<OwnerName>,
    /// The key of the request; `None` if none was asked for.
    pub key_id: Option<ApiKeyId>,
    /// The other end of the connection, which may be a proxy.
    pub address: Option<ClientAddress>,
    /// The account, if the change was made on the command line.
    pub command_line_user: Option<CommandLineUser>,
    /// The person who signed in, if one did.
    pub person: Option<PersonName>,
}

impl Actor {
    /// A client of the service.
    pub fn client(key: Option<&ApiKey>, address: Option<IpAddr>) -> Self {
        Self {
            owner: key.and_then(|key| key.data.owner.clone()),
            key_id: key.map(|key| key.key_id),
            // The text of an address has at most 45 characters.
            address: address.and_then(|ip| ClientAddress::new(ip.to_string()).ok()),
            command_line_user: None,
            person: key.and_then(ApiKey::person).cloned(),
        }
    }

    /// An account that runs a command. A name that is too long or empty counts as unknown.
    pub fn command_line(user: &str) -> Self {
        let user = CommandLineUser::new(user).or_else(|_| CommandLineUser::new("unknown"));
        Self {
            command_line_user: user.ok(),
            ..Self::default()
        }
    }
}

/// Upper bound of a value in an audit entry, in bytes of its JSON. A longer value is replaced
/// by its beginning.
pub const MAX_AUDIT_VALUE: usize = 2_000;

/// A change to be recorded: its old and new values.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditChange {
    /// What was done.
    pub action: AuditAction,
    /// The job that was changed.
    pub job_id: Option<JobId>,
    /// The key that was changed.
    pub changed_key_id: Option<ApiKeyId>,
    /// The fields that have changed, with their values before.
    pub old_values: JsonObject,
    /// The fields that have changed, with their values after.
    pub new_values: JsonObject,
}

impl AuditChange {
    /// Whether no field differs.
    pub fn is_empty(&self) -> bool {
        self.old_values.get().is_empty() && self.new_values.get().is_empty()
    }

    /// A change of a job. Only fields that differ are in the values.
    pub fn of_job(action: AuditAction, before: &Job, after: &Job, rerun: Option<Stage>) -> Self {
        let mut values = Values::default();
        for ((name, old), (_, new)) in job_fields(before).into_iter().zip(job_fields(after)) {
            values.compare(name, old, new);
        }
        if let Some(stage) = rerun {
            values.add_new("from_stage", stage.as_str().into());
        }
        values.into_change(action, Some(before.job_id), None)
    }

    /// The deletion of a job, whose values were these.
    pub fn deleted_job(job: &Job) -> Self {
        let mut values = Values::default();
        for (name, old) in job_fields(job) {
            values.compare(name, old, Value::Null);
        }
        let action = AuditAction::JobDelete;
        values.into_change(action, Some(job.job_id), None)
    }

    /// A change of something that belongs to a job: its id, and its fields with their old and
    /// new values, of which those that differ are recorded. Empty if none does.
    pub(crate) fn of_fields(
        action: AuditAction,
        job_id: JobId,
        id: (&'static str, Value),
        fields: impl Iterator<Item = (&'static str, Value, Value)>,
    ) -> Self {
        let mut values = Values::default();
        for (name, old, new) in fields {
            values.compare(name, old, new);
        }
        if !values.old.is_empty() {
            values.old.insert(id.0.to_owned(), id.1.clone());
            values.new.insert(id.0.to_owned(), id.1);
        }
        values.into_change(action, Some(job_id), None)
    }

    /// A stage was paused or resumed, as `action` says. The values have the stage and whether it
    /// is paused.
    pub fn of_stage(action: AuditAction, stage: Stage) -> Self {
        let is_paused = action == AuditAction::StagePause;
        let mut values = Values::default();
        values.compare("paused", (!is_paused).into(), is_paused.into());
        for side in [&mut values.old, &mut values.new] {
            side.insert("stage".to_owned(), stage.as_str().into());
        }
        values.into_change(action, None, None)
    }

    /// A change of a key, of which nothing is recorded that could be used.
    pub fn of_key(action: AuditAction, before: Option<&ApiKey>, after: &ApiKey) -> Self {
        let mut values = Values::default();
        let old = before.map(key_fields);
        for (i, (name, new)) in key_fields(after).into_iter().enumerate() {
            let old = old.as_ref().map_or(Value::Null, |old| old[i].1.clone());
            values.compare(name, old, new);
        }
        values.into_change(action, None, Some(after.key_id))
    }
}

/// The fields of a job that clients change.
fn job_fields(job: &Job) -> [(&'static str, Value); 9] {
    let duration = job.video_duration.map(VideoDuration::get);
    [
        ("filename", job.filename.as_str().into()),
        ("status", job.status.as_str().into()),
        ("error_message", job.error_message.as_deref().into()),
        ("video_duration", duration.into()),
        ("video_metadata", job.video_metadata.clone().into_value()),
        ("extra_metadata", job.extra_metadata.clone().into_value()),
        ("priority", job.priority.into()),
        ("task_id", job.celery_task_id.as_deref().into()),
        (
            "compiled_video_s3_key",
            job.compiled_video_s3_key.as_deref().into(),
        ),
    ]
}

/// The fields of a key that are no secret.
fn key_fields(key: &ApiKey) -> [(&'static str, Value); 8] {
    let time = |time: Option<DateTime<Utc>>| serde_json::to_value(time).unwrap_or_default();
    let stages = key.data.stages.as_ref().map(|stages| {
        let stages = stages.as_slice().iter().map(|stage| stage.as_str());
        stages.collect::<Vec<_>>()
    });
    let parent = key.data.session.as_ref().and_then(Session::parent_key_id);
    let parent = parent.map(|id| id.to_string());
    [
        ("name", key.data.name.as_deref().into()),
        ("role", key.data.role.as_str().into()),
        ("owner", key.data.owner.as_deref().into()),
        ("stages", stages.into()),
        ("expires_at", time(key.data.expires_at)),
        ("revoked_at", time(key.revoked_at)),
        ("person", key.person().map(PersonName::as_str).into()),
        ("parent_key_id", parent.into()),
    ]
}

/// The old and the new values of the fields that differ.
#[derive(Default)]
struct Values {
    old: Map<String, Value>,
    new: Map<String, Value>,
}

impl Values {
    /// Adds a field if its values differ.
    fn compare(&mut self, name: &str, old: Value, new: Value) {
        if old != new {
            self.old.insert(name.to_owned(), bounded(old));
            self.new.insert(name.to_owned(), bounded(new));
        }
    }

    fn add_new(&mut self, name: &str, new: Value) {
        self.new.insert(name.to_owned(), bounded(new));
    }

    fn into_change(
        self,
        action: AuditAction,
        job_id: Option<JobId>,
        changed_key_id: Option<ApiKeyId>,
    ) -> AuditChange {
        // The values come from a stored row, and have its depth at most.
        let object = |values| JsonObject::new(values).unwrap_or_default();
        AuditChange {
            action,
            job_id,
            changed_key_id,
            old_values: object(self.old),
            new_values: object(self.new),
        }
    }
}

/// The value, or the beginning of its text if it is long or nested as deep as a column allows.
fn bounded(value: Value) -> Value {
    let text = match value {
        Value::String(text) if text.len() > MAX_AUDIT_VALUE => text,
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            if text.len() <= MAX_AUDIT_VALUE && depth(&value) < MAX_JSON_DEPTH {
                return value;
            }
            text
        }
        value => return value,
    };
    let end = text.floor_char_boundary(MAX_AUDIT_VALUE.min(text.len()));
    Value::String(format!("{}… ({} bytes)", &text[..end], text.len()))
}

/// The number of levels; 0 for a value that is neither an array nor an object.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A recorded change. Entries are never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Public id.
    pub entry_id: AuditEntryId,
    /// When the change was made.
    pub at: DateTime<Utc>,
    /// Who made it.
    pub actor: Actor,
    /// What was changed.
    pub change: AuditChange,
}

/// Which entries a list contains; every given condition must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Changes of this job.
    pub job_id: Option<JobId>,
    /// Changes with this key, and changes of it.
    pub key_id: Option<ApiKeyId>,
    /// Changes of this kind.
    pub action: Option<AuditAction>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(1), |value, _| json!([value]))
    }

    #[test]
    fn a_long_or_deep_value_is_cut() {
        let short = json!({ "a": ["b", null, 1.5] });
        assert_eq!(bounded(short.clone()), short);
        assert_eq!(bounded(json!("é")), json!("é"));
        for long in [
            json!("é".repeat(2_000)),
            json!({ "a": "é".repeat(2_000) }),
            json!("x".repeat(1 << 20)),
        ] {
            let cut = bounded(long);
            let text = cut.as_str().unwrap();
            assert!(text.len() < MAX_AUDIT_VALUE + 30, "{text}");
            assert!(text.ends_with(" bytes)"), "{text}");
        }
        assert!(bounded(nested(MAX_JSON_DEPTH)).is_string());
        assert!(bounded(nested(MAX_JSON_DEPTH - 1)).is_array());
    }

    #[test]
    fn only_fields_that_differ_are_recorded() {
        let mut values = Values::default();
        values.compare("a", json!(1), json!(1));
        values.compare("b", json!("old"), json!("new"));
        values.compare("c", Value::Null, json!({ "d": nested(MAX_JSON_DEPTH - 1) }));
        let change = values.into_change(AuditAction::JobUpdate, None, None);
        assert_eq!(
            change.old_values.into_value(),
            json!({ "b": "old", "c": null })
        );
        let new = change.new_values.into_value();
        assert_eq!(new["b"], "new");
        assert!(new["c"].is_string());
    }

    #[test]
    fn an_account_without_a_name_is_unknown() {
        for name in ["", &"x".repeat(101), "a\0"] {
            let user = Actor::command_line(name).command_line_user.unwrap();
            assert_eq!(user.as_str(), "unknown");
        }
        let user = Actor::command_line("root").command_line_user.unwrap();
        assert_eq!(user.as_str(), "root");
    }
}
