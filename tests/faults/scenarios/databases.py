"""PostgreSQL crashes, hangs, or is behind a firewall that forgets connections; a server hangs in
the middle of a transaction."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from harness.client import Client
from harness.lectern import Lectern
from harness.postgres import Postgres
from harness.probes import Ask, Probe, longest, probing
from harness.proxy import Proxy

from .kills import count, missing, start_creators, stop, wait_for
from .scenario import Run, Scenario, a_recording

ANSWER = 4.0  # seconds, the promise for every request
READINESS = 1.0
# The clients are threads of one process on a busy machine.
LATE = 0.5
GRACE = 5


def requests(job: str) -> dict[str, Ask]:
    """One request of each kind of work with the database."""
    # Nobody claims the stages that store clips.
    clips = {"clips": [{"start_time": 0, "end_time": 1, "title": "hello"}]}
    claim = {"worker": "probe", "stages": ["compilation"]}
    path = f"/api/v1/jobs/{job}"
    return {
        "read": lambda client: client.get(path),
        "list": lambda client: client.get("/api/v1/jobs?include_total=true"),
        "events": lambda client: client.get(f"{path}/events?after=0"),
        "create": lambda client: client.post("/api/v1/jobs", a_recording("probe")),
        "change": lambda client: client.request("PATCH", path, {"filename": "changed.mp4"}),
        "replace": lambda client: client.put(f"{path}/clips", clips),
        "claim": lambda client: client.post("/api/v1/work/claim", claim),
    }


def readiness(server: Lectern) -> Probe:
    return Probe("/readyz", server.port, lambda client: client.get("/readyz"))


def probes_of(server: Lectern, job: str, clients: int = 4) -> list[Probe]:
    """By default, twice as many clients as the pool has connections."""
    asks = requests(job)
    return [Probe(name, server.port, ask) for name, ask in asks.items() for _ in range(clients)]


def wait_until_all_succeed(probes: list[Probe], seconds: float) -> None:
    began = time.monotonic()
    until = began + seconds
    while failing := [probe for probe in probes if probe.last_success < began]:
        if time.monotonic() > until:
            told = {probe.name: probe.statuses for probe in failing}
            raise AssertionError(f"no success within {seconds:.0f} s: {told}")
        time.sleep(0.05)


def a_job(client: Client) -> str:
    job: str = client.post("/api/v1/jobs", a_recording()).expect(201).json["job_id"]
    return job


def restarts(run: Run) -> str:
    postgres = run.postgres()
    server = run.serve(postgres.url())
    creators, ended = start_creators(server)
    crashes = run.times(10, 100)
    slowest = 0.0
    for _ in range(crashes):
        wait_for(creators, 12)
        postgres.crash()
        postgres.start()
        began = time.monotonic()
        wait_for(creators, 1)
        slowest = max(slowest, time.monotonic() - began)
    wait_for(creators, 12)
    stop(creators, ended)
    lost = missing(server, creators)
    assert not lost, f"{len(lost)} of {count(creators)} acknowledged jobs are missing: {lost[:3]}"
    tried = f"{crashes} crashes, {count(creators)} acknowledged jobs"
    return f"{tried}, the next write at most {slowest:.1f} s after PostgreSQL was back"


def frozen(run: Run) -> str:
    postgres = run.postgres()
    settings = {"LECTERN_SHUTDOWN_GRACE": str(GRACE)}
    server, stopping = (run.serve(postgres.url(), settings) for _ in range(2))
    job = a_job(server.client())
    probes, ready = probes_of(server, job), readiness(server)
    others = probes_of(stopping, job)
    seconds = run.times(15, 60)
    with probing(probes + [ready]):
        with probing(others):
            postgres.suspend()
            suspended = time.monotonic()
            time.sleep(2.0)
        # Its requests have ended; their database calls may not have.
        term = stopping.stop(GRACE + 2.0)
        time.sleep(max(0.0, seconds - (time.monotonic() - suspended)))
        postgres.resume()
        wait_until_all_succeed(probes, 10.0)
    for probe in probes:
        probe.check(ANSWER + LATE, 200, 201, 503)
    ready.check(READINESS + LATE, 200, 503)
    return (
        f"{seconds} s; the longest answer {longest(probes):.1f} s, /readyz {ready.longest:.1f} s, "
        f"SIGTERM {term:.1f} s"
    )


def forgotten(run: Run) -> str:
    postgres = run.postgres()
    proxy = Proxy(postgres.port)
    run.stack.callback(proxy.close)
    server = run.serve(postgres.url(proxy.port))
    job = a_job(server.client())
    probes, ready = probes_of(server, job), readiness(server)
    # Each call that was given up keeps a thread: the proxy's ends of the connections stay open,
    # so keepalives do not find out, as they would with a firewall.
    times, connections = run.times(2, 10), 0
    with probing(probes + [ready]):
        for _ in range(times):
            time.sleep(0.5)
            connections += proxy.forget()
            # A forgotten COPY keeps the job locked until the server ends it, after 30 s.
            wait_until_all_succeed(probes, 45.0)
    for probe in probes:
        probe.check(ANSWER + LATE, 200, 201, 503)
    ready.check(READINESS + LATE, 200, 503)
    return f"{times} ×, {connections} connections; the longest answer {longest(probes):.1f} s"


def hold_a_job(server: Lectern, postgres: Postgres, job: str) -> None:
    """Suspends the server in the middle of a transaction that has locked the job."""
    change = {"filename": "held.mp4"}
    path = f"/api/v1/jobs/{job}"
    with ThreadPoolExecutor(4) as threads:
        for _ in range(200):
            asked = [
                threads.submit(lambda: server.client(1.0).request("PATCH", path, change))
                for _ in range(8)
            ]
            time.sleep(0.01)
            server.suspend()
            time.sleep(0.2)
            free = "SELECT job_id FROM jobs FOR NO KEY UPDATE SKIP LOCKED"
            held = postgres.sql(f"SELECT job_id FROM jobs EXCEPT SELECT job_id FROM ({free}) free")
            if held:
                assert held == job, f"{held} instead of {job}"
                # The requests that wait for it end with their time-out.
                return
            server.resume()
            for one in asked:
                one.exception()
    raise AssertionError("the server was never suspended within a transaction")


def frozen_server(run: Run) -> str:
    postgres = run.postgres()
    suspended, *healthy = (run.serve(postgres.url()) for _ in range(3))
    client = healthy[0].client()
    held = a_job(client)
    jobs = [a_job(client) for _ in range(run.times(40, 400))]
    hold_a_job(suspended, postgres, held)
    seconds = run.times(8, 60)
    changed = [
        Probe("change of the held job", server.port, requests(held)["change"])
        for server in healthy
        for _ in range(20)
    ]
    # Each server changes a job of its own, so that only the held one is contended.
    others = zip(healthy, jobs)
    probes = [probe for server, other in others for probe in probes_of(server, other, clients=1)]
    ready = [readiness(server) for server in healthy]
    granted = 0
    with probing(changed + probes + ready):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            body = {"worker": "healthy", "stages": ["transcription"], "lease_seconds": 600}
            claimed = client.post("/api/v1/work/claim", body).expect(200)
            assert claimed.seconds <= ANSWER + LATE, f"a claim took {claimed.seconds:.1f} s"
            granted += len(claimed.json["claims"])
            time.sleep(seconds / len(jobs) / 2)
    # Under this load a claim takes a while, but all that waits for the held job takes none.
    assert granted >= seconds, f"{granted} ready stages were handed out in {seconds} s"
    for probe in probes:
        probe.check(ANSWER + LATE, 200, 201)
    for probe in ready:
        probe.check(READINESS + LATE, 200)
    for probe in changed:
        probe.check(ANSWER + LATE, 200, 503)
    return (
        f"{seconds} s, {granted} stages handed out; the longest answer {longest(probes):.1f} s, "
        f"of the held job {longest(changed):.1f} s"
    )


SCENARIOS = [
    Scenario(
        "postgres-crash",
        "PostgreSQL crashes and comes back while four clients create jobs",
        "Every acknowledged job is there; requests meanwhile are 503, and succeed again without a "
        "restart.",
        restarts,
    ),
    Scenario(
        "postgres-frozen",
        "PostgreSQL is suspended, under 28 clients",
        "Every request is answered within 4 s and `/readyz` within 1 s, and SIGTERM ends a server "
        "within its grace.",
        frozen,
    ),
    Scenario(
        "postgres-forgotten",
        "a firewall forgets all connections to PostgreSQL, under 28 clients",
        "Every request is answered within 4 s and `/readyz` within 1 s, and requests succeed again "
        "without a restart.",
        forgotten,
    ),
    Scenario(
        "frozen-server",
        "one of three servers is suspended in the middle of a transaction",
        "The others hand out work and answer within 4 s, and stay ready; only changes of the job "
        "that it holds are 503.",
        frozen_server,
    ),
]
