"""Answers as text that is the same from both servers, if they answered the same.

Ids, times, cursors, entity tags and signatures differ between two servers that do the same. Each
is replaced by the place where it was first seen, `«12/job_id»` for example. So a server that
repeats a value, or sorts values, in another way than the other gives another text.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any

from request import Answer, Request

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z")
# Fields with times of the server's clock. A time elsewhere is one that was sent.
TIMES = {
    "created_at", "updated_at", "completed_at", "started_at", "finished_at", "timestamp",
    "lease_expires_at", "expires_at", "at", "claimed_at", "last_seen_at", "paused_at",
}  # fmt: skip
CURSORS = {"next_cursor"}
# A field that depends on the time that passes, and one that does in the entries of the log that
# the server writes itself.
ELAPSED = "processing_duration_seconds"
ELAPSED_IN_LOG = "duration_seconds"
# How long runs waited and took.
ELAPSED_IN_STATS = ("oldest_ready_seconds", "mean", "p50", "p95")
# The id of an entry that was sent.
SENT_ENTRY = re.compile(r"«\d+/log_id»")
# Different in every answer, or a count of bytes of what is different.
HEADERS_LEFT_OUT = {"date", "x-request-id", "content-length", "connection"}


class Name(str):
    """A reference, to tell it from text that was sent."""


class Number(str):
    """A number as it is spelled, so that 1, 1.0 and 1e0 are different."""


class Names:
    """The values that one server has chosen, and their names."""

    def __init__(self) -> None:
        self.names: dict[str, Name] = {}
        # The value at each place, for the references in requests.
        self.values: dict[str, str] = {}

    def name(self, value: str, place: str, scope: str = "") -> Name:
        """The name of a value, which is `place` if the value is new. A scope has values of its own."""
        # A text may have several values, and a value several places.
        while self.values.setdefault(place, value) != value:
            place += "'"
        return self.names.setdefault(scope + value, Name(f"«{place}»"))

    def text(self, text: str, place: str) -> str:
        """A text with names for the ids in it, and without what is the address of the server."""
        text = re.sub(r"(https?|wss?)://127\.0\.0\.1:\d+", r"\1://server", text)
        text = re.sub(r"\bexpires=\d+", "expires=…", text)
        text = re.sub(r"\bsignature=[0-9a-f]{64}", "signature=…", text)
        text = UUID.sub(lambda id: self.name(id[0].lower(), place), text)
        # The random part of the name of an object.
        return re.sub(r"(?<=»-)[0-9a-f]{16}\b", lambda part: self.name(part[0], place), text)

    def json(self, value: Any, place: str, key: str = "") -> Any:
        """A parsed body, with names."""
        if isinstance(value, dict):
            named = {
                self.text(name, place): self.json(item, f"{place}/{_part(name)}", name)
                for name, item in value.items()
            }
            for field in (ELAPSED, ELAPSED_IN_LOG, *ELAPSED_IN_STATS):
                if isinstance(named.get(field), Number) and _has_elapsed(named, field):
                    named[field] = "seconds that have passed"
            return named
        if isinstance(value, list):
            return [self.json(item, f"{place}/{i}", key) for i, item in enumerate(value)]
        if not isinstance(value, str) or isinstance(value, Number):
            return value
        # Those of objects are of the file system.
        if key in ("request_id", "last_modified", "etag"):
            return "…"
        if key in TIMES and TIME.fullmatch(value):
            name = self.name(value, place, "time ")
            is_new_lease = key == "lease_expires_at" and name == f"«{place}»"
            return f"{name}, {_minutes_until(value)} min after the answer" if is_new_lease else name
        if key in CURSORS:
            return self.name(value, place)
        if key.endswith("url") and "signature=" in value:
            # Requests use it whole; it is compared without its signature.
            self.values.setdefault(place, value)
        if key == "token":
            # Random where no keys are asked for, and of the same length.
            return f"a token of {len(value)} characters"
        if UUID.fullmatch(value):
            return self.name(value.lower(), place)
        return self.text(value, place)

    def header(self, name: str, value: str, request: Request) -> str:
        place = f"{request.step}/{name}"
        if name == "etag":
            # The same tag of two resources says nothing.
            return self.name(value, place, f"etag of {request.path} ")
        if name in ("upload-expires", "last-modified"):
            return re.sub(r"\d+", "#", re.sub(r"[A-Z][a-z]{2}", "Abc", value))
        # The address of the next page has the times of the request, and a cursor.
        value = re.sub(r"(?<=ed_after=)[^&>]+|(?<=ed_before=)[^&>]+", "…", value)
        cursors = re.compile(r"(?<=[?&]cursor=)[\w-]+|(?<=[?&]after=)[\w-]+")
        return self.text(cursors.sub(lambda found: self.name(found[0], place), value), place)


def _has_elapsed(value: dict[str, Any], field: str) -> bool:
    return field != ELAPSED_IN_LOG or not SENT_ENTRY.fullmatch(value.get("log_id", "«0/log_id»"))


def _minutes_until(time: str) -> int:
    """Rounded, so that the time that a request takes makes no difference."""
    until = datetime.fromisoformat(time.replace("Z", "+00:00")) - datetime.now(timezone.utc)
    return round(until.total_seconds() / 60)


def _part(name: str) -> str:
    """A key as a part of a reference."""
    return re.sub(r"[^\w.-]", "_", name)[:40]


def parsed(body: str) -> Any:
    return json.loads(body, parse_int=Number, parse_float=Number, parse_constant=Number)


def written(value: Any, indent: int | None = None) -> str:
    """JSON with the numbers as they were spelled. The keys are in their order, which is compared, too."""
    if isinstance(value, Number):
        return value
    inner = None if indent is None else indent + 1
    if isinstance(value, dict):
        items = [f"{written(str(key))}: {written(item, inner)}" for key, item in value.items()]
    elif isinstance(value, list):
        items = [written(item, inner) for item in value]
    else:
        return json.dumps(value, ensure_ascii=False)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if inner is None or not items:
        return opening + ", ".join(items) + closing
    line = "\n" + " " * inner
    return f"{opening}{line}{f',{line}'.join(items)}\n{' ' * (inner - 1)}{closing}"


class Comparable:
    """An answer with names: `text` is what is compared, `json` its body if it is JSON."""

    def __init__(self, names: Names, request: Request, answer: Answer) -> None:
        self.status = answer.status
        self.json: Any = None
        lines: list[str] = []
        body = answer.body.decode("utf-8", "backslashreplace")
        kind = answer.header("content-type")
        place = str(request.step)
        if "json" in kind and body:
            self.json = names.json(parsed(body), place)
            lines.append(written(self.json, 0))
        elif kind.startswith("text/event-stream"):
            lines += [_event_line(names, line, place) for line in body.split("\n")]
        elif request.operation == "getMetrics":
            # Only which there are: the values depend on time and on the database.
            lines += sorted({line.split(" ")[0] for line in body.splitlines() if line[:1] != "#"})
            lines = [re.sub(r'database="\w+"', 'database="…"', line) for line in lines]
        else:
            lines.append(names.text(body, place))
        headers = [
            f"{name}: {names.header(name, value, request)}"
            for name, value in sorted(answer.headers)
            if name not in HEADERS_LEFT_OUT
        ]
        self.text = "\n".join([f"{answer.status}", *headers, *lines])


def _event_line(names: Names, line: str, place: str) -> str:
    if line.startswith("data:"):
        return f"data: {written(names.json(parsed(line[5:]), place))}"
    if line.startswith("id:"):
        # The number of an event of one job, or a cursor of all events.
        id = line[3:].strip()
        return f"id: {id if id.isdigit() else names.name(id, f'{place}/id')}"
    return line
