//! Building blocks of the wire types; nothing here depends on a particular noun.

pub(crate) mod cursor;
pub(crate) mod field_schemas;
pub(crate) mod integer;
pub(crate) mod items;
pub(crate) mod json_object;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod request;
pub(crate) mod validation;

pub use cursor::{AuditEntryList, InvalidCursor, JobPageCursor, List, LogEntryList, PageCursor};
pub use items::Items;
pub use problem::{Code, Problem};
pub use request::{BodyShape, Request};
pub use validation::{FieldError, FieldErrors};
