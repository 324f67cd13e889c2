"""Whether an acknowledged write on SQLite is on the disk."""

from __future__ import annotations

import re
import time
from pathlib import Path

from harness.client import Client

from .kills import count, start_creators, stop, wait_for
from .scenario import Run, Scenario, a_recording

# A system call that ended with success, as `strace -ttt -y` prints it: the time of its begin in
# seconds, the file, and its duration (`-T`).
SYNC = re.compile(r"(\d+\.\d+) f(?:data)?sync\(\d+<([^>]*)>\)\s+= 0 <(\d+\.\d+)>")
UNFINISHED = re.compile(r"^(\d+) +(\d+\.\d+) f(?:data)?sync\(\d+<([^>]*)> <unfinished")
RESUMED = re.compile(r"^(\d+) +\d+\.\d+ <\.\.\. f(?:data)?sync resumed>\)\s+= 0 <(\d+\.\d+)>")


def synced(trace: Path) -> list[tuple[float, float]]:
    """Begin and end of each successful sync of the database's write-ahead log."""
    begun: dict[str, tuple[float, str]] = {}
    found = []
    for line in trace.read_text().splitlines():
        if match := SYNC.search(line):
            begin, file, duration = float(match[1]), match[2], float(match[3])
        elif match := UNFINISHED.match(line):
            begun[match[1]] = float(match[2]), match[3]
            continue
        elif (match := RESUMED.match(line)) and match[1] in begun:
            (begin, file), duration = begun.pop(match[1]), float(match[2])
        else:
            continue
        if file.endswith("-wal"):
            found.append((begin, begin + duration))
    return sorted(found)


def create_one_by_one(client: Client, number: int) -> list[tuple[float, float]]:
    """When each request was sent, and when its response had arrived."""
    times = []
    for n in range(number):
        sent = time.time()
        client.post("/api/v1/jobs", a_recording(f"talk-{n}")).expect(201)
        times.append((sent, time.time()))
    return times


def traced(run: Run, durability: str, number: int) -> tuple[int, int, int]:
    """Creates jobs one by one, then by several clients at once. Returns how many of the first
    have a sync within their request, how many syncs the others took, and how many those are."""
    trace = run.directory / f"{durability}.strace"
    # -D: the server, not strace, is the child that can be killed.
    strace = ["strace", "-D", "-f", "-qq", "-ttt", "-T", "-y", "--seccomp-bpf"]
    strace += ["-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o", str(trace)]
    server = run.server(settings={"LECTERN_DURABILITY": durability}, prefix=strace).start()
    requests = create_one_by_one(server.client(), number)
    before = time.time()
    creators, ended = start_creators(server)
    wait_for(creators, number)
    stop(creators, ended)
    server.stop()
    syncs = synced(trace)
    durable = sum(
        any(sent <= begin and end <= answered for begin, end in syncs)
        for sent, answered in requests
    )
    return durable, sum(begin >= before for begin, _ in syncs), count(creators)


def sqlite(run: Run) -> str:
    number = run.times(100, 2000)
    durable, syncs, together = traced(run, "full", number)
    assert durable == number, f"{number - durable} of {number} jobs were not synced when acknowledged"
    assert 0 < syncs <= together, f"{together} jobs took {syncs} syncs"
    # The same check without the promise: it has to fail.
    relaxed, _, _ = traced(run, "relaxed", number)
    assert relaxed < number / 2, f"{relaxed} of {number} jobs are synced with relaxed durability"
    return f"{number} jobs one by one, all synced; {together} at once with {syncs} syncs"


SCENARIOS = [
    Scenario(
        "synced-sqlite",
        "the system calls of a server on SQLite are traced while clients create jobs",
        "The write-ahead log is synced to the disk before a write is acknowledged.",
        sqlite,
    ),
]
