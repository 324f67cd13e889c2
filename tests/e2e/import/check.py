"""Imports a database that SQLAlchemy models made and filled, into both databases.

    target/debug/with-postgres PYTHON tests/e2e/import/check.py PATH/TO/lectern [JOBS]

PYTHON has SQLAlchemy and psycopg2. The first import is killed; the next one completes it, and
a third one adds nothing. Then rows are added and changed in the source, and jobs are changed
here: the fourth takes the former and leaves the latter. JOBS is 10,000 unless it is given; at
most 5,000 rows are read at a time.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import JSON, DateTime, Float, ForeignKey, Integer, String, Text, create_engine, insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime, dict: JSON}


class Job(Base):
    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    job_id: Mapped[str] = mapped_column(String(100), unique=True)
    filename: Mapped[str] = mapped_column(String(255))
    file_size: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    current_stage: Mapped[str | None] = mapped_column(String(50))
    progress_percent: Mapped[float] = mapped_column(Float, default=0.0)
    extra_metadata: Mapped[dict]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]


class Segment(Base):
    __tablename__ = "transcripts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    segment_id: Mapped[str] = mapped_column(String(100), unique=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.job_id"))
    start_time: Mapped[float]
    end_time: Mapped[float]
    text: Mapped[str] = mapped_column(Text)


class Clip(Base):
    __tablename__ = "clips"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    clip_id: Mapped[str] = mapped_column(String(100), unique=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.job_id"))
    title: Mapped[str] = mapped_column(String(200))
    start_time: Mapped[float]
    end_time: Mapped[float]
    clip_order: Mapped[int]


STATUSES = ["completed", "failed", "running", "queued", "archived"]
EXPECTED = {"completed": 1, "failed": 1, "cancelled": 2, "queued": 1}
START = datetime(2025, 1, 1, 12)


def fill(url, jobs, first=0):
    """The jobs from `first` on, with two segments and two clips each; the clips have the same position."""
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with engine.begin() as conn:
        for start in range(first, jobs, 5000):
            numbers = range(start, min(start + 5000, jobs))
            rows = []
            for i in numbers:
                status = STATUSES[i % len(STATUSES)]
                at = START + timedelta(seconds=i)
                done = at if status == "completed" else None
                rows.append(
                    {"job_id": f"job_{i}", "filename": f"{i}.mp4", "file_size": i + 1, "status": status,
                     "extra_metadata": {"n": i}, "created_at": at, "updated_at": at, "completed_at": done}
                )  # fmt: skip
            conn.execute(insert(Job), rows)
            pairs = [(i, j) for i in numbers for j in range(2)]
            conn.execute(
                insert(Segment),
                [{"segment_id": f"s{i}-{j}", "job_id": f"job_{i}", "start_time": j, "end_time": j + 0.1,
                  "text": f"Part {j} of {i}"} for i, j in pairs],
            )  # fmt: skip
            conn.execute(
                insert(Clip),
                [{"clip_id": f"c{i}-{j}", "job_id": f"job_{i}", "title": f"Clip {j}", "start_time": j,
                  "end_time": j + 1, "clip_order": 0} for i, j in pairs],
            )  # fmt: skip
    engine.dispose()


def rows(url, query):
    engine = create_engine(url)
    with engine.connect() as conn:
        found = [tuple(row) for row in conn.execute(text(query))]
    engine.dispose()
    return found


def check(lectern, source, target, jobs, scratch):
    """Imports from a URL of SQLAlchemy into another one."""
    environment = {**os.environ, "DATABASE_URL": lectern_url(target)}
    report = scratch / "report.jsonl"
    command = [lectern, "import", "--from", source, "--report", str(report)]

    def run(what, *arguments):
        began = time.monotonic()
        done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, done.stderr
        print(f"   {what}: {time.monotonic() - began:.1f} s")
        return done.stdout.splitlines()

    def count():
        try:
            return rows(target, "SELECT count(*) FROM jobs")[0][0]
        except Exception:
            return 0

    killed = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while count() == 0 and killed.poll() is None:
        assert time.monotonic() < deadline, "no job was imported"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    partial = count()
    assert 0 < partial < jobs, partial

    before = checksum(source)
    assert counts("jobs", jobs, added=jobs - partial, present=partial) in run(f"{jobs - partial} jobs")
    statuses = dict(rows(target, "SELECT status, count(*) FROM jobs GROUP BY status"))
    assert statuses == {status: jobs * n // len(STATUSES) for status, n in EXPECTED.items()}, statuses
    for table in ["transcripts", "clips"]:
        assert rows(target, f"SELECT count(*) FROM {table}") == [(jobs * 2,)]
    assert rows(target, "SELECT count(*) FROM clips WHERE clip_order = 1") == [(jobs,)]
    counted = rows(target, "SELECT status, sum(jobs) FROM job_status_counts GROUP BY status HAVING sum(jobs) > 0")
    assert {status: int(n) for status, n in counted} == statuses
    notes = [json.loads(line) for line in report.read_text().splitlines()]
    assert notes and all(note["action"] == "changed" for note in notes)

    assert counts("jobs", jobs, present=jobs) in run("nothing new")
    assert checksum(source) == before

    # A hundredth of the jobs are new, another hundredth have a new clip. Half of those were
    # changed here.
    step, changed = 100, range(0, jobs, 100)
    more = jobs // step
    fill(source, jobs + more, first=jobs)
    engine = create_engine(source)
    with engine.begin() as conn:
        late = [{"clip_id": f"late{i}", "job_id": f"job_{i}", "title": "Late", "start_time": 5, "end_time": 6,
                 "clip_order": 2} for i in changed]  # fmt: skip
        conn.execute(insert(Clip), late)
    engine.dispose()
    here = [i for i in changed if i // step % 2]
    engine = create_engine(target)
    with engine.begin() as conn:
        for first in range(0, len(here), 500):
            names = ", ".join(f"'{i}.mp4'" for i in here[first : first + 500])
            conn.execute(text(f"UPDATE jobs SET version = version + 1 WHERE filename IN ({names})"))
    engine.dispose()
    before = checksum(source)
    planned = [line.replace("would be ", "") for line in run("dry run", "--dry-run")]
    planned_notes = report.read_text()
    done = run(f"{more} jobs and {len(changed)} clips")
    assert done == planned
    assert report.read_text() == planned_notes
    assert counts("jobs", jobs + more, added=more, present=jobs) in done
    clips, taken = 2 * (jobs + more) + len(changed), len(changed) - len(here)
    expected = counts("clips", clips, added=2 * more + taken, present=2 * jobs, not_taken=len(here))
    assert expected in done, done
    notes = [json.loads(line) for line in planned_notes.splitlines()]
    refused = {note["id"] for note in notes if note["action"] == "not taken"}
    assert refused == {f"late{i}" for i in here}
    assert rows(target, "SELECT count(*) FROM clips WHERE title = 'Late'") == [(taken,)]
    assert checksum(source) == before


def counts(table, read, added=0, updated=0, removed=0, present=0, not_taken=0, dropped=0):
    """The line of the summary."""
    return (
        f"{table}: {read} read, {added} added, {updated} updated, {removed} removed, "
        f"{present} present, {not_taken} not taken, {dropped} dropped"
    )


def checksum(url):
    """Of all rows of the source."""
    digest = hashlib.sha256()
    for table in ["jobs", "transcripts", "clips"]:
        for row in rows(url, f"SELECT * FROM {table} ORDER BY id"):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def lectern_url(url):
    url = make_url(url)
    if url.drivername == "sqlite":
        return f"sqlite://{url.database}"
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def main():
    lectern = os.path.abspath(sys.argv[1])
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    server = make_url(os.environ["TEST_DATABASE_URL"].replace("postgres://", "postgresql://"))
    server = server.set(drivername="postgresql+psycopg2")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    names = [f"import_{kind}_{os.getpid()}" for kind in ["source", "target"]]
    with admin.connect() as conn, tempfile.TemporaryDirectory() as scratch:
        for name in names:
            conn.execute(text(f"CREATE DATABASE {name}"))
        scratch = Path(scratch)
        postgres = [server.set(database=name).render_as_string(hide_password=False) for name in names]
        sqlite = [f"sqlite:///{scratch}/{kind}.db" for kind in ["source", "target"]]
        try:
            for source, target in [(postgres[0], sqlite[1]), (sqlite[0], postgres[1])]:
                print(f"== {jobs} jobs from {make_url(source).drivername} to {make_url(target).drivername}")
                fill(source, jobs)
                check(lectern, source, target, jobs, scratch)
        finally:
            for name in names:
                conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


if __name__ == "__main__":
    main()
