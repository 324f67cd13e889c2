"""The page of a recording of three hours with ten thousand lines, while it plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from budgets import MAX_BYTES, Transfers
from playwright.sync_api import Browser, CDPSession, Page, expect
from samples import Service, lines, make_recording
from views import Reader, wait_for_media

SECONDS = 3 * 3600
LINES = 10_000
# Only the parts of the transcript in view are laid out, each of 25 lines.
MAX_LINES_LAID_OUT = 150
# By scripts while the page loads.
MAX_FORCED_LAYOUTS = 10
STEPS = 40


def make_long_recording(service: Service, directory: Path) -> str:
    job = service.upload("A day of talks.webm", make_recording(directory, SECONDS), "video/webm")
    service.complete(job, SECONDS)
    service.send("PUT", f"/jobs/{job}/transcripts", {"segments": lines(LINES, SECONDS)})
    silences = [
        {"start_time": at, "end_time": at + 2, "silence_type": "audio_silence"} for at in range(10, SECONDS - 10, 5)
    ]
    service.send("PUT", f"/jobs/{job}/silence-regions", {"regions": silences})
    topics = [
        {"start_time": at, "end_time": at + 300, "topic": f"Topic {at // 300}", "importance_score": at % 7 / 7}
        for at in range(0, SECONDS, 300)
    ]
    service.send("PUT", f"/jobs/{job}/content-segments", {"segments": topics})
    clips = [{"title": f"Clip {i}", "start_time": i * 700, "end_time": i * 700 + 60} for i in range(1, 15)]
    service.send("PUT", f"/jobs/{job}/clips", {"clips": clips})
    return job


def open_page(reader: Reader, job: str) -> None:
    reader.page.goto(f"{reader.service.url}/jobs/{job}")
    expect(reader.page.locator("#lines li")).to_have_count(LINES)
    wait_for_media(reader.page)


def metrics(cdp: CDPSession) -> dict[str, float]:
    return {entry["name"]: entry["value"] for entry in cdp.send("Performance.getMetrics")["metrics"]}


# Moves the player as playing does, a step in each frame, and returns the lines that were current.
PLAY = """async ([from, steps, step]) => {
  const media = document.querySelector("#media");
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const lines = [...document.querySelectorAll("#lines li")];
  let position = from;
  Object.defineProperty(media, "currentTime", { configurable: true, get: () => position });
  const found = [];
  for (let i = 0; i < steps; i++) {
    await frame();
    position = from + i * step;
    media.dispatchEvent(new Event("timeupdate"));
    await frame();
    const current = document.querySelectorAll("#lines li[aria-current]");
    found.push([current.length, lines.indexOf(current[0])]);
  }
  delete media.currentTime;
  return found;
}"""


def play(page: Page, start: float, steps: int, step: float) -> list[tuple[int, int]]:
    return [tuple(found) for found in page.evaluate(PLAY, [start, steps, step])]


def laid_out_lines(page: Page) -> int:
    """The lines that the browser has laid out: others are in lists whose content is skipped."""
    return page.evaluate(
        """() => [...document.querySelectorAll("#lines ol")]
          .filter((list) => list.firstElementChild.checkVisibility({ contentVisibilityAuto: true }))
          .reduce((count, list) => count + list.childElementCount, 0)"""
    )


def forced_layouts(trace: bytes) -> list[dict[str, Any]]:
    """The layouts that a script has waited for, which are within its events."""
    events = json.loads(trace)["traceEvents"]
    scripts = [
        (event["tid"], event["ts"], event["ts"] + event.get("dur", 0))
        for event in events
        if event["name"] == "EventDispatch" and event.get("args", {}).get("data", {}).get("type") == "timeupdate"
    ]
    assert len(scripts) >= STEPS, "the events of the player are in the trace"
    return [
        event
        for event in events
        if event["name"] == "Layout"
        and event.get("dur", 0) > 0
        and any(tid == event["tid"] and start <= event["ts"] < end for tid, start, end in scripts)
    ]


def check_long_recording(browser: Browser, service: Service, directory: Path) -> None:
    job = make_long_recording(service, directory)
    reader = Reader(browser, service, service.key, locale="en-GB")
    transfers = Transfers(reader)
    stacks = "disabled-by-default-devtools.timeline.stack"
    browser.start_tracing(page=reader.page, categories=["devtools.timeline", stacks])
    open_page(reader, job)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    # Only a layout that a script waits for has the stack of one. Some parts of the page have to know
    # their size, but the number does not depend on that of lines and clips.
    forced = [event for event in events if event["name"] == "Layout" and "stackTrace" in event["args"].get("beginData", {})]
    assert 0 < len(forced) <= MAX_FORCED_LAYOUTS, (len(forced), forced[:3])
    page = reader.page
    # The transcript itself is no part of what the page needs to be of use.
    size = sum(size for url, size in transfers.counted().items() if not url.endswith("/transcripts"))
    assert size <= MAX_BYTES, transfers.counted()
    # The first move shows another part of the page.
    line = SECONDS / LINES
    play(page, SECONDS / 2, 2, line)
    assert 0 < laid_out_lines(page) <= MAX_LINES_LAID_OUT, laid_out_lines(page)

    # Four times a second within a line: nothing is to be laid out but the clock, once a second.
    cdp = reader.context.new_cdp_session(page)
    cdp.send("Performance.enable")
    before = metrics(cdp)
    found = play(page, SECONDS / 2, STEPS, line / STEPS / 2)
    after = metrics(cdp)
    assert found == [(1, LINES // 2)] * STEPS, found
    layouts = after["LayoutCount"] - before["LayoutCount"]
    assert layouts <= STEPS + 4, layouts
    assert after["Nodes"] - before["Nodes"] < STEPS, (before["Nodes"], after["Nodes"])

    # From line to line: each is marked and in view, and no layout is waited for more than once.
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    found = play(page, SECONDS / 2 + line / 2, STEPS, line)
    trace = browser.stop_tracing()
    assert found == [(1, LINES // 2 + i) for i in range(STEPS)], found
    forced = forced_layouts(trace)
    assert not forced, (len(forced), forced[:3])
    is_in_view = page.locator("#lines li[aria-current]").evaluate(
        """(line) => {
          const [inner, outer] = [line.getBoundingClientRect(), line.closest("#lines").getBoundingClientRect()];
          return inner.top >= outer.top && inner.bottom <= outer.bottom;
        }"""
    )
    assert is_in_view, "the list follows the playback"
    laid_out = laid_out_lines(page)
    reader.close()
    print(f"a recording of three hours with {LINES:,} lines: {laid_out} lines are laid out")
