"""What happens to the servers and to PostgreSQL while the clients run."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable

from harness.lectern import Lectern
from harness.postgres import Postgres

# Servers are suspended for longer than the shortest leases.
SUSPENDED = (0.3, 1.5)  # seconds
PAUSE = (0.1, 0.8)  # seconds


class Faults(threading.Thread):
    """Breaks one thing after the other, and repairs each before the next."""

    def __init__(self, servers: list[Lectern], postgres: Postgres | None, seed: int) -> None:
        super().__init__(name="faults", daemon=True)
        self.servers, self.postgres = servers, postgres
        self.random = random.Random(seed)
        self.ended = threading.Event()
        self.counts: Counter[str] = Counter()
        self.failure: BaseException | None = None
        self.faults: dict[Callable[[], None], int] = {self.kill: 4, self.suspend: 4}
        if postgres:
            self.faults |= {self.crash_postgres: 1, self.terminate_backends: 4}

    def run(self) -> None:
        try:
            # Each once, then at random.
            first = self.random.sample(list(self.faults), len(self.faults))
            while not self.ended.wait(self.random.uniform(*PAUSE)):
                fault = first.pop() if first else self.any()
                fault()
                self.counts[fault.__name__] += 1
        except BaseException as error:  # reported by the thread that waits for this one
            self.failure = error

    def any(self) -> Callable[[], None]:
        (fault,) = self.random.choices(list(self.faults), list(self.faults.values()))
        return fault

    def kill(self) -> None:
        server = self.random.choice(self.servers)
        server.kill()
        server.start()

    def suspend(self) -> None:
        server = self.random.choice(self.servers)
        server.suspend()
        self.ended.wait(self.random.uniform(*SUSPENDED))
        server.resume()

    def crash_postgres(self) -> None:
        assert self.postgres
        self.postgres.crash()
        self.ended.wait(self.random.uniform(0.0, 1.0))
        self.postgres.start()

    def terminate_backends(self) -> None:
        assert self.postgres
        self.postgres.terminate_backends()
