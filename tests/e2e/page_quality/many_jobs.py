"""The page of recordings with ten thousand of them, on both databases."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import uuid
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from budgets import Transfers
from harness.processes import wait_until
from playwright.sync_api import Browser, expect
from samples import Service
from views import Reader

COUNT = 10_000
PAGE_SIZE = 50
STATUSES = ["completed", "queued", "failed", "cancelled", "completed"]
# Bytes of a page of the list, not compressed: far less than those of all recordings.
MAX_PAGE_BYTES = 250_000
# The order of last changes is not that of creation: 7 and the number of jobs have no divisor.
FILL = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
INSERT INTO jobs (filename, file_size, created_at, updated_at, completed_at, status)
SELECT 'Lecture ' || i || '.mp4', 734003200, {created}, {updated},
       CASE WHEN i % 5 IN (0, 4) THEN {updated} END,
       CASE i % 5 WHEN 1 THEN 'queued' WHEN 2 THEN 'failed' WHEN 3 THEN 'cancelled' ELSE 'completed' END
FROM n;
"""
SQLITE_TIME = "strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2026-01-01', '+' || ({seconds}) || ' seconds')"
POSTGRES_TIME = "timestamptz '2026-01-01T00:00:00Z' + make_interval(secs => {seconds})"


def changed(i: int) -> int:
    return i * 7 % COUNT


def fill(time_of: str) -> str:
    created, updated = (time_of.format(seconds=seconds) for seconds in ("i", f"i * 7 % {COUNT}"))
    return FILL.format(count=COUNT, created=created, updated=updated)


def name(i: int) -> str:
    return f"Lecture {i}.mp4"


ALL = range(1, COUNT + 1)
NEWEST_FIRST = [name(i) for i in reversed(ALL)]


def names_on(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'class="filename" title="([^"]*)"', page)]


def next_link(page: str) -> str | None:
    found = re.search(r'<a class="next" rel="next" href="([^"]*)"', page)
    return unescape(found.group(1)) if found else None


def first(service: Service, query: str) -> list[str]:
    page = service.page(f"/{query}")
    assert len(page) < MAX_PAGE_BYTES, len(page)
    return names_on(page)


def check_lists(service: Service) -> None:
    """Filters, search, order and pages show what they should."""
    page = service.page("/")
    assert names_on(page) == NEWEST_FIRST[:PAGE_SIZE] and len(page) < MAX_PAGE_BYTES, len(page)
    assert re.search(r'class="count">10,000 recordings<', page), "the number of recordings"
    failed = [name(i) for i in reversed(ALL) if STATUSES[i % 5] == "failed"]
    assert first(service, "?status=failed") == failed[:PAGE_SIZE]
    assert first(service, "?direction=asc") == [name(i) for i in ALL][:PAGE_SIZE]
    by_change = sorted(ALL, key=changed, reverse=True)
    assert first(service, "?order=updated_at") == [name(i) for i in by_change][:PAGE_SIZE]
    found = [name(i) for i in reversed(ALL) if "777" in str(i)]
    assert first(service, "?filename=LECTURE%20&status=failed&limit=3") == failed[:3]
    assert first(service, "?filename=777") == found[:PAGE_SIZE] and len(found) < PAGE_SIZE
    assert first(service, "?filename=lecture%204242.") == [name(4242)]

    # The pages follow each other to the end, and have each recording once.
    walked, page = [], service.page("/?status=failed&limit=100")
    while True:
        walked += names_on(page)
        link = next_link(page)
        if not link:
            break
        page = service.page(f"/{link}")
    assert walked == failed, (len(walked), len(failed))
    headers = {"Authorization": f"Bearer {service.key}", "Accept": "text/html"}
    service.client.get("/?limit=100000", headers=headers).expect(400, 422)


def on_sqlite(program: Path, directory: Path) -> Service:
    database = directory / "many.db"
    service = Service(program, directory / "many", f"sqlite://{database}")
    connection = sqlite3.connect(database, timeout=60)
    with connection:
        connection.executescript(fill(SQLITE_TIME))
    connection.close()
    return service


class PostgresDatabase:
    """A new database on a server."""

    def __init__(self, server: str) -> None:
        self.server, self.name = server, f"page_quality_{uuid.uuid4().hex}"
        self.sql(server, f"CREATE DATABASE {self.name} TEMPLATE template0")
        self.url = urlunsplit(urlsplit(server)._replace(path=f"/{self.name}"))

    @staticmethod
    def sql(url: str, statement: str) -> None:
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/psql"))
        program = shutil.which("psql") or (debian and debian[-1])
        assert program, "psql is missing; install it (Debian, Ubuntu: postgresql-client)"
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--command={statement}"]
        subprocess.run([program, *options, url], check=True, timeout=60, stdin=subprocess.DEVNULL)

    def drop(self) -> None:
        self.sql(self.server, f"DROP DATABASE {self.name} WITH (FORCE)")


def check_on_postgres(program: Path, directory: Path, server: str) -> None:
    database = PostgresDatabase(server)
    try:
        service = Service(program, directory / "many-postgres", database.url)
        try:
            database.sql(database.url, fill(POSTGRES_TIME))
            check_lists(service)
            service.stop()
        finally:
            service.lectern.kill()
    finally:
        database.drop()


def check_live_rows(browser: Browser, service: Service) -> None:
    """The rows of a page follow the work over one connection, without asking for the list."""
    jobs = [service.create(f"Live {i}.mp4") for i in range(2)]
    leases = [service.claim(job, "silence_detection", "worker-1") for job in jobs]
    reader = Reader(browser, service, service.key, locale="en-GB")
    transfers = Transfers(reader)
    page = reader.page

    def report(percent: float, reported: list[str]) -> None:
        # The last one is of the job on the page: when it is shown, the other has arrived.
        for lease in reversed(reported):
            service.send("POST", f"/work/{lease}/heartbeat", {"percent": percent})
        shown = int(service.send("GET", f"/jobs/{jobs[0]}")["progress"]["percent"])
        expect(page.locator("tr[data-job-id] .percent")).to_have_text(f"{shown} %")

    def requests_for_the_list() -> int:
        """How often the list was asked for, when nothing is planned any more."""
        page.clock.run_for(10_000)
        return sum(1 for url in transfers.of_kind("Fetch") if "/api/" not in url)

    # Nothing is planned in the page unless the test lets time pass there.
    page.clock.install()
    with page.expect_response(lambda response: "/api/v1/events?" in response.url):
        page.goto(f"{service.url}/?filename=Live%200")
    expect(page.locator("tr[data-job-id]")).to_have_count(1)
    # The stream begins where the page ends, so that nothing is missing.
    report(10, leases[:1])
    assert requests_for_the_list() == 0, "a new list was asked for again"
    # The page does not know the other job.
    report(14, leases)
    wait_until("the list is asked for", lambda: requests_for_the_list() > 0)
    report(18, leases)
    before = requests_for_the_list()
    for percent in range(20, 90, 10):
        report(percent, leases)
    assert requests_for_the_list() == before, "the list was asked for because of progress"

    # A recording that comes onto the page is shown.
    service.create("Live 00.mp4")
    rows = page.locator("tr[data-job-id]")
    wait_until("the new recording is shown", lambda: requests_for_the_list() > before and rows.count() == 2)
    assert len(transfers.of_kind("EventSource")) == 1, transfers.of_kind("EventSource")
    reader.close()


def check_late_lists(browser: Browser, service: Service) -> None:
    """A list that comes late takes back nothing that was shown meanwhile, and is shown."""
    job = service.create("Late 0.mp4")
    lease = service.claim(job, "silence_detection", "worker-1")
    reader = Reader(browser, service, service.key, locale="en-GB")
    page, held = reader.page, []
    page.clock.install()
    with page.expect_response(lambda response: "/api/v1/events?" in response.url):
        page.goto(f"{service.url}/?filename=Late")
    rows = page.locator("tr[data-job-id]")
    expect(rows).to_have_count(1)
    page.clock.run_for(10_000)
    page.route(lambda url: url.endswith("/?filename=Late"), lambda route: held.append(route))

    service.create("Late 1.mp4")
    wait_until("the list is asked for", lambda: page.clock.run_for(10_000) or held)
    late = held[0].fetch()
    service.send("POST", f"/work/{lease}/heartbeat", {"percent": 90})
    shown = f"{int(service.send('GET', f'/jobs/{job}')['progress']['percent'])} %"
    percent = page.locator(f"tr[data-job-id='{job}'] .percent")
    expect(percent).to_have_text(shown)
    # What comes meanwhile needs another list, but not before the late one is here.
    service.create("Late 2.mp4")
    page.clock.run_for(60_000)
    assert len(held) == 1, "a list was asked for while another was on its way"
    held[0].fulfill(response=late)
    expect(rows).to_have_count(2)
    expect(percent).to_have_text(shown)
    wait_until("the list is asked for again", lambda: page.clock.run_for(10_000) or len(held) > 1)
    held[1].continue_()
    expect(rows).to_have_count(3)
    reader.close()


def check_many_jobs(browser: Browser, program: Path, directory: Path, server: str) -> None:
    service = on_sqlite(program, directory)
    try:
        check_lists(service)
        check_live_rows(browser, service)
        check_late_lists(browser, service)
        service.stop()
    finally:
        service.lectern.kill()
    check_on_postgres(program, directory, server)
    print(f"{COUNT:,} recordings: filters, search, order and pages on both databases, and live rows")
