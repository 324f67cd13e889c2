"""A server starts with a clock that is days ahead."""

from __future__ import annotations

import time
from pathlib import Path

from harness.client import Client
from harness.lectern import Lectern

from .databases import a_job
from .scenario import Run, Scenario, a_recording

DAYS = (2, 32)
KEY = {"Idempotency-Key": "a-living-key"}


def ahead(run: Run, url: str, days: int) -> Lectern:
    """A server whose wall clock is ahead; its monotonic one is not."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert libraries, "libfaketime is missing; install it (Debian: faketime)"
    settings = {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME": f"+{days}d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "LECTERN_LOG": "info",
    }
    return run.server(url, settings)


def create_once(client: Client) -> str:
    answer = client.post("/api/v1/jobs", a_recording(), headers=KEY).expect(201)
    job: str = answer.json["job_id"]
    return job


def finished_job(client: Client) -> str:
    job = a_job(client)
    client.post(f"/api/v1/jobs/{job}/cancel").expect(200)
    return job


def check(run: Run, url: str, has_shared_clock: bool) -> str:
    right = run.serve(url)
    client = right.client()
    created, finished, worked = create_once(client), finished_job(client), a_job(client)
    claim = {"worker": "healthy", "stages": ["transcription"], "lease_seconds": 60, "max": 9}
    claims = client.post("/api/v1/work/claim", claim).expect(200).json["claims"]
    (lease,) = [one["lease_id"] for one in claims if one["job"]["job_id"] == worked]
    events = client.get(f"/api/v1/jobs/{finished}/events?after=0").json["events"]
    for days in DAYS:
        wrong = ahead(run, url, days).start()
        # Each server removes what is old at its start, and ends expired leases each second.
        time.sleep(2.5)
        for server in (right, wrong):
            client = server.client()
            again = create_once(client)
            assert again == created, f"{days} days: the key of {created} is gone: {again}"
            now = client.get(f"/api/v1/jobs/{finished}/events?after=0").json["events"]
            assert now == events, f"{days} days: events are gone: {len(now)} of {len(events)}"
            if has_shared_clock:
                client.post(f"/api/v1/work/{lease}/heartbeat").expect(200)
        date = wrong.client().get("/healthz").headers["date"]
        wrong.stop()
    return f"{' and '.join(map(str, DAYS))} days ahead (the last server's date: {date})"


def on_postgres(run: Run) -> str:
    return check(run, run.postgres().url(), has_shared_clock=True)


def on_sqlite(run: Run) -> str:
    # A real machine has one clock for all processes; leases go by it.
    return check(run, run.sqlite_url(), has_shared_clock=False)


SCENARIOS = [
    Scenario(
        "clock-postgres",
        "a second server on PostgreSQL whose clock is 2 and 32 days ahead",
        "Living idempotency keys, leases and the events of a finished job stay.",
        on_postgres,
    ),
    Scenario(
        "clock-sqlite",
        "a second server on the SQLite file whose clock is 2 and 32 days ahead",
        "Living idempotency keys and the events of a finished job stay.",
        on_sqlite,
    ),
]
