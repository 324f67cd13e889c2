"""A worker lives through deploys and outages that are longer than its lease."""

from __future__ import annotations

import threading
import time

from harness.client import Client, Unanswered
from harness.lectern import Lectern
from harness.processes import wait_until

from .databases import a_job
from .scenario import Run, Scenario

STAGE = "transcription"
SEGMENTS = {"segments": [{"start_time": 0, "end_time": 1, "text": "hello"}]}


class Worker(threading.Thread):
    """Has a stage, sends heartbeats every third of its lease, and goes on when one fails."""

    def __init__(self, server: Lectern, lease_seconds: int) -> None:
        super().__init__(daemon=True)
        self.client, self.lease_seconds = Client(server.port, 5.0), lease_seconds
        body = {"worker": "healthy", "stages": [STAGE], "lease_seconds": lease_seconds}
        claims = self.client.post("/api/v1/work/claim", body).expect(200).json["claims"]
        self.lease: str = claims[0]["lease_id"]
        self.ended = threading.Event()
        self.beats = 0
        self.failed = 0
        self.lost: str | None = None

    def run(self) -> None:
        while not self.ended.wait(self.lease_seconds / 3):
            try:
                beat = self.client.post(f"/api/v1/work/{self.lease}/heartbeat", {})
            except Unanswered:
                self.failed += 1
                continue
            if beat.status == 200:
                self.beats += 1
            elif beat.status == 503:
                self.failed += 1
            else:
                self.lost = f"{beat.status} {beat.body!r}"
                return

    def wait_for_a_beat(self) -> None:
        before = self.beats
        wait_until("the next heartbeat", lambda: self.lost or self.beats > before, 30.0)
        assert self.lost is None, f"the lease is lost: {self.lost}"

    def finish(self, job: str) -> str:
        """Stores the output and completes; the attempt has to be the first."""
        self.ended.set()
        self.join()
        put = self.client.put(
            f"/api/v1/jobs/{job}/transcripts", SEGMENTS, headers={"Lease-Id": self.lease}
        )
        put.expect(200)
        self.client.post(f"/api/v1/work/{self.lease}/complete").expect(200)
        stages = self.client.get(f"/api/v1/jobs/{job}/stages").expect(200).json["stages"]
        (stage,) = [one for one in stages if one["stage"] == STAGE]
        assert (stage["status"], stage["attempt"]) == ("completed", 1), stage
        return f"{self.failed} heartbeats failed, the stage was completed in attempt 1"


def deploys(run: Run) -> str:
    server = run.serve(settings={"LECTERN_SHUTDOWN_GRACE": "2"})
    lease, times = 2, run.times(3, 30)
    job = a_job(server.client())
    worker = Worker(server, lease)
    worker.start()
    for _ in range(times):
        worker.wait_for_a_beat()
        server.stop()
        time.sleep(lease + 1.0)
        server.start()
    worker.wait_for_a_beat()
    return f"{times} ×, each {lease + 1} s with leases of {lease} s; {worker.finish(job)}"


def outages(run: Run) -> str:
    postgres = run.postgres()
    server = run.serve(postgres.url())
    lease, times = 2, run.times(3, 30)
    job = a_job(server.client())
    worker = Worker(server, lease)
    worker.start()
    for _ in range(times):
        worker.wait_for_a_beat()
        postgres.crash()
        time.sleep(lease + 1.0)
        postgres.start()
    worker.wait_for_a_beat()
    return f"{times} ×, each {lease + 1} s with leases of {lease} s; {worker.finish(job)}"


PROMISE = "A healthy worker keeps its stage, and loses no attempt."
SCENARIOS = [
    Scenario(
        "deploys",
        "three deploys in a row, each longer than the lease of a worker",
        PROMISE,
        deploys,
    ),
    Scenario(
        "outages",
        "three outages of PostgreSQL in a row, each longer than the lease of a worker",
        PROMISE,
        outages,
    ),
]
