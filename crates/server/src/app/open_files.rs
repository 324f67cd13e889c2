//! How many connections the system lets this process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the process needs besides connections of clients: database, log, files.
const RESERVED_FILES: u64 = 256;

/// Asks the system for as many open files as so many `connections` need, and
/// gets what it may have: many systems begin with 1,024 and allow far more.
/// Tells how many connections there is room for.
pub fn raise_limit_for(connections: u64) -> u64 {
    let wanted = connections.saturating_add(RESERVED_FILES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let now = current.unwrap_or(u64::MAX);
    let allowed = wanted.min(maximum.unwrap_or(u64::MAX));
    let raised = Rlimit {
        current: Some(allowed),
        maximum,
    };
    let limit = if now < allowed && setrlimit(Resource::Nofile, raised).is_ok() {
        allowed
    } else {
        now
    };
    limit.saturating_sub(RESERVED_FILES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_what_was_asked_for_or_for_what_is_allowed() {
        let allowed = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        for connections in [10, 2_000] {
            let room = raise_limit_for(connections);
            assert!(
                room >= connections.min(allowed.saturating_sub(RESERVED_FILES)),
                "{room}"
            );
        }
    }
}
