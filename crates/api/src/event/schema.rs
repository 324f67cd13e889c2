//! The schema of messages: one type for each value of `type`.

use std::borrow::Cow;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use lectern_domain::JobId;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::event::{WsDeletion, WsError, WsMessage, WsMessageType, WsProgressUpdate, WsStage};
use crate::job::JobResponse;

impl JsonSchema for WsMessage {
    fn schema_name() -> Cow<'static, str> {
        "WsMessage".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let variants = [
            variant::<Snapshot>(generator),
            variant::<Progress>(generator),
            variant::<Stage>(generator),
            variant::<Complete>(generator),
            variant::<Error>(generator),
            variant::<Deleted>(generator),
        ];
        let mapping: serde_json::Map<_, _> = variants
            .iter()
            .map(|(name, schema)| {
                (
                    name.clone(),
                    schema.get("$ref").cloned().unwrap_or_default(),
                )
            })
            .collect();
        json_schema!({
            "description": "An event of a job. Has the same form over every protocol.",
            "oneOf": variants.map(|(_, schema)| schema),
            "discriminator": { "propertyName": "type", "mapping": mapping },
        })
    }
}

/// The value of `type` and a reference to the schema of such messages.
fn variant<V: Variant>(generator: &mut SchemaGenerator) -> (String, Schema) {
    let value = serde_json::json!(V::TYPE);
    let name = value.as_str().unwrap_or_default().to_owned();
    (name, generator.subschema_for::<MessageOf<V>>())
}

/// Messages of one type.
trait Variant {
    const TYPE: WsMessageType;
    const SCHEMA_NAME: &'static str;
    const DESCRIPTION: &'static str;
    /// The form of `data`.
    type Data: JsonSchema;
}

struct MessageOf<V>(PhantomData<V>);

impl<V: Variant> JsonSchema for MessageOf<V> {
    fn schema_name() -> Cow<'static, str> {
        V::SCHEMA_NAME.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut timestamp = generator.subschema_for::<DateTime<Utc>>();
        timestamp.insert(
            "description".into(),
            "Time of the event or of the snapshot.".into(),
        );
        json_schema!({
            "description": V::DESCRIPTION,
            "type": "object",
            "properties": {
                "type": { "type": "string", "const": V::TYPE },
                "job_id": generator.subschema_for::<JobId>(),
                "seq": {
                    "description": "Sequence number of the event, from 1 and without gaps within \
                        a job. For a snapshot: the number of the last event that the snapshot \
                        includes, or 0 if there is no event yet.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                },
                "data": generator.subschema_for::<V::Data>(),
                "timestamp": timestamp,
            },
            "required": ["type", "job_id", "seq", "data", "timestamp"],
        })
    }
}

macro_rules! variants {
    ($($variant:ident, $name:literal, $data:ty, $description:literal;)+) => {
        $(
            /// Only stands for a JSON schema.
            enum $variant {}

            impl Variant for $variant {
                const TYPE: WsMessageType = WsMessageType::$variant;
                const SCHEMA_NAME: &'static str = $name;
                const DESCRIPTION: &'static str = $description;
                type Data = $data;
            }
        )+
    };
}

variants! {
    Snapshot, "WsSnapshotMessage", JobResponse, "The whole job, for a new subscriber.";
    Progress, "WsProgressMessage", WsProgressUpdate, "The job's status or its progress changed.";
    Stage, "WsStageMessage", WsStage, "The status or the progress of a stage changed.";
    Complete, "WsCompleteMessage", WsProgressUpdate, "The job is completed.";
    Error, "WsErrorMessage", WsError, "The job has failed or was cancelled.";
    Deleted, "WsDeletedMessage", WsDeletion,
        "The job was deleted. Only among the events of all jobs.";
}
