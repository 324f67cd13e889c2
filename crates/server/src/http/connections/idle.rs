//! The connections without a request in flight, by how long they have been idle.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

/// Connections in the order in which they became idle.
#[derive(Debug)]
pub(super) struct IdleQueue<T> {
    next_ticket: u64,
    entries: BTreeMap<u64, (IpAddr, T)>,
    by_client: HashMap<IpAddr, BTreeSet<u64>>,
}

/// The place of a connection in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl<T> Default for IdleQueue<T> {
    fn default() -> Self {
        Self {
            next_ticket: 0,
            entries: BTreeMap::new(),
            by_client: HashMap::new(),
        }
    }
}

impl<T> IdleQueue<T> {
    /// Appends a connection.
    pub(super) fn push(&mut self, client: IpAddr, entry: T) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.entries.insert(ticket, (client, entry));
        self.by_client.entry(client).or_default().insert(ticket);
        Ticket(ticket)
    }

    /// Removes a connection, wherever it is in the queue.
    pub(super) fn remove(&mut self, Ticket(ticket): Ticket) -> Option<T> {
        let (client, entry) = self.entries.remove(&ticket)?;
        if let Some(tickets) = self.by_client.get_mut(&client) {
            tickets.remove(&ticket);
            if tickets.is_empty() {
                self.by_client.remove(&client);
            }
        }
        Some(entry)
    }

    /// Removes the connection that has been idle longest.
    pub(super) fn pop(&mut self) -> Option<T> {
        let ticket = *self.entries.keys().next()?;
        self.remove(Ticket(ticket))
    }

    /// Removes the client's connection that has been idle longest.
    pub(super) fn pop_of(&mut self, client: IpAddr) -> Option<T> {
        let ticket = *self.by_client.get(&client)?.first()?;
        self.remove(Ticket(ticket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_in_the_order_in_which_they_became_idle() {
        let client = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut queue = IdleQueue::default();
        let tickets =
            [(1, "a"), (2, "b"), (1, "c"), (2, "d")].map(|(n, name)| queue.push(client(n), name));
        assert_eq!(queue.pop_of(client(2)), Some("b"));
        assert_eq!(queue.pop_of(client(3)), None);
        assert_eq!(queue.remove(tickets[2]), Some("c"));
        assert_eq!(queue.remove(tickets[2]), None);
        assert_eq!(
            (queue.pop(), queue.pop(), queue.pop()),
            (Some("a"), Some("d"), None)
        );
        assert!(queue.by_client.is_empty());
    }
}
