"""A `lectern serve` process that can be killed, suspended and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from .client import Client, Unanswered
from .processes import free_port, peak_memory

SECRET = "faults-secret-faults-secret-faults-secret"
START_TIMEOUT = 60.0


class Lectern:
    """A server on a port of its own, which it keeps when it is started again."""

    def __init__(
        self,
        program: Path,
        directory: Path,
        database_url: str,
        settings: dict[str, str] | None = None,
        prefix: list[str] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.program, self.directory = program, directory
        self.port = free_port()
        self.prefix = prefix or []
        self.log_path = directory / f"lectern-{self.port}.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "DATABASE_URL": database_url,
            "LECTERN_DATA_DIR": str(directory / "data"),
            "LECTERN_BIND": f"127.0.0.1:{self.port}",
            "LECTERN_SECRET": SECRET,
            "LECTERN_WITH_WORKER": "false",
            "LECTERN_LOG": "warn",
            **(settings or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, wait: bool = True) -> Lectern:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.program, "serve"],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if wait:
            self.wait_until_it_listens()
        return self

    def wait_until_it_listens(self) -> None:
        until = time.monotonic() + START_TIMEOUT
        while not self.is_alive():
            code = self.running.poll()
            assert code is None, f"lectern ended with {code}:\n{self.log()[-3000:]}"
            assert time.monotonic() < until, f"lectern does not listen:\n{self.log()[-3000:]}"
            time.sleep(0.02)

    def is_alive(self) -> bool:
        try:
            return self.client(2.0).get("/healthz").status == 200
        except Unanswered:
            return False

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Another command of the program with the settings of the server."""
        return subprocess.run(
            [self.program, *arguments],
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "the server was not started"
        return self.process

    @property
    def pid(self) -> int:
        return self.running.pid

    def client(self, timeout: float = 30.0) -> Client:
        return Client(self.port, timeout)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def peak_memory(self) -> int:
        return peak_memory(self.pid)

    def signal(self, number: signal.Signals) -> None:
        self.running.send_signal(number)

    def suspend(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends the process at once, as a loss of power would. Does nothing if it has ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self, timeout: float = 60.0) -> float:
        """Sends SIGTERM; returns the seconds until the process has ended, with success."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        try:
            code = self.running.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"SIGTERM did not end the process in {timeout:.0f} s") from None
        assert code == 0, f"SIGTERM ended the process with {code}:\n{self.log()[-2000:]}"
        return time.monotonic() - began
