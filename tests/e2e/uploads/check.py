"""Uploads recordings from the page of the list in Chromium, and changes several at once.

    python tests/e2e/uploads/check.py PATH/TO/lectern

Files are chosen and dropped; an upload is paused, and continues after the page was loaded again;
connections break, a proxy refuses large bodies, and a second person uses the same browser. Needs
the package playwright, chromium and ffmpeg.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Dialog, Error, Locator, Page, Route, expect, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "faults"))
sys.dont_write_bytecode = True

from harness.lectern import Lectern  # noqa: E402

# So many times a proxy refuses a body for its size, after which parts are an eighth of the file.
REFUSALS = 3
# For slow machines. Nothing waits for so long if the pages work.
expect.set_options(timeout=60_000)


def make_recordings(directory: Path) -> dict[str, Path]:
    """Two recordings of some megabytes, a small one with a picture, and what is no recording."""
    seconds_of_bytes = 44_100 * 2 * 2
    long = directory / "lecture.wav"
    short = directory / "talk.wav"
    film = directory / "film.mp4"
    sound = ("-ar", "44100", "-ac", "2")
    for path, size in ((long, 6 << 20), (short, 2 << 20)):
        source = f"anoisesrc=duration={size / seconds_of_bytes}:seed=7"
        ffmpeg("-f", "lavfi", "-i", source, *sound, path)
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=2", "-pix_fmt", "yuv420p", film)
    notes = directory / "notes.txt"
    notes.write_text("no recording")
    return {path.name: path for path in (long, short, film, notes)}


def ffmpeg(*options: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", *options], check=True, timeout=120)


class Patches:
    """A proxy that refuses large bodies, and breaks and holds connections when a test says so."""

    def __init__(self, page: Page) -> None:
        self.offsets: list[int] = []
        self.held: list[Route] = []
        self.holds_from: int | None = None
        self.breaks = False
        self.is_bounded = True
        self.refusals: Counter[str] = Counter()
        page.route("**/api/v1/uploads/tus/*", self._handle)

    def _handle(self, route: Route) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        offset = int(route.request.headers["upload-offset"])
        if self.breaks:
            route.abort("connectionreset")
        elif self.is_bounded and self.refusals[route.request.url] < REFUSALS:
            self.refusals[route.request.url] += 1
            route.fulfill(status=413, content_type="text/html", body="<h1>413 Request Entity Too Large</h1>")
        elif self.holds_from is not None and offset >= self.holds_from:
            self.held.append(route)
        else:
            self.offsets.append(offset)
            route.continue_()


    def hold_refresh(self, route: Route) -> None:
        """Holds a request of the script for the page."""
        if route.request.is_navigation_request():
            route.continue_()
        else:
            self.held.append(route)

    def release(self) -> None:
        """Breaks the connections that are held, unless the page has."""
        for route in self.held:
            with suppress(Error):
                route.abort()
        self.held.clear()


class Visit:
    """A browser on the page of recordings."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.text))
        self.patches = Patches(self.page)
        self.dialogs: list[str] = []
        self.page.on("dialog", self._accept)

    def _hear(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.errors.append(text)

    def _accept(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.accept()

    def sign_in(self, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        answer = self.context.request.post(f"{self.url}/api/v1/session", headers=headers)
        assert answer.ok, answer.text()
        self.page.goto(f"{self.url}/")

    def choose(self, *files: Path) -> None:
        self.page.locator("#uploads input[type=file]").set_input_files(files)

    def drop(self, *files: Path) -> None:
        """Drops files on the middle of the page, as a file manager does."""
        cdp: CDPSession = self.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            cdp.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
        cdp.detach()

    def upload(self, name: str) -> Locator:
        return self.page.locator(".upload").filter(has_text=name)

    def row(self, name: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=name)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        options = {"method": method, "headers": {"Origin": self.url, **headers}}
        answer = self.context.request.fetch(f"{self.url}/api/v1{path}", data=body, **options)
        assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
        return answer

    def job_of(self, name: str) -> dict[str, Any]:
        jobs = self.call("GET", f"/jobs?filename={name}").json()["jobs"]
        assert len(jobs) == 1, jobs
        return jobs[0]


def has_state(upload: Locator, state: str) -> None:
    expect(upload).to_have_attribute("data-state", state)


def check_pause_and_reload(visit: Visit, files: dict[str, Path], ada: str, bob: str) -> None:
    """An upload is paused, and continues where it stopped when the same file is dropped later."""
    patches, page = visit.patches, visit.page
    size = files["lecture.wav"].stat().st_size
    part = size >> REFUSALS
    patches.holds_from = 4 * part
    with page.expect_request(lambda request: request.headers.get("upload-offset") == str(4 * part)):
        visit.choose(files["lecture.wav"], files["talk.wav"])
    lecture, talk = visit.upload("lecture.wav"), visit.upload("talk.wav")
    has_state(talk, "complete")
    expect(visit.row("talk.wav")).to_contain_text("Queued")
    expect(visit.row("lecture.wav")).to_contain_text("Uploading")
    lecture.get_by_role("button", name="Pause").click()
    has_state(lecture, "paused")
    assert [offset for offset in patches.offsets if offset % part == 0 and offset > 0] == [part, 2 * part, 3 * part]
    job = visit.job_of("lecture.wav")
    found = visit.call("HEAD", f"/uploads/tus/{job['job_id']}", **{"Tus-Resumable": "1.0.0"})
    assert found.headers["upload-offset"] == str(4 * part), found.headers

    # Somebody else at the same browser neither sees the upload nor forgets it.
    visit.sign_in(bob)
    expect(visit.row("lecture.wav")).to_contain_text("Uploading")
    expect(page.locator("#uploads input[type=file]")).to_be_attached()
    expect(page.locator(".upload")).to_have_count(0)
    visit.sign_in(ada)
    has_state(lecture, "unfinished")
    expect(lecture).to_contain_text("3.1 MB of 6.3 MB have arrived")
    patches.holds_from = None
    patches.offsets.clear()
    page.evaluate("window.isFirst = true")
    visit.drop(files["lecture.wav"])
    has_state(lecture, "complete")
    assert patches.offsets == [4 * part], patches.offsets
    expect(visit.row("lecture.wav")).to_contain_text("Queued")
    assert visit.job_of("lecture.wav")["job_id"] == job["job_id"], "another upload was begun"
    assert page.evaluate("window.isFirst"), "the page was loaded again"
    page.reload()
    expect(visit.row("lecture.wav")).to_contain_text("Queued")
    expect(page.locator(".upload")).to_have_count(0)


def check_troubles(visit: Visit, files: dict[str, Path]) -> None:
    """A connection that breaks, a file of another kind, and an upload that is cancelled."""
    patches = visit.patches
    patches.breaks = True
    visit.choose(files["talk.wav"], files["notes.txt"])
    talk, notes = visit.upload("talk.wav"), visit.upload("notes.txt")
    has_state(talk, "retrying")
    has_state(notes, "failed")
    expect(notes).to_contain_text("This is not a recording. Accepted are .mp4")
    expect(notes.get_by_role("button")).to_have_count(1)
    notes.get_by_role("button", name="Hide").click()
    expect(notes).to_have_count(0)
    patches.holds_from = 1
    patches.breaks = False
    # It tries again by itself.
    with visit.page.expect_request(lambda request: request.headers.get("upload-offset", "0") != "0"):
        pass
    talk.get_by_role("button", name="Cancel").click()
    expect(talk).to_have_count(0)
    expect(visit.row("talk.wav")).to_have_count(1)
    expect(visit.row("talk.wav")).to_contain_text("Queued")
    assert "talk.wav" in visit.dialogs.pop(), visit.dialogs
    patches.holds_from = None


def check_selection(visit: Visit, worker: str, recording: Path) -> None:
    """Recordings stay selected, and the focus where it is, while their rows change. What has
    arrived in two parts is the file."""
    page = visit.page
    lecture, talk = visit.row("lecture.wav"), visit.row("talk.wav")
    lecture.get_by_role("checkbox").check()
    talk.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    bar = page.locator("#selection")
    expect(bar).to_contain_text("2 selected")
    work = {"worker": "uploads", "stages": ["transcription"], "max": 2}
    claims = visit.call("POST", "/work/claim", work, Authorization=f"Bearer {worker}").json()["claims"]
    source = {claim["job"]["filename"]: claim["source_url"] for claim in claims}[recording.name]
    assert visit.context.request.get(source).body() == recording.read_bytes(), "another recording"
    for row in (lecture, talk):
        expect(row).to_contain_text("Running")
        expect(row.get_by_role("checkbox")).to_be_checked()
    expect(talk.get_by_role("checkbox")).to_be_focused()
    expect(bar).to_contain_text("2 selected")


def check_changes(visit: Visit, film: Path) -> None:
    """Single recordings and several are cancelled, tried again and deleted."""
    page = visit.page
    bar, notice = page.locator("#selection"), page.locator("#notice")

    # The page does not learn that a recording was deleted, until it is loaded again.
    page.route(f"{visit.url}/", visit.patches.hold_refresh)
    visit.call("DELETE", f"/jobs/{visit.job_of('talk.wav')['job_id']}")
    bar.get_by_role("button", name="Cancel (2)").click()
    expect(notice).to_contain_text("1 cancelled, 1 refused: talk.wav: ")
    assert visit.dialogs.pop() == "Cancel the work on 2 recordings?"
    expect(bar).to_contain_text("1 selected")
    page.unroute(f"{visit.url}/")
    page.reload()
    expect(visit.row("lecture.wav")).to_contain_text("Cancelled")
    expect(visit.row("talk.wav")).to_have_count(0)

    # It is smaller than the smallest part.
    visit.patches.is_bounded = False
    visit.choose(film)
    row = visit.row("film.mp4")
    expect(row).to_contain_text("Queued")
    expect(row.get_by_role("button")).to_have_count(2)
    row.get_by_role("button", name="Cancel: film.mp4").click()
    assert visit.dialogs.pop() == "Cancel the work on “film.mp4”?"
    expect(notice).to_have_text("1 cancelled")
    expect(row).to_contain_text("Cancelled")
    page.get_by_role("checkbox", name="Select all").check()
    bar.get_by_role("button", name="Try again (2)").click()
    expect(notice).to_have_text("2 queued again")
    expect(bar).to_be_hidden()
    for name in ("lecture.wav", "film.mp4"):
        expect(visit.row(name)).to_contain_text("Queued")
    assert visit.dialogs == [], "to try again was asked for"
    page.get_by_role("checkbox", name="Select all").check()
    bar.get_by_role("button", name="Delete (2)").click()
    assert visit.dialogs.pop().startswith("Delete 2 recordings")
    expect(notice).to_have_text("2 deleted")
    expect(notice).to_be_focused()
    expect(page.get_by_text("No recordings yet")).to_be_visible()


def check_viewer(visit: Visit, viewer: str, client: Visit) -> None:
    """A viewer has nothing that would be refused."""
    body = {"filename": "seminar.mp4", "file_size": 1, "s3_key": "talks/seminar.mp4"}
    client.call("POST", "/jobs", body)
    visit.sign_in(viewer)
    expect(visit.row("seminar.mp4")).to_be_visible()
    for control in ("input[type=file]", "input[type=checkbox]", "main button:not(.search button)"):
        expect(visit.page.locator(control)).to_have_count(0)
    expect(client.row("seminar.mp4").get_by_role("checkbox")).to_be_visible()
    assert visit.errors == [], visit.errors


def main() -> None:
    (program,) = sys.argv[1:]
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing"
    with tempfile.TemporaryDirectory(prefix="lectern-uploads-") as name, sync_playwright() as playwright:
        directory = Path(name)
        files = make_recordings(directory)
        database = f"sqlite://{directory}/lectern.db"
        server = Lectern(Path(program).resolve(), directory / "server", database, {"LECTERN_AUTH": "keys"})
        roles = {"ada": "client", "bob": "client", "worker": "worker", "viewer": "viewer"}
        keys = {person: new_key(server, role) for person, role in roles.items()}
        server.start()
        url = f"http://127.0.0.1:{server.port}"
        # Chromium has no sandbox for root.
        options = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        try:
            visit = Visit(browser.new_context(locale="en-GB"), url)
            visit.sign_in(keys["ada"])
            check_pause_and_reload(visit, files, keys["ada"], keys["bob"])
            check_troubles(visit, files)
            check_selection(visit, keys["worker"], files["lecture.wav"])
            check_changes(visit, files["film.mp4"])
            check_viewer(Visit(browser.new_context(locale="en-GB"), url), keys["viewer"], visit)
            assert visit.errors == [], visit.errors
            visit.patches.release()
            server.stop()
        finally:
            browser.close()
            server.kill()
        assert " ERROR " not in server.log(), server.log()
    print("chromium: uploads continue after a pause and a reload, and recordings are changed at once")


def new_key(server: Lectern, role: str) -> str:
    done = server.run("keys", "new", "--role", role)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


if __name__ == "__main__":
    main()
