//! Derives valid and invalid bodies from the fields of a body.

use serde_json::{Value, json};

use super::bodies::Endpoint;
use super::field::{Field, Kind, Presence, arrays};

/// An invalid body and the expected error.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) body: Vec<u8>,
    pub(crate) status: u16,
    /// The field that the error has to name, or whose content it has to name;
    /// `None` if a parser cannot attribute the error to a field.
    pub(crate) named_field: Option<String>,
}

impl Case {
    fn rule_violation(body: impl Into<Vec<u8>>, named_field: &str) -> Self {
        Self {
            body: body.into(),
            status: 422,
            named_field: Some(named_field.to_owned()),
        }
    }

    fn malformed(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            status: 400,
            named_field: None,
        }
    }
}

impl Endpoint {
    /// Valid bodies: with every field, without each optional field, without all
    /// of them, and with every value at its bounds.
    pub(crate) fn valid(&self) -> Vec<Vec<u8>> {
        let optional = self
            .fields
            .iter()
            .filter(|field| field.presence != Presence::Required);
        let mut required_only = self.body.clone();
        let mut valid = vec![self.body.to_string().into()];
        for field in optional {
            valid.push(without(&self.body, field.path).to_string().into());
            if required_only.pointer(&pointer(field.path)).is_some() {
                required_only = without(&required_only, field.path);
            }
        }
        valid.push(required_only.to_string().into());
        for field in &self.fields {
            valid.extend(
                field
                    .valid()
                    .iter()
                    .map(|literal| with(&self.body, field.path, literal.as_bytes())),
            );
        }
        valid
    }

    /// Bodies in which one field is invalid.
    pub(crate) fn with_invalid(&self, field: &Field) -> Vec<Case> {
        let invalid = field.invalid().into_iter().map(|invalid| Case {
            body: with(&self.body, field.path, &invalid.literal),
            status: invalid.status,
            named_field: invalid
                .location
                .map(|location| format!("{}{location}", field.path)),
        });
        let absent = (field.presence == Presence::Required)
            .then(|| Case::rule_violation(without(&self.body, field.path).to_string(), field.path));
        invalid.chain(absent).collect()
    }

    /// Bodies that are not a valid object.
    pub(crate) fn invalid_as_a_whole(&self) -> Vec<Case> {
        let text = self.body.to_string();
        let open = text.strip_suffix('}').unwrap();
        let mut cases = Vec::new();
        for not_an_object in [
            "5",
            "\"x\"",
            "null",
            "true",
            "[]",
            "[{}]",
            &arrays(100),
            &arrays(10_000),
        ] {
            cases.push(Case::rule_violation(not_an_object, ""));
        }
        let malformed = [
            "",
            " ",
            "{",
            "{]",
            open,
            "nothing",
            "{'a':1}",
            "// none\n{}",
            "\u{feff}{}",
            &format!("{open},}}"),
            &format!("{open},\"x"),
            &format!("{open},\"\\u00"),
            &format!("{text}x"),
            &format!("{text},"),
            &format!("{text}{text}"),
            &format!("{text}\0"),
        ];
        cases.extend(malformed.map(Case::malformed));
        let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        cases.extend([utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)].map(Case::malformed));
        cases.push(Case::malformed([open.as_bytes(), b",\"\xff\":1}"].concat()));
        for (object, fields) in self.objects() {
            cases.extend(self.invalid_objects(&object, &fields));
        }
        cases.extend(
            self.contradictions
                .iter()
                .map(|(body, named_field)| Case::rule_violation(body.to_string(), named_field)),
        );
        cases
    }

    /// The objects of the body and their fields.
    fn objects(&self) -> Vec<(String, Vec<&Field>)> {
        let inner = self.fields.iter().filter_map(|field| match field.kind {
            Kind::Object => Some(field.path.to_owned()),
            Kind::Objects => Some(format!("{}[0]", field.path)),
            _ => None,
        });
        let with_fields = |object: String| {
            let fields = self
                .fields
                .iter()
                .filter(|field| split(field.path).0 == object)
                .collect();
            (object, fields)
        };
        [String::new()]
            .into_iter()
            .chain(inner)
            .map(with_fields)
            .collect()
    }

    /// Objects with an unknown field, with a repeated field, and an array in
    /// place of the object.
    fn invalid_objects(&self, object: &str, fields: &[&Field]) -> Vec<Case> {
        let inner = self.body.pointer(&pointer(object)).unwrap();
        let text = inner.to_string();
        let field_of = |name: &str| {
            if object.is_empty() {
                name.to_owned()
            } else {
                format!("{object}.{name}")
            }
        };
        let with_field =
            |name: &str, literal: &str| text.replacen('{', &format!("{{\"{name}\":{literal},"), 1);
        let case = |literal: &str, named_field: &str| {
            Case::rule_violation(with(&self.body, object, literal.as_bytes()), named_field)
        };
        let mut cases = Vec::new();
        for name in ["surprise", "id", "version", "Filename", ""] {
            cases.push(case(&with_field(name, &arrays(10_000)), &field_of(name)));
        }
        for field in fields {
            let name = split(field.path).1;
            cases.push(case(
                &with_field(name, &inner[name].to_string()),
                field.path,
            ));
        }
        let values: Value = fields
            .iter()
            .map(|field| inner[split(field.path).1].clone())
            .collect();
        cases.push(case(&values.to_string(), object));
        cases
    }
}

/// `segments[0]` and `text` of `segments[0].text`.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

/// `/segments/0/text` of `segments[0].text`.
fn pointer(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!("/{}", path.replace(['.', '['], "/").replace(']', "")),
    }
}

/// The body with one field, or all of it, replaced by `literal`.
fn with(body: &Value, path: &str, literal: &[u8]) -> Vec<u8> {
    const PLACEHOLDER: &str = "@placeholder@";
    let mut body = body.clone();
    if let Some(field) = body.pointer_mut(&pointer(path)) {
        *field = json!(PLACEHOLDER);
    } else {
        // Options that contradict others are not in the body.
        let (object, name) = split(path);
        let object = body.pointer_mut(&pointer(object));
        let object = object.unwrap_or_else(|| panic!("{path} is not in the body of the table"));
        object[name] = json!(PLACEHOLDER);
    }
    let text = body.to_string();
    let (before, after) = text.split_once(&json!(PLACEHOLDER).to_string()).unwrap();
    [before.as_bytes(), literal, after.as_bytes()].concat()
}

/// A body without one field.
fn without(body: &Value, path: &str) -> Value {
    let mut body = body.clone();
    let (object, name) = split(path);
    let object = body
        .pointer_mut(&pointer(object))
        .and_then(Value::as_object_mut);
    let object = object.unwrap_or_else(|| panic!("{path} is not in the body of the table"));
    object.remove(name);
    body
}
