//! Deserialization whose errors are types instead of messages.

mod error;
mod typed_errors;

pub use error::{DeserializeError, Reason};
pub use typed_errors::TypedErrors;
