"""Breaks what a deployment can break, and checks that the promises of docs/reliability.md hold.

    python3 tests/faults PATH/TO/lectern                the short form, about four minutes
    python3 tests/faults PATH/TO/lectern --long         many more repetitions
    python3 tests/faults PATH/TO/lectern kill-sqlite    the named scenarios

Needs PostgreSQL, ffmpeg, faketime and strace, and root for disks of limited size. Prints a line per
scenario; exits with 1 if a promise is broken. The directory of a failed scenario is kept.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True

from catalog import SCENARIOS  # noqa: E402
from scenarios.scenario import Scenario, running  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/faults", description=__doc__.splitlines()[0])
    parser.add_argument("lectern", type=Path, help="the program")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("scenario", nargs="*", help=f"one of: {', '.join(names)}")
    parser.add_argument("--long", action="store_true", help="many more repetitions")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_intermixed_args()
    unknown = set(given.scenario) - set(names)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return given


def try_one(scenario: Scenario, program: Path, long: bool, seed: int) -> bool:
    """Runs a scenario in a directory of its own; whether its promise held."""
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix=f"lectern-faults-{scenario.name}-"))
    # PostgreSQL runs as another user.
    directory.chmod(0o755)
    try:
        with running(program, directory, long, seed) as run:
            tried = scenario.run(run)
    except Exception as error:
        text = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
        print(f"FAILED {scenario.name}, {time.monotonic() - began:.0f} s, see {directory}")
        print(f"  {scenario.promise}\n  {text}", flush=True)
        return False
    shutil.rmtree(directory)
    print(f"ok     {scenario.name}, {time.monotonic() - began:.0f} s: {tried}", flush=True)
    return True


def missing_rows() -> list[str]:
    """The rows of scenarios that docs/reliability.md does not describe as the catalog does."""
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    rows = [f"| `{one.name}` | {one.fault} | {one.promise} |" for one in SCENARIOS]
    return [row for row in rows if row not in page]


def main() -> int:
    given = arguments()
    # Ends like an error, so that every process that was started is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    program = given.lectern.resolve(strict=True)
    print(f"faults, --seed {given.seed}", flush=True)
    began, failed = time.monotonic(), []
    if missing := missing_rows():
        print("docs/reliability.md lacks:", *missing, sep="\n")
        failed.append("the documentation")
    for scenario in SCENARIOS:
        is_chosen = not given.scenario or scenario.name in given.scenario
        if is_chosen and not try_one(scenario, program, given.long, given.seed):
            failed.append(scenario.name)
    broken = ", ".join(failed) or "none"
    print(f"{time.monotonic() - began:.0f} s; promises broken: {broken}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
