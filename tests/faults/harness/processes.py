"""Ports, waiting, and what Linux knows about a process."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    """A port without a listener, below the ephemeral ones: no other program is given it while a
    server of this test is down."""
    while True:
        port = random.randrange(20_000, 32_768)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def wait_until(what: str, condition: Callable[[], object], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


def peak_memory(pid: int) -> int:
    """The greatest resident memory so far, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"process {pid} has no VmHWM")


def reset_peak_memory(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")
