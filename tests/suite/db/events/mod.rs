//! Events and their notifications.

mod notifications;
mod stored_events;
