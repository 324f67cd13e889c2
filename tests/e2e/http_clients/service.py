"""The server that the checks call, with requests and curl."""

from __future__ import annotations

import os
import subprocess
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

SERVER = os.environ["LECTERN"]
API = f"{SERVER}/api/v1"
TIMEOUT = 60.0  # seconds

session = requests.Session()


def call(method: str, url: str, status: int, **arguments: Any) -> requests.Response:
    """A response with this status; `url` may be a path."""
    response = session.request(method, urljoin(SERVER, url), timeout=TIMEOUT, **arguments)
    assert response.status_code == status, (method, url, response.status_code, response.text)
    return response


def create_job(**fields: Any) -> dict[str, Any]:
    job = {"filename": "talk.mp4", "file_size": 1, "s3_key": f"in/{uuid.uuid4()}", **fields}
    created: dict[str, Any] = call("POST", f"{API}/jobs", 201, json=job).json()
    return created


def results(job_id: str) -> dict[str, Any]:
    """Completes a job without a worker, and returns its results."""
    for status in ("running", "completed"):
        call("PATCH", f"{API}/jobs/{job_id}", 200, json={"status": status})
    found: dict[str, Any] = call("GET", f"{API}/results/{job_id}", 200).json()
    return found


def curl(*arguments: str | Path, cwd: Path | None = None) -> str:
    """The output of a command that succeeds."""
    command = ["curl", "--silent", "--show-error", "--fail", "--max-time", str(TIMEOUT), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=cwd).stdout
