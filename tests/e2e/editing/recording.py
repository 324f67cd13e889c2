"""A recording with known silences, a transcript with the times of its words, and its job."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from harness.client import Client

API = "/api/v1"
SECONDS = 60
TIMEOUT = 120.0
# A tone that pauses for a second every 20 seconds.
TONE = "if(lt(mod(t,20),1),0,0.3*sin(2*PI*440*t))"
# Lines of 3.5 seconds, each with three words. No word begins or ends beside a silence.
LINES = [
    {
        "start_time": start,
        "end_time": start + 3.5,
        "text": f"First{i} second{i} third{i}",
        "words": [
            {"start": start, "end": start + 0.75, "text": f"First{i}"},
            {"start": start + 1, "end": start + 2, "text": f"second{i}"},
            {"start": start + 2.25, "end": start + 3.5, "text": f"third{i}"},
        ],
    }
    for i, start in enumerate(1.25 + 4 * i for i in range(14))
]


def make_recording(directory: Path) -> Path:
    """A recording in formats that every browser plays."""
    recording = directory / "recording.webm"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=10:d={SECONDS}")
    sound = ("-f", "lavfi", "-i", f"aevalsrc='{TONE}':d={SECONDS}")
    codecs = ("-c:v", "libvpx", "-deadline", "realtime", "-g", "10", "-c:a", "libopus")
    subprocess.run(["ffmpeg", "-v", "error", *picture, *sound, *codecs, recording], check=True)
    return recording


class Job:
    """A job of a server with a worker."""

    def __init__(self, client: Client, filename: str, content: bytes) -> None:
        self.client = client
        upload = {"filename": filename, "file_size": len(content), "content_type": "video/webm"}
        announced = self.send("POST", "/upload", upload)
        self.job_id = announced["job_id"]
        url = announced["upload_url"].split(str(client.port), 1)[1]
        client.put(url, content, headers={"Content-Type": "video/webm"}).expect(200)

    def confirm(self) -> None:
        self.send("POST", "/upload/confirm", {"job_id": self.job_id})

    def send(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, f"{API}{path}", body)
        return answer.expect(200, 201, 204).json

    def of_job(self, method: str, path: str = "", body: Any = None) -> Any:
        return self.send(method, f"/jobs/{self.job_id}{path}", body)

    def clips(self) -> list[dict[str, Any]]:
        return self.of_job("GET", "/clips")["clips"]

    def clip(self, title: str) -> dict[str, Any]:
        (found,) = [clip for clip in self.clips() if clip["title"] == title]
        return found

    def wait_until(self, status: str) -> None:
        until = time.monotonic() + TIMEOUT
        after = 0
        while (now := self.of_job("GET")["status"]) != status:
            assert time.monotonic() < until, f"the job is {now} and not {status}"
            # An answer comes with the next event.
            headers = {"Accept": "application/json", "Prefer": "wait=5"}
            path = f"{API}/jobs/{self.job_id}/events?after={after}"
            events = self.client.get(path, headers=headers).expect(200).json["events"]
            after = events[-1]["seq"] if events else after
