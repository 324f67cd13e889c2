//! HTTP rules that hold for every route: errors, idempotency keys, entity tags.

mod bodies;
mod entity_tags;
mod errors;
mod expect_continue;
mod idempotency;
mod many_errors;
mod request_ids;
