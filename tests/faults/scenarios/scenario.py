"""A fault, the promise that it tests, and what a run needs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.lectern import Lectern
from harness.postgres import Postgres


@dataclass
class Run:
    """One run of one scenario. What it starts ends with it."""

    program: Path
    directory: Path
    long: bool
    seed: int
    stack: ExitStack = field(default_factory=ExitStack)

    def times(self, short: int, long: int) -> int:
        return long if self.long else short

    @property
    def random(self) -> random.Random:
        return random.Random(self.seed)

    def postgres(self) -> Postgres:
        postgres = Postgres(self.directory / "cluster")
        self.stack.callback(postgres.close)
        return postgres

    def sqlite_url(self) -> str:
        return f"sqlite://{self.directory / 'lectern.db'}"

    def server(
        self,
        database_url: str | None = None,
        settings: dict[str, str] | None = None,
        prefix: list[str] | None = None,
    ) -> Lectern:
        """A server that was not started; on SQLite if there is no URL. All servers of a run share
        a data directory."""
        url = database_url or self.sqlite_url()
        server = Lectern(self.program, self.directory, url, settings, prefix)
        self.stack.callback(server.kill)
        return server

    def serve(
        self, database_url: str | None = None, settings: dict[str, str] | None = None
    ) -> Lectern:
        return self.server(database_url, settings).start()


@dataclass(frozen=True)
class Scenario:
    """`run` returns what was tried and measured, and raises an error if the promise is broken."""

    name: str
    fault: str
    promise: str
    run: Callable[[Run], str]


@contextmanager
def running(program: Path, directory: Path, long: bool, seed: int) -> Iterator[Run]:
    run = Run(program, directory, long, seed)
    with run.stack:
        yield run


def a_recording(name: str = "talk") -> dict[str, object]:
    return {"filename": f"{name}.mp4", "file_size": 1, "s3_key": f"recordings/{name}.mp4"}
