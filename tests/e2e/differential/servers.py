"""Two servers on new databases, one on SQLite and one on PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

# No stage is retried after a pause whose length is random: at once, or after a day.
_AT_ONCE = {"backoff": {"first_seconds": 0}}
PIPELINES: dict[str, list[dict[str, Any]]] = {
    "default": [
        {"stage": "silence_detection", **_AT_ONCE},
        {"stage": "transcription", **_AT_ONCE},
        {"stage": "layout_analysis", **_AT_ONCE},
        {
            "stage": "content_analysis",
            "after": ["silence_detection", "transcription", "layout_analysis"],
            **_AT_ONCE,
        },
        {"stage": "segmentation", "after": ["content_analysis"], **_AT_ONCE},
        {"stage": "compilation", "after": ["segmentation"], **_AT_ONCE},
    ],
    "subtitles": [{"stage": "transcription", "max_attempts": 2, **_AT_ONCE}],
    "Ὀδυσσεύς": [
        {"stage": "transcription", "backoff": {"first_seconds": 86_400, "max_seconds": 86_400}},
        {"stage": "compilation", "after": ["transcription"], "max_attempts": 1},
    ],
}

# Small, so that requests reach the limits.
SETTINGS = {
    "LECTERN_MAX_ROWS": "12",
    "LECTERN_MAX_BODY": "65536",
    "LECTERN_MAX_OUTPUT_BODY": "131072",
    "LECTERN_MAX_UPLOAD": "4096",
    "LECTERN_DISK_RESERVE": "0",
    "LECTERN_DURABILITY": "relaxed",
    "LECTERN_HTTP_THREADS": "1",
    # A busy machine must not make one of the servers give up.
    "LECTERN_DATABASE_TIMEOUT": "30",
    "LECTERN_DATABASE_CONNECT_TIMEOUT": "30",
    "LECTERN_DATABASE_TCP_TIMEOUT": "30",
    "LECTERN_WITH_WORKER": "false",
    "LECTERN_LOG": "warn",
    "LECTERN_SECRET": "differential-differential-differential",
}


def _psql(url: str, statement: str) -> None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/psql"))
    program = shutil.which("psql") or (debian and debian[-1])
    assert program, "psql is missing; install it (Debian, Ubuntu: postgresql-client)"
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--command={statement}"]
    subprocess.run([program, *options, url], check=True, timeout=60, stdin=subprocess.DEVNULL)


class PostgresDatabase:
    """A new database on the server of `TEST_DATABASE_URL`."""

    def __init__(self) -> None:
        self.server = os.environ.get("TEST_DATABASE_URL", "")
        assert self.server, "start this program with target/debug/with-postgres"
        self.name = f"differential_{uuid.uuid4().hex}"
        # The texts are compared by code points on SQLite, whatever the locale is.
        _psql(self.server, f"CREATE DATABASE {self.name} TEMPLATE template0")
        self.url = urlunsplit(urlsplit(self.server)._replace(path=f"/{self.name}"))

    def drop(self) -> None:
        _psql(self.server, f"DROP DATABASE {self.name} WITH (FORCE)")


class Server:
    """A `lectern serve` process on a free port of the loopback address."""

    def __init__(self, program: Path, directory: Path, database_url: str) -> None:
        directory.mkdir()
        pipelines = directory / "pipelines.json"
        pipelines.write_text(json.dumps(PIPELINES))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "DATABASE_URL": database_url,
            "LECTERN_DATA_DIR": str(directory / "data"),
            "LECTERN_BIND": "127.0.0.1:0",
            "LECTERN_PIPELINES": str(pipelines),
            **SETTINGS,
            # The port is in the log.
            "LECTERN_LOG": "warn,lectern_server::cli::serve=info",
        }
        self.log: list[str] = []
        self.port = 0
        self.process = subprocess.Popen(
            [program, "serve"],
            env=environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._listening = threading.Event()
        threading.Thread(target=self._read_log, daemon=True).start()

    def _read_log(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"listens on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                self._listening.set()
        self._listening.set()

    def wait_until_it_listens(self) -> None:
        self._listening.wait(60)
        assert self.port, "the server did not start:\n" + "".join(self.log)

    def errors(self) -> list[str]:
        return [line for line in self.log if " ERROR " in line or "panicked" in line]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Servers:
    """A server on each database; a context manager that removes both."""

    NAMES = ("SQLite", "PostgreSQL")

    def __init__(self, program: Path) -> None:
        self.program = program

    def __enter__(self) -> list[Server]:
        self.directory = Path(tempfile.mkdtemp(prefix="lectern-differential-"))
        self.database = PostgresDatabase()
        sqlite = f"sqlite://{self.directory}/lectern.db"
        urls = {"sqlite": sqlite, "postgres": self.database.url}
        self.servers = [Server(self.program, self.directory / name, url) for name, url in urls.items()]
        for server in self.servers:
            server.wait_until_it_listens()
        return self.servers

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.stop()
        self.database.drop()
        shutil.rmtree(self.directory)
