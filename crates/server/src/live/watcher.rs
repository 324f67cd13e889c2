//! One who watches a job: what has been told, and what comes next.

use std::sync::Arc;
use std::time::Duration;

use lectern_domain::JobId;

use super::buffer::{Beyond, End};
use super::catch_up::Look;
use super::hub::{Hub, Subscription};
use super::message::Message;
use crate::database::handle::Db;
use crate::http::error::ApiError;

/// How long one who has fallen behind waits before asking again a database that
/// does not answer.
const PAUSE: Duration = Duration::from_millis(500);

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Messages, in order, none of them told before and none left out.
    Messages(Vec<Message>),
    /// Nothing more.
    End(End),
}

/// One who watches a job.
#[derive(Debug)]
pub(crate) struct Watcher {
    subscription: Subscription,
    db: Db,
    /// Number of the last event told.
    cursor: i64,
    /// Number of an event the job has come to at least.
    known: i64,
    /// Whether the job is finished, as far as was told.
    finished: bool,
}

/// A watcher and what it is to be told first.
#[derive(Debug)]
pub(crate) struct Beginning {
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
    pub(crate) async fn begin(
        hub: &Arc<Hub>,
        db: &Db,
        job_id: JobId,
        after: Option<i64>,
    ) -> Result<Beginning, ApiError> {
        // In this order, so that nothing falls in between.
        let subscription = hub.subscribe(job_id)?;
        let found = read(db, job_id, after).await?;
        let found = found.ok_or_else(|| ApiError::no_job(job_id))?;
        subscription.heard_of(found.last_seq);
        let mut watcher = Self {
            subscription,
            db: db.clone(),
            cursor: after.unwrap_or(0),
            known: found.last_seq,
            finished: found.finished,
        };
        let messages = watcher.told(found.messages);
        Ok(Beginning {
            is_over: messages.is_empty() && watcher.finished,
            watcher,
            messages,
        })
    }

    /// What comes next. Whoever stops waiting has missed nothing.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            let (beyond, end) = self.subscription.beyond(self.cursor, self.known);
            if end == Some(End::Stopping) {
                return Next::End(End::Stopping);
            }
            match beyond {
                Beyond::These(messages) => return Next::Messages(self.told(messages)),
                Beyond::Missed => {
                    if let Some(next) = self.read_missed().await {
                        return next;
                    }
                }
                Beyond::Nothing => match end {
                    Some(end) => return Next::End(end),
                    None if self.finished => return Next::End(End::Finished),
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
                return Some(Next::Messages(self.told(found.messages)));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Some(Next::End(End::Deleted)),
            Err(error) => log::debug!("a watcher has fallen behind: {}", error.chain()),
        }
        tokio::time::sleep(PAUSE).await;
        None
    }

    /// Takes note of what is being told.
    fn told(&mut self, messages: Vec<Message>) -> Vec<Message> {
        for message in &messages {
            self.cursor = message.seq;
            self.finished = message.finished.unwrap_or(self.finished);
        }
        messages
    }
}

/// What the database had to say.
struct Found {
    messages: Vec<Message>,
    last_seq: i64,
    finished: bool,
}

async fn read(db: &Db, job_id: JobId, after: Option<i64>) -> Result<Option<Found>, ApiError> {
    let now = db.now();
    db.read(
        move |conn| Ok(Look::at(conn, job_id, after)?),
        move |look| {
            look.map(|look| Found {
                last_seq: look.last_seq(),
                finished: look.is_finished(),
                messages: look.messages(now),
            })
        },
    )
    .await
}
