"""How much a browser receives for a page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, expect
from samples import LINES, Samples, Service
from views import Reader

# Compressed, with headers, without recordings and pictures of them.
MAX_BYTES = 150_000


class Transfers:
    """The bytes that a page receives, as the browser counts them."""

    def __init__(self, reader: Reader) -> None:
        self.kinds: dict[str, tuple[str, str]] = {}
        self.bytes: dict[str, int] = {}
        self.cdp = reader.context.new_cdp_session(reader.page)
        self.cdp.on("Network.requestWillBeSent", self._sent)
        self.cdp.on("Network.responseReceived", self._received)
        self.cdp.on("Network.dataReceived", self._data)
        self.cdp.on("Network.loadingFinished", self._finished)
        self.cdp.send("Network.enable")
        self.cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _sent(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = (event.get("type", ""), event["request"]["url"])

    def _received(self, event: dict[str, Any]) -> None:
        self.bytes[event["requestId"]] = int(event["response"]["encodedDataLength"])

    def _data(self, event: dict[str, Any]) -> None:
        self.bytes[event["requestId"]] += int(event["encodedDataLength"])

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes[event["requestId"]] = int(event["encodedDataLength"])

    def counted(self) -> dict[str, int]:
        """The bytes by address, without media and what was made of them."""
        return {
            self.kinds[request][1]: size
            for request, size in self.bytes.items()
            if self.kinds[request][0] != "Media" and "/api/v1/objects/" not in self.kinds[request][1]
        }

    def of_kind(self, *kinds: str) -> list[str]:
        """The addresses that were asked for as one of these kinds."""
        return [url for kind, url in self.kinds.values() if kind in kinds]


def check_budgets(browser: Browser, service: Service, samples: Samples) -> None:
    found = {}
    for path in ("/", f"/jobs/{samples.complete}", "/operation"):
        reader = Reader(browser, service, service.key, locale="en-GB")
        transfers = Transfers(reader)
        reader.page.goto(f"{service.url}{path}", wait_until="networkidle" if path == "/operation" else "load")
        if "/jobs/" in path:
            # The script has asked for all lines, and for the waveform.
            expect(reader.page.locator("#lines li")).to_have_count(LINES)
            expect(reader.page.locator("#waveform path[d]")).to_be_attached()
        counted = transfers.counted()
        assert any("/assets/" in url for url in counted) and len(counted) > 2, counted
        found[path.split("/")[1] or "recordings"] = total = sum(counted.values())
        assert total <= MAX_BYTES, (path, total, counted)
        reader.close()
    print(f"bytes before the media: {', '.join(f'{name} {size:,}' for name, size in found.items())}")
