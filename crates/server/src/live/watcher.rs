//! One who watches a job: what has been told, and what comes next.

use std::sync::Arc;
use std::time::Duration;

use lectern_domain::JobId;

use super::buffer::{EventsAfter, StreamEnd};
use super::catch_up::CatchUp;
use super::hub::{Hub, Subscription};
use super::message::Message;
use crate::database::handle::DatabaseHandle;
use crate::http::error::ApiError;

/// How long one who has fallen behind waits before asking again a database that
/// does not answer.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Messages, in order, none of them told before and none left out.
    Messages(Vec<Message>),
    /// Nothing more.
    StreamEnd(StreamEnd),
}

/// One who watches a job.
#[derive(Debug)]
pub(crate) struct Watcher {
    subscription: Subscription,
    db: DatabaseHandle,
    /// Number of the last event told.
    cursor: i64,
    /// Number of an event the job has come to at least.
    known: i64,
    /// Whether the job is finished, as far as was told.
    finished: bool,
}

/// A watcher and what it is to be told first.
#[derive(Debug)]
pub(crate) struct WatcherStart {
    pub(crate) watcher: Watcher,
    pub(crate) messages: Vec<Message>,
    /// Whether everything has been told already, and nothing more will happen.
    pub(crate) is_over: bool,
}

impl Watcher {
    /// Begins to watch a job, after event `after` or else with a snapshot.
    ///
    /// # Errors
    ///
    /// When there is no such job, the database does not answer, or the server
    /// stops.
    pub(crate) async fn start(
        hub: &Arc<Hub>,
        db: &DatabaseHandle,
        job_id: JobId,
        after: Option<i64>,
    ) -> Result<WatcherStart, ApiError> {
        // In this order, so that nothing falls in between.
        let subscription = hub.subscribe(job_id)?;
        let found = read(db, job_id, after).await?;
        let found = found.ok_or_else(|| ApiError::no_job(job_id))?;
        subscription.note_seq(found.last_seq);
        let mut watcher = Self {
            subscription,
            db: db.clone(),
            cursor: after.unwrap_or(0),
            known: found.last_seq,
            finished: found.finished,
        };
        let messages = watcher.delivered(found.messages);
        Ok(WatcherStart {
            is_over: messages.is_empty() && watcher.finished,
            watcher,
            messages,
        })
    }

    /// What comes next. Whoever stops waiting has missed nothing.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            let (after, end) = self.subscription.after(self.cursor, self.known);
            if end == Some(StreamEnd::Stopping) {
                return Next::StreamEnd(StreamEnd::Stopping);
            }
            match after {
                EventsAfter::Messages(messages) => return Next::Messages(self.delivered(messages)),
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

    /// What the database has after the cursor; `None` when it did not say.
    async fn read_missed(&mut self) -> Option<Next> {
        let found = read(&self.db, self.subscription.job_id(), Some(self.cursor)).await;
        match found {
            Ok(Some(found)) if !found.messages.is_empty() => {
                self.known = found.last_seq;
                return Some(Next::Messages(self.delivered(found.messages)));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Some(Next::StreamEnd(StreamEnd::Deleted)),
            Err(error) => log::debug!("a watcher has fallen behind: {}", error.chain()),
        }
        tokio::time::sleep(RETRY_DELAY).await;
        None
    }

    /// Takes note of what is being told.
    fn delivered(&mut self, messages: Vec<Message>) -> Vec<Message> {
        for message in &messages {
            self.cursor = message.seq;
            self.finished = message.finished.unwrap_or(self.finished);
        }
        messages
    }
}

/// What the database had to say.
struct Missed {
    messages: Vec<Message>,
    last_seq: i64,
    finished: bool,
}

async fn read(
    db: &DatabaseHandle,
    job_id: JobId,
    after: Option<i64>,
) -> Result<Option<Missed>, ApiError> {
    let now = db.now();
    db.read(
        move |conn| Ok(CatchUp::read(conn, job_id, after)?),
        move |catch_up| {
            catch_up.map(|catch_up| Missed {
                last_seq: catch_up.last_seq(),
                finished: catch_up.is_finished(),
                messages: catch_up.messages(now),
            })
        },
    )
    .await
}
