//! HTTP rules that hold for every route: errors, idempotency keys, entity tags.

mod bodies;
mod entity_tags;
mod errors;
mod expect_continue;
mod idempotency;
mod idempotent_posts;
mod many_errors;
mod merge_patch;
mod request_ids;
