//! The schemas of the wire types.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// A function that generates the schema of one type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Collects the schemas of all types that a document refers to. The schemas of requests
/// describe how types are deserialized; the schemas of responses, how types are serialized.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    responses: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            responses: settings().for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// A reference to the schema of a request body, and the example of its type.
    pub(super) fn request(&mut self, schema: SchemaOf) -> (Schema, Option<Value>) {
        let mut schema = schema(&mut self.requests);
        let example = self.example(schema.as_value());
        schema.remove("example");
        (schema, example)
    }

    /// The example of a schema, of the type that it refers to, or of its first choice.
    fn example(&self, schema: &Value) -> Option<Value> {
        if let Some(example) = schema.get("example") {
            return Some(example.clone());
        }
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let (_, name) = reference.rsplit_once('/')?;
                self.example(self.requests.definitions().get(name)?)
            }
            None => self.example(schema.pointer("/anyOf/0")?),
        }
    }

    /// A reference to the schema of a response body.
    pub(super) fn response(&mut self, schema: SchemaOf) -> Schema {
        schema(&mut self.responses)
    }

    /// One query parameter for each field of a query struct.
    pub(super) fn query(&mut self, schema: SchemaOf) -> Vec<Value> {
        let mut schema = schema(&mut self.requests);
        let required = schema.get("required").cloned().unwrap_or_default();
        let fields = schema.get("properties").cloned().unwrap_or_default();
        RecursiveTransform(tidy).transform(&mut schema);
        let Some(Value::Object(properties)) = schema.remove("properties") else {
            return Vec::new();
        };
        properties
            .into_iter()
            .map(|(name, mut schema)| {
                remove_null(&mut schema);
                let mut parameter = json!({ "name": name, "in": "query" });
                let is_required = required
                    .as_array()
                    .is_some_and(|names| names.contains(&json!(name)));
                if is_required {
                    parameter["required"] = true.into();
                }
                if let Some(schema) = schema.as_object_mut() {
                    if let Some(description) = schema.remove("description") {
                        parameter["description"] = description;
                    }
                    schema.remove("example");
                }
                if let Some(example) = fields[&name].get("example") {
                    parameter["example"] = example.clone();
                }
                if schema["type"] == "array" {
                    parameter["explode"] = false.into();
                } else if schema["type"] == "object" {
                    // OpenAPI has no style for `metadata.course=…`. In this style, the names
                    // of the parameters are the keys of the object.
                    parameter["style"] = "form".into();
                    parameter["explode"] = true.into();
                }
                parameter["schema"] = schema;
                parameter
            })
            .collect()
    }

    /// The schemas of all types that were referred to, by name.
    pub(super) fn into_definitions(self) -> Map<String, Value> {
        let (requests, mut responses) = self.definitions();
        // A type in both maps has the same schema in each; a test checks this.
        responses.extend(requests);
        responses
    }

    /// The schemas of requests and of responses.
    pub(super) fn definitions(mut self) -> (Map<String, Value>, Map<String, Value>) {
        let mut requests = self.requests.take_definitions(false);
        let mut responses = self.responses.take_definitions(false);
        tidy_all(&mut requests);
        tidy_all(&mut responses);
        (requests, responses)
    }
}

fn tidy_all(definitions: &mut Map<String, Value>) {
    for schema in definitions.values_mut() {
        if let Ok(schema) = schema.try_into() {
            RecursiveTransform(tidy).transform(schema);
        }
    }
}

/// Removes details that only have a meaning in Rust.
fn tidy(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = prose(description);
    }
    constants_to_enum(schema);
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if schema.get("format").is_some_and(|format| format == "uint") {
        schema.remove("format");
    }
    if schema.get("type").is_some_and(|name| name == "object") {
        // The example of a body is beside its schema, see `Schemas::request`.
        schema.remove("example");
    }
}

/// A doc comment without its line breaks and without examples in Rust.
fn prose(doc: &str) -> String {
    let paragraphs = doc
        .split("\n\n")
        .take_while(|text| !text.starts_with("```"));
    let unwrapped: Vec<_> = paragraphs.map(|text| text.replace('\n', " ")).collect();
    unwrapped.join("\n\n")
}

/// Turns `oneOf` constants into an `enum`, which client generators understand. The
/// meaning of each value moves into the description.
fn constants_to_enum(schema: &mut Schema) {
    let Some(Value::Array(variants)) = schema.get("oneOf") else {
        return;
    };
    let Some(values): Option<Vec<Value>> =
        variants.iter().map(|v| v.get("const").cloned()).collect()
    else {
        return;
    };
    let text = |schema: &Value, key: &str| schema[key].as_str().unwrap_or_default().to_owned();
    let mut description = text(schema.as_value(), "description") + "\n";
    for variant in variants {
        let (value, meaning) = (text(variant, "const"), prose(&text(variant, "description")));
        let _ = write!(description, "\n- `{value}`: {meaning}");
    }
    schema.remove("oneOf");
    schema.insert("type".into(), "string".into());
    schema.insert("enum".into(), values.into());
    schema.insert("description".into(), description.into());
}

/// Removes `null` from the types of a query parameter, which is present or absent.
fn remove_null(schema: &mut Value) {
    let null = json!("null");
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| *name != null);
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&null));
        if let [only] = choices.as_mut_slice() {
            let only = only.take();
            schema["$ref"] = only["$ref"].clone();
            if let Some(schema) = schema.as_object_mut() {
                schema.remove("anyOf");
            }
        }
    }
}
