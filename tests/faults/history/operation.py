"""One request, when it ran, and what is known of its outcome."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from typing import Any

OK = "ok"
# Answered with 4xx: nothing of it is stored.
REFUSED = "refused"
# A 5xx, a time-out or a broken connection: it takes effect at any later time, or never.
UNKNOWN = "unknown"


@dataclass
class Operation:
    """`began` and `ended` are seconds of one monotonic clock, which all clients share.

    The names of `sent` and `got` by kind:

    | kind | sent | got |
    |---|---|---|
    | create | key, token, pool | job |
    | jobs | | tokens: token → jobs |
    | get-job | | version, filename, status, percent |
    | patch | filename, if_match | version |
    | progress | percent | |
    | put, get | set, value, lease | value (null: no rows; a list: not of one write), ids |
    | log, logs | message | messages |
    | claim | lease_seconds | grants: job, stage, attempt, lease |
    | heartbeat | stage, attempt, lease, percent, lease_seconds | cancelled |
    | complete, fail | stage, attempt, lease | |
    | stages | | stage → status, attempt, percent |
    | events | after | pairs of a number and the content, last, is_full |
    | cancel, retry, delete | | |
    """

    kind: str
    job: str | None
    client: int
    server: int
    began: float
    ended: float = inf
    outcome: str = UNKNOWN
    status: int = 0
    sent: dict[str, Any] = field(default_factory=dict)
    got: dict[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.outcome == OK

    @property
    def is_missing(self) -> bool:
        """Whether the answer is that the job does not exist."""
        return self.outcome == REFUSED and self.status == 404

    def __str__(self) -> str:
        when = f"{self.began:.3f}..{self.ended:.3f}"
        return f"{self.kind} {self.sent} by client {self.client} at server {self.server}, {when}"


class History(list[Operation]):
    def of(self, *kinds: str) -> list[Operation]:
        return [operation for operation in self if operation.kind in kinds]

    def by_job(self) -> dict[str, History]:
        jobs: dict[str, History] = {}
        for operation in self:
            if operation.job:
                jobs.setdefault(operation.job, History()).append(operation)
        return jobs

    def save(self, path: Path) -> None:
        with path.open("w") as file:
            for operation in self:
                file.write(json.dumps(asdict(operation)) + "\n")

    @staticmethod
    def load(path: Path) -> History:
        return History(Operation(**json.loads(line)) for line in path.read_text().splitlines())


@dataclass(frozen=True)
class Violation:
    """`kind`: lost, doubled, stale, torn, invented, or granted twice."""

    kind: str
    job: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.job}): {self.text}"


def earliest_end(operations: Iterable[Operation]) -> float:
    return min((operation.ended for operation in operations), default=inf)


def earliest_begin(operations: Iterable[Operation]) -> float:
    return min((operation.began for operation in operations), default=inf)
