"""Checks in Chromium how good the pages are: for everyone, on every device, and with much to show.

    python tests/e2e/page_quality/check.py PATH/TO/lectern NODE_PACKAGES

NODE_PACKAGES is a directory in which tests/e2e/clients/package.json is installed. Needs the package
playwright, chromium, node, ffmpeg and a PostgreSQL server, which TEST_DATABASE_URL names.

Nothing is asserted about time; tests/bench/pages measures that.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "faults"))
sys.dont_write_bytecode = True

from accessibility import check_accessibility  # noqa: E402
from budgets import check_budgets  # noqa: E402
from lighthouse import Lighthouse  # noqa: E402
from long_recording import check_long_recording  # noqa: E402
from many_jobs import check_many_jobs  # noqa: E402
from signing_in import check_signing_in  # noqa: E402
from views import chromium, service_with_samples  # noqa: E402


def main(program: str, node_packages: str) -> None:
    lectern, packages = Path(program).resolve(), Path(node_packages).resolve()
    server = os.environ.get("TEST_DATABASE_URL", "")
    assert server, "start this program with target/debug/with-postgres"
    with (
        tempfile.TemporaryDirectory(prefix="lectern-quality-") as name,
        service_with_samples(lectern) as (service, samples),
        chromium() as browser,
    ):
        directory = Path(name)
        lighthouse = Lighthouse(packages, service, samples)
        try:
            check_accessibility(browser, service, samples, packages)
            check_budgets(browser, service, samples)
            check_signing_in(browser, service, samples)
            lighthouse.check()
        finally:
            lighthouse.end()
        check_long_recording(browser, service, directory)
        check_many_jobs(browser, lectern, directory, server)


if __name__ == "__main__":
    main(*sys.argv[1:])
