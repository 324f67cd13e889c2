//! The process's limit of open files, which bounds its connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files needed besides client connections: database, log, recordings.
const RESERVED_FILES: u64 = 256;

/// Raises the limit of open files for `connections` clients, as far as the hard limit
/// allows; many systems start a process with 1,024 and a far higher hard limit.
/// Returns the number of connections that fit.
pub fn raise_limit_for(connections: u64) -> u64 {
    let wanted = connections.saturating_add(RESERVED_FILES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current_limit = current.unwrap_or(u64::MAX);
    let allowed = wanted.min(maximum.unwrap_or(u64::MAX));
    let raised = Rlimit {
        current: Some(allowed),
        maximum,
    };
    let limit = if current_limit < allowed && setrlimit(Resource::Nofile, raised).is_ok() {
        allowed
    } else {
        current_limit
    };
    limit.saturating_sub(RESERVED_FILES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_needed_or_allowed() {
        let allowed = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        for connections in [10, 2_000] {
            let available = raise_limit_for(connections);
            assert!(
                available >= connections.min(allowed.saturating_sub(RESERVED_FILES)),
                "{available}"
            );
        }
    }
}
