"""Takes a recording the whole way in Chromium, on both databases: dropped on the page, worked on by
the worker of the program, played, changed, cut again and downloaded; with servers that restart,
several tabs and people, and a slow network.

    with-postgres python tests/e2e/whole_way/check.py PATH/TO/lectern

Needs the package playwright, chromium, ffmpeg and flite, and a PostgreSQL server in
TEST_DATABASE_URL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, expect, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "faults"))
sys.dont_write_bytecode = True

from harness.lectern import Lectern  # noqa: E402
from harness.postgres import tool  # noqa: E402
from harness.processes import wait_until  # noqa: E402

from back_and_reload import check_back_and_reload  # noqa: E402
from lecture_file import LECTURE, make_film, make_lecture, probe  # noqa: E402
from order import check_order  # noqa: E402
from slow_network import check_slow_network  # noqa: E402
from two_tabs import check_quota, check_two_tabs  # noqa: E402
from visit import WATCH_PROGRESS, Lecture, Visit  # noqa: E402

TITLE = "<script>window.taken = 1</script> & <b>mended</b>"
SETTINGS = {
    "LECTERN_WITH_WORKER": "true",
    # A request that is in flight at a restart does not keep the server for long.
    "LECTERN_SHUTDOWN_GRACE": "1",
    "LECTERN_QUOTA_OPEN_JOBS": "2",
}
# For slow machines. Nothing waits for so long if the pages work.
expect.set_options(timeout=90_000)
# The same for the work on the recording, in milliseconds: two workers encode at the same time.
WORK_TIMEOUT = 300_000


def upload(visit: Visit, server: Lectern, file: Path) -> None:
    """The server restarts in the middle of the upload, which goes on by itself."""
    visit.open("/")
    # It would take half a minute.
    network = visit.limit_network(0, -1, file.stat().st_size / 30)
    visit.drop(file)
    row = visit.upload(LECTURE)
    expect(row).to_have_attribute("data-state", "running")
    wait_until("the upload has a job", lambda: visit.jobs())
    (job,) = visit.jobs()
    address = f"/api/v1/uploads/tus/{job['job_id']}"

    def offset() -> int:
        answer = visit.client.request("HEAD", address, headers={"Tus-Resumable": "1.0.0"})
        return int(answer.expect(200, 423).headers.get("upload-offset", "0"))

    wait_until("bytes arrive", lambda: visit.row(LECTURE).count() == 1 and is_sent(visit))
    server.stop()
    visit.client.close()
    expect(row).to_have_attribute("data-state", "retrying")
    expect(row).to_contain_text("Interrupted. Tries again in")
    visit.loses_the_server()
    visit.unlimit_network(network)
    visit.shows_titles_as_text(LECTURE)
    server.start()
    arrived = offset()
    visit.page.evaluate(WATCH_PROGRESS)
    visit.has_the_server()
    expect(row).to_have_attribute("data-state", "complete")
    first, *others = visit.sent("PATCH", address)
    assert first.headers["upload-offset"] == "0", first.headers
    assert {one.headers["upload-offset"] for one in others} == {str(arrived)}, others
    assert arrived > 0, "nothing of what was sent before the restart has arrived"
    visit.has_stayed()


def is_sent(visit: Visit) -> bool:
    """Whether a part of the file is on its way."""
    return visit.page.locator(".upload progress").evaluate("(bar) => bar.value") > 0.1


def work(visit: Visit, server: Lectern) -> Lecture:
    """The progress is shown live. The server restarts, and the worker goes on."""
    row = visit.row(LECTURE)
    expect(row.locator("progress")).to_be_visible()
    shown = lambda: visit.page.evaluate("window.shownProgress")  # noqa: E731
    wait_until("progress is shown", lambda: len(shown()) > 1, WORK_TIMEOUT / 1000)
    server.stop()
    visit.client.close()
    visit.loses_the_server()
    server.start()
    visit.has_the_server()
    expect(row).to_contain_text("Completed", timeout=WORK_TIMEOUT)
    stages = {text.rstrip("0123456789 %") for text in shown()}
    assert len(stages) > 1, f"stages that were shown: {stages}"
    visit.has_stayed()
    visit.shows_titles_as_text(LECTURE)
    assert len(visit.jobs()) == 1, "the recording is there twice"
    return Lecture(visit)


def play(visit: Visit) -> None:
    visit.row(LECTURE).get_by_role("link").click()
    visit.page.wait_for_url("**/jobs/*")
    expect(visit.page).to_have_title(f"{LECTURE} – Lectern")
    visit.shows_titles_as_text(LECTURE)
    media = visit.page.locator("#media")
    play_button = visit.page.get_by_role("button", name="Play from the recording").first
    start = float(play_button.get_attribute("data-start") or 0)
    play_button.click()
    wait_until("the clip is played", lambda: media.evaluate("(media) => media.currentTime") > start + 0.2)
    media.evaluate("(media) => media.pause()")


def mend(browser: Browser, visit: Visit, lecture: Lecture) -> None:
    """An edge is dragged and the title changed. Another tab shows that at once, and another person
    who comes back to the page."""
    page = visit.page
    visit.open(lecture.path)
    tab = Visit(visit.context, visit.client)
    tab.open(lecture.path)
    other = Visit(browser.new_context(locale="en-GB"), visit.client)
    other.open(lecture.path)
    clip = lecture.clips()[0]
    handle = page.get_by_role("spinbutton", name=f"End of the clip “{clip['title']}”")
    handle.evaluate("(handle) => handle.scrollIntoView({ block: 'center' })")
    bars, box = page.locator("#bars").bounding_box(), handle.bounding_box()
    assert bars and box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    with page.expect_response(lambda answer: "/api/v1/clips/" in answer.url):
        page.mouse.down()
    page.keyboard.down("Alt")
    page.mouse.move(x - bars["width"] * 6 / lecture.seconds, y, steps=5)
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as changed:
        page.mouse.up()
    page.keyboard.up("Alt")
    assert changed.value.status == 200, changed.value.text()
    shorter = lecture.clips()[0]
    assert 5 < clip["end_time"] - shorter["end_time"] < 7, (clip, shorter)
    expect(tab.card(clip["title"]).get_by_text("Needs cutting again")).to_be_visible()

    card = visit.card(clip["title"])
    card.get_by_role("button", name="Edit").click()
    page.get_by_label("Title").fill(TITLE)
    page.get_by_role("button", name="Save").click()
    for one in (visit, tab):
        one.shows_titles_as_text(LECTURE, TITLE)
        expect(one.page.get_by_role("spinbutton", name=f"End of the clip “{TITLE}”")).to_be_attached()
    expect(other.card(clip["title"])).to_be_visible()
    other.page.evaluate("window.dispatchEvent(new Event('focus'))")
    other.shows_titles_as_text(LECTURE, TITLE)

    line = tab.page.locator("#lines li").first
    line.hover()
    line.get_by_role("button", name="Edit this line").click()
    tab.page.get_by_role("textbox", name="Edit this line").fill("A corrected line")
    tab.page.keyboard.press("Enter")
    expect(page.locator("#lines li .text").first).to_have_text("A corrected line")
    for one in (visit, tab, other):
        one.has_stayed()
        assert one.errors == [], one.errors
    tab.page.close()
    other.context.close()


def cut_and_download(visit: Visit, server: Lectern, lecture: Lecture) -> None:
    """The server restarts while the clip is cut."""
    page = visit.page
    expect(page.get_by_text("The reel is out of date")).to_be_visible()
    page.get_by_role("button", name="Cut again").click()
    expect(page.get_by_role("button", name="Cut again")).to_have_count(0)
    server.stop()
    visit.client.close()
    visit.loses_the_server()
    server.start()
    visit.has_the_server()
    expect(page.get_by_text("All clips are cut.")).to_be_visible(timeout=WORK_TIMEOUT)
    expect(page.get_by_text("The reel is out of date")).to_have_count(0)
    (clip,) = [clip for clip in lecture.clips() if clip["title"] == TITLE]
    with page.expect_download() as download:
        visit.card(TITLE).get_by_role("link", name="Download", exact=True).click()
    length, streams = probe(Path(download.value.path()))
    assert abs(length - clip["duration"]) < 0.3, (length, clip)
    assert {"video", "audio"} <= streams, streams
    assert download.value.suggested_filename.endswith(".mp4"), download.value.suggested_filename
    visit.has_stayed()


@contextmanager
def database_url(database: str, directory: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite://{directory}/lectern.db"
        return
    server = os.environ["TEST_DATABASE_URL"]
    name = f"whole_way_{os.getpid()}"

    def sql(statement: str) -> None:
        psql = (tool("psql"), "--no-psqlrc", "--quiet", f"--command={statement}", server)
        subprocess.run(psql, check=True, stdin=subprocess.DEVNULL, timeout=60)

    sql(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        sql(f"DROP DATABASE {name} WITH (FORCE)")


def check(program: Path, browser: Browser, url: str, directory: Path, lecture_file: Path) -> None:
    server = Lectern(program, directory, url, SETTINGS)
    films = [make_film(directory, name) for name in ("one.mp4", "second.mp4", "the-third.mp4")]
    server.start()
    try:
        visit = Visit(browser.new_context(locale="en-GB"), server.client())
        upload(visit, server, lecture_file)
        lecture = work(visit, server)
        play(visit)
        mend(browser, visit, lecture)
        cut_and_download(visit, server, lecture)
        check_order(browser, visit, lecture)
        check_slow_network(visit, lecture)
        check_two_tabs(visit, films[0])
        check_quota(visit, films)
        check_back_and_reload(visit, lecture)
        assert visit.errors == [], visit.errors
        visit.context.close()
        server.stop()
    finally:
        server.kill()
    assert " ERROR " not in server.log(), server.log()


def check_on(database: str, program: Path, directory: Path, lecture_file: Path) -> None:
    chromium = shutil.which("chromium", path=f"{os.environ['PATH']}:/usr/sbin")
    assert chromium, "chromium is missing"
    # Chromium has no sandbox for root.
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    with database_url(database, directory) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        try:
            check(program, browser, url, directory, lecture_file)
        finally:
            browser.close()
    print(f"chromium on {database}: from the file to the mended clip, with restarts", flush=True)


def main(program: Path) -> None:
    """Checks both databases at the same time: pages and servers wait more than they compute."""
    with tempfile.TemporaryDirectory(prefix="lectern-whole-way-") as name:
        directory = Path(name)
        lecture_file = make_lecture(directory)
        processes = []
        for database in ("sqlite", "postgres"):
            own = directory / database
            own.mkdir()
            command = (sys.executable, __file__, program, database, own, lecture_file)
            processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
        codes = [process.wait() for process in processes]
    sys.exit(max(map(abs, codes)))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(Path(sys.argv[1]).resolve())
    else:
        program, database, *paths = sys.argv[1:]
        check_on(database, Path(program), *map(Path, paths))
