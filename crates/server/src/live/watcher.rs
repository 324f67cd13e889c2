//! A client's position in the events of a job.

use std::sync::Arc;
use std::time::Duration;

use lectern_domain::JobId;

use super::catch_up::CatchUp;
use super::hub::buffer::{EventsAfter, StreamEnd};
use super::hub::{Hub, Subscription};
use super::message::Message;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;

/// Pause after a read of missed events that failed or found none.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// The next step of a stream.
#[derive(Debug)]
pub(crate) enum Next {
    /// Messages in order, without gaps or repetitions.
    Messages(Vec<Message>),
    /// There are no more messages.
    StreamEnd(StreamEnd),
}

/// A client's subscription to a job and its position in the events.
#[derive(Debug)]
pub(crate) struct Watcher {
    subscription: Subscription,
    db: DatabaseHandle,
    /// Sequence number of the last event returned to the caller.
    cursor: i64,
    /// The job's last sequence number at the last read.
    reached_seq: i64,
    /// Whether the job was finished as of the last message returned or, before any
    /// message, as of the first read.
    finished: bool,
}

/// A watcher and its first messages.
#[derive(Debug)]
pub(crate) struct WatcherStart {
    pub(crate) watcher: Watcher,
    pub(crate) messages: Vec<Message>,
    /// Whether the job is finished and the client already has all its events.
    pub(crate) is_over: bool,
}

impl Watcher {
    /// Starts to watch a job: after event `after`, or with a snapshot if `after` is
    /// `None` or the events after it cannot be delivered without a gap.
    ///
    /// # Errors
    ///
    /// When the job does not exist, the database does not respond, or the server
    /// stops.
    pub(crate) async fn start(
        hub: &Arc<Hub>,
        db: &DatabaseHandle,
        job_id: JobId,
        after: Option<i64>,
    ) -> Result<WatcherStart, ApiError> {
        // Subscribes before the read, so that no event between the two is missed.
        let subscription = hub.subscribe(job_id)?;
        let found = read(db, job_id, after).await?;
        let found = found.ok_or_else(|| ApiError::no_job(job_id))?;
        subscription.report_reached(found.last_seq);
        let mut watcher = Self {
            subscription,
            db: db.clone(),
            cursor: after.unwrap_or(0),
            reached_seq: found.last_seq,
            finished: found.finished,
        };
        let messages = watcher.advance(found.messages);
        Ok(WatcherStart {
            is_over: messages.is_empty() && watcher.finished,
            watcher,
            messages,
        })
    }

    /// Waits for the next messages. Cancel-safe: dropping the future loses
    /// nothing.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            let (events, end) = self
                .subscription
                .events_after(self.cursor, self.reached_seq);
            // When the server stops, the stream ends at once. In all other cases the
            // remaining messages are returned before the stream ends.
            if end == Some(StreamEnd::Stopping) {
                return Next::StreamEnd(StreamEnd::Stopping);
            }
            match events {
                EventsAfter::Messages(messages) => return Next::Messages(self.advance(messages)),
                EventsAfter::Missed => {
                    if let Some(next) = self.read_missed().await {
                        return next;
                    }
                }
                EventsAfter::UpToDate => match end {
                    Some(end) => return Next::StreamEnd(end),
                    None if self.finished => return Next::StreamEnd(StreamEnd::Finished),
                    None => self.subscription.changed().await,
                },
            }
        }
    }

    /// Reads the events after the cursor from the database. If the read fails or finds
    /// no event, pauses for [`RETRY_DELAY`] and returns `None`.
    async fn read_missed(&mut self) -> Option<Next> {
        let found = read(&self.db, self.subscription.job_id(), Some(self.cursor)).await;
        match found {
            Ok(Some(found)) if !found.messages.is_empty() => {
                self.reached_seq = found.last_seq;
                return Some(Next::Messages(self.advance(found.messages)));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Some(Next::StreamEnd(StreamEnd::Deleted)),
            Err(error) => log::debug!("cannot read the events a watcher missed: {}", error.chain()),
        }
        tokio::time::sleep(RETRY_DELAY).await;
        None
    }

    /// Advances the cursor past `messages` and returns them.
    fn advance(&mut self, messages: Vec<Message>) -> Vec<Message> {
        for message in &messages {
            self.cursor = message.seq;
            self.finished = message.finished.unwrap_or(self.finished);
        }
        messages
    }
}

/// The state of a job, and the messages that a watcher has missed.
struct MissedMessages {
    messages: Vec<Message>,
    last_seq: i64,
    finished: bool,
}

async fn read(
    db: &DatabaseHandle,
    job_id: JobId,
    after: Option<i64>,
) -> Result<Option<MissedMessages>, ApiError> {
    let now = db.now();
    db.read(
        move |conn| Ok(CatchUp::read(conn, job_id, after)?),
        move |catch_up| {
            catch_up.map(|catch_up| MissedMessages {
                last_seq: catch_up.last_seq(),
                finished: catch_up.is_finished(),
                messages: catch_up.messages(now),
            })
        },
    )
    .await
}
