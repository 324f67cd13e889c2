"""Has a rendered lecture worked on by two `lectern work` beside a server, one of
which is killed in the middle, and compares what comes of it with what was
rendered.

    with-lectern postgres python3 tests/lecture/served.py PATH/TO/lectern

Needs what check.py needs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

from check import HERE, check, get, run

# How long a stage of a dead worker is nobody's, in seconds.
LEASE = 5


def post(address, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def upload(api, recording):
    announced = {"filename": recording.name, "file_size": recording.stat().st_size, "content_type": "video/mp4"}
    told = post(f"{api}/upload", announced)
    request = urllib.request.Request(told["upload_url"], recording.read_bytes(), method="PUT")
    request.add_header("Content-Type", "video/mp4")
    urllib.request.urlopen(request).close()
    post(f"{api}/upload/confirm", {"job_id": told["job_id"]})
    return told["job_id"]


def worker(lectern, name, scratch):
    command = [lectern, "work", f"--worker-name={name}", f"--lease={LEASE}", f"--scratch-dir={scratch}"]
    return subprocess.Popen(command)


def runs(api, job):
    return get(f"{api}/jobs/{job}/stages")["stages"]


def wait_for(what, seconds, so):
    """Waits until `so` gives something, and gives that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := so():
            return found
        time.sleep(0.1)
    raise SystemExit(f"{what} took longer than {seconds} s")


def fetch(results, out):
    """Puts the files of the results into a directory, under names of their own."""

    def take(owner, name, file):
        with urllib.request.urlopen(owner[name]) as answer:
            (out / file).write_bytes(answer.read())
        owner[name] = file

    for i, clip in enumerate(results["clips"]):
        for name, ending in (("url", "mp4"), ("thumbnail_url", "jpg"), ("subtitle_url", "vtt")):
            take(clip, name, f"{i}.{ending}")
    take(results["metadata"]["highlight_video"], "url", "highlights.mp4")


def main(lectern):
    api = os.environ["LECTERN"] + "/api/v1"
    with tempfile.TemporaryDirectory(prefix="lectern-lecture-") as directory:
        directory = Path(directory)
        run(sys.executable, HERE / "render.py", directory)
        truth = json.loads((directory / "truth.json").read_text())
        job = upload(api, directory / "lecture.mp4")
        workers = {name: worker(lectern, name, directory / name) for name in ("one", "two")}
        try:

            def in_the_middle():
                # A stage somebody has been on for a while.
                return [run for run in runs(api, job) if run["status"] == "running" and run["percent"] > 0]

            victim = wait_for("a stage", 120, in_the_middle)[0]
            workers[victim["worker"]].kill()
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
        print(f"{victim['stage']} was begun anew; the rest was done once")
        # What the dead worker had in its scratch space goes with the next start.
        results, out = get(f"{api}/results/{job}"), directory / "out"
        out.mkdir()
        fetch(results, out)
        check(truth, results, SimpleNamespace(address=api), out)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
