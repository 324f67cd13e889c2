//! Segments of HTTP Live Streaming that were joined to one file.
//!
//! <https://www.rfc-editor.org/rfc/rfc8216#section-3.5>

use std::collections::HashSet;

use crate::entry::Entry;
use crate::notes::{Change, Notes};
use crate::time::parse_timestamp;

/// The clock of MPEG transport streams, in ticks per millisecond.
const TICKS_PER_MS: i64 = 90;

/// The segments of a file.
#[derive(Debug, Default)]
pub(super) struct Segments(Vec<Segment>);

#[derive(Debug)]
struct Segment {
    /// The index of the first entry.
    first: usize,
    /// What has to be added to the times of the segment to get those of the stream, in
    /// milliseconds; `None` if the header does not say.
    offset_ms: Option<i64>,
}

impl Segments {
    /// Begins a segment whose first entry will have the index `first`.
    pub(super) fn begin(&mut self, header: &[&str], first: usize) {
        let offset_ms = header.iter().find_map(|line| parse_timestamp_map(line));
        self.0.push(Segment { first, offset_ms });
    }

    /// Makes one list of the entries. The times of segments that all begin again at 0 are moved
    /// to the times of the first segment. Cues on the edge of two segments are in both, and
    /// are kept once.
    pub(super) fn join(self, entries: &mut Vec<Entry>, notes: &mut Notes) {
        if self.0.len() < 2 {
            return;
        }
        if !self.is_in_order(entries)
            && let Some(first_offset) = self.0[0].offset_ms
            && self.0.iter().all(|segment| segment.offset_ms.is_some())
        {
            let ends = self.0.iter().skip(1).map(|next| next.first);
            for (segment, end) in self.0.iter().zip(ends.chain([entries.len()])) {
                let by_ms = segment.offset_ms.unwrap_or(0).saturating_sub(first_offset);
                for entry in &mut entries[segment.first..end] {
                    shift(entry, by_ms);
                }
            }
        }
        let mut seen = HashSet::new();
        let is_first: Vec<bool> = entries
            .iter()
            .map(|entry| seen.insert((entry.start_ms, entry.end_ms, &entry.speaker, &entry.text)))
            .collect();
        let mut is_first = is_first.into_iter();
        entries.retain(|entry| {
            let is_first = is_first.next().unwrap_or(true);
            if !is_first {
                notes.add(Change::Repeated, entry.line);
            }
            is_first
        });
    }

    /// Whether every segment begins after the start of the segment before it.
    fn is_in_order(&self, entries: &[Entry]) -> bool {
        let starts = self.0.iter().filter_map(|segment| {
            let entry = entries.get(segment.first)?;
            entry.start_ms
        });
        starts.is_sorted_by(|a, b| a < b)
    }
}

fn shift(entry: &mut Entry, by_ms: i64) {
    entry.start_ms = entry.start_ms.map(|ms| ms.saturating_add(by_ms));
    entry.end_ms = entry.end_ms.map(|ms| ms.saturating_add(by_ms));
    for word in &mut entry.words {
        word.start_ms = word.start_ms.saturating_add_signed(by_ms);
        word.end_ms = word.end_ms.saturating_add_signed(by_ms);
    }
}

/// The offset in a line such as `X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000`.
fn parse_timestamp_map(line: &str) -> Option<i64> {
    let fields = line.trim().strip_prefix("X-TIMESTAMP-MAP=")?;
    let field = |name: &str| {
        let mut fields = fields.split(',');
        fields.find_map(|field| field.trim().strip_prefix(name))
    };
    let ticks: i64 = field("MPEGTS:")?.trim().parse().ok()?;
    let local = i64::try_from(parse_timestamp(field("LOCAL:")?.trim())?).ok()?;
    (ticks / TICKS_PER_MS).checked_sub(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_of_a_segment_is_read_from_its_header() {
        let offset = parse_timestamp_map;
        assert_eq!(
            offset("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:01.000"),
            Some(9_000)
        );
        assert_eq!(
            offset("X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:90"),
            Some(1)
        );
        assert_eq!(offset("X-TIMESTAMP-MAP=MPEGTS:x,LOCAL:00:00:01.000"), None);
        assert_eq!(offset("Kind: captions"), None);
    }
}
