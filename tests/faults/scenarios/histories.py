"""Random operations under random faults; the recorded history has to be explainable."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

from harness.lectern import Lectern
from harness.postgres import Postgres
from history.checker import check
from history.clients import PIPELINES, Board, RandomClient
from history.exhaustive import compare
from history.faults import Faults
from history.operation import History
from history.planted import PLANTED, plant, split

from .scenario import Run, Scenario

CLIENTS = 8
# Enough for every kind of operation and every kind of fault on a slow machine, too.
OPERATIONS = 3_000
OPERATIONS_TIMEOUT = 60.0


def servers(run: Run, database_url: str, number: int) -> list[Lectern]:
    pipelines = run.directory / "pipelines.json"
    pipelines.write_text(json.dumps(PIPELINES))
    settings = {"LECTERN_PIPELINES": str(pipelines), "LECTERN_LOG": "error"}
    return [run.serve(database_url, settings) for _ in range(number)]


def record(run: Run, lecterns: list[Lectern], faults: Faults | None, seconds: float) -> History:
    """The history of random operations for this time, with reads of everything at its end."""
    board = Board([lectern.port for lectern in lecterns], run.seed)
    clients = [RandomClient(board, number) for number in range(CLIENTS)]
    threads: list[threading.Thread] = [*clients]
    if faults:
        threads.append(faults)
    began = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    while len(board.history) < OPERATIONS and time.monotonic() - began < OPERATIONS_TIMEOUT:
        time.sleep(0.1)
    if faults:
        end(faults)
    for client in clients:
        end(client)
    board.ended.clear()
    RandomClient(board, CLIENTS).read_everything()
    board.history.save(run.directory / "history.jsonl")
    return board.history


def end(thread: RandomClient | Faults) -> None:
    thread.ended.set()
    thread.join(60.0)
    assert not thread.is_alive(), f"{thread.name} does not end"
    if thread.failure:
        raise thread.failure


def judge(history: History, faults: Faults | None) -> str:
    outcomes = Counter(operation.outcome for operation in history)
    tried = f"{len(history)} operations ({outcomes['unknown']} with unknown outcome)"
    if faults:
        counts = sorted(faults.counts.items())
        tried += "".join(f", {count} × {fault}" for fault, count in counts)
    violations = check(history)
    listed = "\n".join(map(str, violations[:20]))
    assert not violations, f"{len(violations)} violations in {tried}:\n{listed}"
    return tried


def on_postgres(run: Run) -> str:
    postgres: Postgres = run.postgres()
    lecterns = servers(run, postgres.url(), 3)
    faults = Faults(lecterns, postgres, run.seed)
    return judge(record(run, lecterns, faults, run.times(15, 600)), faults)


def on_sqlite(run: Run) -> str:
    lecterns = servers(run, run.sqlite_url(), 2)
    faults = Faults(lecterns, None, run.seed)
    return judge(record(run, lecterns, faults, run.times(15, 600)), faults)


def checker(run: Run) -> str:
    """Plants faults into a history that was recorded without any."""
    compared = compare(run.times(5_000, 100_000), run.random)
    history = record(run, servers(run, run.sqlite_url(), 2), None, run.times(0, 60))
    tried, seen, parts = judge(history, None), 0, split(history)
    for name in PLANTED:
        for kind, planted in plant(name, parts, run.random):
            found = check(planted)
            assert any(one.kind == kind for one in found), f"the checker does not see: {name}"
            seen += 1
    return f"{compared}; {tried}; {seen} planted faults of {len(PLANTED)} kinds seen"


PROMISE = "No acknowledged write is lost or takes effect twice, and no read is stale."
SCENARIOS = [
    Scenario(
        "history-checker",
        "faults planted into a recorded history, and small random histories",
        "The checker sees each planted fault, and agrees with an exhaustive search.",
        checker,
    ),
    Scenario(
        "history-postgres",
        "three servers on one PostgreSQL: `kill -9`, SIGSTOP, crashes of PostgreSQL, terminated "
        "backends, under random operations",
        PROMISE,
        on_postgres,
    ),
    Scenario(
        "history-sqlite",
        "two servers on one SQLite file: `kill -9`, SIGSTOP, under random operations",
        PROMISE,
        on_sqlite,
    ),
]
