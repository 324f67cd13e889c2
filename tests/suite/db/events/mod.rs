//! Events and their notifications.

mod feed;
mod notifications;
mod stored_events;
