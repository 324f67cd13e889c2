//! Validation errors as readable messages.

use std::ops::Deref;

use lectern_domain::Invalid;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// Path of the field, such as `segments[3].end_time`.
    pub field: String,
    /// The rule, such as `must be 1 to 255 characters long`.
    pub message: String,
}

/// Upper bound of the length of a field's path and of a message, in characters. Both may
/// quote names and values of the request, whose length has no other bound.
const MAX_TEXT_CHARS: usize = 300;

impl FieldError {
    /// A rule broken by `field`. Each text is cut after 300 characters.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: cut(field.into(), MAX_TEXT_CHARS),
            message: cut(message.into(), MAX_TEXT_CHARS),
        }
    }
}

/// Cuts a text after `max` characters.
pub(crate) fn cut(mut text: String, max: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

impl From<lectern_domain::FieldError> for FieldError {
    fn from(error: lectern_domain::FieldError) -> Self {
        Self::new(error.field, error.message)
    }
}

/// The broken rules of a request. Only the first [`FieldErrors::MAX_LISTED`] are listed and
/// the others are counted, because a body of 30 MB can break a million rules.
///
/// Dereferences to the listed rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldErrors {
    listed: Vec<FieldError>,
    unlisted: usize,
}

impl FieldErrors {
    /// Upper bound of the listed rules.
    pub const MAX_LISTED: usize = 100;

    /// The number of broken rules that are not listed.
    pub fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// The broken rules of a value, sorted by field name and by item index.
    pub(crate) fn of(value: &impl Validate) -> Self {
        let mut errors = Self::default();
        if let Err(found) = value.validate() {
            errors.add("", &found);
        }
        errors
    }

    /// Adds the broken rules of an item of a list. Items are validated one by one, because
    /// [`ValidationErrors`] of a whole list need far more memory than the list.
    pub(crate) fn add_item(&mut self, index: usize, item: &impl Validate) {
        if let Err(found) = item.validate() {
            self.add(&format!("[{index}]"), &found);
        }
    }

    /// The broken rules of both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.unlisted += other.unlisted;
        for error in other.listed {
            self.push(|| error);
        }
        self
    }

    /// Prefixes the path of every listed rule with `field`.
    pub(crate) fn below(mut self, field: &str) -> Self {
        for error in &mut self.listed {
            error.field.insert_str(0, field);
        }
        self
    }

    fn add(&mut self, outer: &str, errors: &ValidationErrors) {
        if self.listed.len() == Self::MAX_LISTED {
            self.unlisted += count(errors);
            return;
        }
        let mut fields: Vec<_> = errors.errors().iter().collect();
        fields.sort_unstable_by_key(|(name, _)| *name);
        for (name, kind) in fields {
            let path = match outer {
                "" => name.to_string(),
                _ => format!("{outer}.{name}"),
            };
            match kind {
                ValidationErrorsKind::Field(broken) => {
                    for rule in broken {
                        self.push(|| FieldError::new(&path, message(rule)));
                    }
                }
                ValidationErrorsKind::Struct(inner) => self.add(&path, inner),
                ValidationErrorsKind::List(items) => {
                    for (i, item) in items {
                        self.add(&format!("{path}[{i}]"), item);
                    }
                }
            }
        }
    }

    fn push(&mut self, error: impl FnOnce() -> FieldError) {
        if self.listed.len() < Self::MAX_LISTED {
            self.listed.push(error());
        } else {
            self.unlisted += 1;
        }
    }
}

fn count(errors: &ValidationErrors) -> usize {
    let counts = errors.errors().values().map(|kind| match kind {
        ValidationErrorsKind::Field(broken) => broken.len(),
        ValidationErrorsKind::Struct(inner) => count(inner),
        ValidationErrorsKind::List(items) => items.values().map(|item| count(item)).sum(),
    });
    counts.sum()
}

impl<E: Into<FieldError>> FromIterator<E> for FieldErrors {
    fn from_iter<I: IntoIterator<Item = E>>(errors: I) -> Self {
        let mut list = Self::default();
        for error in errors {
            list.push(|| error.into());
        }
        list
    }
}

impl From<FieldError> for FieldErrors {
    fn from(error: FieldError) -> Self {
        Self::from_iter([error])
    }
}

impl From<Invalid> for FieldErrors {
    fn from(invalid: Invalid) -> Self {
        invalid.into_errors().into_iter().collect()
    }
}

impl Deref for FieldErrors {
    type Target = [FieldError];

    fn deref(&self) -> &[FieldError] {
        &self.listed
    }
}

impl IntoIterator for FieldErrors {
    type Item = FieldError;
    type IntoIter = std::vec::IntoIter<FieldError>;

    /// Iterates over the listed rules.
    fn into_iter(self) -> Self::IntoIter {
        self.listed.into_iter()
    }
}

impl<const N: usize> PartialEq<[FieldError; N]> for FieldErrors {
    fn eq(&self, expected: &[FieldError; N]) -> bool {
        self.unlisted == 0 && self.listed == expected
    }
}

fn message(rule: &ValidationError) -> String {
    if let Some(message) = &rule.message {
        return message.to_string();
    }
    // A bound that is the limit of an integer type is omitted: deserializing has already
    // refused values beyond the limit.
    let is_relevant = |bound: &&Value| {
        [i64::MAX, i32::MAX.into()]
            .iter()
            .all(|limit| *bound != limit)
    };
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
        let valid = json!({ "start_time": 0, "end_time": 1, "text": "a" });
        let mut segments = vec![valid; 12];
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
    fn errors_beyond_the_hundredth_are_counted() {
        let invalid = json!({ "start_time": -1, "end_time": -1, "text": "a", "confidence": 2 });
        let read = TranscriptSegmentsBody::read(json!({ "segments": vec![invalid; 1_000] }));
        let errors = read.unwrap().into_domain().unwrap_err();
        assert_eq!((errors.len(), errors.unlisted()), (100, 2_900));
        assert_eq!(errors[99].field, "segments[33].confidence");
    }

    #[test]
    fn quoted_parts_of_the_request_are_cut() {
        let error = FieldError::new("é".repeat(1_000), "must be short");
        assert_eq!(error.field.chars().count(), MAX_TEXT_CHARS + 1);
        assert_eq!(FieldError::new("é".repeat(300), "").field, "é".repeat(300));
    }

    #[test]
    fn errors_of_the_domain_have_the_same_form() {
        let segment =
            |start, end, text| json!({ "start_time": start, "end_time": end, "text": text });
        let valid = segment(0, 1, "a");
        assert_eq!(
            errors::<TranscriptSegmentsBody>(json!({ "segments": [valid, segment(2, 1, "a")] })),
            [error(
                "segments[1].end_time",
                "must not be before start_time"
            )]
        );
        assert_eq!(
            errors::<TranscriptSegmentsBody>(
                json!({ "segments": [valid, segment(1, 2, " \u{a0}")] })
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
