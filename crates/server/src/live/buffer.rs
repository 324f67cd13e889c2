//! The last events of a job that is watched.

use std::collections::VecDeque;

use lectern_domain::JobEvent;

use super::message::Message;

/// How many events are kept for watchers that have something else to do just
/// now. Who falls further behind reads from the database.
const ROOM: usize = 128;

/// The last events of a job, in order and without gaps, all up to the last one
/// this process has heard of.
#[derive(Debug, Default)]
pub(super) struct Ring {
    messages: VecDeque<Message>,
    /// Number of the last event heard of; `None` until somebody has looked.
    last: Option<i64>,
    /// Why there will be no more, if there won't.
    pub(super) end: Option<End>,
}

/// Why there are no more messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The job is finished and its last event delivered.
    Finished,
    /// The job was deleted.
    Deleted,
    /// The server stops.
    Stopping,
}

/// What became of an event that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    /// It is the next one.
    New,
    /// It was known.
    Known,
    /// Others come before it, which this process has not heard of.
    Early,
}

/// What there is for a watcher.
#[derive(Debug)]
pub(super) enum Beyond {
    /// Nothing yet.
    Nothing,
    /// These, in order.
    These(Vec<Message>),
    /// Something that is not kept here.
    Missed,
}

impl Ring {
    /// Takes an event if it is the next one.
    pub(super) fn offer(&mut self, event: &JobEvent) -> Offered {
        match self.last {
            Some(last) if event.seq <= last => return Offered::Known,
            Some(last) if event.seq > last + 1 => return Offered::Early,
            _ => {}
        }
        if self.messages.len() == ROOM {
            self.messages.pop_front();
        }
        self.messages.push_back(Message::event(event.clone()));
        self.last = Some(event.seq);
        Offered::New
    }

    /// Number of the last event heard of.
    pub(super) fn last(&self) -> Option<i64> {
        self.last
    }

    /// Takes note that the job has come to event `seq`. Whether there are
    /// events in between that are missing here.
    pub(super) fn heard_of(&mut self, seq: i64) -> bool {
        seq > *self.last.get_or_insert(seq)
    }

    /// What comes after event `cursor` for a watcher who knows that the job has
    /// come to event `known` at least.
    pub(super) fn beyond(&self, cursor: i64, known: i64) -> Beyond {
        if self.last.unwrap_or(known).max(known) <= cursor {
            return Beyond::Nothing;
        }
        let first = self.messages.front().map(|message| message.seq);
        let skip = first.and_then(|first| usize::try_from(cursor + 1 - first).ok());
        match skip.filter(|skip| *skip < self.messages.len()) {
            Some(skip) => Beyond::These(self.messages.range(skip..).cloned().collect()),
            None => Beyond::Missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use lectern_domain::{Event, JobId, JobState, JobStatus, SystemClock};

    use super::*;

    fn event(seq: i64) -> JobEvent {
        JobEvent {
            job_id: JobId::new(&SystemClock),
            seq,
            event: Event::Progress(JobState {
                status: JobStatus::Running,
                progress: None,
                error_message: None,
            }),
            at: DateTime::UNIX_EPOCH,
        }
    }

    fn a_ring(seqs: impl IntoIterator<Item = i64>) -> Ring {
        let mut ring = Ring::default();
        for seq in seqs {
            ring.offer(&event(seq));
        }
        ring
    }

    /// The numbers after `cursor`; `None` when they are not here.
    fn beyond(ring: &Ring, cursor: i64, known: i64) -> Option<Vec<i64>> {
        match ring.beyond(cursor, known) {
            Beyond::Nothing => Some(Vec::new()),
            Beyond::These(messages) => Some(messages.iter().map(|message| message.seq).collect()),
            Beyond::Missed => None,
        }
    }

    #[test]
    fn only_the_next_event_is_taken() {
        use Offered::{Early, Known, New};
        let mut ring = a_ring([4]);
        let offered = [4, 6, 5, 5, 6].map(|seq| ring.offer(&event(seq)));
        assert_eq!(offered, [Known, Early, New, Known, New]);
        assert_eq!(beyond(&ring, 3, 0), Some(vec![4, 5, 6]));
    }

    #[test]
    fn a_watcher_gets_what_comes_after_its_cursor_and_nothing_else() {
        let ring = a_ring(5..=9);
        assert_eq!(beyond(&ring, 4, 0), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(beyond(&ring, 8, 8), Some(vec![9]));
        assert_eq!(beyond(&ring, 9, 9), Some(vec![]));
        assert_eq!(beyond(&ring, 12, 12), Some(vec![]), "who is ahead waits");
        assert_eq!(beyond(&ring, 3, 0), None, "4 is not here");
        assert_eq!(
            beyond(&ring, 9, 11),
            None,
            "10 and 11 are there, but not here"
        );
    }

    #[test]
    fn what_nobody_has_looked_at_is_not_known() {
        let mut ring = a_ring([]);
        assert_eq!(beyond(&ring, 3, 3), Some(vec![]));
        assert_eq!(beyond(&ring, 3, 7), None);
        assert!(!ring.heard_of(7));
        assert_eq!(ring.last(), Some(7));
        assert!(ring.heard_of(9) && !ring.heard_of(6));
        assert_eq!(ring.last(), Some(7));
        assert_eq!(ring.offer(&event(9)), Offered::Early);
        assert_eq!(ring.offer(&event(8)), Offered::New);
    }

    #[test]
    fn the_oldest_make_room() {
        let ring = a_ring(1..=1_000);
        assert_eq!(beyond(&ring, 1_000 - 129, 0), None);
        assert_eq!(beyond(&ring, 1_000 - 128, 0).unwrap().len(), 128);
    }
}
