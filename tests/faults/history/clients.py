"""Clients that send random operations to random servers and record them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.client import Answer, Client, Unanswered

from .operation import OK, REFUSED, UNKNOWN, History, Operation
from .registers import SETS

# Jobs in use at once. Few, so that operations meet.
JOBS = 10
REQUEST_TIMEOUT = 10.0
STAGES = {"transcription": "transcripts", "silence_detection": "silence-regions"}
# Nobody claims the stage of the pipeline `reported`: its jobs report progress themselves.
PIPELINES = {
    "default": [{"stage": stage} for stage in STAGES],
    "reported": [{"stage": "layout_analysis"}],
}
ROWS = 3


@dataclass
class Held:
    """A lease that a client got; others may use it too, and it may be lost long since."""

    job: str
    stage: str
    attempt: int
    lease: str
    seconds: int
    percent: float = 0.0


@dataclass
class Board:
    """What the clients know together."""

    ports: list[int]
    seed: int
    worked: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    percents: dict[str, float] = field(default_factory=dict)
    history: History = field(default_factory=History)
    ended: threading.Event = field(default_factory=threading.Event)


class RandomClient(threading.Thread):
    """Sends one operation after the other until the board says that it is over."""

    def __init__(self, board: Board, number: int) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.board, self.number = board, number
        self.random = random.Random(board.seed * 1000 + number)
        self.clients = [Client(port, REQUEST_TIMEOUT) for port in board.ports]
        self.ended = board.ended
        self.count = 0
        self.failure: BaseException | None = None
        self.actions: dict[Callable[[], object], int] = {
            self.create: 3, self.delete: 1, self.get_job: 6, self.patch: 5, self.report: 5,
            self.put: 8, self.get: 12, self.log: 4, self.logs: 3, self.claim: 10,
            self.heartbeat: 8, self.put_leased: 5, self.complete: 4, self.fail: 2,
            self.stages: 4, self.events: 4, self.cancel: 1, self.retry: 2,
        }  # fmt: skip

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                (action,) = self.random.choices(list(self.actions), list(self.actions.values()))
                action()
        except BaseException as error:  # reported by the thread that waits for this one
            self.failure = error

    # Recording

    def perform(
        self,
        kind: str,
        method: str,
        path: str,
        job: str | None,
        sent: dict[str, Any],
        body: Any = None,
        headers: dict[str, str] | None = None,
        read: Callable[[Answer], dict[str, Any]] = lambda answer: {},
    ) -> Operation:
        server = self.random.randrange(len(self.clients))
        operation = Operation(kind, job, self.number, server, time.monotonic(), sent=sent)
        try:
            client = self.clients[server]
            answer = client.request(method, f"/api/v1{path}", body, headers)
        except Unanswered:
            # A server that is down refuses at once; nobody is served by asking again and again.
            self.ended.wait(0.02)
        else:
            operation.status = answer.status
            if answer.status < 300:
                operation.outcome, operation.got = OK, read(answer)
            elif answer.status < 500:
                operation.outcome = REFUSED
            if operation.outcome != UNKNOWN:
                operation.ended = time.monotonic()
        self.board.history.append(operation)
        return operation

    def token(self, what: str) -> str:
        self.count += 1
        return f"{what}-{self.number}-{self.count}"

    def a_job(self) -> str | None:
        known = self.board.worked + self.board.reported
        return self.random.choice(known) if known else None

    # Operations

    def create(self) -> None:
        pool = self.random.choice(("worked", "reported"))
        jobs: list[str] = getattr(self.board, pool)
        if len(jobs) >= JOBS // 2:
            if self.random.random() < 0.9:
                return
            # A finished or uninteresting job makes room, and is read at the end.
            jobs.pop(0)
        token = self.token("job")
        body = {
            "filename": token, "file_size": 1, "s3_key": f"recordings/{token}",
            "processing_config": {"pipeline": "default" if pool == "worked" else "reported"},
            "extra_metadata": {"token": token},
        }  # fmt: skip
        headers = {"Idempotency-Key": token}
        for _ in range(4):
            created = self.perform(
                "create", "POST", "/jobs", None, {"token": token, "pool": pool}, body, headers,
                lambda answer: {"job": answer.json["job_id"]},
            )  # fmt: skip
            if created.is_ok:
                created.job = created.got["job"]
                jobs.append(created.got["job"])
                return

    def delete(self) -> None:
        if (job := self.a_job()) and self.random.random() < 0.2:
            deleted = self.perform("delete", "DELETE", f"/jobs/{job}", job, {})
            # It stays among the known jobs for a while, so that others ask for it.
            if deleted.is_ok and self.random.random() < 0.5:
                for jobs in (self.board.worked, self.board.reported):
                    if job in jobs:
                        jobs.remove(job)

    def get_job(self, job: str | None = None) -> None:
        if job := job or self.a_job():
            found = self.perform("get-job", "GET", f"/jobs/{job}", job, {}, read=read_job)
            if found.is_ok:
                self.board.versions[job] = found.got["version"]

    def patch(self) -> None:
        if job := self.a_job():
            name = self.token("name")
            version = self.board.versions.get(job)
            if self.random.random() < 0.3:
                version = None
            headers = {"If-Match": f'"{version}"'} if version is not None else None
            sent = {"filename": name, "if_match": version}
            path, body = f"/jobs/{job}", {"filename": name}
            self.perform("patch", "PATCH", path, job, sent, body, headers, read_job)

    def report(self) -> None:
        if self.board.reported:
            job = self.random.choice(self.board.reported)
            # Rounded as the service rounds it.
            percent = round(self.board.percents.get(job, 0.0) + 0.01, 2)
            self.board.percents[job] = percent
            body = {"stage": "layout_analysis", "percent": percent}
            self.perform("progress", "POST", f"/jobs/{job}/progress", job, body, body)

    def put(self) -> None:
        if job := self.a_job():
            self.put_set(job, self.random.choice(SETS), None)

    def put_set(self, job: str, name: str, lease: str | None) -> None:
        value = self.token("set")
        sent = {"set": name, "value": value, "lease": lease}
        headers = {"Lease-Id": lease} if lease else None
        body, read = set_body(name, value), read_set(name)
        self.perform("put", "PUT", f"/jobs/{job}/{name}", job, sent, body, headers, read)

    def get(self, job: str | None = None, name: str | None = None) -> None:
        if job := job or self.a_job():
            name = name or self.random.choice(SETS)
            path, read = f"/jobs/{job}/{name}", read_set(name)
            self.perform("get", "GET", path, job, {"set": name}, read=read)

    def log(self) -> None:
        if job := self.a_job():
            message = self.token("message")
            body = {"stage": "transcription", "status": "started", "message": message}
            self.perform("log", "POST", f"/jobs/{job}/logs", job, {"message": message}, body)

    def logs(self, job: str | None = None) -> None:
        """Reads all pages as one operation."""
        if not (job := job or self.a_job()):
            return
        began, messages, cursor = time.monotonic(), [], ""
        while True:
            path = f"/jobs/{job}/logs?limit=100{cursor}"
            page = self.perform("logs-page", "GET", path, job, {}, read=read_logs)
            if not page.is_ok:
                return
            messages += page.got["messages"]
            if not page.got["next"]:
                break
            cursor = f"&cursor={page.got['next']}"
        whole = Operation("logs", job, self.number, page.server, began, page.ended, OK, 200)
        whole.got = {"messages": messages}
        self.board.history.append(whole)

    def claim(self) -> None:
        seconds = self.random.choice((1, 2, 5))
        body = {"worker": self.name, "stages": list(STAGES), "lease_seconds": seconds}
        body["max"] = self.random.choice((1, 1, 3))
        body["wait_seconds"] = self.random.choice((0, 0, 0, 1))
        sent = {"lease_seconds": seconds}
        claimed = self.perform("claim", "POST", "/work/claim", None, sent, body, read=read_claims)
        for grant in claimed.got.get("grants", []):
            held = Held(grant["job"], grant["stage"], grant["attempt"], grant["lease"], seconds)
            self.board.held.append(held)
            if len(self.board.held) > 2 * JOBS:
                self.board.held.pop(0)

    def a_lease(self) -> Held | None:
        held = self.board.held[:]
        # Mostly a new one, because an old one is lost.
        return (
            self.random.choice(held[-6:] if self.random.random() < 0.8 else held) if held else None
        )

    def heartbeat(self) -> None:
        if held := self.a_lease():
            held.percent = round(held.percent + 0.1, 2)
            body = {"percent": held.percent}
            sent = self.under(held) | body | {"lease_seconds": held.seconds}
            path = f"/work/{held.lease}/heartbeat"
            beat = self.perform(
                "heartbeat", "POST", path, held.job, sent, body, read=lambda answer: answer.json
            )
            if beat.got.get("cancelled"):
                # It extended nothing.
                beat.outcome = REFUSED

    def put_leased(self) -> None:
        if held := self.a_lease():
            self.put_set(held.job, STAGES[held.stage], held.lease)

    def complete(self) -> None:
        if held := self.a_lease():
            path = f"/work/{held.lease}/complete"
            self.perform("complete", "POST", path, held.job, self.under(held), {})

    def fail(self) -> None:
        if held := self.a_lease():
            body = {"error": "at random", "retryable": True}
            path = f"/work/{held.lease}/fail"
            self.perform("fail", "POST", path, held.job, self.under(held), body)

    def under(self, held: Held) -> dict[str, Any]:
        return {"stage": held.stage, "attempt": held.attempt, "lease": held.lease}

    def stages(self, job: str | None = None) -> None:
        if job := job or self.a_job():
            path = f"/jobs/{job}/stages"
            self.perform("stages", "GET", path, job, {}, read=read_stages)

    def events(self, job: str | None = None, after: int | None = None) -> int | None:
        """The number of the last event of a full page."""
        if job := job or self.a_job():
            after = self.random.choice((0, 0, 5, 20)) if after is None else after
            path = f"/jobs/{job}/events?after={after}"
            headers = {"Accept": "application/json"}
            page = self.perform(
                "events", "GET", path, job, {"after": after}, None, headers, read_events
            )
            if page.got.get("is_full"):
                last: int = page.got["events"][-1][0]
                return last
        return None

    def cancel(self) -> None:
        if self.board.worked:
            job = self.random.choice(self.board.worked)
            self.perform("cancel", "POST", f"/jobs/{job}/cancel", job, {}, {})

    def retry(self) -> None:
        if self.board.worked:
            job = self.random.choice(self.board.worked)
            self.perform("retry", "POST", f"/jobs/{job}/retry", job, {}, {})

    # The end

    def read_everything(self) -> None:
        """Reads all jobs that were ever created, once no more faults happen."""
        created = {one.job for one in self.board.history.of("create") if one.job}
        for job in sorted(created):
            self.get_job(job)
            self.stages(job)
            self.logs(job)
            for name in SETS:
                self.get(job, name)
            after: int | None = 0
            while after is not None:
                after = self.events(job, after)
        self.list_jobs()

    def list_jobs(self) -> None:
        began, cursor = time.monotonic(), ""
        tokens: dict[str, list[str]] = {}
        while True:
            path = f"/jobs?limit=100&include=metadata{cursor}"
            page = self.perform("jobs-page", "GET", path, None, {}, read=lambda a: a.json)
            assert page.is_ok, f"the list of jobs: {page.status}"
            for job in page.got["jobs"]:
                tokens.setdefault(job["extra_metadata"]["token"], []).append(job["job_id"])
            if not page.got["next_cursor"]:
                break
            cursor = f"&cursor={page.got['next_cursor']}"
        whole = Operation("jobs", None, self.number, page.server, began, page.ended, OK, 200)
        whole.got = {"tokens": tokens}
        self.board.history.append(whole)


# Requests and responses


def set_body(name: str, value: str) -> dict[str, Any]:
    spans = [{"start_time": float(at), "end_time": at + 0.5} for at in range(ROWS)]
    if name == "silence-regions":
        # These have no text: a number is the value.
        threshold = -_number(value)
        rows = [
            {**span, "silence_type": "audio_silence", "amplitude_threshold": threshold}
            for span in spans
        ]
        return {"regions": rows}
    if name == "transcripts":
        return {"segments": [{**span, "text": value} for span in spans]}
    if name == "content-segments":
        return {"segments": [{**span, "topic": value, "importance_score": 0.5} for span in spans]}
    return {"clips": [{**span, "title": value} for span in spans]}


def _number(value: str) -> float:
    """A number for each token, from 0 to 100."""
    _, client, count = value.split("-")
    return (int(client) * 100_000 + int(count)) / 100_000


def read_set(name: str) -> Callable[[Answer], dict[str, Any]]:
    rows_at, value_at, id_at = {
        "transcripts": ("segments", "text", "segment_id"),
        "silence-regions": ("regions", "amplitude_threshold", "region_id"),
        "content-segments": ("segments", "topic", "segment_id"),
        "clips": ("clips", "title", "clip_id"),
    }[name]

    def read(answer: Answer) -> dict[str, Any]:
        rows = answer.json[rows_at]
        values = {row[value_at] for row in rows}
        if name == "silence-regions":
            values = {_token(value) for value in values}
        ids = [row[id_at] for row in rows]
        if not rows:
            return {"value": None, "ids": ids}
        is_whole = len(values) == 1 and len(rows) == ROWS
        return {"value": values.pop() if is_whole else sorted(values), "ids": ids}

    return read


def _token(number: float) -> str:
    client, count = divmod(round(-number * 100_000), 100_000)
    return f"set-{client}-{count}"


def read_job(answer: Answer) -> dict[str, Any]:
    job = answer.json
    return {
        "version": int(answer.headers["etag"].strip('W/"')),
        "filename": job["filename"],
        "status": job["status"],
        "percent": (job["progress"] or {}).get("percent"),
    }


def read_logs(answer: Answer) -> dict[str, Any]:
    messages = [entry["message"] or "" for entry in answer.json["logs"]]
    # Lectern adds entries of its own.
    own = [message for message in messages if message.startswith("message-")]
    return {"messages": own, "next": answer.json.get("next_cursor")}


def read_claims(answer: Answer) -> dict[str, Any]:
    grants = [
        {
            "job": claim["job"]["job_id"],
            "stage": claim["stage"],
            "attempt": claim["attempt"],
            "lease": claim["lease_id"],
        }
        for claim in answer.json["claims"]
    ]
    return {"grants": grants}


def read_stages(answer: Answer) -> dict[str, Any]:
    stages = {
        stage["stage"]: {name: stage[name] for name in ("status", "attempt", "percent")}
        for stage in answer.json["stages"]
    }
    return {"stages": stages}


def read_events(answer: Answer) -> dict[str, Any]:
    found = answer.json["events"]
    events = []
    for event in found:
        if event["type"] == "snapshot":
            # The answer if there are no such events: the job in place of them.
            continue
        data = event["data"]
        content = f"{event['type']} {data.get('stage', '')} {data['status']}"
        events.append([event["seq"], content])
    last = answer.json["last_seq"]
    return {"events": events, "last": last, "is_full": bool(events) and events[-1][0] < last}
