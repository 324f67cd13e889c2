"""Lighthouse on the three pages, with both of its presets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from samples import Samples, Service

HERE = Path(__file__).resolve().parent
# Lighthouse's performance is a measure of time: tests/bench/pages has it.
CATEGORIES = ["accessibility", "best-practices", "seo"]
LEAST_SCORE = 0.95


class Lighthouse:
    """A process that visits pages while others do other things."""

    def __init__(
        self,
        node_packages: Path,
        service: Service,
        samples: Samples,
        categories: list[str] | None = None,
        runs: int = 1,
    ) -> None:
        chromium = shutil.which("chromium", path=f"{os.environ['PATH']}:/usr/sbin")
        assert chromium, "chromium is missing"
        self.categories = categories or CATEGORIES
        self.process = subprocess.Popen(
            ["node", HERE / "lighthouse.mjs", node_packages, chromium],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin
        paths = ["/", f"/jobs/{samples.complete}", "/operation"]
        order = {
            "urls": [f"{service.url}{path}" for path in paths],
            "headers": {"Authorization": f"Bearer {service.key}"},
            "categories": self.categories,
            "runs": runs,
        }
        self.process.stdin.write(json.dumps(order))
        self.process.stdin.close()
        self.process.stdin = None

    def reports(self) -> list[dict[str, Any]]:
        output, _ = self.process.communicate(timeout=600)
        assert self.process.returncode == 0, "lighthouse has failed"
        return json.loads(output)

    def check(self) -> None:
        """Every category of every page has the score."""
        for report in self.reports():
            low = [name for name, score in report["scores"].items() if score is None or score < LEAST_SCORE]
            assert not low, (report["url"], report["preset"], report["scores"], report["failures"])
            assert set(report["scores"]) == set(self.categories), report["scores"]
        print(f"lighthouse: {', '.join(self.categories)} of three pages are at least {LEAST_SCORE * 100:.0f}")

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
