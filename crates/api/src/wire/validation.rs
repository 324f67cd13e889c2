//! Validation errors as readable messages.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// Path of the field, such as `segments[3].end_time`.
    pub field: String,
    /// The rule, such as `must be 1 to 255 characters long`.
    pub message: String,
}

impl FieldError {
    /// A rule broken by `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl From<lectern_domain::FieldError> for FieldError {
    fn from(error: lectern_domain::FieldError) -> Self {
        Self {
            field: error.field,
            message: error.message,
        }
    }
}

/// The broken rules as a flat list, sorted by the name of a field and the index of an
/// item.
pub(crate) fn field_errors(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut flat = Vec::new();
    collect("", errors, &mut flat);
    flat
}

fn collect(outer: &str, errors: &ValidationErrors, flat: &mut Vec<FieldError>) {
    let mut fields: Vec<_> = errors.errors().iter().collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    for (name, kind) in fields {
        let path = match outer {
            "" => name.to_string(),
            _ => format!("{outer}.{name}"),
        };
        match kind {
            ValidationErrorsKind::Field(broken) => {
                flat.extend(
                    broken
                        .iter()
                        .map(|rule| FieldError::new(&path, message(rule))),
                );
            }
            ValidationErrorsKind::Struct(inner) => collect(&path, inner, flat),
            ValidationErrorsKind::List(items) => {
                for (i, item) in items {
                    collect(&format!("{path}[{i}]"), item, flat);
                }
            }
        }
    }
}

fn message(rule: &ValidationError) -> String {
    if let Some(message) = &rule.message {
        return message.to_string();
    }
    // The limits of an integer type are not mentioned: values beyond them were refused
    // when the request was deserialized.
    let is_relevant = |bound: &&Value| [i64::MAX, i32::MAX.into()].iter().all(|end| *bound != end);
    let bound = |name: &str| rule.params.get(name).filter(is_relevant).map(format_bound);
    match (rule.code.as_ref(), bound("min"), bound("max")) {
        ("length", Some(min), Some(max)) => format!("must be {min} to {max} characters long"),
        ("length", None, Some(max)) => format!("must be at most {max} characters long"),
        ("range", Some(min), Some(max)) => format!("must be between {min} and {max}"),
        ("range", Some(min), None) => format!("must be {min} or more"),
        (code, ..) => format!("breaks the rule {code:?}"),
    }
}

/// The bound as text, without a zero fraction: `1`, not `1.0`.
fn format_bound(bound: &Value) -> String {
    match bound.as_f64() {
        Some(number) if bound.is_f64() => number.to_string(),
        _ => bound.to_string(),
    }
}

/// Converts a number of characters to the type that validator expects.
pub(crate) const fn chars(length: usize) -> u64 {
    length as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clip::ClipsBody;
    use crate::layout_analysis::LayoutAnalysisBody;
    use crate::transcript_segment::TranscriptSegmentsBody;
    use crate::wire::request::Request;

    fn errors<T: Request>(body: Value) -> Vec<(String, String)> {
        let errors = T::read(body).unwrap().into_domain().err().unwrap();
        errors
            .into_iter()
            .map(|error| (error.field, error.message))
            .collect()
    }

    fn error(field: &str, message: &str) -> (String, String) {
        (field.to_owned(), message.to_owned())
    }

    #[test]
    fn errors_name_items_by_index_and_fields_by_name() {
        let fine = json!({ "start_time": 0, "end_time": 1, "text": "a" });
        let mut segments = vec![fine; 12];
        segments[2]["start_time"] = json!(-1);
        segments[2]["confidence"] = json!(1.5);
        segments[11]["speaker_id"] = json!("s".repeat(51));
        assert_eq!(
            errors::<TranscriptSegmentsBody>(json!({ "segments": segments })),
            [
                error("segments[2].confidence", "must be between 0 and 1"),
                error("segments[2].start_time", "must be 0 or more"),
                error(
                    "segments[11].speaker_id",
                    "must be at most 50 characters long"
                ),
            ]
        );
    }

    #[test]
    fn errors_of_the_domain_have_the_same_form() {
        let segment =
            |start, end, text| json!({ "start_time": start, "end_time": end, "text": text });
        let fine = segment(0, 1, "a");
        assert_eq!(
            errors::<TranscriptSegmentsBody>(json!({ "segments": [fine, segment(2, 1, "a")] })),
            [error(
                "segments[1].end_time",
                "must not be before start_time"
            )]
        );
        assert_eq!(
            errors::<TranscriptSegmentsBody>(
                json!({ "segments": [fine, segment(1, 2, " \u{a0}")] })
            ),
            [error(
                "segments[1].text",
                "must not be empty or white space only"
            )]
        );
        let clip = json!({ "title": "t", "start_time": 0, "end_time": 1, "clip_order": 0 });
        let errors = errors::<ClipsBody>(json!({ "clips": [clip, clip] }));
        assert_eq!(errors[0].0, "clips[1].clip_order");
    }

    #[test]
    fn a_field_of_a_nested_object_is_named_with_a_dot() {
        let body = json!({
            "layout_type": "unknown",
            "confidence_score": 1,
            "screen_region": { "x": -1, "y": 0, "width": 0, "height": 0 },
        });
        assert_eq!(
            errors::<LayoutAnalysisBody>(body),
            [error("screen_region.x", "must be 0 or more")]
        );
    }
}
