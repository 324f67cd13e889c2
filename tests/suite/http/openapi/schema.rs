//! Validates the subset of JSON Schema that the OpenAPI document uses for
//! responses.

use serde_json::Value;

/// Follows a reference, if `value` is one.
pub(crate) fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            target.unwrap_or_else(|| panic!("{reference} does not resolve"))
        }
        None => value,
    }
}

/// Checks `value` against a schema, and that its objects have no undocumented
/// key.
pub(crate) fn conforms(
    document: &Value,
    schema: &Value,
    value: &Value,
    path: &str,
) -> Result<(), String> {
    let fail = |what: &str| Err(format!("{path} {what}: {value} is not {schema}"));
    if schema.get("$ref").is_some() {
        conforms(document, resolve(document, schema), value, path)?;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        conforms(document, part, value, path)?;
    }
    if let Some(choices) = schema["anyOf"].as_array()
        && !choices
            .iter()
            .any(|choice| conforms(document, choice, value, path).is_ok())
    {
        return fail("is none of the choices");
    }
    if let Some(choices) = schema["oneOf"].as_array()
        && choices
            .iter()
            .filter(|choice| conforms(document, choice, value, path).is_ok())
            .count()
            != 1
    {
        return fail("is not exactly one of the choices");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Null => Vec::new(),
        Value::String(only) => vec![only],
        some => some
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect(),
    };
    if !types.is_empty() && !types.iter().any(|name| has_type(value, name)) {
        return fail("has another type");
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|values| !values.contains(value))
        || schema
            .get("const")
            .is_some_and(|constant| constant != value)
    {
        return fail("is not an allowed value");
    }
    if let Some(number) = value.as_f64()
        && (schema["minimum"]
            .as_f64()
            .is_some_and(|least| number < least)
            || schema["maximum"]
                .as_f64()
                .is_some_and(|greatest| number > greatest))
    {
        return fail("is out of bounds");
    }
    if let Some(text) = value.as_str() {
        let is_valid = match schema["format"].as_str() {
            Some("uuid") => uuid::Uuid::try_parse(text).is_ok(),
            Some("date-time") => {
                text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
            }
            _ => true,
        };
        if !is_valid {
            return fail("has another format");
        }
    }
    if let Some(items) = value.as_array() {
        for (i, item) in items.iter().enumerate() {
            conforms(document, &schema["items"], item, &format!("{path}[{i}]"))?;
        }
    }
    if let Some(object) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten();
        if let Some(missing) = required
            .map(|name| name.as_str().unwrap())
            .find(|name| !object.contains_key(*name))
        {
            return fail(&format!("lacks {missing}"));
        }
        for (key, inner) in object {
            let additional = &schema["additionalProperties"];
            let documented = match &schema["properties"][key] {
                Value::Null if additional.is_object() => additional,
                // A subschema without a type only restricts another.
                Value::Null if *additional == Value::Bool(true) || types.is_empty() => continue,
                Value::Null => return fail(&format!("has an unknown {key}")),
                documented => documented,
            };
            conforms(document, documented, inner, &format!("{path}.{key}"))?;
        }
    }
    Ok(())
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no such type: {other}"),
    }
}
