"""procrastinate as a queue: tasks that do nothing, deferred one by one and run by workers.

    python queue_peer.py schema                   creates the tables
    python queue_peer.py fill COUNT               defers many jobs at once
    python queue_peer.py serve CONCURRENCY        runs jobs until it is killed
    python queue_peer.py defer SECONDS CLIENTS    defers one job after the other
    python queue_peer.py rate EVENT               waits until no job is left; prints the jobs per
                                                  second since the first `deferred` or `started`
"""

import asyncio
import os
import sys
import time

from procrastinate import App, PsycopgConnector

app = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"], min_size=4, max_size=20))


@app.task(name="nothing")
async def nothing(n: int) -> None:
    pass


async def fill(count: int) -> None:
    await nothing.batch_defer_async(*({"n": n} for n in range(count)))


async def defer(seconds: float, clients: int) -> None:
    end = time.monotonic() + seconds
    deferred = 0

    async def client() -> None:
        nonlocal deferred
        while time.monotonic() < end:
            await nothing.defer_async(n=deferred)
            deferred += 1

    await asyncio.gather(*(client() for _ in range(clients)))


async def rate(first_event: str) -> None:
    fetch = app.connector.execute_query_one_async
    left = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing')) AS found"
    while (await fetch(left))["found"]:
        await asyncio.sleep(0.05)
    row = await fetch(
        """
        SELECT count(*) FILTER (WHERE type = 'succeeded')
               / extract(epoch FROM max(at) FILTER (WHERE type = 'succeeded')
                                    - min(at) FILTER (WHERE type::text = %(first)s))::float AS rate
        FROM procrastinate_events
        """,
        first=first_event,
    )
    print(row["rate"])


async def main(command: str, *arguments: str) -> None:
    async with app.open_async():
        if command == "schema":
            await app.schema_manager.apply_schema_async()
        elif command == "fill":
            await fill(int(float(arguments[0])))
        elif command == "serve":
            await app.run_worker_async(concurrency=int(arguments[0]), install_signal_handlers=False)
        elif command == "defer":
            await defer(float(arguments[0]), int(arguments[1]))
        elif command == "rate":
            await rate(arguments[0])
        else:
            sys.exit(__doc__)


asyncio.run(main(*sys.argv[1:]))
