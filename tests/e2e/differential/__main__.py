"""Sends the same random requests to a server on each database, and compares every answer.

    target/debug/with-postgres python3 tests/e2e/differential PATH/TO/lectern
    … PATH/TO/lectern --seed 7 --steps 300      one sequence again
    … PATH/TO/lectern --self-check              alters an answer, which has to be found

Without `--seed`, sends the sequences of fixed seeds and of a random one, which is printed. When
two answers differ, prints both and the shortest sequence found that ends with them. The number
of steps and the seed decide what is sent, and never the clock.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True

from comparison import Alteration, Difference, Pair, first_difference  # noqa: E402
from operations import LEFT_OUT  # noqa: E402
from operations.lists import every_state  # noqa: E402
from request import Answer, Request  # noqa: E402
from sequence import OPERATIONS, Sequence  # noqa: E402
from servers import Servers  # noqa: E402
from shortening import Shortener  # noqa: E402

SEEDS = [1, 2, 3, 4]
STEPS = 1200
SHORTENING_SECONDS = 120.0
# Of the last jobs, every state is compared at the end.
JOBS_AT_THE_END = 20


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/e2e/differential", description=__doc__.splitlines()[0])
    parser.add_argument("lectern", type=Path, help="the program")
    parser.add_argument("--seed", type=int, help="of the only sequence")
    parser.add_argument("--steps", type=int, default=STEPS, help="requests of a sequence")
    parser.add_argument(
        "--shorten",
        type=float,
        default=SHORTENING_SECONDS,
        metavar="SECONDS",
        help="time to shorten a sequence",
    )
    parser.add_argument("--self-check", action="store_true", help="alters an answer, which has to be found")
    return parser.parse_args()


def check_operations(pair: Pair) -> None:
    """Compares the OpenAPI documents, and checks that there are requests of each operation."""
    difference = first_difference(pair, [Request("getOpenapi", "GET", "/openapi.json")])
    assert difference is None, difference
    answer = pair.clients[0].send(Request("getOpenapi", "GET", "/openapi.json"), {})
    paths = json.loads(answer.body)["paths"].values()
    documented = {
        operation["operationId"]
        for path in paths
        for operation in path.values()
        if isinstance(operation, dict)
    }
    sent = set(OPERATIONS)
    missing = documented - sent - set(LEFT_OUT)
    assert not missing, f"no request is sent of {', '.join(sorted(missing))}: add it to operations/"
    unknown = {name for name in sent | set(LEFT_OUT) if " " not in name} - documented
    assert not unknown, f"not in the OpenAPI document: {', '.join(sorted(unknown))}"


@dataclass
class Run:
    """A sequence as it was sent."""

    seed: int
    sent: list[Request] = field(default_factory=list)
    # The steps of requests that were accepted and do more than read.
    changed: set[int] = field(default_factory=set)
    # How many answers had a status of 2xx, 3xx …
    statuses: Counter[int] = field(default_factory=Counter)
    # What ended it.
    difference: Difference | None = None


def run(program: Path, seed: int, steps: int, alter: Alteration | None) -> Run:
    done = Run(seed)
    sequence = Sequence(seed)
    began = time.monotonic()
    with Servers(program) as servers:
        pair = Pair(servers, alter)
        check_operations(pair)

        def send(request: Request) -> bool:
            """Whether the answers are the same."""
            done.sent.append(request)
            answer, done.difference = pair.send(request)
            done.statuses[answer.status // 100] += 1
            if answer.status < 300 and request.method not in ("GET", "HEAD"):
                done.changed.add(request.step)
            sequence.learn(request, answer)
            return done.difference is None

        for _ in range(steps):
            if not send(sequence.next()):
                return done
        sequence.planned = every_state(sequence.known.jobs[-JOBS_AT_THE_END:])
        while sequence.planned:
            if not send(sequence.next()):
                return done
        for name, server in zip(Servers.NAMES, servers, strict=True):
            assert not server.errors(), (
                f"seed {seed}: the server on {name} logged errors:\n{''.join(server.errors())}"
            )
            assert server.process.poll() is None, f"seed {seed}: the server on {name} ended"
    counts = ", ".join(f"{count} of {kind}xx" for kind, count in sorted(done.statuses.items()))
    seconds = time.monotonic() - began
    print(
        f"seed {seed}: the same answers to {len(done.sent)} requests ({counts}), {seconds:.0f} s", flush=True
    )
    return done


def report(program: Path, done: Run, steps: int, seconds: float, alter: Alteration | None) -> list[Request]:
    """Prints a difference and a short sequence that ends with it; returns that sequence."""
    found = done.difference
    assert found
    print(
        f"\n--seed {done.seed} --steps {steps}: the answers differ at step {found.request.step}\n{found}\n",
        flush=True,
    )
    shortener = Shortener(program, found, alter, seconds)
    short = shortener.shorten(done.sent, done.changed)
    repetitions = f"{shortener.repetitions} repetitions on new databases"
    print(f"{len(short)} of {len(done.sent)} requests, after {repetitions}:")
    print("\n".join(map(str, short)))
    print(shortener.found.changes(), flush=True)
    return short


def cancelled_twice(request: Request, answer: Answer) -> Answer:
    """As if a server counted only one cancelled job."""
    if request.operation == "getStats":
        answer.body = re.sub(rb'"cancelled":[2-9]', b'"cancelled":1', answer.body)
    return answer


def self_check(program: Path, seed: int, steps: int) -> int:
    """Checks that the altered answer is found, and the few requests that it takes."""
    done = run(program, seed, steps, cancelled_twice)
    found = done.difference
    assert found and found.request.operation == "getStats", "the altered answer was not found"
    short = report(program, done, steps, SHORTENING_SECONDS, cancelled_twice)
    operations = [request.operation for request in short]
    print(f"self-check: found, {len(done.sent)} requests shortened to {len(short)}: {', '.join(operations)}")
    # Five are needed: two jobs are created and cancelled, and counted. A busy machine has no time
    # to find out.
    return 0 if 5 <= len(short) < len(done.sent) / 4 else 1


def main() -> int:
    given = arguments()
    # Texts that were sent may have surrogates.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    program = given.lectern.resolve(strict=True)
    if given.self_check:
        return self_check(program, given.seed or SEEDS[0], given.steps)
    seeds = [given.seed] if given.seed is not None else [*SEEDS, random.randrange(1 << 32)]
    print(f"differential: {given.steps} steps of each of the seeds {', '.join(map(str, seeds))}", flush=True)
    for seed in seeds:
        done = run(program, seed, given.steps, None)
        if done.difference:
            report(program, done, given.steps, given.shorten, None)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
