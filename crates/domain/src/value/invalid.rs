//! The error of a value that breaks a rule.

use std::fmt;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field from the outermost value, such as
    /// `segments[3].end_time`; empty until [`InField::in_field`] names the field.
    pub field: String,
    /// The rule, worded to follow the field: `must be 1 to 255 characters long`.
    pub message: String,
}

/// The error of every constructor in this crate: one or more broken rules.
///
/// The constructor of a single value does not know the field's name; the code that
/// builds a larger value from it adds the name with [`InField::in_field`].
///
/// ```
/// use lectern_domain::{InField, Filename};
///
/// let error = Filename::new("").in_field("filename").unwrap_err();
/// assert_eq!(error.to_string(), "filename must be 1 to 255 characters long");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    errors: Vec<FieldError>,
}

impl Invalid {
    /// A rule broken by the value itself.
    pub fn new(message: impl Into<String>) -> Self {
        Self::field("", message)
    }

    /// A rule broken by one field of the value.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            errors: vec![FieldError {
                field: field.into(),
                message: message.into(),
            }],
        }
    }

    /// The broken rules in the order they were found; never empty.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The broken rules, owned.
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    /// Prefixes every path with `outer`.
    pub fn in_field(mut self, outer: &str) -> Self {
        for error in &mut self.errors {
            error.field = match error.field.as_str() {
                "" => outer.to_owned(),
                inner if inner.starts_with('[') => format!("{outer}{inner}"),
                inner => format!("{outer}.{inner}"),
            };
        }
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            match error.field.as_str() {
                "" => write!(f, "value {}", error.message)?,
                field => write!(f, "{field} {}", error.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Names the field that a constructor's result is for.
pub trait InField {
    /// Prefixes the path of every broken rule with `outer`.
    fn in_field(self, outer: &str) -> Self;
}

impl<T> InField for Result<T, Invalid> {
    fn in_field(self, outer: &str) -> Self {
        self.map_err(|invalid| invalid.in_field(outer))
    }
}
