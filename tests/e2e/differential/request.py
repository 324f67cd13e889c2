"""Requests that stand for the same thing on both servers, and their answers.

What a server chooses, such as the id of a job, is written as a reference: `«12/job_id»` is the
value of `job_id` in the answer to the request of step 12. A reference to a step that was not
sent, because the sequence is being shortened, stands for an id that nothing has.
"""

from __future__ import annotations

import gzip
import http.client
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

REFERENCE = re.compile(r"«(\d+/[^«»|]+)(?:\|([^«»]*))?»")
NOTHING = "00000000-0000-4000-8000-000000000000"
# More than any request takes, even on a busy machine.
TIMEOUT = 60


@dataclass
class Request:
    """One step of a sequence."""

    # The `operationId` of the OpenAPI document.
    operation: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    # `str` with references, or bytes that are sent as they are.
    body: str | bytes | None = None
    is_gzipped: bool = False
    # It is sent again until the answer does not match this pattern.
    until_gone: str = ""
    step: int = 0

    def __str__(self) -> str:
        until = f" until its answer does not match {self.until_gone}" if self.until_gone else ""
        lines = [f"{self.step}: {self.method} {self.path}{until}"]
        lines += [f"    {name}: {value}" for name, value in self.headers.items()]
        if self.body is not None:
            text = self.body if isinstance(self.body, str) else repr(self.body)
            size = "" if len(text) <= 2000 else f"… ({len(text)} characters)"
            lines.append(f"    {'gzip of ' * self.is_gzipped}{text[:2000]}{size}")
        return "\n".join(lines)

    def references(self) -> set[int]:
        """The steps whose answers it refers to."""
        body = self.body if isinstance(self.body, str) else ""
        text = "\n".join([self.path, *self.headers.values(), body])
        return {int(name.split("/")[0]) for name, _ in REFERENCE.findall(text)}


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class Client:
    """Sends requests to one server, over one connection as long as it is kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def send(self, request: Request, values: dict[str, str]) -> Answer:
        """`values` are what the references stand for."""

        def resolved(text: str) -> str:
            def value(found: re.Match[str]) -> str:
                known = values.get(found[1], NOTHING)
                # `«12/created_at|999Z»` is that time with more digits.
                return known[:-1] + found[2] if found[2] else known

            return REFERENCE.sub(value, text)

        path = resolved(request.path)
        if path.startswith("http"):
            parts = urlsplit(path)
            path = f"{parts.path}?{parts.query}"
        body = request.body
        if isinstance(body, str):
            body = resolved(body).encode("utf-8", "surrogatepass")
        if request.is_gzipped and body is not None:
            body = gzip.compress(body, mtime=0)
        headers = {name: resolved(value).encode("utf-8") for name, value in request.headers.items()}
        until = time.monotonic() + TIMEOUT
        while True:
            answer = self._answer(request.method, path, body, headers)
            if not request.until_gone or not re.search(
                request.until_gone, answer.body.decode(errors="replace")
            ):
                return answer
            assert time.monotonic() < until, f"the answer does not change: {request}"
            time.sleep(0.1)

    def _answer(self, method: str, path: str, body: bytes | None, headers: dict[str, bytes]) -> Answer:
        try:
            self.connection.request(method, path, body, headers)
            return self._read(self.connection.getresponse())
        except (OSError, http.client.BadStatusLine, http.client.IncompleteRead) as error:
            self.connection.close()
            return Answer(0, [], f"no answer: {type(error).__name__}".encode())

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        headers = [(name.lower(), value) for name, value in response.getheaders()]
        answer = Answer(response.status, headers, b"")
        if answer.header("content-type").startswith("text/event-stream"):
            # A stream goes on until the job ends; its first event is what is compared.
            while b"data:" not in answer.body or not answer.body.endswith(b"\n\n"):
                line = response.readline()
                answer.body += line
                if not line:
                    break
            self.connection.close()
        else:
            answer.body = response.read()
        return answer
