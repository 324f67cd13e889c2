//! Extractors: arguments of handlers, parsed from a request.

pub(crate) mod deserialize_error;
pub(crate) mod idempotent_body;
pub(crate) mod json_body;
pub(crate) mod lease_header;
pub(crate) mod path_ids;
pub(crate) mod query;
pub(crate) mod receive_body;
pub(crate) mod transcript_body;
