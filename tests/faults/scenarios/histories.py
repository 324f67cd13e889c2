"""Random operations under random faults; the recorded history has to be explainable."""

from __future__ import annotations

import json
import time
from collections import Counter

from harness.postgres import Postgres
from history.checker import check
from history.clients import PIPELINES, Board, RandomClient
from history.exhaustive import compare
from history.faults import Faults
from history.operation import History
from history.planted import PLANTED, plant, split

from .scenario import Run, Scenario

CLIENTS = 8


def record(
    run: Run, database_url: str, servers: int, postgres: Postgres | None
) -> tuple[History, Counter[str]]:
    """The history of a run, with reads of everything at its end."""
    pipelines = run.directory / "pipelines.json"
    pipelines.write_text(json.dumps(PIPELINES))
    settings = {"LECTERN_PIPELINES": str(pipelines), "LECTERN_LOG": "error"}
    lecterns = [run.server(database_url, settings) for _ in range(servers)]
    for lectern in lecterns:
        lectern.start()
    board = Board([lectern.port for lectern in lecterns], run.seed)
    clients = [RandomClient(board, number) for number in range(CLIENTS)]
    faults = Faults(lecterns, postgres, run.seed)
    for thread in (*clients, faults):
        thread.start()
    time.sleep(run.times(20, 600))
    for ended, threads in ((faults.ended, [faults]), (board.ended, clients)):
        ended.set()
        for thread in threads:
            thread.join(60.0)
            assert not thread.is_alive(), f"{thread.name} does not end"
            if thread.failure:
                raise thread.failure
    board.ended.clear()
    RandomClient(board, CLIENTS).read_everything()
    return board.history, faults.counts


def judge(run: Run, history: History, faults: Counter[str]) -> str:
    history.save(run.directory / "history.jsonl")
    violations = check(history)
    known = Counter(operation.outcome for operation in history)
    broken = ", ".join(f"{count} × {fault}" for fault, count in sorted(faults.items()))
    tried = f"{len(history)} operations ({known['unknown']} with unknown outcome), {broken}"
    listed = "\n".join(map(str, violations[:20]))
    assert not violations, f"{len(violations)} violations in {tried}:\n{listed}"
    seen, parts = 0, split(history)
    for name in PLANTED:
        for kind, planted in plant(name, parts, run.random):
            found = check(planted)
            assert any(one.kind == kind for one in found), f"the checker does not see: {name}"
            seen += 1
    return f"{tried}; {seen} planted faults seen"


def on_postgres(run: Run) -> str:
    postgres = run.postgres()
    return judge(run, *record(run, postgres.url(), 3, postgres))


def on_sqlite(run: Run) -> str:
    return judge(run, *record(run, run.sqlite_url(), 2, None))


def checker(run: Run) -> str:
    return compare(run.times(5_000, 100_000), run.random)


PROMISE = "No acknowledged write is lost or takes effect twice, and no read is stale."
SCENARIOS = [
    Scenario(
        "history-checker",
        "small random histories of one value",
        "The checker finds a violation exactly if an exhaustive search finds no order.",
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
