"""Finds a short sequence of requests with the same difference at its end."""

from __future__ import annotations

import time
from pathlib import Path

from comparison import Alteration, Difference, Pair, first_difference
from request import Request
from servers import Servers


class Shortener:
    """Repeats parts of a sequence on new databases, for a limited time."""

    def __init__(self, program: Path, found: Difference, alter: Alteration | None, seconds: float) -> None:
        self.program, self.found, self.alter = program, found, alter
        self.until = time.monotonic() + seconds
        self.repetitions = 0

    def is_over(self) -> bool:
        return time.monotonic() > self.until

    def has_difference(self, requests: list[Request]) -> bool:
        self.repetitions += 1
        with Servers(self.program) as servers:
            difference = first_difference(Pair(servers, self.alter), requests)
        if difference is None or difference.kind() != self.found.kind():
            return False
        self.found = difference
        return True

    def shorten(self, sent: list[Request], changed: set[int]) -> list[Request]:
        """The requests of a short sequence. It is the whole one if the difference does not repeat.

        `changed` are the steps that may have changed something.
        """
        *before, last = sent
        needed = _needed(before, last.references())
        related = _related(before, last)
        kept = changed | {request.step for request in needed}
        changes = [request for request in before if request.step in kept]
        for part in (needed, [r for r in related if r.step in kept], changes, before):
            if self.has_difference([*part, last]):
                return self._without_chunks(part, last)
        return sent

    def _without_chunks(self, part: list[Request], last: Request) -> list[Request]:
        """Leaves out ever smaller chunks while the difference stays."""
        size = max(len(part) // 2, 1)
        while part:
            start = 0
            was_shortened = False
            while start < len(part):
                if self.is_over():
                    return [*part, last]
                rest = part[:start] + part[start + size :]
                if self.has_difference([*rest, last]):
                    part, was_shortened = rest, True
                else:
                    start += size
            if size == 1 and not was_shortened:
                break
            size = max(size // 2, 1)
        return [*part, last]


def _needed(before: list[Request], steps: set[int]) -> list[Request]:
    """The requests whose answers are referred to, by these steps or by each other."""
    needed: list[Request] = []
    for request in reversed(before):
        if request.step in steps:
            needed.insert(0, request)
            steps |= request.references()
    return needed


def _related(before: list[Request], last: Request) -> list[Request]:
    """Those, and the requests that refer to one of them."""
    steps = {last.step} | last.references()
    for request in reversed(before):
        if request.step in steps or request.references() & steps:
            steps |= {request.step} | request.references()
    return [request for request in before if request.step in steps]
