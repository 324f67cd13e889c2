"""Lists with filters, orders and pages, events, counts, and every state of a job."""

from __future__ import annotations

from typing import Any

from naming import Comparable, Name
from request import Request
from sequence import API, Sequence, operation
from values import FLOATS, INTEGERS, query, spelling

from .jobs import STAGES, STATUSES


def parameters(seq: Sequence, options: dict[str, list[str]], chance: float = 0.4) -> str:
    """A query string with some of these parameters."""
    pairs = [(name, seq.rng.choice(values)) for name, values in options.items() if seq.values.chance(chance)]
    return query(pairs)


def _learn_page(seq: Sequence, request: Request, answer: Comparable) -> None:
    if answer.status == 200 and isinstance(answer.json["next_cursor"], Name):
        seq.known.job_pages.append((request.path, answer.json["next_cursor"]))


@operation("listJobs", 9, _learn_page)
def jobs(seq: Sequence) -> Request:
    values, rng, known = seq.values, seq.rng, seq.known
    if known.job_pages and values.chance(0.35):
        path, cursor = rng.choice(known.job_pages[-3:])
        path = path.split("&cursor=")[0]
        if values.chance(0.05):
            path = path.replace("asc", "desc").replace("updated_at", "created_at")
        return Request("listJobs", "GET", f"{path}{'&' if '?' in path else '?a=1&'}cursor={cursor}")
    pairs: list[tuple[str, str]] = []

    def some(chance: float, name: str, valid: list[str], *invalid: str) -> None:
        if values.chance(chance):
            pairs.append((name, rng.choice(invalid if invalid and values.chance(0.04) else valid)))

    some(0.6, "limit", ["1", "2", "3", "5", "100"], "0", "101", "1.0")
    some(0.5, "order", ["created_at", "updated_at", "completed_at"], "filename")
    some(0.4, "direction", ["asc", "desc"], "ASC")
    statuses = ["queued,running", "failed,cancelled,completed", "queued,queued"]
    some(0.25, "status", [*STATUSES, *statuses], ",", "x")
    some(0.1, "stage", STAGES, "x")
    some(0.3, "include_total", ["true", "false"], "1")
    some(0.3, "include", ["metadata"], "x")
    for name in ("created_after", "created_before", "updated_after", "completed_after"):
        if values.chance(0.12):
            pairs.append((name, values.time(known.times[-30:])))
    if values.chance(0.45):
        pairs.append(("filename", part_of(seq, known.filenames)))
    for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 2, 11 if values.chance(0.05) else 1])):
        pairs.append(_metadata(seq))
    rng.shuffle(pairs)
    return Request("listJobs", "GET", f"{API}/jobs{query(pairs)}")


def part_of(seq: Sequence, texts: list[str]) -> str:
    """A part of one of the last texts, mostly, in the same case or in another one."""
    values, rng = seq.values, seq.rng
    if not texts or values.chance(0.3):
        return values.text(255, 0)
    text = rng.choice(texts[-20:])
    start = rng.randrange(len(text) + 1)
    part = text[start : start + rng.randint(1, 5)]
    spellings = [part, part.upper(), part.lower(), part.swapcase(), part.casefold(), part.title()]
    return rng.choice(spellings)


def _metadata(seq: Sequence) -> tuple[str, str]:
    """A filter, mostly of a value that a job has or had, spelled as it was or otherwise."""
    values, rng = seq.values, seq.rng
    if not seq.known.metadata or values.chance(0.35):
        return f"metadata.{values.key()}", rng.choice([values.text(50, 0), *_numbers(seq)])
    key, value = rng.choice(seq.known.metadata[-40:])
    text = spelling(value)
    if values.chance(0.2):
        text = _respelled(seq, text)
    return f"metadata.{key}", text


def _numbers(seq: Sequence) -> list[str]:
    return [seq.rng.choice(INTEGERS), seq.rng.choice(FLOATS)]


def _respelled(seq: Sequence, text: str) -> str:
    try:
        return seq.rng.choice(
            [repr(float(text)), text + ".0", text + "e0", f"{float(text):.20e}", str(int(float(text)))]
        )
    except (ValueError, OverflowError):
        return seq.rng.choice([text.upper(), text + " ", f'"{text}"'])


def _learn_events(seq: Sequence, request: Request, answer: Comparable) -> None:
    if answer.status == 200 and isinstance(answer.json, dict):
        seq.known.event_cursors.append(answer.json["next_cursor"])


def _prefer(seq: Sequence, request: Request) -> None:
    """Asks for a page that waits for events, but not for a time that passes."""
    if seq.values.chance(0.1):
        request.headers["Prefer"] = seq.rng.choice(["wait=0", "wait=-1", "wait=x", "respond-async, wait=0"])


@operation("getAllEvents", 2, _learn_events)
def all_events(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng
    pairs = [("limit", rng.choice(["1", "3", "50", "0", "1000000", "x"]))] if values.chance(0.5) else []
    request = Request("getAllEvents", "GET", "", {})
    if values.chance(0.7):
        cursors = seq.known.event_cursors[-6:]
        after = (
            rng.choice(cursors) if cursors and values.chance(0.9) else rng.choice(["latest", "x", "", "0"])
        )
        if values.chance(0.2):
            request.headers["Last-Event-ID"] = after
        else:
            pairs.append(("after", after))
    _prefer(seq, request)
    request.path = f"{API}/events{query(pairs)}"
    return request


@operation("getEvents", 3)
def events(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng
    pairs = []
    request = Request("getEvents", "GET", "", {})
    if values.chance(0.6):
        after = rng.choice(
            ["0", "1", "2", "3", "10", "-1", "9223372036854775807", "9223372036854775808", "x"]
        )
        if values.chance(0.2):
            request.headers["Last-Event-ID"] = after
        else:
            pairs.append(("after", after))
    elif values.chance(0.3):
        # Only from the beginning: the stream has at least a snapshot to compare.
        request.headers["Accept"] = "text/event-stream"
    else:
        _prefer(seq, request)
    request.path = f"{API}/jobs/{seq.job()}/events{query(pairs)}"
    return request


@operation("createWatchToken", 0.5)
def watch_token(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng
    body: dict[str, Any] = {}
    if values.chance(0.7):
        body["expires_in_seconds"] = rng.choice([1, 3600, 86400, 0, 86401, -1, 1.5, None, "x"])
    path = f"{API}/jobs/{seq.job()}/watch-token"
    return seq.write("createWatchToken", "POST", path, body)


# Nothing is asked for, so there are no sessions.
@operation("getSession", 0.2)
def session(seq: Sequence) -> Request:
    return Request("getSession", "GET", f"{API}/session")


@operation("createSession", 0.2)
def create_session(seq: Sequence) -> Request:
    return Request("createSession", "POST", f"{API}/session")


@operation("deleteSession", 0.2)
def delete_session(seq: Sequence) -> Request:
    return Request("deleteSession", "DELETE", f"{API}/session")


def _learn_audit(seq: Sequence, request: Request, answer: Comparable) -> None:
    if answer.status == 200 and isinstance(answer.json["next_cursor"], Name):
        seq.known.audit_pages.append(answer.json["next_cursor"])


@operation("listAudit", 1, _learn_audit)
def audit(seq: Sequence) -> Request:
    known = seq.known
    if known.audit_pages and seq.values.chance(0.3):
        cursor = seq.rng.choice(known.audit_pages[-3:])
        return Request("listAudit", "GET", f"{API}/audit?limit=2&cursor={cursor}")
    options = {
        "limit": ["1", "2", "3", "100", "101", "0", "x"],
        "job_id": [seq.job(), seq.job(), "x"],
        "key_id": [seq.job(), "x"],
        "action": ["job.update", "job.cancel", "job.retry", "job.rerun", "job.delete", "key.create", "x"],
    }
    return Request("listAudit", "GET", f"{API}/audit{parameters(seq, options, 0.25)}")


@operation("getStats", 1.5)
def stats(seq: Sequence) -> Request:
    return Request("getStats", "GET", f"{API}/stats")


@operation("getHealth", 0.1)
def health(seq: Sequence) -> Request:
    return Request("getHealth", "GET", "/healthz")


@operation("getReadiness", 0.1)
def readiness(seq: Sequence) -> Request:
    return Request("getReadiness", "GET", "/readyz")


@operation("getMetrics", 0.1)
def metrics(seq: Sequence) -> Request:
    return Request("getMetrics", "GET", "/metrics")


def states_of(job: str) -> list[Request]:
    """A request for every state of a job."""
    own = f"{API}/jobs/{job}"
    paths = {
        "getJob": [own],
        "listStages": [f"{own}/stages"],
        "getEvents": [f"{own}/events", f"{own}/events?after=0"],
        "listLogs": [f"{own}/logs", f"{own}/logs?limit=1"],
        "getTranscript": [
            f"{own}/transcripts",
            *(f"{own}/transcripts?format={f}" for f in ("vtt", "srt", "text")),
        ],
        "getSilenceRegions": [f"{own}/silence-regions"],
        "getLayoutAnalysis": [f"{own}/layout-analysis"],
        "getWaveform": [f"{own}/waveform"],
        "getThumbnails": [f"{own}/thumbnails"],
        "getThumbnailPicture": [f"{own}/thumbnails.jpg"],
        "getContentSegments": [f"{own}/content-segments", f"{own}/content-segments?top=3"],
        "getClips": [f"{own}/clips", f"{own}/clips?top=3"],
        "getResults": [f"{API}/results/{job}"],
    }
    return [Request(operation, "GET", path) for operation, of in paths.items() for path in of]


def every_state(jobs: list[str]) -> list[Request]:
    whole = f"{API}/jobs?include=metadata&limit=100&include_total=true"
    lists = [
        f"{whole}&order={order}&direction={direction}"
        for order in ("created_at", "updated_at", "completed_at")
        for direction in ("asc", "desc")
    ]
    requests = [Request("listJobs", "GET", path) for path in lists]
    requests += [Request("getStats", "GET", f"{API}/stats"), Request("getAllEvents", "GET", f"{API}/events")]
    return requests + [request for job in jobs for request in states_of(job)]


@operation("every state of a job", 0.5)
def every_state_of_a_job(seq: Sequence) -> Request:
    first, *more = states_of(seq.job())
    seq.planned += more
    return first


@operation("every state", 0.05)
def every_list(seq: Sequence) -> Request:
    first, *more = every_state([])
    seq.planned += more
    return first
