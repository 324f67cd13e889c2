"""A server on SQLite is killed while clients write."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from harness.client import Client, Unanswered
from harness.lectern import Lectern

from .scenario import Run, Scenario, a_recording

CLIENTS = 4
WRITES_BETWEEN_KILLS = 12


class Creator(threading.Thread):
    """Creates one job after the other; knows which were acknowledged."""

    def __init__(self, port: int, number: int, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.client, self.number, self.ended = Client(port, 10.0), number, ended
        self.acknowledged: list[str] = []
        self.refused: list[str] = []

    def run(self) -> None:
        while not self.ended.is_set():
            name = f"talk-{self.number}-{len(self.acknowledged)}"
            try:
                answer = self.client.post("/api/v1/jobs", a_recording(name))
            except Unanswered:
                time.sleep(0.01)
                continue
            if answer.status == 201:
                self.acknowledged.append(answer.json["job_id"])
            elif answer.status != 503:
                self.refused.append(f"{answer.status} {answer.body[:300]!r}")


def start_creators(server: Lectern) -> tuple[list[Creator], threading.Event]:
    ended = threading.Event()
    creators = [Creator(server.port, number, ended) for number in range(CLIENTS)]
    for creator in creators:
        creator.start()
    return creators, ended


def count(creators: list[Creator]) -> int:
    return sum(len(creator.acknowledged) for creator in creators)


def wait_for(creators: list[Creator], number: int, seconds: float = 60.0) -> None:
    """Waits until that many more writes are acknowledged."""
    target, until = count(creators) + number, time.monotonic() + seconds
    while count(creators) < target:
        refused = [text for creator in creators for text in creator.refused]
        assert not refused, f"neither 201 nor 503: {refused[:3]}"
        assert time.monotonic() < until, f"no {number} writes within {seconds:.0f} s"
        time.sleep(0.005)


def stop(creators: list[Creator], ended: threading.Event) -> None:
    ended.set()
    for creator in creators:
        creator.join(60.0)
        assert not creator.refused, f"neither 201 nor 503: {creator.refused[:3]}"


def missing(server: Lectern, creators: list[Creator]) -> list[str]:
    """Acknowledged jobs that the server does not have."""
    client = server.client()
    jobs = [job for creator in creators for job in creator.acknowledged]
    return [job for job in jobs if client.get(f"/api/v1/jobs/{job}").status != 200]


def kills(run: Run) -> str:
    server = run.serve(settings={"LECTERN_LOG": "error"})
    creators, ended = start_creators(server)
    kills = run.times(30, 300)
    for _ in range(kills):
        wait_for(creators, WRITES_BETWEEN_KILLS)
        server.kill()
        check_integrity(run.directory / "lectern.db")
        server.start()
    wait_for(creators, WRITES_BETWEEN_KILLS)
    stop(creators, ended)
    lost = missing(server, creators)
    assert not lost, f"{len(lost)} of {count(creators)} acknowledged jobs are missing: {lost[:3]}"
    check_integrity(run.directory / "lectern.db")
    return f"{kills} kills, {count(creators)} acknowledged jobs"


def check_integrity(file: Path) -> None:
    """As the next start would find the file: with the write-ahead log of the killed process."""
    database = sqlite3.connect(file, timeout=30)
    try:
        (found,) = database.execute("PRAGMA integrity_check").fetchone()
        orphans = database.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        database.close()
    assert found == "ok" and not orphans, f"integrity_check: {found}, foreign keys: {orphans[:3]}"


SCENARIOS = [
    Scenario(
        "kill-sqlite",
        "`kill -9` of a server on SQLite while four clients create jobs",
        "Every acknowledged job is there, and the database passes `integrity_check`.",
        kills,
    ),
]
