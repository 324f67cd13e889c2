//! Live updates: how what happens to a job gets to those who watch it.
//!
//! An event has a number that the database gave it in the transaction that
//! changed the job: from 1, without gaps, in the order of the commits. All the
//! rest follows from that. A [`Watcher`] has a cursor, the number of the last
//! event told, and the next one is the one that is one more. Whatever is late,
//! doubled or missing on the way shows in the numbers.
//!
//! Events come to the [`Hub`] in two ways: from this process right after each
//! commit, and from all others by [`follow`], which puts one question to the
//! database on behalf of everybody. For each watched job the hub keeps a short
//! [ring](ring::Ring) of the last messages, each made into bytes once. A
//! watcher is woken when its ring grows and takes what lies beyond its cursor.
//! If that is not there any more, it reads from the database.
//!
//! So a watcher begins by subscribing, and only then looks where the job
//! stands: what happens in between is in the ring. And one who comes back with
//! the number of the last event seen goes on as if nothing had been.
//!
//! A client that does not take its messages is waited for a while and left:
//! nothing is kept for it meanwhile but its place.

mod buffer;
mod catch_up;
mod config;
mod delivery;
mod handle;
mod hub;
mod message;
mod poller;
mod slots;
pub(crate) mod sse;
mod watcher;
pub(crate) mod websocket;

pub(crate) use catch_up::CatchUp;
pub use config::LiveConfig;
pub(crate) use handle::Live;
pub(crate) use poller::poll_events;
pub(crate) use watcher::Watcher;
