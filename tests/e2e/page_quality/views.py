"""The pages, and what a reader may open on them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.processes import wait_until
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from samples import LINES, SECONDS, Samples, Service

LANGUAGES = ["en-GB", "de-DE"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SCHEMES = ["light", "dark"]
# For slow machines. Nothing waits for so long if the pages work.
TIMEOUT = 60_000


@dataclass
class View:
    """A page in a state."""

    name: str
    path: str
    prepare: Callable[[Page], None] = lambda page: None
    status: int = 200
    # The name of the key that the reader has, if any.
    reader: str | None = "admin"


def views(samples: Samples) -> list[View]:
    def recording(job_id: str) -> str:
        return f"/jobs/{job_id}"

    missing = recording(samples.queued[:-4] + "ffff")
    return [
        View("recordings", "/"),
        View("recordings-selected", "/", select_and_refuse),
        View("recordings-found", "/?filename=lecture&order=updated_at&limit=1"),
        View("recordings-none", "/?status=cancelled&filename=nothing"),
        View("recordings-viewer", "/", reader="viewer"),
        View("recording", recording(samples.complete), open_recording),
        View("recording-forms", recording(samples.complete), open_forms),
        View("recording-searched", recording(samples.complete), search_lines),
        View("recording-running", recording(samples.running)),
        View("recording-failed", recording(samples.failed), open_details),
        View("recording-pending", recording(samples.pending)),
        View("recording-sound", recording(samples.sound)),
        View("recording-viewer", recording(samples.failed), reader="viewer"),
        View("operation", "/operation"),
        View("sign-in", "/", status=401, reader=None),
        View("signed-out", "/logout", reader=None),
        View("forbidden", "/operation", status=403, reader="owner"),
        View("missing", missing, status=404),
        View("invalid", "/?status=finished", status=400),
        View("no-page", "/recordings/", status=404),
        View("docs", "/docs", wait_for_documentation),
    ]


def select_and_refuse(page: Page) -> None:
    """Selects recordings, and chooses a file that is no recording."""
    page.get_by_role("checkbox").nth(2).check()
    page.get_by_role("checkbox").nth(3).check()
    file = {"name": "notes from the lecture.txt", "mimeType": "text/plain", "buffer": b"no recording"}
    page.locator("#uploads input[type=file]").set_input_files([file])
    expect(page.locator(".upload[data-state=failed]")).to_be_visible()


def wait_for_media(page: Page) -> None:
    """Waits until the player knows the length. The policy of the page forbids to wait in it."""
    wait_until("the recording can be played", lambda: page.evaluate("document.querySelector('#media').readyState >= 1"))


def wait_for_recording(page: Page) -> None:
    wait_for_media(page)
    expect(page.locator("#lines li")).to_have_count(LINES)
    expect(page.locator("#waveform path[d]")).to_be_attached()


def open_recording(page: Page) -> None:
    """Seeks, marks the regions, and opens everything that can be."""
    wait_for_recording(page)
    page.evaluate(
        """async (seconds) => {
          const media = document.querySelector("#media");
          media.muted = true;
          const shown = new Promise((resolve) => media.addEventListener("seeked", resolve, { once: true }));
          media.currentTime = seconds;
          await shown;
        }""",
        SECONDS * 0.23,
    )
    page.locator("#show-regions").click()
    expect(page.locator(".regions")).to_be_attached()
    open_details(page)


def open_details(page: Page) -> None:
    for details in page.locator("details").all():
        details.evaluate("(element) => { element.open = true; }")


def open_forms(page: Page) -> None:
    wait_for_recording(page)
    page.locator(".clip-card button[data-edit]").first.click()
    expect(page.locator(".clip-form")).to_be_visible()
    line = page.locator("#lines li").nth(2)
    line.hover()
    line.locator("button.edit-line").click()
    expect(page.locator(".line-form")).to_be_visible()


def search_lines(page: Page) -> None:
    wait_for_recording(page)
    page.locator("#search").fill("index")
    expect(page.locator("#lines mark").first).to_be_visible()


def wait_for_documentation(page: Page) -> None:
    expect(page.locator(".opblock").first).to_be_visible()


class Reader:
    """A browser of a person with a key."""

    def __init__(self, browser: Browser, service: Service, key: str | None, **options: Any) -> None:
        self.service = service
        self.context: BrowserContext = browser.new_context(**options)
        self.context.set_default_timeout(TIMEOUT)
        if key:
            sign_in(self.context, service, key)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.type, message.text))

    def _hear(self, kind: str, text: str) -> None:
        # Chromium reports each status above 400, which views may have.
        if kind == "error" and "Failed to load resource" not in text:
            self.errors.append(text)

    def open(self, view: View) -> None:
        response = self.page.goto(f"{self.service.url}{view.path}")
        assert response and response.status == view.status, (view.name, response and response.status)
        view.prepare(self.page)

    def close(self) -> None:
        self.context.close()
        assert self.errors == [], self.errors


def sign_in(context: BrowserContext, service: Service, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    answer = context.request.post(f"{service.url}/api/v1/session", headers=headers)
    assert answer.ok, answer.text()


def new_keys(service: Service) -> dict[str | None, str | None]:
    """A key for each reader of the views."""
    viewer = service.new_key("--role", "viewer")
    owner = service.new_key("--role", "client", "--owner", "faculty")
    return {None: None, "admin": service.key, "viewer": viewer, "owner": owner}


@contextmanager
def chromium(*options: str) -> Iterator[Browser]:
    program = shutil.which("chromium", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "chromium is missing"
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        # Chromium has no sandbox for root.
        sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=[*sandbox, *options])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def service_with_samples(program: Path) -> Iterator[tuple[Service, Samples]]:
    with tempfile.TemporaryDirectory(prefix="lectern-pages-") as name:
        directory = Path(name)
        service = Service(program, directory / "server", f"sqlite://{directory}/lectern.db")
        try:
            yield service, Samples(service, directory)
            service.stop()
        finally:
            service.lectern.kill()

