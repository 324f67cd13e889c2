//! The recent events of a watched job.

use std::collections::VecDeque;

use lectern_domain::JobEvent;

use super::super::message::Message;

/// Upper bound of buffered events per job. A watcher that is further behind reads
/// from the database.
const MAX_BUFFERED_EVENTS: usize = 128;

/// Upper bound of the buffered messages per job, in bytes. A bound on the number of
/// events is not enough, because one error message may be a megabyte long.
const MAX_BUFFERED_BYTES: usize = 256 << 10;

/// The recent events of a job, in order and without gaps, up to the last event that
/// this process knows.
#[derive(Debug, Default)]
pub(in super::super) struct EventBuffer {
    messages: VecDeque<Message>,
    /// Total size of the messages.
    bytes: usize,
    /// Last known sequence number; `None` in a new buffer.
    last_seq: Option<i64>,
    /// Why no more events will follow; `None` while events may follow.
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
    /// The event was the next event, or the first event of a new buffer.
    Appended,
    Duplicate,
    /// Earlier events are missing.
    Gap,
}

/// The events after a cursor.
#[derive(Debug)]
pub(in super::super) enum EventsAfter {
    /// No event after the cursor is known.
    UpToDate,
    Messages(Vec<Message>),
    /// Events after the cursor exist, but the buffer does not hold all of them.
    Missed,
}

impl EventBuffer {
    /// Appends the event if it follows the last event. A new buffer accepts any event.
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

    /// Makes a new buffer start after event `seq`. Has no effect on a buffer that has
    /// started.
    pub(in super::super) fn start_after(&mut self, seq: i64) {
        self.last_seq.get_or_insert(seq);
    }

    /// Whether the buffer lacks events up to `seq`; true for a new buffer.
    pub(in super::super) fn is_behind(&self, seq: i64) -> bool {
        self.last_seq.is_none_or(|last| last < seq)
    }

    /// The events after `cursor`. `reached_seq` is the last event that the caller knows
    /// to exist, even if the buffer has not received this event.
    pub(in super::super) fn events_after(&self, cursor: i64, reached_seq: i64) -> EventsAfter {
        if self.last_seq.unwrap_or(reached_seq).max(reached_seq) <= cursor {
            return EventsAfter::UpToDate;
        }
        let first = self.messages.front().map(|message| message.seq);
        // The number of buffered messages up to the cursor. `None` if the buffer is empty
        // or starts later than the message that follows the cursor.
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

    /// The sequence numbers of the events after `cursor`; `None` when the buffer lacks
    /// one of these events.
    fn seqs_after(buffer: &EventBuffer, cursor: i64, reached_seq: i64) -> Option<Vec<i64>> {
        match buffer.events_after(cursor, reached_seq) {
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
        assert_eq!(seqs_after(&buffer, 3, 0), Some(vec![4, 5, 6]));
    }

    #[test]
    fn a_watcher_gets_exactly_the_events_after_its_cursor() {
        let buffer = buffer_of(5..=9);
        assert_eq!(seqs_after(&buffer, 4, 0), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(seqs_after(&buffer, 8, 8), Some(vec![9]));
        assert_eq!(seqs_after(&buffer, 9, 9), Some(vec![]));
        assert_eq!(
            seqs_after(&buffer, 12, 12),
            Some(vec![]),
            "a watcher that is ahead waits"
        );
        assert_eq!(
            seqs_after(&buffer, 3, 0),
            None,
            "event 4 is not in the buffer"
        );
        assert_eq!(
            seqs_after(&buffer, 9, 11),
            None,
            "events 10 and 11 exist but are not in the buffer"
        );
    }

    #[test]
    fn a_new_buffer_starts_after_the_first_known_event() {
        let mut buffer = buffer_of([]);
        assert_eq!(seqs_after(&buffer, 3, 3), Some(vec![]));
        assert_eq!(seqs_after(&buffer, 3, 7), None);
        buffer.start_after(7);
        assert_eq!(buffer.last_seq(), Some(7));
        assert!(!buffer.is_behind(6) && !buffer.is_behind(7) && buffer.is_behind(9));
        buffer.start_after(9);
        assert_eq!(buffer.last_seq(), Some(7), "the buffer has started already");
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
        assert_eq!(seqs_after(&buffer, 6, 0), None);
        assert_eq!(seqs_after(&buffer, 7, 0), Some(vec![8, 9]));
        buffer.offer(&error_event(10, &long.repeat(3)));
        assert_eq!(seqs_after(&buffer, 9, 0), None);
        buffer.offer(&event(11));
        assert_eq!(seqs_after(&buffer, 10, 0), Some(vec![11]));
    }

    #[test]
    fn the_oldest_events_are_dropped_first() {
        let buffer = buffer_of(1..=1_000);
        assert_eq!(seqs_after(&buffer, 1_000 - 129, 0), None);
        assert_eq!(seqs_after(&buffer, 1_000 - 128, 0).unwrap().len(), 128);
    }
}
