//! The recent events of a watched job.

use std::collections::VecDeque;

use lectern_domain::JobEvent;

use super::super::message::Message;

/// Upper bound of buffered events per job. A watcher that is further behind reads
/// from the database.
const MAX_BUFFERED_EVENTS: usize = 128;

/// The same in bytes: the text of an error may have a megabyte.
const MAX_BUFFERED_BYTES: usize = 256 << 10;

/// The recent events of a job, in order, without gaps, up to the last one this
/// process knows.
#[derive(Debug, Default)]
pub(in super::super) struct EventBuffer {
    messages: VecDeque<Message>,
    /// Size of the messages.
    bytes: usize,
    /// Last known sequence number; `None` in a new buffer.
    last_seq: Option<i64>,
    /// Why no more events will follow; `None` while some may.
    pub(in super::super) end: Option<StreamEnd>,
}

/// Why a stream of events ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The job is finished and its last event is delivered.
    Finished,
    /// The job was deleted.
    Deleted,
    /// The server stops.
    Stopping,
}

/// The outcome of offering an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum OfferOutcome {
    /// The event was the next one.
    Appended,
    Duplicate,
    /// Earlier events are missing.
    Gap,
}

/// The events after a cursor.
#[derive(Debug)]
pub(in super::super) enum EventsAfter {
    /// There are none yet.
    UpToDate,
    Messages(Vec<Message>),
    /// There are events that the buffer does not hold.
    Missed,
}

impl EventBuffer {
    /// Appends an event if it is the next one. A new buffer starts with any event.
    pub(in super::super) fn offer(&mut self, event: &JobEvent) -> OfferOutcome {
        match self.last_seq {
            Some(last) if event.seq <= last => return OfferOutcome::Duplicate,
            Some(last) if event.seq > last + 1 => return OfferOutcome::Gap,
            _ => {}
        }
        let message = Message::event(event.clone());
        self.bytes += message.bytes();
        self.messages.push_back(message);
        while self.messages.len() > MAX_BUFFERED_EVENTS || self.bytes > MAX_BUFFERED_BYTES {
            let Some(oldest) = self.messages.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
        }
        self.last_seq = Some(event.seq);
        OfferOutcome::Appended
    }

    /// Last known sequence number.
    pub(in super::super) fn last_seq(&self) -> Option<i64> {
        self.last_seq
    }

    /// Starts a new buffer after event `seq`; one that has started is unchanged.
    pub(in super::super) fn start_after(&mut self, seq: i64) {
        self.last_seq.get_or_insert(seq);
    }

    /// Whether events up to `seq` still have to be [offered](Self::offer).
    pub(in super::super) fn is_behind(&self, seq: i64) -> bool {
        self.last_seq.is_none_or(|last| last < seq)
    }

    /// The events after `cursor`. The caller knows that the job has reached event
    /// `reached_seq`, even if the buffer has not.
    pub(in super::super) fn after(&self, cursor: i64, reached_seq: i64) -> EventsAfter {
        if self.last_seq.unwrap_or(reached_seq).max(reached_seq) <= cursor {
            return EventsAfter::UpToDate;
        }
        let first = self.messages.front().map(|message| message.seq);
        // Messages up to the cursor; `None` also if the one after it was dropped.
        let skip = first.and_then(|first| usize::try_from(cursor + 1 - first).ok());
        match skip.filter(|skip| *skip < self.messages.len()) {
            Some(skip) => EventsAfter::Messages(self.messages.range(skip..).cloned().collect()),
            None => EventsAfter::Missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use lectern_domain::{Event, JobId, JobState, JobStatus, LongText, SystemClock};

    use super::*;

    fn event(seq: i64) -> JobEvent {
        error_event(seq, "disk full")
    }

    fn error_event(seq: i64, why: &str) -> JobEvent {
        JobEvent {
            job_id: JobId::new(&SystemClock),
            seq,
            event: Event::Error(JobState {
                status: JobStatus::Failed,
                progress: None,
                error_message: Some(LongText::new(why).unwrap()),
            }),
            at: DateTime::UNIX_EPOCH,
        }
    }

    fn buffer_of(seqs: impl IntoIterator<Item = i64>) -> EventBuffer {
        let mut buffer = EventBuffer::default();
        for seq in seqs {
            buffer.offer(&event(seq));
        }
        buffer
    }

    /// The sequence numbers after `cursor`; `None` when the buffer does not hold
    /// them.
    fn after(buffer: &EventBuffer, cursor: i64, reached_seq: i64) -> Option<Vec<i64>> {
        match buffer.after(cursor, reached_seq) {
            EventsAfter::UpToDate => Some(Vec::new()),
            EventsAfter::Messages(messages) => {
                Some(messages.iter().map(|message| message.seq).collect())
            }
            EventsAfter::Missed => None,
        }
    }

    #[test]
    fn only_the_next_event_is_appended() {
        use OfferOutcome::{Appended, Duplicate, Gap};
        let mut buffer = buffer_of([4]);
        let offered = [4, 6, 5, 5, 6].map(|seq| buffer.offer(&event(seq)));
        assert_eq!(offered, [Duplicate, Gap, Appended, Duplicate, Appended]);
        assert_eq!(after(&buffer, 3, 0), Some(vec![4, 5, 6]));
    }

    #[test]
    fn a_watcher_gets_exactly_the_events_after_its_cursor() {
        let buffer = buffer_of(5..=9);
        assert_eq!(after(&buffer, 4, 0), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(after(&buffer, 8, 8), Some(vec![9]));
        assert_eq!(after(&buffer, 9, 9), Some(vec![]));
        assert_eq!(
            after(&buffer, 12, 12),
            Some(vec![]),
            "a watcher that is ahead waits"
        );
        assert_eq!(after(&buffer, 3, 0), None, "4 is not in the buffer");
        assert_eq!(
            after(&buffer, 9, 11),
            None,
            "10 and 11 exist but are not in the buffer"
        );
    }

    #[test]
    fn a_new_buffer_starts_after_the_first_known_event() {
        let mut buffer = buffer_of([]);
        assert_eq!(after(&buffer, 3, 3), Some(vec![]));
        assert_eq!(after(&buffer, 3, 7), None);
        buffer.start_after(7);
        assert_eq!(buffer.last_seq(), Some(7));
        assert!(!buffer.is_behind(6) && !buffer.is_behind(7) && buffer.is_behind(9));
        buffer.start_after(9);
        assert_eq!(buffer.last_seq(), Some(7), "it has started already");
        assert_eq!(buffer.offer(&event(9)), OfferOutcome::Gap);
        assert_eq!(buffer.offer(&event(8)), OfferOutcome::Appended);
    }

    #[test]
    fn long_events_are_dropped_earlier() {
        let mut buffer = buffer_of(1..=5);
        let long = "x".repeat(100 << 10);
        for seq in 6..=9 {
            assert_eq!(
                buffer.offer(&error_event(seq, &long)),
                OfferOutcome::Appended
            );
        }
        assert_eq!(after(&buffer, 6, 0), None);
        assert_eq!(after(&buffer, 7, 0), Some(vec![8, 9]));
        buffer.offer(&error_event(10, &long.repeat(3)));
        assert_eq!(after(&buffer, 9, 0), None);
        buffer.offer(&event(11));
        assert_eq!(after(&buffer, 10, 0), Some(vec![11]));
    }

    #[test]
    fn the_oldest_events_are_dropped_first() {
        let buffer = buffer_of(1..=1_000);
        assert_eq!(after(&buffer, 1_000 - 129, 0), None);
        assert_eq!(after(&buffer, 1_000 - 128, 0).unwrap().len(), 128);
    }
}
