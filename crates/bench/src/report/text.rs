//! The sentences of `table.md`.

pub(crate) const INTRODUCTION: &str = "\
`cargo run --release -p lectern-bench` measured Lectern, the stack it replaces and their
databases alone, in turn and on the same machine, and wrote this page. The results are the
ratios; the absolute numbers depend on the machine, and clients, servers and databases share
its processors. `table.json` has the numbers of every round.";

pub(crate) const COLUMNS: &str = "\
- **connections**: clients that each send their next request when they have the response to
  the last, over one keep-alive connection; for claims, workers.
- **per second**: requests that were answered with a 2xx status; for claims, jobs. A row with
  any other response, or a broken connection, has failed.
- **÷ peer**: divided by the number of the other stack, so more than 1 is faster.
- **÷ limit**: divided by the number of the database alone, with the statements that cannot be
  left out.
- **p50 ms, p99 ms**: the times that half, and 99 %, of the requests did not exceed, in
  milliseconds; for claims, of all requests for one job together.
- **server µs, database µs**: processor time of the server's and of PostgreSQL's processes per
  request, in microseconds.
- **peer's µs ÷ both**: processor time of the peer and its database per request, divided by
  Lectern's and its database's.
- **peak MB**: largest resident memory of the server's processes during the measurement.
";

pub(crate) const CHOICES: &str = "\
The peer is FastAPI with SQLAlchemy and psycopg2, in two worker processes of uvicorn and
without an access log; Lectern writes its access log to a file. Its routes open their session
themselves: with the session as a dependency, requests on 64 connections and more got a 500
after 30 seconds, when SQLAlchemy's pool gave up. For claims the peer is
procrastinate, in two worker processes that together run as many jobs at a time as there are
connections; its jobs do nothing and need no heartbeat, and its rate counts from the first job
that was started (*claim*) or deferred (*create, claim*). Commits wait for the disk
everywhere but in the row with `--durability relaxed`: `fsync` and `synchronous_commit` are
on, and SQLite is `synchronous = FULL`.
";

pub(crate) const LIMIT_NOTE: &str = "\
The limit on PostgreSQL is `pgbench -M prepared` with as many clients, on Lectern's tables.
It generates the 1,500 segments in the database instead of sending them. The limit on SQLite
is a loop over prepared statements on one connection, without a server. Lectern can exceed it:
it reads on several connections, and writes that wait for each other share a commit.
";

pub(crate) const WATCHERS: &str = "\
Watchers follow one job over server-sent events, whose progress is reported ten times per
second: the time from sending a report until a watcher has its event. They watch the server
that gets the reports, or another one, which polls their database for new events every 200 ms. The memory is that of the watched server.";

pub(crate) const GROWTH: &str = "\
The median time of a request on one connection, with a twentieth of the jobs each queued,
running and failed and the others completed: in milliseconds with the smallest number of
jobs, and divided by that with more.";
