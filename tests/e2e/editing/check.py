"""Changes the clips of a recording in Chromium, and lets the worker of the program cut them.

    python tests/e2e/editing/check.py PATH/TO/lectern

Needs the package playwright, chromium and ffmpeg.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "faults"))
sys.dont_write_bytecode = True

from harness.client import Client  # noqa: E402
from harness.lectern import Lectern  # noqa: E402

from recording import LINES, SECONDS, Job, make_recording  # noqa: E402

# Chromium on a busy machine, and the worker.
TIMEOUT = 60_000


class Reader:
    """A page of a recording in a browser, on which nothing may go wrong unseen."""

    def __init__(self, browser: Browser, url: str, job: Job, **options: Any) -> None:
        self.job = job
        self.errors: list[str] = []
        context = browser.new_context(**{"locale": "en-GB", **options})
        context.set_default_timeout(TIMEOUT)
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.changes: list[str] = []
        self.page.on("request", self.record)
        # The last thing that its script does is to follow the events.
        with self.page.expect_response(lambda answer: "/api/v1/events?" in answer.url):
            response = self.page.goto(f"{url}/jobs/{job.job_id}")
        assert response is not None and response.status == 200

    def record(self, request: Any) -> None:
        if request.method != "GET":
            self.changes.append(f"{request.method} {request.url.rsplit('/api/v1', 1)[1]}")

    def card(self, title: str) -> Locator:
        return self.page.locator(".clip-card").filter(has=self.page.get_by_role("heading", name=title, exact=True))

    def handle(self, title: str, edge: str) -> Locator:
        return self.page.get_by_role("spinbutton", name=f"{edge} of the clip “{title}”")

    def point(self, seconds: float, handle: Locator) -> tuple[float, float]:
        """Where a time is on the screen, at the height of a handle."""
        handle.evaluate("(handle) => handle.scrollIntoView({ block: 'center' })")
        bars, box = self.page.locator("#bars").bounding_box(), handle.bounding_box()
        assert bars and box
        return bars["x"] + bars["width"] * seconds / SECONDS, box["y"] + box["height"] / 2

    def grab(self, title: str, edge: str, at: float) -> Locator:
        """Presses the mouse on an edge, and waits for the times of words and the version."""
        handle = self.handle(title, edge)
        x, y = self.point(at, handle)
        self.page.mouse.move(x, y)
        with self.page.expect_response(lambda response: "words=true" in response.url):
            with self.page.expect_response(lambda response: "/api/v1/clips/" in response.url):
                self.page.mouse.down()
        return handle

    def drag(self, title: str, edge: str, at: float, to: float) -> None:
        handle = self.grab(title, edge, at)
        self.page.mouse.move(*self.point(to, handle), steps=5)
        with self.page.expect_response(lambda response: response.request.method == "PATCH") as changed:
            self.page.mouse.up()
        assert changed.value.status == 200, changed.value.text()

    def cut_again(self) -> None:
        self.page.get_by_role("button", name="Cut again").click()
        expect(self.page.get_by_text("All clips are cut.")).to_be_visible()


def drag_edges(reader: Reader) -> None:
    job = reader.job
    silences = job.of_job("GET", "/silence-regions")["regions"]
    (silence,) = [region for region in silences if 15 < region["start_time"] < 25]
    # The end snaps to the silence, although the pointer is beside it.
    reader.drag("First", "End", 18, silence["start_time"] + 0.2)
    assert job.clip("First")["end_time"] == silence["start_time"], job.clip("First")
    expect(reader.card("First").get_by_text("Needs cutting again: its times")).to_be_visible()
    # The start snaps to a word within a line.
    word = LINES[3]["words"][1]["start"]
    reader.drag("First", "Start", 10, word + 0.15)
    assert job.clip("First")["start_time"] == word, job.clip("First")

    # Not with the Alt key.
    handle = reader.grab("Second", "End", 38)
    reader.page.keyboard.down("Alt")
    reader.page.mouse.move(*reader.point(40.2, handle), steps=5)
    assert reader.page.locator(".edge-guide").is_hidden(), "it does not snap"
    expect(reader.page.locator(".edge-times")).to_contain_text("0:30 – 0:40")
    with reader.page.expect_response(lambda response: response.request.method == "PATCH"):
        reader.page.mouse.up()
    reader.page.keyboard.up("Alt")
    end = job.clip("Second")["end_time"]
    times = {line["start_time"] for line in LINES} | {region["start_time"] for region in silences}
    assert abs(end - 40.2) < 0.1 and end not in times, end

    # Escape gives it up.
    count = len(reader.changes)
    handle = reader.grab("Second", "Start", 30)
    reader.page.mouse.move(*reader.point(33, handle), steps=5)
    expect(handle).not_to_have_attribute("aria-valuenow", "30")
    reader.page.keyboard.press("Escape")
    expect(handle).to_have_attribute("aria-valuenow", "30")
    reader.page.mouse.up()
    # The start cannot pass the end.
    handle = reader.grab("Second", "Start", 30)
    reader.page.mouse.move(*reader.point(55, handle), steps=5)
    expect(handle).to_have_attribute("aria-valuenow", f"{end - 0.1:.6g}")
    reader.page.keyboard.press("Escape")
    reader.page.mouse.up()
    assert len(reader.changes) == count, reader.changes


def move_edges_with_keys(reader: Reader) -> None:
    page, job = reader.page, reader.job
    handle = reader.handle("Second", "Start")
    handle.focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowLeft", "Shift+ArrowRight"]:
        page.keyboard.press(key)
    expect(handle).to_have_attribute("aria-valuetext", "0:31.1")
    with page.expect_response(lambda response: response.request.method == "PATCH"):
        page.keyboard.press("Enter")
    assert job.clip("Second")["start_time"] == 31.1, job.clip("Second")
    # The page is made anew, and the handle keeps the focus.
    expect(handle).to_be_focused()
    page.keyboard.press("PageUp")
    expect(reader.handle("First", "Start")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(reader.handle("First", "Start")).to_have_attribute("aria-valuenow", str(LINES[3]["words"][1]["start"]))
    # An open form takes the time, and keeps what was typed.
    reader.card("Second").get_by_role("button", name="Edit").click()
    reader.page.get_by_label("Title").fill("Renamed")
    reader.handle("Second", "Start").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Start", exact=True)).to_have_value("0:30.1")
    page.get_by_role("button", name="Save").click()
    expect(reader.card("Renamed")).to_be_visible()
    assert job.clip("Renamed")["start_time"] == 30.1


def keep_the_change_of_another(reader: Reader) -> None:
    clip = reader.job.clip("Renamed")
    handle = reader.grab("Renamed", "Start", clip["start_time"])
    reader.job.send("PATCH", f"/clips/{clip['clip_id']}", {"title": "Second"})
    reader.page.mouse.move(*reader.point(33, handle), steps=5)
    reader.page.mouse.up()
    expect(reader.page.get_by_role("alert").filter(has_text="Somebody else")).to_be_visible()
    expect(reader.card("Second")).to_be_visible()
    assert reader.job.clip("Second")["start_time"] == clip["start_time"]
    expect(reader.handle("Second", "Start")).to_have_attribute("aria-valuenow", str(clip["start_time"]))


def drag_with_a_finger(browser: Browser, url: str, job: Job) -> None:
    reader = Reader(browser, url, job, has_touch=True, viewport={"width": 390, "height": 800})
    handle = reader.handle("Second", "Start")
    start = job.clip("Second")["start_time"]
    by = reader.point(start - 5, handle)[0] - reader.point(start, handle)[0]
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = reader.page.context.new_cdp_session(reader.page)
    with reader.page.expect_response(lambda response: "/api/v1/clips/" in response.url):
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for part in range(1, 6):
        at = {"x": x + by * part / 5, "y": y}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    with reader.page.expect_response(lambda response: response.request.method == "PATCH") as changed:
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert changed.value.status == 200, changed.value.text()
    moved = job.clip("Second")["start_time"]
    assert abs(moved - (start - 5)) < 2, moved
    assert reader.errors == [], reader.errors
    reader.page.context.close()


def seconds_of(url: str) -> float:
    """The length of a video, as ffprobe measures it."""
    entries = ["-show_entries", "format=duration", "-of", "csv=p=0"]
    return float(subprocess.check_output(["ffprobe", "-v", "error", *entries, url]))


def check_files(reader: Reader) -> float:
    """Every clip has a file of its length; returns the length of the reel."""
    results = reader.job.send("GET", f"/results/{reader.job.job_id}")
    for clip in results["clips"]:
        length = seconds_of(clip["url"])
        assert abs(length - clip["duration"]) < 0.3, (clip, length)
    path = reader.page.get_by_role("link", name="Download all clips").get_attribute("href")
    assert path
    archive = ZipFile(BytesIO(reader.job.client.get(path.removeprefix("..")).expect(200).body))
    assert archive.testzip() is None, "the sums are those of the files"
    names = [f"{i:02} {clip['title']}.mp4" for i, clip in enumerate(results["clips"], 1)]
    assert archive.namelist() == names, archive.namelist()
    link = reader.page.get_by_role("link", name="Download the reel")
    address = link.get_attribute("href")
    assert address
    return seconds_of(address)


def cut_clips_again(reader: Reader) -> None:
    job = reader.job
    reader.cut_again()
    before = job.clips()
    assert [clip["stale"] for clip in before] == [False, False], before
    check_files(reader)
    drag_edges(reader)
    move_edges_with_keys(reader)
    keep_the_change_of_another(reader)
    edited = job.clips()
    reader.cut_again()
    expect(reader.page.get_by_text("Needs cutting again: its times")).to_have_count(0)
    after = job.clips()
    kept = ("clip_id", "title", "start_time", "end_time", "clip_order")
    assert [[clip[name] for name in kept] for clip in after] == [[clip[name] for name in kept] for clip in edited]
    assert all(clip["stale"] for clip in edited) and not any(clip["stale"] for clip in after)
    assert all(old["s3_key"] != new["s3_key"] for old, new in zip(before, after, strict=True))
    reel = check_files(reader)
    assert abs(reel - sum(clip["duration"] for clip in after)) < 1, reel


def select(page: Page, first: int, from_: int, last: int, to: int) -> None:
    page.evaluate(
        """([first, from, last, to]) => {
          const text = (line) => document.querySelectorAll("#lines .text")[line].firstChild;
          getSelection().setBaseAndExtent(text(first), from, text(last), to);
        }""",
        [first, from_, last, to],
    )


def make_clips(reader: Reader) -> None:
    page, job = reader.page, reader.job
    # From the second word of a line to the second word of the next one.
    select(page, 5, LINES[5]["text"].index("second"), 6, LINES[6]["text"].index(" third"))
    page.get_by_role("button", name="Make a clip of it").click()
    expect(page.get_by_label("Title")).to_have_value("second5 third5 First6 second6")
    made = job.clip("second5 third5 First6 second6")
    assert made["start_time"] == LINES[5]["words"][1]["start"], made
    assert made["end_time"] == LINES[6]["words"][1]["end"], made
    expect(page.locator("#selection")).to_be_hidden()
    page.get_by_label("Title").fill("Third")
    page.get_by_role("button", name="Save").click()
    expect(reader.card("Third").get_by_text("Not cut yet")).to_be_visible()
    # From the position of the player.
    page.locator("#lines .seek").nth(8).click()
    expect(page.locator("#lines li[aria-current]")).to_contain_text(LINES[8]["text"])
    page.get_by_role("button", name="New clip from here").click()
    expect(page.get_by_label("Title")).to_have_value(LINES[8]["text"])
    page.keyboard.press("Escape")
    made = job.clip(LINES[8]["text"])
    assert made["start_time"] == LINES[8]["start_time"] and made["end_time"] > SECONDS - 1, made
    reader.card(LINES[8]["text"]).get_by_role("button", name="Delete").click()
    expect(reader.card(LINES[8]["text"])).to_have_count(0)


def change_the_order(reader: Reader) -> None:
    page, job = reader.page, reader.job
    titles = lambda: [clip["title"] for clip in job.clips()]  # noqa: E731
    headings = page.locator(".clip-card h3")
    page.get_by_role("button", name="Move “Third” up").click()
    expect(headings).to_have_text(["First", "Third", "Second"])
    expect(page.get_by_role("button", name="Move “Third” up")).to_be_focused()
    page.keyboard.press("Enter")
    expect(headings).to_have_text(["Third", "First", "Second"])
    assert titles() == ["Third", "First", "Second"]
    # Another has moved a clip meanwhile: nothing is exchanged with another than is shown.
    first = job.clip("First")
    job.send("PATCH", f"/clips/{first['clip_id']}", {"clip_order": 1_000})
    page.get_by_role("button", name="Move “Third” down").click()
    expect(page.get_by_role("alert").filter(has_text="Somebody else")).to_be_visible()
    expect(headings).to_have_text(["Third", "Second", "First"])
    assert titles() == ["Third", "Second", "First"]
    reader.cut_again()
    check_files(reader)


def explain_failures(browser: Browser, url: str, client: Client) -> None:
    job = Job(client, "damaged.webm", b"no recording" * 100)
    job.confirm()
    job.wait_until("failed")
    reader = Reader(browser, url, job, locale="de-DE")
    row = reader.page.locator("#stages tr").filter(has_text="Die Datei ist beschädigt")
    expect(row.first).to_be_visible()
    with reader.page.expect_response(lambda response: response.url.endswith("/rerun")) as again:
        row.first.get_by_role("button", name="Ab hier wiederholen").click()
    assert again.value.status == 200, again.value.text()
    job.wait_until("failed")
    assert reader.errors == [], reader.errors


def main(program: str) -> None:
    chromium = shutil.which("chromium", path=f"{os.environ['PATH']}:/usr/sbin")
    assert chromium, "chromium is missing"
    expect.set_options(timeout=TIMEOUT)
    with tempfile.TemporaryDirectory(prefix="lectern-editing-") as name, sync_playwright() as playwright:
        directory = Path(name)
        settings = {"LECTERN_WITH_WORKER": "true"}
        lectern = Lectern(Path(program).resolve(), directory, f"sqlite://{directory}/lectern.db", settings)
        lectern.start()
        # Chromium has no sandbox for root.
        arguments = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            url, client = f"http://127.0.0.1:{lectern.port}", lectern.client()
            job = Job(client, "recording.webm", make_recording(directory).read_bytes())
            job.of_job("PUT", "/transcripts", {"segments": LINES})
            job.confirm()
            job.wait_until("completed")
            clips = [("First", 10, 18), ("Second", 30, 38)]
            body = [{"title": title, "start_time": start, "end_time": end} for title, start, end in clips]
            job.of_job("PUT", "/clips", {"clips": body})
            reader = Reader(browser, url, job)
            cut_clips_again(reader)
            make_clips(reader)
            change_the_order(reader)
            drag_with_a_finger(browser, url, job)
            assert reader.errors == [], reader.errors
            explain_failures(browser, url, client)
            browser.close()
            lectern.stop()
        finally:
            lectern.kill()
    print("chromium: clips are changed, made, ordered and cut again")


if __name__ == "__main__":
    main(*sys.argv[1:])
