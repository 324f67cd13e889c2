"""What is known of the servers while a sequence of requests is written, and the next request."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from naming import Comparable, Name
from request import NOTHING, REFERENCE, Request
from values import Values, body

API = "/api/v1"
JSON = "application/json"
JOBS_AT_THE_START = 3


@dataclass
class Lease:
    id: str
    job: str
    stage: str


@dataclass
class Upload:
    """The upload of a recording; `url` is empty for one of tus."""

    job: str
    url: str
    size: int
    offset: int = 0


@dataclass
class Known:
    """References to what the answers contained. Both servers answered the same."""

    jobs: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    clips: list[str] = field(default_factory=list)
    transcript_segments: list[str] = field(default_factory=list)
    content_segments: list[str] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)
    ended_leases: list[Lease] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    # What was sent, for filters that find it.
    metadata: list[tuple[str, Any]] = field(default_factory=list)
    filenames: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    # The entity tags of each path.
    tags: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    # The path of a list, with the cursor of its next page.
    job_pages: list[tuple[str, str]] = field(default_factory=list)
    log_pages: list[tuple[str, str]] = field(default_factory=list)
    audit_pages: list[str] = field(default_factory=list)
    worker_pages: list[str] = field(default_factory=list)
    event_cursors: list[str] = field(default_factory=list)
    # Requests with an `Idempotency-Key`.
    keyed: list[Request] = field(default_factory=list)


class Sequence:
    """Writes the requests of a seed, one after another: each depends on the answers before it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.values = Values(self.rng)
        self.known = Known()
        # Requests that follow without a choice.
        self.planned: list[Request] = []
        self.step = 0
        # Most requests need a job.
        for _ in range(JOBS_AT_THE_START):
            job = {"filename": "talk.mp4", "file_size": 1, "s3_key": "talk.mp4"}
            self.planned.append(self.write("createJob", "POST", f"{API}/jobs", job))

    def next(self) -> Request:
        self.step += 1
        if self.planned:
            request = self.planned.pop(0)
        else:
            operations = list(OPERATIONS.values())
            weights = [operation.weight for operation in operations]
            request = self.rng.choices(operations, weights)[0].write(self)
            self._vary(request)
        request.step = self.step
        return request

    def _vary(self, request: Request) -> None:
        """Sends it compressed, with another type, or to a path with an error."""
        values = self.values
        if request.body is not None and values.chance(0.03):
            request.is_gzipped = True
            request.headers["Content-Encoding"] = "gzip"
        if "Content-Type" in request.headers and values.chance(0.01):
            request.headers["Content-Type"] = self.rng.choice(
                ["text/plain", "", "application/json; charset=utf-8"]
            )
        if request.method == "GET" and "Accept" not in request.headers and values.chance(0.02):
            request.method = "HEAD"
        if isinstance(request.body, str) and values.chance(0.01):
            request.body = self.rng.choice(["", "{", "[]", "null", request.body + " x", "{}" + "\ufeff"])

    # Choices

    def one_of(self, known: list[str]) -> str:
        """One of the last of these references, or sometimes an id that nothing has."""
        if not known or self.values.chance(0.02):
            return self.rng.choice(
                [NOTHING, "nothing", "%00", NOTHING.upper(), "{}"][: 1 if not known else 5]
            )
        return self.rng.choice(known[-8:] if self.values.chance(0.8) else known)

    def job(self) -> str:
        known = self.known
        return self.one_of(known.deleted if known.deleted and self.values.chance(0.03) else known.jobs)

    def lease(self) -> Lease:
        known = self.known
        if known.ended_leases and (not known.leases or self.values.chance(0.15)):
            return self.rng.choice(known.ended_leases[-5:])
        if not known.leases or self.values.chance(0.03):
            return Lease(self.rng.choice([NOTHING, "lease"]), self.job(), "transcription")
        return self.rng.choice(known.leases[-6:])

    # Parts of requests

    def write(
        self, operation: str, method: str, path: str, value: Any = None, headers: dict[str, str] | None = None
    ) -> Request:
        """A request, with a JSON body if there is a value."""
        request = Request(operation, method, path, headers or {})
        if value is not None:
            request.body = body(value, self.rng)
            request.headers.setdefault("Content-Type", JSON)
        return request

    def with_key(self, request: Request) -> Request:
        """Adds an `Idempotency-Key` now and then: a new one, or a used one with this request."""
        values, keyed = self.values, self.known.keyed
        if values.chance(0.8):
            return request
        if keyed and values.chance(0.5):
            earlier = self.rng.choice(keyed[-10:])
            if values.chance(0.7):
                again = earlier
                return Request(again.operation, again.method, again.path, dict(again.headers), again.body)
            request.headers["Idempotency-Key"] = earlier.headers["Idempotency-Key"]
            return request
        key = (
            f"key-{self.step}"
            if values.chance(0.9)
            else self.rng.choice(["", " ", "é", "a b", "k" * 255, "k" * 256])
        )
        request.headers["Idempotency-Key"] = key
        keyed.append(request)
        return request

    def with_lease(self, request: Request, job: str) -> Request:
        """Adds the `Lease-Id` of a stage of the job now and then, or another one."""
        values = self.values
        own = [lease for lease in self.known.leases if lease.job == job]
        if own and values.chance(0.7):
            request.headers["Lease-Id"] = self.rng.choice(own).id
        elif values.chance(0.06):
            request.headers["Lease-Id"] = self.lease().id
        return request

    def with_match(self, request: Request, path: str) -> Request:
        """Adds `If-Match` now and then: with the last tag, an earlier one, or none of this resource."""
        if self.values.chance(0.35):
            request.headers["If-Match"] = self._tag(path)
        return request

    def with_none_match(self, request: Request, path: str) -> Request:
        if self.values.chance(0.3):
            request.headers["If-None-Match"] = self._tag(path)
        return request

    def _tag(self, path: str) -> str:
        tags = self.known.tags.get(path)
        kind = self.rng.random()
        if tags and kind < 0.6:
            return tags[-1]
        if tags and kind < 0.8:
            return self.rng.choice([tags[0], f'"x", {tags[-1]}', f"W/{tags[-1]}"])
        return self.rng.choice(["*", '"nothing"', 'W/"1"', '"1"', "1", '"', "", '"1", "2"'])

    # Answers

    def learn(self, request: Request, answer: Comparable) -> None:
        """Takes the references in an answer."""
        known = self.known
        if request.method == "HEAD":
            return
        if answer.status == 204 and request.method == "DELETE":
            self._forget(request)
        tag = f"«{request.step}/etag»"
        if f"etag: {tag}" in answer.text:
            known.tags[request.path].append(tag)
        if answer.status < 300 and isinstance(answer.json, dict):
            self._learn_json(request, answer.json)
        if (learn := OPERATIONS[request.operation].learn) is not None:
            learn(self, request, answer)

    def _forget(self, request: Request) -> None:
        if not (references := REFERENCE.findall(request.path)):
            return
        id = f"«{references[-1][0]}»"
        for ids in (
            self.known.jobs,
            self.known.clips,
            self.known.transcript_segments,
            self.known.content_segments,
        ):
            if id in ids and len(ids) > 1:
                ids.remove(id)
        if "/jobs/" in request.path:
            self.known.deleted.append(id)

    def _learn_json(self, request: Request, value: Any) -> None:
        known = self.known
        if isinstance(value, list):
            for item in value[:12]:
                self._learn_json(request, item)
        if not isinstance(value, dict):
            return
        for key, item in value.items():
            if isinstance(item, Name):
                if key == "job_id" and item not in known.deleted:
                    _add(known.jobs, item)
                elif key == "clip_id":
                    _add(known.clips, item)
                elif key == "segment_id":
                    is_content = "content-segments" in request.path
                    _add(known.content_segments if is_content else known.transcript_segments, item)
                elif key in ("created_at", "updated_at", "completed_at"):
                    _add(known.times, item)
            else:
                self._learn_json(request, item)
        if (
            value.get("status") == "completed"
            and isinstance(value.get("job_id"), Name)
            and "filename" in value
        ):
            _add(known.completed, value["job_id"])


def _add(known: list[str], item: str) -> None:
    if item not in known:
        known.append(item)


@dataclass
class Operation:
    """How requests of an operation are written, and what more is learned from the answers."""

    write: Callable[[Sequence], Request]
    weight: float
    learn: Callable[[Sequence, Request, Comparable], None] | None = None


OPERATIONS: dict[str, Operation] = {}


def operation(
    id: str, weight: float = 1.0, learn: Callable[[Sequence, Request, Comparable], None] | None = None
) -> Callable[[Callable[[Sequence], Request]], Callable[[Sequence], Request]]:
    """Registers a function that writes a request of an operation."""

    def register(write: Callable[[Sequence], Request]) -> Callable[[Sequence], Request]:
        OPERATIONS[id] = Operation(write, weight, learn)
        return write

    return register
