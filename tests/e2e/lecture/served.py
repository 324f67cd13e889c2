"""Processes a rendered lecture with a server and two `lectern work`, one of which
is killed during a stage, and compares the results with the rendered content.

    with-lectern postgres python3 tests/e2e/lecture/served.py PATH/TO/lectern DIR

DIR is what render.py has written. Needs what check.py needs.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

from check import check, get

# The duration of leases in seconds: how long a stage of a killed worker is blocked.
LEASE = 15


def post(address, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def upload(api, recording):
    announcement = {"filename": recording.name, "file_size": recording.stat().st_size, "content_type": "video/mp4"}
    announced = post(f"{api}/upload", announcement)
    request = urllib.request.Request(announced["upload_url"], recording.read_bytes(), method="PUT")
    request.add_header("Content-Type", "video/mp4")
    urllib.request.urlopen(request).close()
    post(f"{api}/upload/confirm", {"job_id": announced["job_id"]})
    return announced["job_id"]


def worker(lectern, name, scratch):
    settings = {"worker-name": name, "concurrency": 1, "lease": LEASE, "scratch-dir": scratch}
    return subprocess.Popen([lectern, "work", *(f"--{setting}={value}" for setting, value in settings.items())])


def runs(api, job):
    return get(f"{api}/jobs/{job}/stages")["stages"]


def running(api, job):
    """The stages that have been running for a while."""
    return [run for run in runs(api, job) if run["status"] == "running" and run["percent"] > 0]


def kill_in_the_middle(api, job, workers):
    """Kills a worker in the middle of a stage; returns the stage, or None if none is running."""
    for run in running(api, job):
        process = workers[run["worker"]]
        # A stopped worker cannot complete the stage, but it may have completed it just before.
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        try:
            if any(still["stage"] == run["stage"] for still in running(api, job)):
                process.kill()
                return run
        finally:
            process.send_signal(signal.SIGCONT)


def wait_for(what, seconds, find):
    """Waits until `find` returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.1)
    raise SystemExit(f"{what} took longer than {seconds} s")


def fetch(results, out):
    """Downloads the files of the results and replaces each URL in them by the name of its file."""

    def download(owner, name, file):
        with urllib.request.urlopen(owner[name]) as answer:
            (out / file).write_bytes(answer.read())
        owner[name] = file

    for i, clip in enumerate(results["clips"]):
        for name, ending in (("url", "mp4"), ("thumbnail_url", "jpg"), ("subtitle_url", "vtt")):
            download(clip, name, f"{i}.{ending}")
    download(results["metadata"]["highlight_video"], "url", "highlights.mp4")


def main(lectern, rendered):
    api = os.environ["LECTERN"] + "/api/v1"
    with tempfile.TemporaryDirectory(prefix="lectern-lecture-") as directory:
        directory = Path(directory)
        truth = json.loads((rendered / "truth.json").read_text())
        job = upload(api, rendered / "lecture.mp4")
        workers = {name: worker(lectern, name, directory / name) for name in ("one", "two")}
        try:
            victim = wait_for("a stage", 120, lambda: kill_in_the_middle(api, job, workers))
            state = wait_for(
                "the job", 600, lambda: (state := get(f"{api}/jobs/{job}"))["status"] in ("completed", "failed") and state
            )
            assert state["status"] == "completed", state
        finally:
            for process in workers.values():
                process.terminate()
            codes = {name: process.wait(60) for name, process in workers.items()}
        assert codes.pop(victim["worker"]) == -9 and set(codes.values()) == {0}, codes
        attempts = {run["stage"]: run["attempt"] for run in runs(api, job)}
        again = [stage for stage, attempt in attempts.items() if attempt > 1]
        assert again == [victim["stage"]], attempts
        print(f"{victim['stage']} ran twice, the other stages once")
        # The next start removes the scratch files of the killed worker.
        results, out = get(f"{api}/results/{job}"), directory / "out"
        out.mkdir()
        fetch(results, out)
        check(truth, results, SimpleNamespace(address=api), out)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]))
