"""A PostgreSQL server that can be crashed, suspended and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .processes import free_port

# Commits are on the disk, as in production. `fsync` is off only where a scenario would measure
# the disk of the test machine: nothing here takes the power away.
SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 200
fsync = off
shared_buffers = 32MB
"""


def tool(name: str) -> Path:
    """The path of a PostgreSQL program: on PATH, or in the newest of Debian's directories."""
    found = shutil.which(name)
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
    assert found or debian, f"{name} is missing; install PostgreSQL (Debian: postgresql)"
    return Path(found) if found else debian[-1]


def _version(path: Path) -> float:
    return float(path.parts[-3])


class Postgres:
    """A server with one database in its own directory and on its own port."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        # PostgreSQL refuses to run as root.
        user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        self.user: dict[str, Any] = {}
        if user:
            self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        directory.mkdir(parents=True, exist_ok=True)
        if user:
            os.chown(directory, user.pw_uid, user.pw_gid)
        self.data = directory / "postgres"
        self._run(
            tool("initdb"),
            *("--username=lectern", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"),
            f"--pgdata={self.data}",
        )
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(SETTINGS.format(port=self.port))
        self.start()

    def _run(self, *command: str | Path, timeout: float = 120.0) -> str:
        # A file and not a pipe, which the server would keep open.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=timeout,
                **self.user,
            )
            output.seek(0)
            text = output.read().decode()
        assert done.returncode == 0, f"{command[0]} failed: {text}"
        return text

    def url(self, port: int | None = None, database: str = "postgres") -> str:
        return f"postgres://lectern@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        log = f"--log={self.directory / 'postgres.log'}"
        self._run(tool("pg_ctl"), "start", "--wait", "--silent", f"--pgdata={self.data}", log)

    def crash(self) -> None:
        """Stops the server as a crash would: it recovers from its log at the next start."""
        self._run(
            tool("pg_ctl"),
            "stop",
            "--mode=immediate",
            "--wait",
            "--silent",
            f"--pgdata={self.data}",
        )

    def sql(self, statement: str, database: str = "postgres") -> str:
        """The rows of a statement, unaligned."""
        psql = (tool("psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align")
        return self._run(*psql, f"--command={statement}", self.url(database=database)).strip()

    def terminate_backends(self, database: str = "postgres") -> None:
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )

    def processes(self) -> list[int]:
        """The postmaster and all of its children."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [postmaster, *map(int, children)]

    def suspend(self) -> None:
        """Suspends the postmaster first, so that it starts no more children."""
        for pid in self.processes():
            _signal(pid, signal.SIGSTOP)
        for pid in self.processes():
            _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in reversed(self.processes()):
            _signal(pid, signal.SIGCONT)

    def close(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.resume()
            self.crash()


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
