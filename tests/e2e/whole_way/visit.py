"""A person at the pages of a server, in a tab of a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.client import Client
from playwright.sync_api import BrowserContext, CDPSession, Dialog, Locator, Page, Request, expect

from lecture_file import LECTURE

LOST = "The server cannot be reached."
API = "/api/v1"

# Notes what the rows of the list show of the progress.
WATCH_PROGRESS = """() => {
  window.shownProgress = [];
  const list = document.querySelector("#recordings");
  const note = () => {
    for (const cell of list.querySelectorAll(".progress-cell")) {
      const text = cell.textContent.trim();
      if (text && window.shownProgress.at(-1) !== text) window.shownProgress.push(text);
    }
  };
  new MutationObserver(note).observe(list, { childList: true, subtree: true, characterData: true });
}"""


class Visit:
    """A tab in which nothing may go wrong unseen. Questions are answered with yes."""

    def __init__(self, context: BrowserContext, client: Client) -> None:
        self.context, self.client = context, client
        self.url = f"http://127.0.0.1:{client.port}"
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.dialogs: list[str] = []
        self.requests: list[Request] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.text))
        self.page.on("dialog", self._answer)
        self.page.on("request", lambda request: self.requests.append(request))

    def _hear(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.errors.append(text)

    def _answer(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":
            self.dialogs.append("beforeunload")
            dialog.dismiss()
        else:
            self.dialogs.append(dialog.message)
            dialog.accept()

    def open(self, path: str) -> None:
        """Opens a page and waits until it follows the events."""
        with self.page.expect_response(lambda answer: "/api/v1/events?" in answer.url):
            self.page.goto(f"{self.url}{path}")
        self.page.evaluate("window.isFirst = true")

    def has_stayed(self) -> None:
        assert self.page.evaluate("window.isFirst"), "the page was loaded again"

    def drop(self, *files: Path) -> None:
        """Drops files on the middle of the page, as a file manager does."""
        cdp: CDPSession = self.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            cdp.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
        cdp.detach()

    def limit_network(self, latency: float, down: float, up: float) -> CDPSession:
        """Milliseconds, and bytes in a second; ends with the session."""
        cdp = self.context.new_cdp_session(self.page)
        cdp.send("Network.enable")
        limits = {"latency": latency, "downloadThroughput": down, "uploadThroughput": up}
        cdp.send("Network.emulateNetworkConditions", {"offline": False, **limits})
        return cdp

    def unlimit_network(self, cdp: CDPSession) -> None:
        limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        cdp.send("Network.emulateNetworkConditions", {"offline": False, **limits})
        cdp.detach()

    def sent(self, method: str, part: str) -> list[Request]:
        return [one for one in self.requests if one.method == method and part in one.url]

    def loses_the_server(self) -> None:
        expect(self.page.locator("#connection")).to_contain_text(LOST)

    def has_the_server(self) -> None:
        expect(self.page.locator("#connection")).to_be_empty()

    def upload(self, name: str) -> Locator:
        return self.page.locator(".upload").filter(has_text=name)

    def row(self, name: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=name)

    def cards(self) -> Locator:
        return self.page.locator(".clip-card h3")

    def card(self, title: str) -> Locator:
        return self.page.locator(".clip-card").filter(has=self.page.get_by_role("heading", name=title, exact=True))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.client.request(method, f"{API}{path}", body).expect(200, 201, 204).json

    def jobs(self) -> list[dict[str, Any]]:
        return self.call("GET", "/jobs")["jobs"]

    def shows_titles_as_text(self, *titles: str) -> None:
        """What is dropped or typed becomes no element, and runs no script."""
        for title in titles:
            expect(self.page.get_by_text(title, exact=True).first).to_be_visible()
        for element in ("script", "img[src=x]", "b"):
            expect(self.page.locator(f"main {element}:not(code *)")).to_have_count(0)
        assert self.page.evaluate("window.taken") is None, "a title was run as a script"


class Lecture:
    """The job of the lecture that was dropped."""

    def __init__(self, visit: Visit) -> None:
        (job,) = [job for job in visit.jobs() if job["filename"] == LECTURE]
        self.visit, self.job_id = visit, job["job_id"]
        self.seconds: float = job["video_duration"] or 0.0

    @property
    def path(self) -> str:
        return f"/jobs/{self.job_id}"

    def clips(self) -> list[dict[str, Any]]:
        return self.visit.call("GET", f"{self.path}/clips")["clips"]

    def titles(self) -> list[str]:
        return [clip["title"] for clip in self.clips()]
