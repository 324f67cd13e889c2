"""The wrong database for a storage: yesterday's, or a fresh one; then `lectern gc`."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from harness.client import Client
from harness.lectern import Lectern

from .disks import upload
from .kills import check_integrity, start_creators, stop, wait_for
from .scenario import Run, Scenario

SIZE = 1000
# The newest objects are kept; these are older.
OLD = time.time() - 10 * 86_400


def restored(run: Run) -> str:
    """Yesterday's database: it does not know today's recordings."""
    server = run.serve()
    client, number = server.client(), run.times(20, 200)
    yesterday = recordings(server, client, number)
    backup = run.directory / "yesterday.db"
    copy_database(run.directory / "lectern.db", backup)
    today = recordings(server, client, number)
    server.stop()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{run.directory / 'lectern.db'}{suffix}").unlink(missing_ok=True)
    copy_database(backup, run.directory / "lectern.db")
    for arguments in ((), ("--dry-run",), ("--older-than", "0"), ("--older-than", "0", "--force")):
        server.run("gc", *arguments)
    left = all_objects(server)
    lost = [job for job in today if job not in left]
    assert not lost, f"gc deleted {len(lost)} of {len(today)} recordings newer than the backup"
    assert not [job for job in yesterday if job not in left], "gc deleted known recordings"
    # Found again without the rest: the service works on the restored database.
    client = server.start().client()
    for job in yesterday:
        client.get(f"/api/v1/jobs/{job}").expect(200)
    in_trash = sum("/trash/" in path and path.endswith(".mp4") for path in left.split("\n"))
    return f"{number} recordings newer than the backup, {in_trash} of them in the trash, none lost"


def backup(run: Run) -> str:
    """`lectern backup` while clients write, then `lectern restore`."""
    server, file = run.serve(), run.directory / "lectern.db"
    rounds, jobs = run.times(3, 30), 0
    for number in range(rounds):
        copy = run.directory / f"backup-{number}.db"
        creators, ended = start_creators(server)
        wait_for(creators, 50)
        before = [job for one in creators for job in one.acknowledged]
        made = server.run("backup", copy)
        assert made.returncode == 0, f"backup: {made.stderr}"
        again = server.run("backup", copy)
        assert again.returncode != 0, "a backup was overwritten"
        wait_for(creators, 50)
        stop(creators, ended)
        after = [job for one in creators for job in one.acknowledged]
        check_integrity(copy)
        in_use = server.run("restore", copy)
        assert in_use.returncode != 0, "a database in use was replaced"
        lost = [job for job in after if not exists(server, job)]
        assert not lost, f"a refused restore lost {len(lost)} jobs"
        server.stop()
        damaged = run.directory / "damaged.db"
        content = bytearray(copy.read_bytes())
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
        damaged.write_bytes(content)
        refused = server.run("restore", damaged)
        assert refused.returncode != 0, "a damaged backup was restored"
        restored = server.run("restore", copy)
        assert restored.returncode == 0, f"restore: {restored.stderr}"
        check_integrity(file)
        server.start()
        lost = [job for job in before if not exists(server, job)]
        assert not lost, f"{len(lost)} of {len(before)} jobs are not in the backup: {lost[:3]}"
        jobs += len(before)
    return f"{rounds} ×, {jobs} jobs acknowledged before a backup, none lost"


def exists(server: Lectern, job: str) -> bool:
    return server.client().get(f"/api/v1/jobs/{job}").status == 200


def fresh(run: Run) -> str:
    """A new database beside a full storage, as after a wrong DATABASE_URL."""
    server = run.serve()
    stored = recordings(server, server.client(), run.times(20, 200))
    server.stop()
    other = run.server(f"sqlite://{run.directory / 'other.db'}")
    other.run("migrate", "up")
    for arguments in ((), ("--older-than", "0"), ("--older-than", "0", "--force")):
        refused = other.run("gc", *arguments)
        assert refused.returncode != 0, f"gc {arguments} on another database: {refused.stdout}"
    left = all_objects(server)
    lost = [job for job in stored if job not in left]
    assert not lost, f"gc of another database deleted {len(lost)} of {len(stored)} recordings"
    return f"{len(stored)} recordings, all kept"


def recordings(server: Lectern, client: Client, number: int) -> list[str]:
    """Uploads recordings and makes them old; returns their jobs."""
    jobs = [upload(client, SIZE, 200) for _ in range(number)]
    for job in jobs:
        client.post("/api/v1/upload/confirm", {"job_id": job}).expect(200)
    for path in (server.directory / "data" / "objects").rglob("*"):
        if path.is_file():
            os.utime(path, (OLD, OLD))
    return jobs


def all_objects(server: Lectern) -> str:
    """The paths of all stored recordings, those in the trash included."""
    paths = (server.directory / "data").rglob("*")
    return "\n".join(str(path) for path in paths if path.is_file())


def copy_database(source: Path, target: Path) -> None:
    origin, copy = sqlite3.connect(source), sqlite3.connect(target)
    try:
        origin.backup(copy)
    finally:
        origin.close()
        copy.close()


SCENARIOS = [
    Scenario(
        "restore-gc",
        "yesterday's database is restored beside today's objects, then `lectern gc`",
        "No recording is deleted: those that the database does not know are kept, or in the trash.",
        restored,
    ),
    Scenario(
        "backup-restore",
        "`lectern backup` while four clients create jobs, then `lectern restore`",
        "The backup is whole and has every job that was acknowledged before it; a database in use "
        "or a damaged backup is refused, and nothing is lost.",
        backup,
    ),
    Scenario(
        "fresh-database-gc",
        "`lectern gc` with a new database beside a full storage",
        "It is refused, and nothing is deleted.",
        fresh,
    ),
]
