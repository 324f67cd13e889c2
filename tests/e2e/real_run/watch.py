"""Watchers that disconnect at random and reconnect, one class per channel."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO
from urllib.parse import urlsplit

Event = dict[str, Any]
TIMEOUT = 60.0  # seconds to wait for an expected event
JOB_TIMEOUT = 480.0  # seconds


class Watcher(threading.Thread):
    """Collects all events of a job. Each connection continues after the last event, and is closed
    after a few events or, half of the time, after a short time without one."""

    def __init__(self, server: str, job_id: str) -> None:
        super().__init__(daemon=True)
        parts = urlsplit(server)
        self.host, self.port, self.job_id = parts.hostname or "", parts.port or 80, job_id
        self.events: list[Event] = []
        self.visits = 0
        self.is_over = False  # the server has reported the end
        self.failure: Exception | None = None

    def run(self) -> None:
        until = time.monotonic() + JOB_TIMEOUT
        try:
            while not self.is_over:
                if time.monotonic() > until:
                    raise TimeoutError(f"no end after {len(self.events)} events")
                self.visit()
        except Exception as error:
            self.failure = error

    def visit(self) -> None:
        self.visits += 1
        enough = random.randint(1, 6)
        leave_after = random.choice([random.uniform(0.05, 2.0), TIMEOUT])
        after = self.events[-1]["seq"] if self.events else 0
        with ExitStack() as connections:
            try:
                for event in self.listen(after, leave_after, connections):
                    self.events.append(event)
                    enough -= 1
                    if not enough:
                        return
            except socket.timeout:
                return

    def listen(self, after: int | None, leave_after: float, visit: ExitStack) -> Iterator[Event]:
        """The events after a number, or a snapshot and later events, until the server closes."""
        raise NotImplementedError

    def connect_once(self) -> list[Event]:
        """The events that a new watcher receives."""
        with ExitStack() as visit:
            return list(self.listen(None, TIMEOUT, visit))

    def connect(self, visit: ExitStack, timeout: float = TIMEOUT) -> socket.socket:
        sock = visit.enter_context(socket.create_connection((self.host, self.port), TIMEOUT))
        sock.settimeout(timeout)
        if random.random() < 0.5:  # reset instead of a regular close
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return sock

    def get(
        self, sock: socket.socket, headers: dict[str, str], visit: ExitStack, query: str = ""
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.sock = sock
        connection.request("GET", f"/api/v1/jobs/{self.job_id}/events{query}", headers=headers)
        return visit.enter_context(connection.getresponse())


class EventSource(Watcher):
    """Server-sent events. The end is a 204."""

    def listen(self, after: int | None, leave_after: float, visit: ExitStack) -> Iterator[Event]:
        wanted = {"Accept": "text/event-stream"}
        if after is not None:
            wanted["Last-Event-ID"] = str(after)
        sock = self.connect(visit)
        answer = self.get(sock, wanted, visit)
        if answer.status == 204:
            self.is_over = True
            return
        assert answer.status == 200, (answer.status, answer.read())
        assert answer.headers.get_content_type() == "text/event-stream"
        sock.settimeout(leave_after)
        fields: dict[str, str] = {}
        while line := answer.readline().decode():
            if line != "\n":
                name, _, value = line.rstrip("\n").partition(":")
                fields[name] = value[value.startswith(" ") :]
            elif "data" in fields:
                event = json.loads(fields["data"])
                name = {"error": "failed"}.get(event["type"], event["type"])
                assert (fields["id"], fields["event"]) == (str(event["seq"]), name)
                yield event
                fields = {}


class LongPoll(Watcher):
    """Pages of JSON that wait for the next event. The end is the last event."""

    def listen(self, after: int | None, leave_after: float, visit: ExitStack) -> Iterator[Event]:
        if self.events and self.events[-1]["type"] in ("complete", "error"):
            self.is_over = True
            return
        wanted = {"Accept": "application/json", "Prefer": "wait=10"}
        answer = self.get(self.connect(visit, leave_after), wanted, visit, after_query(after))
        assert answer.status == 200, (answer.status, answer.read())
        page = json.load(answer)
        yield from page["events"]


class WebSocket(Watcher):
    """The end is the close code 1000."""

    pongs = 0

    def listen(self, after: int | None, leave_after: float, visit: ExitStack) -> Iterator[Event]:
        sock = self.connect(visit)
        file = self.handshake(sock, f"/ws/jobs/{self.job_id}{after_query(after)}", visit)
        send(sock, TEXT, b'{"type":"ping"}')
        sock.settimeout(leave_after)
        while True:
            opcode, payload = receive(file)
            if opcode == PING:
                send(sock, PONG, payload)
            elif opcode == CLOSE:
                (code,) = struct.unpack("!H", payload[:2])
                assert code == 1000, payload
                self.is_over = True
                return
            elif opcode == TEXT:
                message = json.loads(payload)
                if message == {"type": "pong"}:
                    self.pongs += 1
                else:
                    yield message

    def handshake(self, sock: socket.socket, path: str, visit: ExitStack) -> BinaryIO:
        key = base64.b64encode(os.urandom(16)).decode()
        head = [
            f"GET {path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        ]
        sock.sendall("\r\n".join([*head, "", ""]).encode())
        file = visit.enter_context(sock.makefile("rb"))
        status = file.readline()
        assert status.split()[1] == b"101", status + file.read(1000)
        answer = http.client.parse_headers(file)
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        assert answer["Sec-WebSocket-Accept"] == base64.b64encode(digest).decode()
        return file


def after_query(seq: int | None) -> str:
    return "" if seq is None else f"?after={seq}"


TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def send(sock: socket.socket, opcode: int, payload: bytes) -> None:
    """Sends a short frame, masked as the protocol demands of clients."""
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    sock.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)


def receive(file: BinaryIO) -> tuple[int, bytes]:
    """Reads a frame."""
    first, length = exactly(file, 2)
    assert first & 0x80, "a fragmented message"
    if length == 126:
        (length,) = struct.unpack("!H", exactly(file, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", exactly(file, 8))
    return first & 0x0F, exactly(file, length)


def exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise ConnectionError("the connection ended without a close frame")
    return data
