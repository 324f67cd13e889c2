//! Memory per idle watcher.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::{env, fs, io};

use anyhow::{Context as _, Result};
use lectern_db::Database;
use lectern_domain::NewJob;
use lectern_server::{Server, ServerConfig};

use crate::WATCHERS;
use crate::clients::{Socket, open_stream};

/// Argument that makes this program a server; the next argument is the URL of the
/// database.
pub(crate) const SERVE: &str = "--serve";

/// Serves until standard input is closed.
pub(crate) fn serve(url: &str) -> Result<()> {
    let config = ServerConfig {
        http_threads: None,
        ..ServerConfig::default()
    };
    let server = Server::start(config, Database::open(url)?)?;
    println!("{}", server.addr());
    io::stdout().flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// A server in a separate process, which is stopped when this value is dropped.
struct ServerProcess {
    child: Child,
    input: Option<ChildStdin>,
    address: SocketAddr,
}

impl ServerProcess {
    fn start(url: &str) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args([SERVE, url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child
            .stdout
            .take()
            .context("the process has no standard output")?;
        BufReader::new(output).read_line(&mut line)?;
        Ok(Self {
            input: child.stdin.take(),
            address: line.trim().parse()?,
            child,
        })
    }

    /// Resident memory in KiB.
    fn memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.context("the status file has no VmRSS")?.parse()?)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Measures both protocols, with all clients on one job and with one job
/// per client.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn measure(url: &str) -> Result<()> {
    let database = Database::open(url)?;
    let jobs: Vec<_> = (0..WATCHERS)
        .map(|_| {
            let job = database.write(|tx| tx.jobs().create(&NewJob::new("lecture.mp4")?));
            job.map(|job| job.job_id.to_string())
        })
        .collect::<Result<_, lectern_db::Error>>()?;
    for (name, jobs) in [("one job", &jobs[..1]), ("one job each", &jobs[..])] {
        let server = ServerProcess::start(url)?;
        // The first clients cause allocations that later ones share.
        let mut warm = Vec::new();
        for _ in 0..50 {
            warm.push(Socket::open(server.address, &jobs[0], 1).await?);
        }
        let before = server.memory()?;
        let mut sockets = Vec::new();
        for job in jobs.iter().cycle().take(WATCHERS) {
            sockets.push(Socket::open(server.address, job, 1).await?);
        }
        let between = server.memory()?;
        let mut streams = Vec::new();
        for job in jobs.iter().cycle().take(WATCHERS) {
            streams.push(open_stream(server.address, job).await?);
        }
        let after = server.memory()?;
        let kib_each = |before: f64, after: f64| (after - before) / WATCHERS as f64;
        println!(
            "{name}: WebSocket {:.1}, server-sent events {:.1}",
            kib_each(before, between),
            kib_each(between, after)
        );
    }
    Ok(())
}
