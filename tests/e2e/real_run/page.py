"""Runs the commands of a documentation page and compares their output with the page."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


def check_page(page: Path, timeout: float) -> int:
    """Runs all commands of a page in one shell; each JSON block of the page has to be contained
    in a JSON value of the output. Returns the number of command blocks."""
    text = page.read_text()
    commands, shown = blocks(text, "sh"), blocks(text, "json")
    script = "\n".join(["set -euo pipefail", *commands])
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr + done.stdout
    answers, at = [], 0
    while (at := done.stdout.find("{", at)) >= 0:
        answer, at = json.JSONDecoder().raw_decode(done.stdout, at)
        answers.append(answer)
    for part in map(json.loads, shown):
        assert any(is_within(part, answer) for answer in answers), f"{part}: {done.stdout}"
    return len(commands)


def blocks(text: str, language: str) -> list[str]:
    return [rest.split("```\n")[0] for rest in text.split(f"```{language}\n")[1:]]


def is_within(part: Any, whole: Any) -> bool:
    """Whether the whole contains everything in the part."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and is_within(part[name], whole[name]) for name in part)
    if isinstance(part, list) and isinstance(whole, list):
        return all(any(is_within(one, other) for other in whole) for one in part)
    return bool(part == whole)
