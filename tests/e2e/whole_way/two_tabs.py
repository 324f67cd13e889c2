"""One file in two tabs, and more files than the quota allows."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, Route, expect

from visit import Visit

OTHER_TAB = "This file is being uploaded in another tab."
QUOTA = "Your quota is used up."


class Gate:
    """Keeps the bytes of uploads until it is opened."""

    def __init__(self, visit: Visit) -> None:
        self.held: list[Route] = []
        self.is_open = False
        visit.page.route("**/api/v1/uploads/tus/*", self._handle)

    def _handle(self, route: Route) -> None:
        if route.request.method == "PATCH" and not self.is_open:
            self.held.append(route)
        else:
            route.continue_()

    def open(self) -> None:
        self.is_open = True
        for route in self.held:
            # The page may have given up the request, or be closed.
            with suppress(Error):
                route.continue_()
        self.held.clear()


def has_state(visit: Visit, name: str, state: str) -> None:
    expect(visit.upload(name)).to_have_attribute("data-state", state)


def check_two_tabs(visit: Visit, file: Path) -> None:
    """The second tab says that the first one sends the file, and goes on when that is closed. A file
    that the first one has sent is not sent again."""
    first, second = (Visit(visit.context, visit.client) for _ in range(2))
    for tab in (first, second):
        tab.open("/")
    count = len(visit.jobs())
    gate = Gate(first)
    first.drop(file)
    expect(first.row(file.name)).to_contain_text("Uploading")
    has_state(first, file.name, "running")
    second.drop(file)
    has_state(second, file.name, "failed")
    expect(second.upload(file.name)).to_contain_text(OTHER_TAB)
    expect(second.upload(file.name).get_by_role("button", name="Cancel")).to_have_count(0)
    (job,) = [job for job in visit.jobs() if job["filename"] == file.name]

    # A tab that is opened meanwhile lists it, too, and leaves it to the first one.
    third = Visit(visit.context, visit.client)
    third.open("/")
    expect(third.upload(file.name)).to_contain_text(OTHER_TAB)
    third.upload(file.name).get_by_role("button", name="Hide").click()
    expect(third.upload(file.name)).to_have_count(0)
    first.page.close()
    gate.open()
    second.upload(file.name).get_by_role("button", name="Continue").click()
    has_state(second, file.name, "complete")
    expect(second.row(file.name)).not_to_contain_text("Uploading")
    jobs = visit.jobs()
    assert len(jobs) == count + 1 and job["job_id"] in [one["job_id"] for one in jobs], jobs

    # The other way round: the first tab finishes.
    gate = Gate(second)
    second.upload(file.name).get_by_role("button", name="Hide").click()
    second.drop(file)
    has_state(second, file.name, "running")
    third.drop(file)
    expect(third.upload(file.name)).to_contain_text(OTHER_TAB)
    gate.open()
    has_state(second, file.name, "complete")
    expect(third.upload(file.name)).to_have_count(0)
    assert len(visit.jobs()) == count + 2, visit.jobs()
    for tab in (second, third):
        assert tab.errors == [], tab.errors
        tab.page.close()
    for job in visit.jobs():
        if job["filename"] == file.name:
            visit.call("DELETE", f"/jobs/{job['job_id']}")


def check_quota(visit: Visit, files: list[Path]) -> None:
    """Two recordings may be open. The third one says why it waits, and goes on when there is room."""
    names = [file.name for file in files]
    visit.open("/")
    gate = Gate(visit)
    for file in files[:2]:
        visit.drop(file)
        expect(visit.row(file.name)).to_contain_text("Uploading")
        visit.upload(file.name).get_by_role("button", name="Pause").click()
        has_state(visit, file.name, "paused")
    visit.drop(files[2])
    has_state(visit, names[2], "failed")
    expect(visit.upload(names[2])).to_contain_text(QUOTA)
    expect(visit.row(names[2])).to_have_count(0)
    visit.dialogs.clear()
    visit.upload(names[0]).get_by_role("button", name="Cancel").click()
    expect(visit.upload(names[0])).to_have_count(0)
    assert len(visit.dialogs) == 1 and names[0] in visit.dialogs[0], visit.dialogs
    gate.open()
    visit.upload(names[2]).get_by_role("button", name="Continue").click()
    has_state(visit, names[2], "complete")
    visit.upload(names[1]).get_by_role("button", name="Cancel").click()
    expect(visit.upload(names[1])).to_have_count(0)
    expect(visit.row(names[2])).to_be_visible()
    for name in names[:2]:
        expect(visit.row(name)).to_have_count(0)
    visit.page.unroute("**/api/v1/uploads/tus/*")
