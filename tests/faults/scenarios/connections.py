"""Clients that connect and send nothing, or one byte at a time."""

from __future__ import annotations

import http.client
import resource
import selectors
import socket
import threading
import time
from contextlib import ExitStack, suppress

from harness.client import Client
from harness.lectern import Lectern
from harness.probes import Probe, longest, probing
from harness.processes import wait_until

from .databases import ANSWER, LATE, a_job, requests
from .disks import announce
from .scenario import Run, Scenario

# Seconds for the head of the first request.
HEAD = 10.0
# All of 127.0.0.0/8 is this machine: these clients have another address than the others.
ELSEWHERE = "127.0.0.2"
SIZE = 1 << 20


class ClientElsewhere(Client):
    """A client with another address, and a connection of its own for each request."""

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        self.close()
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=timeout, source_address=(ELSEWHERE, 0)
        )
        return self.connection


def others(server: Lectern, job: str, download: str) -> list[Probe]:
    """Everybody else: requests of each kind, and a download, each on a new connection."""
    asks = requests(job) | {
        "download": lambda client: client.get(download),
        "/healthz": lambda client: client.get("/healthz"),
    }
    probes = [Probe(name, server.port, ask) for name, ask in asks.items()]
    for probe in probes:
        probe.client = ClientElsewhere(server.port, 60.0)
    return probes


def a_download(client: Client) -> str:
    """The path of a stored recording, with its signature."""
    _, job, path = announce(client, SIZE)
    client.put(path, bytes(SIZE), headers={"Content-Type": "video/mp4"}).expect(200)
    client.post("/api/v1/upload/confirm", {"job_id": job}).expect(200)
    body = {"worker": "probe", "stages": ["silence_detection"]}
    claims = client.post("/api/v1/work/claim", body).expect(200).json["claims"]
    url: str = claims[0]["source_url"]
    return "/" + url.split("/", 3)[3]


def idle(run: Run) -> str:
    wanted = run.times(2_000, 10_000)
    allow_files(wanted + 1_000)
    # The server may open as many files as there are idle connections, and no more.
    limit = str(wanted)
    server = run.server(prefix=["prlimit", f"--nofile={limit}:{limit}"]).start()
    client = server.client()
    download = a_download(client)
    probes = others(server, a_job(client), download)
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        with probing(probes):
            for number in range(wanted):
                one = stack.enter_context(socket.socket())
                one.setblocking(False)
                with suppress(BlockingIOError):
                    one.connect(("127.0.0.1", server.port))
                selector.register(one, selectors.EVENT_READ)
                if number % 200 == 0:
                    time.sleep(0.01)
            began = time.monotonic()
            wait_until("all idle connections are closed", lambda: are_closed(selector), 3 * HEAD)
            seconds = time.monotonic() - began
        for probe in probes:
            probe.check(ANSWER + LATE, 200, 201)
    return (
        f"{wanted} connections, all closed after {seconds:.0f} s; others were answered within "
        f"{longest(probes):.1f} s"
    )


def are_closed(selector: selectors.BaseSelector) -> bool:
    """Forgets the connections that the server has closed; whether none is left."""
    for key, _ in selector.select(0.1):
        one = key.fileobj
        assert isinstance(one, socket.socket)
        with suppress(ConnectionError):
            if one.recv(4096):
                continue
        selector.unregister(one)
    return not selector.get_map()


def allow_files(number: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        assert hard >= number, f"{number} open files are needed, {hard} are allowed"
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def slow(run: Run) -> str:
    number = run.times(100, 500)
    allow_files(4 * number + 1_000)
    server = run.serve()
    client = server.client()
    download = a_download(client)
    job = a_job(client)
    probes = others(server, job, download)
    _, _, upload = announce(client, SIZE)
    type_ = b"Content-Type: application/json\r\n"
    host = b"Host: 127.0.0.1\r\n"
    announced = b"Content-Length: 1000000\r\n\r\n"
    # Each is followed by one byte after the other.
    started = {
        "head": b"GET /api/v1/jobs HTTP/1.1\r\nX-Slow: ",
        "body": b"POST /api/v1/jobs HTTP/1.1\r\n" + host + type_ + announced,
        "output": b"PUT /api/v1/jobs/%s/transcripts HTTP/1.1\r\n" % job.encode()
        + host
        + type_
        + b"Content-Length: 30000000\r\n\r\n",
        "upload": b"PUT %s HTTP/1.1\r\n" % upload.encode()
        + host
        + b"Content-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % SIZE,
    }
    clients = [
        SlowClient(server.port, kind, start)
        for kind, start in started.items()
        for _ in range(number)
    ]
    ended = threading.Event()
    sender = threading.Thread(target=send_slowly, args=(clients, ended), daemon=True)
    with probing(probes):
        sender.start()
        time.sleep(run.times(15, 60))
        ended.set()
        sender.join()
    for probe in probes:
        probe.check(ANSWER + LATE, 200, 201)
    heads = [one.open_for for one in clients if one.kind == "head"]
    assert max(heads) <= HEAD + 2.0, f"a slow head was read for {max(heads):.0f} s"
    return (
        f"{number} of each: {', '.join(started)}; heads were read for at most {max(heads):.0f} s; "
        f"others were answered within {longest(probes):.1f} s"
    )


class SlowClient:
    """A connection that has sent the start of a request."""

    def __init__(self, port: int, kind: str, start: bytes) -> None:
        self.kind = kind
        self.socket: socket.socket | None = socket.create_connection(("127.0.0.1", port))
        self.began = time.monotonic()
        self.open_for = 0.0
        self.socket.sendall(start)
        self.socket.setblocking(False)

    def send(self) -> None:
        """Sends a byte, or notices that the server has answered or closed the connection."""
        if self.socket is None:
            return
        self.open_for = time.monotonic() - self.began
        try:
            with suppress(BlockingIOError):
                self.socket.recv(4096)
                raise ConnectionError("answered or closed")
            self.socket.send(b"a")
        except OSError:
            self.close()

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def send_slowly(clients: list[SlowClient], ended: threading.Event) -> None:
    while not ended.wait(0.5):
        for one in clients:
            one.send()
    for one in clients:
        one.close()


SCENARIOS = [
    Scenario(
        "idle-connections",
        "as many idle connections as the server may open files",
        "Everybody else is answered within 4 s, new connections and downloads too, and idle "
        "connections are closed.",
        idle,
    ),
    Scenario(
        "slow-requests",
        "heads, bodies, outputs and uploads that arrive one byte at a time",
        "Everybody else is answered within 4 s, and a head is read for at most 10 s.",
        slow,
    ),
]
