"""Requests that cost much, and clients that do not read."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from harness.client import Client, Unanswered
from harness.lectern import Lectern
from harness.probes import Probe, probing
from harness.processes import reset_peak_memory

from .databases import a_job
from .scenario import Run, Scenario, a_recording

T = TypeVar("T")
MEMORY = 256 << 20
ALIVE = 1.5  # seconds, for /healthz
MEBIBYTE = 1 << 20


def measured(server: Lectern, load: Callable[[], str]) -> str:
    """Runs a load while /healthz is asked; checks the peak of the server's memory."""
    reset_peak_memory(server.pid)
    health = Probe("/healthz", server.port, lambda client: client.get("/healthz"))
    with probing([health]):
        told = load()
    peak = server.peak_memory()
    assert peak <= MEMORY, f"the server needed {peak >> 20} MiB: {told}"
    health.check(ALIVE, 200)
    return f"{told}; at most {peak >> 20} MiB, /healthz within {health.longest:.1f} s"


def in_parallel(number: int, work: Callable[[int], T]) -> list[T]:
    results: list[T] = []
    threads = [
        threading.Thread(target=lambda at=n: results.append(work(at)), daemon=True)
        for n in range(number)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120.0)
    assert len(results) == number, f"{number - len(results)} of {number} requests got no answer"
    return results


def send(server: Lectern, path: str, body: bytes) -> tuple[int, int]:
    """The status and the length of the answer to a PUT."""
    try:
        answer = server.client(110.0).put(path, body)
    except Unanswered:
        # Refused before the body was read.
        return 0, 0
    return answer.status, len(answer.body)


def invalid(run: Run) -> str:
    server = run.serve()
    job = a_job(server.client())
    # As many errors as fit into 28 MB.
    segment = b'{"start_time":-1,"end_time":-2,"text":""}'
    body = b'{"segments":[' + b",".join([segment] * (28_000_000 // (len(segment) + 1))) + b"]}"

    def load() -> str:
        path = f"/api/v1/jobs/{job}/transcripts"
        answers = in_parallel(run.times(4, 16), lambda _: send(server, path, body))
        for status, length in answers:
            assert status in (0, 422, 503), f"invalid segments are {status}"
            assert length < MEBIBYTE, f"the answer has {length} bytes"
        judged = [length for status, length in answers if status == 422]
        assert judged, f"none was judged: {answers}"
        return (
            f"{len(answers)} × 28 MB of invalid segments, {len(judged)} judged in "
            f"{max(judged)} bytes"
        )

    return measured(server, load)


def many_rows(run: Run) -> str:
    return large(run, [9_000] * 3_400)


def long_texts(run: Run) -> str:
    return large(run, [16 * MEBIBYTE])


def large(run: Run, lengths: list[int]) -> str:
    """Sends transcripts with texts of these lengths, all at once."""
    server = run.serve()
    client = server.client()
    jobs = [a_job(client) for _ in range(8)]
    segments = [
        {"start_time": n, "end_time": n + 1, "text": "x" * length}
        for n, length in enumerate(lengths)
    ]
    body = json.dumps({"segments": segments}).encode()
    assert len(body) < 32 << 20, "more than is accepted"

    def load() -> str:
        def one(number: int) -> int:
            return send(server, f"/api/v1/jobs/{jobs[number % 8]}/transcripts", body)[0]

        number = run.times(16, 64)
        statuses = in_parallel(number, one)
        for status in statuses:
            assert status in (0, 200, 503), f"a large body is {status}"
        assert 200 in statuses, "no large body was accepted"
        size = f"{len(body) / MEBIBYTE:.0f} MiB"
        return f"{number} bodies of {size} at once, {statuses.count(200)} accepted"

    return measured(server, load)


def unread(run: Run) -> str:
    server = run.serve()
    client = server.client(120.0)
    job = a_job(client)
    rows, number = 100_000, run.times(12, 64)
    for at in range(0, rows, 20_000):
        segments = [
            {"start_time": n, "end_time": n + 1, "text": f"the words of segment {n}"}
            for n in range(at, at + 20_000)
        ]
        body = {"segments": segments}
        client.post(f"/api/v1/jobs/{job}/transcripts", body).expect(200, 201)

    def load() -> str:
        head = f"GET /api/v1/jobs/{job}/transcripts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with ExitStack() as stack:
            readers = [stack.enter_context(socket.socket()) for _ in range(number)]
            for reader in readers:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                reader.connect(("127.0.0.1", server.port))
                reader.sendall(head.encode())
                reader.settimeout(60.0)
            statuses = [reader.recv(12, socket.MSG_PEEK).split()[-1] for reader in readers]
            client.get("/readyz", timeout=5.0).expect(200)
        accepted = statuses.count(b"200")
        assert accepted > 0, f"none was answered: {statuses}"
        assert accepted + statuses.count(b"503") == number, f"answered with {statuses}"
        return f"{number} readers of {rows} segments that do not read, {accepted} with 200"

    return measured(server, load)


def lists(run: Run) -> str:
    server = run.serve()
    client = server.client()
    metadata = {"padding": "x" * 900_000}
    jobs = run.times(30, 100)
    for _ in range(jobs):
        client.post("/api/v1/jobs", a_recording() | {"extra_metadata": metadata}).expect(201)

    def load() -> str:
        def one(_: int) -> int:
            answer = Client(server.port, 60.0).get("/api/v1/jobs?limit=100&include=metadata")
            assert answer.status in (200, 503), f"a list is {answer.status}"
            return len(answer.body)

        lengths = in_parallel(4, one)
        longest = max(lengths)
        assert longest <= 16 * MEBIBYTE, f"a page has {longest / MEBIBYTE:.1f} MiB"
        return f"4 pages of {jobs} jobs with 0.9 MB of metadata each: {longest >> 10} KiB"

    return measured(server, load)


PROMISE = "The server needs at most 256 MiB and stays alive."
SCENARIOS = [
    Scenario(
        "invalid-bodies",
        "outputs of 28 MB in which every row is invalid, at once",
        f"{PROMISE} The answer names some of the errors.",
        invalid,
    ),
    Scenario("large-bodies", "outputs of 30 MB at once", PROMISE, many_rows),
    Scenario("long-texts", "outputs with one text of 16 MiB at once", PROMISE, long_texts),
    Scenario(
        "unread-answers",
        "readers of a long transcript who do not read",
        PROMISE,
        unread,
    ),
    Scenario("large-lists", "lists of jobs with much metadata", PROMISE, lists),
]
