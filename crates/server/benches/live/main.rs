//! Delay of live messages, and memory per watcher.
//!
//! ```console
//! $ cargo bench -p lectern-server
//! $ BENCH_DATABASE_URL=postgres://me@localhost/empty cargo bench -p lectern-server
//! ```
//!
//! A thousand clients watch one job by `WebSocket`, once on the server that
//! receives the progress reports and once on another server over the same
//! database. The delay is the time from before a report is sent until each client
//! has the message. Then the program starts a server in a separate process and
//! measures how its memory grows with idle watchers.
//!
//! `BENCH_DATABASE_URL` names a PostgreSQL database that the program may write to. Times are
//! not asserted; the program fails if a client misses a message.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod clients;
mod delay;
mod memory;

use std::env;

use anyhow::{Context as _, Result, ensure};
use lectern_db::Database;
use lectern_server::open_files::Reserve;

/// The number of clients that watch.
const WATCHERS: usize = 1_000;

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().collect();
    if let Some(at) = arguments
        .iter()
        .position(|argument| argument == memory::SERVE)
    {
        let url = arguments
            .get(at + 1)
            .context("--serve needs the URL of a database")?;
        return memory::serve(url);
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("measures only when run by `cargo bench`");
        return Ok(());
    }
    // Both ends of each connection are in this process.
    let needed = 2 * WATCHERS + 100;
    let max_connections = Reserve::new(15, 2).raise_limit_for(needed);
    ensure!(
        max_connections >= needed,
        "the system allows only {max_connections} connections"
    );

    let dir = tempfile::tempdir()?;
    let file = format!("sqlite://{}", dir.path().join("bench.db").display());
    let postgres = env::var("BENCH_DATABASE_URL")
        .ok()
        .filter(|url| !url.is_empty());
    println!(
        "{WATCHERS} WebSockets on one job, {} messages to each:",
        delay::REPORTS
    );
    println!(
        "{:<38} {:>8} {:>8} {:>8}",
        "from report to client, ms", "median", "99 %", "max"
    );
    for url in [Some(&file), postgres.as_ref()].into_iter().flatten() {
        let database = Database::open(url)?;
        database.migrate()?;
        let backend = database.backend().to_string();
        delay::measure(url, false)?.print(&format!("{backend}, the same server"));
        delay::measure(url, true)?.print(&format!("{backend}, another server"));
    }
    println!("\nmemory of a server with {WATCHERS} more idle watchers, KiB each:");
    memory::measure(&file)
}
