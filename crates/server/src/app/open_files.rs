//! The process's limit of open files, which bounds its connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files of any process: standard streams, listener, log, resolver, libraries.
const BASE_FILES: u64 = 64;

/// Files of one HTTP thread: its event queue and wakers.
const FILES_PER_THREAD: u64 = 8;

/// Files of one database connection. SQLite opens the database, its write-ahead log
/// (`-wal`) and the index of that log (`-shm`).
const FILES_PER_DATABASE_CONNECTION: u64 = 3;

/// Lower bound of the files for recordings and child processes.
const MIN_RECORDING_FILES: u64 = 64;

/// The files that a server needs besides its client connections.
#[derive(Debug, Clone, Copy)]
pub struct Reserve {
    fixed: u64,
}

impl Reserve {
    /// The reserve of a server with these numbers of database connections and HTTP threads.
    pub fn new(database_connections: usize, http_threads: usize) -> Self {
        let (connections, threads) = (database_connections as u64, http_threads as u64);
        let fixed =
            BASE_FILES + connections * FILES_PER_DATABASE_CONNECTION + threads * FILES_PER_THREAD;
        Self { fixed }
    }

    /// How many client connections fit into this limit of open files. A quarter of the
    /// files that are not fixed, but at least [`MIN_RECORDING_FILES`], is kept for the
    /// recordings that clients send and read.
    fn connections_within(self, limit: u64) -> u64 {
        let rest = limit.saturating_sub(self.fixed);
        rest - (rest / 4).max(MIN_RECORDING_FILES).min(rest)
    }

    /// The limit of open files that these client connections need; see
    /// [`Reserve::connections_within`]. Of the files that are not fixed, connections get
    /// three quarters and recordings get one quarter. So recordings need a third of the
    /// number of connections; one is added because the division rounds down.
    fn limit_for(self, connections: u64) -> u64 {
        let recordings = (connections / 3 + 1).max(MIN_RECORDING_FILES);
        connections
            .saturating_add(recordings)
            .saturating_add(self.fixed)
    }

    /// The number of client connections that fit into the current limit.
    pub fn connections(self) -> usize {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        usize::try_from(self.connections_within(limit)).unwrap_or(usize::MAX)
    }

    /// Raises the limit of open files for `connections` clients, as far as the hard limit
    /// allows. Many systems start a process with a limit of 1,024 and a far higher hard
    /// limit. Returns the number of connections that fit.
    pub fn raise_limit_for(self, connections: usize) -> usize {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = self.limit_for(connections as u64);
        let allowed = wanted.min(maximum.unwrap_or(u64::MAX));
        if current.is_some_and(|current| current < allowed) {
            let raised = Rlimit {
                current: Some(allowed),
                maximum,
            };
            if let Err(error) = setrlimit(Resource::Nofile, raised) {
                log::debug!("cannot raise the limit of open files: {error}");
            }
        }
        self.connections()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_needed_or_allowed() {
        let maximum = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        let reserve = Reserve::new(15, 2);
        for connections in [10, 2_000] {
            let available = reserve.raise_limit_for(connections);
            let possible = usize::try_from(reserve.connections_within(maximum));
            assert!(
                available >= connections.min(possible.unwrap_or(usize::MAX)),
                "{available}"
            );
        }
    }

    #[test]
    fn the_limit_for_connections_leaves_room_for_recordings() {
        let reserve = Reserve::new(15, 2);
        let fixed = 125;
        assert_eq!(reserve.fixed, fixed);
        for connections in [0, 1, 100, 192, 193, 10_000] {
            let limit = reserve.limit_for(connections);
            let fit = reserve.connections_within(limit);
            assert!(fit >= connections, "{connections}: {limit} leaves {fit}");
            assert!(limit - fit >= MIN_RECORDING_FILES + fixed, "{limit}");
        }
        assert_eq!(reserve.connections_within(1_024), 675);
        assert_eq!(reserve.connections_within(100), 0);
        assert_eq!(
            reserve.connections_within(u64::MAX),
            (u64::MAX - fixed) - (u64::MAX - fixed) / 4
        );
    }
}
