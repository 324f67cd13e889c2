//! A temporary PostgreSQL server for the run of the tests.

use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::{env, fs, io};

/// The environment variable with the URL of an existing server, whose user may
/// create and drop databases.
pub const TEST_DATABASE_URL: &str = "TEST_DATABASE_URL";

/// The URL of the server for this process and its maintenance database:
/// `TEST_DATABASE_URL` if that is set, otherwise a [`Cluster`] started on the
/// first call.
///
/// # Panics
///
/// If PostgreSQL is missing; the message says what to install.
pub fn server_url() -> &'static str {
    static OWN: OnceLock<Cluster> = OnceLock::new();
    static GIVEN: OnceLock<Option<String>> = OnceLock::new();
    match GIVEN.get_or_init(|| {
        env::var(TEST_DATABASE_URL)
            .ok()
            .filter(|url| !url.is_empty())
    }) {
        Some(url) => url,
        None => OWN.get_or_init(Cluster::start).url(),
    }
}

/// Whether the last commits survive a crash of the server.
#[derive(Debug, Clone, Copy)]
enum Commits {
    Durable,
    Volatile,
}

/// A temporary PostgreSQL server on a free port of 127.0.0.1 with its own data
/// directory. Server and directory are removed when the value is dropped or the
/// process ends, even by a crash.
#[derive(Debug)]
pub struct Cluster {
    url: String,
    dir: PathBuf,
    tools: Tools,
    owner: Owner,
    watchdog: Child,
}

impl Cluster {
    /// Creates the data directory and starts the server.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed or does not start.
    pub fn start() -> Self {
        Self::start_with(Commits::Volatile)
    }

    /// The same, but commits survive [`Cluster::stop`].
    ///
    /// # Panics
    ///
    /// As [`Cluster::start`].
    pub fn with_durable_commits() -> Self {
        Self::start_with(Commits::Durable)
    }

    fn start_with(commits: Commits) -> Self {
        let tools = Tools::find();
        let dir = tempfile::Builder::new()
            .prefix("lectern-postgres-")
            .tempdir_in(place(commits))
            .expect("a temporary directory")
            .keep();
        let owner = Owner::of(&dir);
        owner.make_owner_of(&dir);
        // From here on the watchdog removes the directory.
        let watchdog = owner.watchdog(&tools, &dir);
        let mut cluster = Self {
            url: String::new(),
            dir,
            tools,
            owner,
            watchdog,
        };
        let password = random_hex();
        let file = cluster.dir.join("password");
        fs::write(&file, &password).expect("a writable temporary directory");
        cluster.owner.make_owner_of(&file);
        let made = run(cluster
            .command(&cluster.tools.initdb)
            .args(["--username=lectern", "--auth=password", "--pwfile=password"])
            .args([
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--pgdata=data",
            ]));
        // The server's user may have no access to the TMPDIR of root.
        made.unwrap_or_else(|error| panic!("initdb failed in {}: {error}", cluster.dir.display()));

        // Another program may take the port before PostgreSQL listens on it.
        let mut failures = String::new();
        for _ in 0..5 {
            let port = free_port();
            let settings_file = cluster.dir.join("data/postgresql.auto.conf");
            fs::write(settings_file, settings(port, commits)).expect("initdb's files");
            match cluster.pg_ctl("start") {
                Ok(()) => {
                    cluster.url =
                        format!("postgres://lectern:{password}@127.0.0.1:{port}/postgres");
                    return cluster;
                }
                Err(error) => failures += &error,
            }
        }
        let log = fs::read_to_string(cluster.dir.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start: {failures}\n{log}");
    }

    /// URL of the maintenance database, with name and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the server as a crash would, and keeps its files.
    pub fn stop(&mut self) {
        self.pg_ctl("stop")
            .unwrap_or_else(|error| panic!("PostgreSQL does not stop: {error}"));
    }

    /// Starts a stopped server on the same port.
    pub fn start_again(&mut self) {
        self.pg_ctl("start")
            .unwrap_or_else(|error| panic!("PostgreSQL does not start: {error}"));
    }

    /// Suspends all processes of the server until the value is dropped: it keeps
    /// its connections and answers nothing.
    ///
    /// # Panics
    ///
    /// If its processes cannot be suspended.
    pub fn freeze(&self) -> Frozen<'_> {
        self.signal("STOP");
        Frozen(self)
    }

    fn signal(&self, signal: &str) {
        let pid_file = fs::read_to_string(self.dir.join("data/postmaster.pid"))
            .expect("the process id of a running server");
        let postmaster = pid_file.lines().next().unwrap_or_default();
        // The postmaster first, so that it starts no more processes.
        let script = format!(
            "kill -s {signal} {postmaster} && \
             for child in $(cat /proc/{postmaster}/task/*/children); do kill -s {signal} $child; done"
        );
        run(Command::new("sh").args(["-c", &script]))
            .unwrap_or_else(|error| panic!("SIG{signal} was not sent: {error}"));
    }

    fn pg_ctl(&self, action: &str) -> Result<(), String> {
        let option = if action == "stop" {
            "--mode=immediate"
        } else {
            "--log=log"
        };
        run(self.command(&self.tools.pg_ctl).args([
            action,
            option,
            "--wait",
            "--silent",
            "--pgdata=data",
        ]))
    }

    fn command(&self, program: &Path) -> Command {
        self.owner.command(program, &self.dir)
    }
}

/// A suspended server, which is resumed on drop.
#[derive(Debug)]
pub struct Frozen<'c>(&'c Cluster);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.signal("CONT");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// A file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";
/// More free space than the databases of all tests need, in bytes.
const ENOUGH_MEMORY: u64 = 4 << 30;

/// Where the data directory is created: in memory if there is enough. Each test has a database,
/// and copying and deleting its files takes four times as long on a disk.
fn place(commits: Commits) -> PathBuf {
    let free = rustix::fs::statvfs(MEMORY).map_or(0, |found| found.f_bavail * found.f_frsize);
    let is_chosen = env::var_os("TMPDIR").is_some();
    match commits {
        Commits::Volatile if free >= ENOUGH_MEMORY && !is_chosen => MEMORY.into(),
        Commits::Volatile | Commits::Durable => env::temp_dir(),
    }
}

/// Settings of the server: no durability, for speed, and enough connections for
/// the parallel tests of a large machine.
fn settings(port: u16, commits: Commits) -> String {
    let synchronous_commit = match commits {
        Commits::Volatile => "off",
        Commits::Durable => "on",
    };
    format!(
        "listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         unix_socket_directories = ''\n\
         max_connections = 500\n\
         shared_buffers = 64MB\n\
         fsync = off\n\
         synchronous_commit = {synchronous_commit}\n\
         full_page_writes = off\n\
         max_wal_size = 256MB\n\
         autovacuum = off\n"
    )
}

/// Programs of a PostgreSQL installation.
#[derive(Debug)]
struct Tools {
    initdb: PathBuf,
    pg_ctl: PathBuf,
}

impl Tools {
    fn find() -> Self {
        let on_path = env::var_os("PATH").unwrap_or_default();
        let mut places: Vec<PathBuf> = env::split_paths(&on_path).collect();
        if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
            places.push(String::from_utf8_lossy(&output.stdout).trim().into());
        }
        // Debian has one directory per version; the newest comes first.
        let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .collect();
        versions.sort();
        places.extend(versions.into_iter().rev());
        places
            .into_iter()
            .map(|place| Self {
                initdb: place.join("initdb"),
                pg_ctl: place.join("pg_ctl"),
            })
            .find(|tools| tools.initdb.is_file() && tools.pg_ctl.is_file())
            .unwrap_or_else(|| {
                panic!(
                    "these tests need PostgreSQL: install it (Debian and Ubuntu: apt-get install \
                     postgresql; Fedora: dnf install postgresql-server; macOS: brew install \
                     postgresql), run ./tests/run, which does so if permitted, or name a running \
                     server in {TEST_DATABASE_URL}"
                )
            })
    }
}

/// The user the server runs as: the current one, or another if that is root,
/// because PostgreSQL refuses to run as root.
#[derive(Debug)]
struct Owner {
    uid: Option<u32>,
    gid: Option<u32>,
}

impl Owner {
    /// The user for a server in `dir`, which the current user owns.
    fn of(dir: &Path) -> Self {
        let uid = fs::metadata(dir).expect("the directory just made").uid();
        if uid != 0 {
            return Self {
                uid: None,
                gid: None,
            };
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let find = |name: &str| {
            let user = users
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let mut fields = user.split(':').skip(1);
            let mut number = || fields.next()?.parse().ok();
            Some(Self {
                uid: Some(number()?),
                gid: Some(number()?),
            })
        };
        find("postgres")
            .or_else(|| find("nobody"))
            .expect("a user `postgres` or `nobody`, because PostgreSQL refuses to run as root")
    }

    /// Makes the server's user the owner of `path`.
    fn make_owner_of(&self, path: &Path) {
        chown(path, self.uid, self.gid).expect("the owner may change the owner");
    }

    fn command(&self, program: impl AsRef<OsStr>, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(dir);
        if let (Some(uid), Some(gid)) = (self.uid, self.gid) {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// A child process that stops the server and removes its files when its
    /// standard input ends, which also happens when this process dies. It has
    /// its own process group so that Ctrl-C does not reach it.
    fn watchdog(&self, tools: &Tools, dir: &Path) -> Child {
        const WATCH: &str =
            r#"cat; "$1" stop --mode=immediate --silent --pgdata="$2/data"; rm -rf "$2""#;
        self.command("sh", Path::new("/"))
            .args(["-c", WATCH, "watchdog"])
            .args([&tools.pg_ctl, dir])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell")
    }
}

/// Runs a command to its end; the error holds its output. The output goes to a
/// file because a server started by the command would keep a pipe open.
fn run(command: &mut Command) -> Result<(), String> {
    let output = |command: &mut Command| -> io::Result<(ExitStatus, String)> {
        let mut output = tempfile::tempfile()?;
        let status = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?)
            .status()?;
        io::Seek::rewind(&mut output)?;
        Ok((status, io::read_to_string(output)?))
    };
    match output(command) {
        Ok((status, _)) if status.success() => Ok(()),
        Ok((status, output)) => Err(format!("{status}: {output}")),
        Err(error) => Err(error.to_string()),
    }
}

/// A port without a listener. It is below the ephemeral ports (from 32768 on
/// Linux, from 49152 on macOS), so the operating system gives it to no other
/// program while the server is stopped.
fn free_port() -> u16 {
    (0..1000)
        .map(|_| 20_000 + RandomState::new().hash_one(()) % 12_768)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// Sixteen random hexadecimal digits.
pub(crate) fn random_hex() -> String {
    // A new RandomState's keys are seeded by the operating system.
    format!("{:016x}", RandomState::new().hash_one(()))
}
