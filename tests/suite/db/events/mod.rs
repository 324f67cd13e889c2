//! What those who watch a job are told.

mod notifications;
mod stored_events;
