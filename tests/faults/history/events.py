"""The events of a job are numbered from 1 without gaps, and a number keeps its content."""

from __future__ import annotations

from collections.abc import Iterator

from .operation import History, Operation, Violation


def violations(job: str, history: History) -> Iterator[Violation]:
    reads = [one for one in history.of("events") if one.is_ok]
    first: dict[int, tuple[str, Operation]] = {}
    for read in reads:
        numbers = [number for number, _ in read.got["events"]]
        after = read.sent["after"]
        if numbers != list(range(after + 1, after + 1 + len(numbers))):
            yield Violation("lost", job, f"numbers {numbers}: {read}")
        for number, content in read.got["events"]:
            known, earlier = first.setdefault(number, (content, read))
            if known != content:
                text = f"event {number} is {content} in {read}, {known} in {earlier}"
                yield Violation("stale", job, text)
    yield from _forgotten(job, reads)
    yield from _unannounced(job, history, reads)


def _forgotten(job: str, reads: list[Operation]) -> Iterator[Violation]:
    """A later page knows of at least as many events as an earlier one."""
    for read in reads:
        for earlier in reads:
            if earlier.ended < read.began and read.got["last"] < earlier.got["last"]:
                text = f"{read.got['last']} events after {earlier.got['last']}: {read}"
                yield Violation("stale", job, text)


def _unannounced(job: str, history: History, reads: list[Operation]) -> Iterator[Violation]:
    """A completion that was acknowledged has an event."""
    for read in reads:
        if read.sent["after"] != 0 or read.got["is_full"]:
            continue
        contents = [content for _, content in read.got["events"]]
        for one in history.of("complete"):
            wanted = f"stage {one.sent['stage']} completed"
            if one.is_ok and one.ended < read.began and wanted not in contents:
                yield Violation("lost", job, f"no event of {one}: {read}")
