//! The error of deserialization.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

/// Why a value could not be deserialized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The input is not in the format of the parser.
    Syntax,
    /// A field is missing.
    MissingField(&'static str),
    /// A field occurs more than once.
    DuplicateField(&'static str),
    /// The structure has no field of this name.
    UnknownField(String),
    /// An integer is out of bounds. Contains the description of the expected value.
    IntegerOutOfBounds(String),
    /// Any other value has a wrong type or is out of bounds. Contains the description of
    /// the expected value by [`Visitor::expecting`](serde::de::Visitor::expecting).
    Expected(String),
    /// The message of a [`Deserialize`](serde::Deserialize) implementation.
    Custom(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("syntax error"),
            Self::MissingField(name) => write!(f, "missing field `{name}`"),
            Self::DuplicateField(name) => write!(f, "duplicate field `{name}`"),
            Self::UnknownField(name) => write!(f, "unknown field `{name}`"),
            Self::IntegerOutOfBounds(expected) | Self::Expected(expected) => {
                write!(f, "expected {expected}")
            }
            Self::Custom(message) => f.write_str(message),
        }
    }
}

/// An error of deserialization; its message does not repeat the received value.
#[derive(Debug)]
pub struct DeserializeError<E> {
    /// Why the value could not be deserialized.
    pub reason: Reason,
    /// The parser's error, which has the position; `None` if the error was made
    /// after the parser had returned.
    pub source: Option<E>,
}

impl<E: fmt::Display> fmt::Display for DeserializeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, &self.source) {
            (Reason::Syntax, Some(source)) => source.fmt(f),
            (reason, _) => reason.fmt(f),
        }
    }
}

impl<E: Error> std::error::Error for DeserializeError<E> {}

impl<E> From<Reason> for DeserializeError<E> {
    fn from(reason: Reason) -> Self {
        let source = None;
        Self { reason, source }
    }
}

impl<E: Error> Error for DeserializeError<E> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Reason::Custom(message.to_string()).into()
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Reason::Expected(expected.to_string()).into()
    }

    fn invalid_value(value: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        match value {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => Reason::IntegerOutOfBounds(expected),
            _ => Reason::Expected(expected),
        }
        .into()
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Reason::Expected(expected.to_string()).into()
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Reason::Expected(format!("one of {}", expected.join(", "))).into()
    }

    fn unknown_field(name: &str, _: &'static [&'static str]) -> Self {
        Reason::UnknownField(name.to_owned()).into()
    }

    fn missing_field(name: &'static str) -> Self {
        Reason::MissingField(name).into()
    }

    fn duplicate_field(name: &'static str) -> Self {
        Reason::DuplicateField(name).into()
    }
}

impl DeserializeError<serde_json::Error> {
    /// The message without the position.
    pub fn message(&self) -> String {
        let message = self.to_string();
        // serde_json appends the position and has no method for the message alone.
        let position = self.source.as_ref().map(|source| {
            let (line, column) = (source.line(), source.column());
            format!(" at line {line} column {column}")
        });
        position
            .and_then(|position| message.strip_suffix(&position).map(str::to_owned))
            .unwrap_or(message)
    }

    /// The line of the error, from 1; 0 if it is not known.
    pub fn line(&self) -> usize {
        self.source.as_ref().map_or(0, serde_json::Error::line)
    }

    /// The column of the error, from 1; 0 if it is not known.
    pub fn column(&self) -> usize {
        self.source.as_ref().map_or(0, serde_json::Error::column)
    }
}
