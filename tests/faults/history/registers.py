"""A value that writes replace and reads return: a job's name, or one of its sets.

No two writes have the same value, so whether the history has an order that explains all
responses can be decided from intervals (Gibbons and Korach, "Testing Shared Memories", SIAM
Journal on Computing 26, 1997): the operations of one value form a cluster. A cluster some of
whose operations follow another without overlap holds the register from the first end to the last
begin, a forward zone; any other cluster can be placed anywhere between its last begin and its
first end, a backward zone. There is such an order if no read precedes its write, no two forward
zones overlap, and no forward zone contains a backward one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any

from .operation import OK, REFUSED, History, Operation, Violation

SETS = ("transcripts", "silence-regions", "content-segments", "clips")


@dataclass
class Cluster:
    value: Any
    # None: the value at creation.
    write: Operation | None
    reads: list[Operation] = field(default_factory=list)

    @property
    def first_end(self) -> float:
        ends = [read.ended for read in self.reads]
        return min(ends + [self.write.ended if self.write else -inf])

    @property
    def last_begin(self) -> float:
        begins = [read.began for read in self.reads]
        return max(begins + [self.write.began if self.write else -inf])


def violations(job: str, history: History) -> Iterator[Violation]:
    for name in SETS:
        writes = [one for one in history.of("put") if one.sent["set"] == name]
        reads = [one for one in history.of("get") if one.sent["set"] == name and one.is_ok]
        values = {id(write): write.sent["value"] for write in writes}
        yield from _register(f"{name} of {job}", job, writes, values, reads, "value", None)
        yield from _identities(name, job, writes + reads)
    writes = history.of("patch")
    created = [one.sent["token"] for one in history.of("create") if one.is_ok]
    # Without its creation, the first value is unknown.
    if created:
        reads = [one for one in history.of("get-job") if one.is_ok]
        values = {id(write): write.sent["filename"] for write in writes}
        yield from _register(f"name of {job}", job, writes, values, reads, "filename", created[0])


def _register(
    name: str,
    job: str,
    writes: list[Operation],
    values: dict[int, Any],
    reads: list[Operation],
    field_name: str,
    initial: Any,
) -> Iterator[Violation]:
    clusters = {initial: Cluster(initial, None)}
    refused = {values[id(write)] for write in writes if write.outcome == REFUSED}
    clusters |= {
        values[id(write)]: Cluster(values[id(write)], write)
        for write in writes
        if write.outcome != REFUSED
    }
    for read in reads:
        value = read.got[field_name]
        if isinstance(value, list):
            yield Violation("torn", job, f"{name}: {value} in one response of {read}")
        elif value in refused:
            yield Violation("invented", job, f"{name}: a refused write is visible: {read}")
        elif value not in clusters:
            yield Violation("invented", job, f"{name}: {value} was never written: {read}")
        else:
            clusters[value].reads.append(read)
    # A write without a known outcome that was never read may not have happened.
    known = [
        cluster
        for cluster in clusters.values()
        if cluster.reads or cluster.write is None or cluster.write.outcome == OK
    ]
    for cluster in known:
        for read in cluster.reads:
            if cluster.write and read.ended < cluster.write.began:
                yield Violation("invented", job, f"{name}: read before its write: {read}")
    yield from _zones(name, job, known)


def _zones(name: str, job: str, clusters: list[Cluster]) -> Iterator[Violation]:
    forward = [cluster for cluster in clusters if cluster.first_end < cluster.last_begin]
    forward.sort(key=lambda cluster: cluster.first_end)
    for one, other in pairwise(forward):
        if other.first_end < one.last_begin:
            yield Violation("stale", job, f"{name}: {one.value!r} and {other.value!r} alternate")
    for cluster in clusters:
        if cluster.first_end < cluster.last_begin:
            continue
        for zone in forward:
            if zone.first_end < cluster.last_begin and cluster.first_end < zone.last_begin:
                kind = "stale" if cluster.reads else "lost"
                text = f"{name}: {cluster.value!r} within the time of {zone.value!r}"
                yield Violation(kind, job, text)


def _identities(name: str, job: str, operations: list[Operation]) -> Iterator[Violation]:
    """The rows of a value keep their ids: a write that ran twice would give them others."""
    ids: dict[str, list[str]] = {}
    for operation in operations:
        value = operation.got.get("value")
        if operation.is_ok and isinstance(value, str):
            first = ids.setdefault(value, operation.got["ids"])
            if first != operation.got["ids"]:
                yield Violation("doubled", job, f"{name}: other ids of {value}: {operation}")
