"""Clients that ask all the time and measure how long each answer takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .client import Answer, Client, Unanswered

Ask = Callable[[Client], Answer]


class Probe(threading.Thread):
    """Repeats one request on its own connection; remembers the longest answer and all statuses."""

    def __init__(self, name: str, port: int, ask: Ask, pause: float = 0.05) -> None:
        super().__init__(name=name, daemon=True)
        self.ask, self.pause = ask, pause
        # Longer than any promise, so that a broken one is measured.
        self.client = Client(port, 60.0)
        self.ended = threading.Event()
        self.longest = 0.0
        self.statuses: dict[int, int] = {}
        # The first answer of each status.
        self.answers: dict[int, Answer] = {}
        self.unanswered: list[str] = []
        self.last_success = 0.0
        self.asked_at: float | None = None

    def run(self) -> None:
        while not self.ended.is_set():
            self.asked_at = time.monotonic()
            try:
                answer = self.ask(self.client)
            except Unanswered as error:
                self.unanswered.append(str(error))
            else:
                self.longest = max(self.longest, time.monotonic() - self.asked_at)
                if answer.status < 300:
                    self.last_success = time.monotonic()
                self.answers.setdefault(answer.status, answer)
                self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            self.asked_at = None
            self.ended.wait(self.pause)

    @property
    def longest_so_far(self) -> float:
        """Including a request that waits now."""
        asked_at = self.asked_at
        waiting = time.monotonic() - asked_at if asked_at else 0.0
        return max(self.longest, waiting)

    def check(self, seconds: float, *statuses: int) -> None:
        """Each answer came within the time and has one of the statuses."""
        assert not self.unanswered, f"{self.name}: {len(self.unanswered)} × {self.unanswered[0]}"
        assert self.longest_so_far <= seconds, (
            f"{self.name}: answered after {self.longest_so_far:.1f} s instead of {seconds:.1f} s"
        )
        unexpected = {one: count for one, count in self.statuses.items() if one not in statuses}
        first = [self.answers[status].body[:300] for status in unexpected]
        assert not unexpected, f"{self.name}: answered with {unexpected} (status: count), {first}"


@contextmanager
def probing(probes: list[Probe]) -> Iterator[None]:
    """Asks during the block, and to the end of each last request."""
    for probe in probes:
        probe.start()
    try:
        yield
    finally:
        for probe in probes:
            probe.ended.set()
        for probe in probes:
            probe.join(70.0)


def longest(probes: list[Probe]) -> float:
    return max(probe.longest_so_far for probe in probes)
