//! Live updates: the events of a job, delivered to its watchers.
//!
//! The database assigns each event a sequence number in the transaction that
//! changes the job. The numbers of a job start at 1, have no gaps and follow the
//! order of commits. A [`Watcher`] has a cursor, the number of the last event
//! delivered; the next event has the number after the cursor. The numbers reveal
//! delayed, repeated and missing events.
//!
//! Events reach the [hub](hub::Hub) in two ways: from this process right after
//! each commit, and from other processes through [`poll_events`], which sends one
//! query for all watchers. For each watched job the hub keeps a short
//! [buffer](hub::buffer::EventBuffer) of the last messages, each serialized once. A
//! watcher is woken when the buffer grows and takes the messages after its
//! cursor. Messages that are no longer in the buffer are read from the database.
//!
//! A watcher subscribes first and reads the state of the job second, so events in
//! between are in the buffer. A client that reconnects with the number of the
//! last received event continues without a gap.
//!
//! The events of all jobs have an order of their own, in the [feed].
//!
//! A client that does not read its messages is disconnected after a timeout. While
//! a message waits to be read, the server collects no further messages for the
//! client.

mod catch_up;
mod connection_slots;
mod delivery;
mod event_poller;
pub(crate) mod feed;
pub(crate) mod feed_stream;
mod handle;
mod hub;
mod limits;
mod message;
pub(crate) mod sse;
mod watcher;
pub(crate) mod websocket;

pub(crate) use catch_up::CatchUp;
pub(crate) use event_poller::poll_events;
pub(crate) use handle::Live;
pub use limits::LiveConfig;
pub(crate) use watcher::Watcher;
