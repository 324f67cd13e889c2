"""Recordings that are not what they claim, given to the worker of a server."""

from __future__ import annotations

import json
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from harness.client import Client
from harness.lectern import Lectern
from harness.processes import peak_memory

from .disks import announce
from .scenario import Run, Scenario

MEMORY = 256 << 20
# Only what reads the recording itself.
PIPELINES = {"default": [{"stage": "silence_detection"}, {"stage": "layout_analysis"}]}
STREAMS = 100
TONE = ("-f", "lavfi", "-i", "sine=440:d=5")


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], check=True)


def wide(path: Path) -> None:
    """Two minutes whose single frames are small and, scaled to one width, are not."""
    ffmpeg(
        *("-f", "lavfi", "-i", "color=s=13000x2:r=1:d=125", "-c:v", "libx264"),
        *("-preset", "ultrafast", path),
    )


def long(seconds: float) -> Callable[[Path], None]:
    """Five seconds of sound in a Matroska file whose header names another duration."""

    def make(path: Path) -> None:
        ffmpeg(*TONE, "-c:a", "libopus", path)
        data = bytearray(path.read_bytes())
        # The element `Duration`: its id, its length, and milliseconds as a double.
        at = data.index(b"\x44\x89\x88") + 3
        data[at : at + 8] = struct.pack(">d", seconds * 1000)
        path.write_bytes(data)

    return make


def many_streams(path: Path) -> None:
    ffmpeg(*TONE, *["-map", "0:a"] * STREAMS, "-c:a", "pcm_s16le", path)


def no_recording(path: Path) -> None:
    path.write_text("This is no recording.\n")


RECORDINGS: dict[str, Callable[[Path], None]] = {
    "13000x2.mp4": wide,
    "years.mkv": long(9e12),
    "days.mkv": long(116 * 86_400),
    "streams.mkv": many_streams,
    "text.mp4": no_recording,
}


def recordings(run: Run) -> str:
    pipelines = run.directory / "pipelines.json"
    pipelines.write_text(json.dumps(PIPELINES))
    settings = {"LECTERN_PIPELINES": str(pipelines), "LECTERN_WITH_WORKER": "true"}
    server = run.serve(settings=settings)
    client, peaks = server.client(), dict[str, int]()
    ended = {}
    for name, make in RECORDINGS.items():
        path = run.directory / name
        make(path)
        job = upload(client, path)
        ended[name] = wait_for(server, client, job, peaks, run.times(60, 600))
    told = ", ".join(f"{name}: {how}" for name, how in ended.items())
    for program, peak in peaks.items():
        is_ours = program == "lectern"
        assert not is_ours or peak <= MEMORY, f"{program} had {peak >> 20} MiB; {told}"
    memory = ", ".join(f"{name} {peak >> 20} MiB" for name, peak in sorted(peaks.items()))
    return f"{told}; peak memory: {memory}"


def upload(client: Client, path: Path) -> str:
    data = path.read_bytes()
    kind = {".mp4": "video/mp4", ".mkv": "video/x-matroska"}[path.suffix]
    _, job, there = announce(client, len(data), path.name, kind)
    client.put(there, data, headers={"Content-Type": kind}).expect(200)
    client.post("/api/v1/upload/confirm", {"job_id": job}).expect(200)
    return job


def wait_for(
    server: Lectern, client: Client, job: str, peaks: dict[str, int], seconds: float
) -> str:
    """How the job ended. It must not take the server with it, nor a second attempt."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        code = server.running.poll()
        assert code is None, f"the server ended with {code}:\n{server.log()[-1000:]}"
        note_memory(server.pid, peaks)
        found = client.get(f"/api/v1/jobs/{job}").expect(200).json
        if found["status"] in ("completed", "failed"):
            stages = client.get(f"/api/v1/jobs/{job}/stages").expect(200).json["stages"]
            attempts = [stage["attempt"] for stage in stages]
            assert max(attempts) <= 1, f"{found['filename']} was tried again: {attempts}"
            assert found["status"] == "completed" or found["error_message"], "no reason"
            return str(found["error_message"] or "completed")
        time.sleep(0.05)
    raise AssertionError(f"{found['filename']} was not judged within {seconds:.0f} s: {found}")


def note_memory(pid: int, peaks: dict[str, int]) -> None:
    """Remembers the peaks of a process and of its children, by the name of the program."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        peaks[name] = max(peaks.get(name, 0), peak_memory(pid))
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                note_memory(int(child), peaks)
    except (OSError, AssertionError):
        pass  # It has ended.


SCENARIOS = [
    Scenario(
        "recordings",
        "a picture of 13000×2 pixels, headers that claim 9·10¹² s and 116 days, 100 streams, text",
        "The server lives, no attempt is repeated, the job says why it failed, and neither the "
        "server nor its worker needs more than 256 MiB.",
        recordings,
    ),
]
