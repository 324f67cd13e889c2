"""The disk of the database or of the objects is full, and then has room again."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from harness.client import Client
from harness.disks import Disk
from harness.lectern import Lectern
from harness.postgres import Postgres
from harness.processes import wait_until

from .kills import check_integrity
from .scenario import Run, Scenario, a_recording

# A transcript of about 200 KB, so that some of them need new blocks.
SEGMENTS = {
    "segments": [{"start_time": n, "end_time": n + 1, "text": "x" * 200} for n in range(1000)]
}


def fill_and_empty(disk: Disk, server: Lectern, rounds: int) -> tuple[list[str], Counter[int]]:
    """Writes while the disk is full; returns the acknowledged jobs and all statuses."""
    client, statuses = server.client(), Counter[int]()
    jobs: list[str] = []

    def write() -> bool:
        created = client.post("/api/v1/jobs", a_recording())
        statuses[created.status] += 1
        if created.status != 201:
            assert created.status == 503, f"a full disk is {created.status}: {created.body!r}"
            return False
        jobs.append(created.json["job_id"])
        put = client.put(f"/api/v1/jobs/{jobs[-1]}/transcripts", SEGMENTS)
        statuses[put.status] += 1
        assert put.status in (200, 503), f"a full disk is {put.status}: {put.body!r}"
        return put.status == 200

    for _ in range(rounds):
        assert write(), "there is room"
        disk.fill()
        for _ in range(20):
            write()
        assert statuses[503], "the disk was not full"
        client.get(f"/api/v1/jobs/{jobs[0]}").expect(200)
        disk.empty()
        wait_until("writes succeed again", write, 30.0)
    for job in jobs:
        client.get(f"/api/v1/jobs/{job}").expect(200)
    return jobs, statuses


def told(rounds: int, jobs: list[str], statuses: Counter[int]) -> str:
    return f"{rounds} ×; {len(jobs)} acknowledged jobs, {statuses[503]} requests were 503"


def sqlite(run: Run) -> str:
    disk = Disk(run.directory / "disk", 64)
    run.stack.callback(disk.close)
    file = disk.path / "lectern.db"
    server = run.serve(f"sqlite://{file}")
    rounds = run.times(2, 20)
    jobs, statuses = fill_and_empty(disk, server, rounds)
    server.stop()
    check_integrity(file)
    return told(rounds, jobs, statuses)


def postgres(run: Run) -> str:
    disk = Disk(run.directory / "disk", 128)
    run.stack.callback(disk.close)
    postgres = Postgres(disk.path / "cluster")
    run.stack.callback(postgres.close)
    server = run.serve(postgres.url())
    rounds = run.times(1, 10)
    return told(rounds, *fill_and_empty(disk, server, rounds))


def objects(run: Run) -> str:
    disk = Disk(run.directory / "disk", 32)
    run.stack.callback(disk.close)
    # The reserve of free space would refuse uploads to so small a disk from the start.
    settings = {"LECTERN_STORAGE": f"file://{disk.path / 'objects'}", "LECTERN_DISK_RESERVE": "0"}
    server = run.serve(settings=settings)
    client, rounds = server.client(), run.times(3, 30)
    refused = Counter[int]()
    size = 4 << 20
    for _ in range(rounds):
        before = upload(client, size, 200)
        refused[upload_to_a_full_disk(client, disk, size)] += 1
        client.get("/readyz").expect(200)
        disk.empty()
        # The one stored before is whole, and there is room for another.
        client.request("POST", "/api/v1/upload/confirm", {"job_id": before}).expect(200)
        after = upload(client, size, 200)
        for job in (before, after):
            client.delete(f"/api/v1/jobs/{job}").expect(204)
    left = [path for path in files(disk.path) if path.stat().st_size > 1024]
    assert not left, f"parts of refused uploads are left: {left}"
    return f"{rounds} ×, the upload was refused with {dict(refused)} (status: count)"


def reserve(run: Run) -> str:
    """With the default settings: a twentieth of a small disk stays free."""
    size, kept = 64 << 20, (64 << 20) // 20
    disk = Disk(run.directory / "disk", size >> 20)
    run.stack.callback(disk.close)
    server = run.serve(settings={"LECTERN_STORAGE": f"file://{disk.path / 'objects'}"})
    client = server.client()
    stored, refused = 0, Counter[int]()
    for _ in range(20):
        status, _, path = announce(client, 8 << 20)
        if status == 201:
            sent = client.put(path, bytes(8 << 20), headers={"Content-Type": "video/mp4"})
            assert sent.status == 200, f"announced with 201, then {sent.status}"
            stored += 1
        else:
            refused[status] += 1
    free = disk.free()
    assert set(refused) == {507}, f"beyond the reserve, uploads are {dict(refused)}"
    assert free >= kept, f"{free} bytes are free, fewer than {kept}"
    listed = client.get("/api/v1/jobs?limit=100").expect(200).json["jobs"]
    assert len(listed) == stored, f"{len(listed)} jobs, and {stored} uploads were accepted"
    return f"{stored} uploads of 8 MiB to a disk of 64 MiB, then {refused[507]} × 507, {free >> 20} MiB free"


def announce(
    client: Client, size: int, name: str = "talk.mp4", kind: str = "video/mp4"
) -> tuple[int, str, str]:
    """The status; if it is 201, the job and the path of the upload."""
    body = {"filename": name, "file_size": size, "content_type": kind}
    announced = client.post("/api/v1/upload", body)
    if announced.status != 201:
        return announced.status, "", ""
    url = urlsplit(announced.json["upload_url"])
    return 201, announced.json["job_id"], f"{url.path}?{url.query}"


def upload(client: Client, size: int, expected: int) -> str:
    status, job, path = announce(client, size)
    assert status == 201, f"an upload was refused with {status}"
    client.put(path, bytes(size), headers={"Content-Type": "video/mp4"}).expect(expected)
    return job


def upload_to_a_full_disk(client: Client, disk: Disk, size: int) -> int:
    """Fills the disk after the announcement; the status of the upload."""
    status, job, path = announce(client, size)
    assert status == 201, f"an upload was refused with {status}"
    disk.fill()
    sent = client.put(path, bytes(size), headers={"Content-Type": "video/mp4"})
    assert sent.status in (503, 507), f"a full disk is {sent.status}: {sent.body!r}"
    client.delete(f"/api/v1/jobs/{job}").expect(204)
    return sent.status


def files(directory: Path) -> list[Path]:
    return [Path(at) / name for at, _, names in os.walk(directory) for name in names]


SCENARIOS = [
    Scenario(
        "full-disk-sqlite",
        "the disk of the SQLite file is full, then has room",
        "Writes are 503 and reads succeed; nothing acknowledged is lost, and writes succeed again "
        "without a restart.",
        sqlite,
    ),
    Scenario(
        "full-disk-postgres",
        "the disk of PostgreSQL is full, then has room",
        "Writes are 503 and reads succeed; nothing acknowledged is lost, and writes succeed again "
        "without a restart.",
        postgres,
    ),
    Scenario(
        "full-disk-objects",
        "the disk of the objects fills up during an upload, then has room",
        "The upload is 507 and leaves nothing behind; what was stored is whole, and the next "
        "upload succeeds.",
        objects,
    ),
    Scenario(
        "disk-reserve",
        "uploads are announced until the disk has only its reserve left",
        "An upload that would use the reserve is 507 before a byte is sent, and stores no job.",
        reserve,
    ),
]
