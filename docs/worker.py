#!/usr/bin/env python3
"""A worker for Lectern, to copy: Python 3.9 or later and nothing else.

    worker.py http://127.0.0.1:8080 --stages silence_detection,transcription

Replace the stages at the end with your own; workers.md explains the rest.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import wave
from array import array
from collections.abc import Callable
from http.client import HTTPException
from itertools import chain, groupby
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

log = logging.getLogger("worker")
CLAIM_WAIT = 5  # seconds a claim waits for work; also the longest an idle worker takes to stop
TIMEOUT = 30  # seconds without receiving a byte
MAX_TRIES = 15  # of one request within a stage; with the pauses, most of a minute
API_KEY = os.environ.get("LECTERN_API_KEY")  # of the role worker, if the server asks for keys
TRANSIENT = (OSError, HTTPException, ValueError)  # no response or an incomplete one: retry
stop_at = math.inf  # when a stage that is still running is given back; set by SIGTERM


class LeaseLost(Exception):
    """The stage does not belong to this worker any more: send nothing more for it."""


class Stopped(Exception):
    """The worker shuts down: give the stage back, which spends no attempt."""


class PermanentError(Exception):
    """Another attempt would fail, too. Stages can raise it."""


def send(request: Request, timeout: float = TIMEOUT) -> Any:
    try:
        return urlopen(request, timeout=timeout)
    except HTTPError as error:
        if error.code >= 500 or error.code in (408, 429):
            raise OSError(f"{error.code} {error.reason}") from None
        problem = error.read().decode(errors="replace")
        is_lost = '"lease_lost"' in problem or '"job_not_found"' in problem
        raise (LeaseLost if is_lost else PermanentError)(f"{error.code} {problem}") from None


def call(method: str, url: str, body: Any = None, lease: str = "", timeout: float = TIMEOUT) -> Any:
    headers = {"Content-Type": "application/json", **({"Lease-Id": lease} if lease else {})}
    if API_KEY:  # the URLs of recordings are signed and need none
        headers["Authorization"] = f"Bearer {API_KEY}"
    data = None if body is None else json.dumps(body).encode()
    with send(Request(url, data, headers, method=method), timeout) as response:
        return json.load(response)


def retry(attempt: Callable[[], Any], check: Callable[[], None], tries: float = math.inf) -> Any:
    """Repeats `attempt` with exponential backoff until it succeeds or `check` raises."""
    pause = 0.25
    while True:
        check()
        try:
            return attempt()
        except TRANSIENT as error:
            tries -= 1
            if not tries:
                raise
            log.warning("%s; retrying", error)
            time.sleep(pause * random.uniform(0.5, 1.0))  # with jitter
            pause = min(5.0, pause * 2)


class Work:
    """A claimed stage. A thread sends heartbeats while the stage runs."""

    def __init__(self, api: str, claim: dict[str, Any], lease: int, sent_at: float) -> None:
        self.api, self.job, self.stage = api, claim["job"], claim["stage"]
        self.source_url, self.lease_id = claim["source_url"], claim["lease_id"]
        self.path = f"/jobs/{self.job['job_id']}"
        self.name = f"{self.stage} of {self.job['job_id']}, attempt {claim['attempt']}"
        # On this clock, counted from sending the claim: never later than on the server's.
        self.lease, self.deadline = lease, sent_at + lease
        self.report: dict[str, Any] = {}
        self.results: dict[str, Any] = {}  # stored when the stage is completed, with its notes
        self.done = threading.Event()
        self.abort_reason: Exception | None = None  # why the stage has to end early

    def execute(self) -> None:
        log.info("%s: started", self.name)
        heartbeats = threading.Thread(target=self.send_heartbeats, daemon=True)
        heartbeats.start()
        try:
            with tempfile.TemporaryDirectory(prefix="lectern-") as self.dir:
                STAGES[self.stage](self)
            self.call("POST", f"/work/{self.lease_id}/complete", self.results)
            log.info("%s: completed", self.name)
        except LeaseLost as lost:
            log.warning("%s: abandoned: %s", self.name, lost)
        except Stopped:
            self.release()
        except Exception as error:
            log.exception("%s: failed", self.name)
            self.report_failure(error)
        finally:
            self.done.set()
            heartbeats.join()

    def release(self) -> None:
        self.abort_reason = None  # otherwise `check` would prevent this request
        try:
            self.call("POST", f"/work/{self.lease_id}/release")
            log.info("%s: given back, because the worker shuts down", self.name)
        except Exception as error:  # the lease will expire
            log.warning("%s: not given back: %s", self.name, error)

    def report_failure(self, failure: Exception) -> None:
        retryable = not isinstance(failure, PermanentError)
        body = {"error": str(failure) or repr(failure), "retryable": retryable}
        self.abort_reason = None  # otherwise `check` would prevent this request
        try:
            self.call("POST", f"/work/{self.lease_id}/fail", body)
        except Exception as error:  # the lease will expire
            log.warning("%s: failure not reported: %s", self.name, error)

    def send_heartbeats(self) -> None:
        """Extends the lease every third of it, and reports new progress every second."""
        sent, due = self.report, self.deadline - self.lease * 2 / 3
        url = f"{self.api}/work/{self.lease_id}/heartbeat"
        while not self.done.wait(min(1.0, self.lease / 6)):
            now, report = time.monotonic(), self.report
            try:
                if now >= stop_at:
                    raise Stopped("the worker is shutting down")
                if report is sent and now < due:
                    continue
                response = call("POST", url, report, timeout=min(10.0, self.lease / 3))
                if response["cancelled"]:
                    raise LeaseLost("the job was cancelled")
                sent, due, self.deadline = report, now + self.lease / 3, now + self.lease
            except TRANSIENT as error:
                log.warning("%s: heartbeat failed: %s", self.name, error)
            except Exception as error:
                self.abort_reason = error
                return

    # The methods for stages. They raise as soon as the stage has to end.

    def check(self) -> None:
        """Call it about once a second: a stage can only be ended by an exception in it."""
        if self.abort_reason:
            raise self.abort_reason
        if time.monotonic() >= self.deadline:
            raise LeaseLost("the lease has expired: no heartbeat succeeded")

    def progress(self, percent: float, message: str | None = None) -> None:
        """Call it as often as you like: the next heartbeat reports the latest values."""
        self.report = {"percent": max(0.0, min(100.0, percent)), "message": message}
        self.check()

    def get(self, output: str) -> Any:
        return self.call("GET", f"{self.path}/{output}")

    def put(self, output: str, body: dict[str, Any]) -> Any:
        return self.call("PUT", f"{self.path}/{output}", body)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        url = self.api + path
        return retry(lambda: call(method, url, body, self.lease_id), self.check, MAX_TRIES)

    def upload(self, filename: str, path: str) -> str:
        """Stores a file of the job, such as clips/1.mp4, and returns its key."""
        body = {"filename": filename, "file_size": os.path.getsize(path)}
        target = self.call("POST", f"/work/{self.lease_id}/objects", body)

        def send_file() -> None:
            with open(path, "rb") as file:
                headers = {"Content-Length": str(body["file_size"])}
                send(Request(target["upload_url"], file, headers, method="PUT")).close()

        retry(send_file, self.check, MAX_TRIES)
        return str(target["s3_key"])

    def recording(self) -> str:
        """Downloads the recording to a file, which is deleted when the stage ends."""
        path = os.path.join(self.dir, "recording")

        def download() -> None:
            with send(Request(self.source_url)) as source, open(path, "wb") as file:
                while piece := source.read(1 << 20):
                    self.check()
                    file.write(piece)
            if self.job["file_size"] not in (None, os.path.getsize(path)):
                raise OSError("the download is incomplete")

        if not self.source_url:
            raise PermanentError("the job has no recording")
        retry(download, self.check, MAX_TRIES)
        return path

    def run(self, *command: str) -> None:
        """Runs a program, and kills it if the stage has to end."""
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as program:
            try:
                while program.poll() is None:
                    self.check()
                    time.sleep(0.1)
            finally:
                program.kill()
        if program.returncode:
            raise RuntimeError(f"{command[0]} exited with {program.returncode}")


Stage = Callable[[Work], None]
STAGES: dict[str, Stage] = {}


def stage(name: str) -> Callable[[Stage], Stage]:
    """Registers a function for the stage of this name."""

    def register(function: Stage) -> Stage:
        STAGES[name] = function
        return function

    return register


# Stages that need no model: silence is measured, everything else is taken for speech, a topic
# ends at a long pause, and the topics with most speech become clips.

SILENCE_LEVEL = -40.0  # dBFS; sound below it is silence
MIN_SILENCE = 0.3  # seconds
TOPIC_PAUSE = 2.5  # seconds of silence that end a topic
MAX_CLIPS_LENGTH = 300.0  # seconds, of all clips together


def find_silences(work: Work) -> tuple[list[tuple[float, float]], float]:
    """The silences of the recording, and its length, in seconds."""
    path = work.recording()
    if shutil.which("ffmpeg"):  # without it, only WAV files can be read
        source, path = path, os.path.join(work.dir, "sound.wav")
        to_wav = ("-vn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", path)
        work.run("ffmpeg", "-nostdin", "-loglevel", "error", "-i", source, *to_wav)
    with wave.open(path, "rb") as sound:
        if sound.getsampwidth() != 2:
            raise RuntimeError("the samples do not have 16 bits")
        step = sound.getframerate() // 50
        limit, quiet = (32768 * 10 ** (SILENCE_LEVEL / 20)) ** 2, []
        while samples := array("h", sound.readframes(step)):
            if sys.byteorder == "big":
                samples.byteswap()
            quiet.append(sum(sample * sample for sample in samples) < limit * len(samples))
            work.progress(100 * sound.tell() / sound.getnframes())
        window, end = step / sound.getframerate(), sound.tell() / sound.getframerate()
    silences, count = [], 0
    for is_quiet, windows in groupby(quiet):
        start, count = count, count + len(list(windows))
        if is_quiet and (count - start) * window >= MIN_SILENCE:
            silences.append((round(start * window, 3), min(round(count * window, 3), end)))
    return silences, end


@stage("silence_detection")
def silence_detection(work: Work) -> None:
    silences, end = find_silences(work)
    kind = {"silence_type": "audio_silence", "amplitude_threshold": SILENCE_LEVEL}
    regions = [{"start_time": start, "end_time": end, **kind} for start, end in silences]
    work.put("silence-regions", {"regions": regions})
    work.results["video_duration"] = end


@stage("transcription")
def transcription(work: Work) -> None:
    """Only the times: the text of each segment is a placeholder."""
    silences, end = find_silences(work)
    edges = [0.0, *chain(*silences), end]
    speech = [(start, end) for start, end in zip(edges[::2], edges[1::2]) if start < end]
    segments = [{"start_time": start, "end_time": end, "text": "[speech]"} for start, end in speech]
    work.put("transcripts", {"segments": segments})


@stage("content_analysis")
def content_analysis(work: Work) -> None:
    topics: list[list[dict[str, Any]]] = []
    for segment in work.get("transcripts")["segments"]:
        if not topics or segment["start_time"] - topics[-1][-1]["end_time"] >= TOPIC_PAUSE:
            topics.append([])
        topics[-1].append(segment)
    segments, spoken = [], sum(segment["duration"] for topic in topics for segment in topic)
    for number, topic in enumerate(topics, 1):
        span = {"start_time": topic[0]["start_time"], "end_time": topic[-1]["end_time"]}
        share = sum(segment["duration"] for segment in topic) / (spoken or 1.0)
        segments.append({**span, "topic": f"Part {number}", "importance_score": min(share, 1.0)})
    work.put("content-segments", {"segments": segments})


@stage("segmentation")
def segmentation(work: Work) -> None:
    """A clip of each topic, the most important first, up to the length of all clips."""
    clips, left = [], MAX_CLIPS_LENGTH
    for topic in work.get("content-segments?top=100")["segments"]:
        if topic["duration"] <= left:
            left -= topic["duration"]
            clip = {"title": topic["topic"], "content_segment_id": topic["segment_id"]}
            clips.append({**clip, **{name: topic[name] for name in ("start_time", "end_time")}})
    work.put("clips", {"clips": clips})


@stage("compilation")
def compilation(work: Work) -> None:
    """Sorts the clips by time. A real stage would also cut and encode them."""
    keep = ("title", "content_segment_id", "start_time", "end_time")
    clips = sorted(work.get("clips")["clips"], key=lambda clip: clip["start_time"])
    work.put("clips", {"clips": [{name: clip[name] for name in keep} for clip in clips]})


def stop(grace: float) -> None:
    global stop_at
    stop_at = min(stop_at, time.monotonic() + grace)


def exit_if_stopped() -> None:
    if stop_at < math.inf:
        sys.exit()


def main() -> None:
    parser = argparse.ArgumentParser(description="A worker for Lectern.")
    parser.add_argument("server", help="such as http://127.0.0.1:8080")
    parser.add_argument("--stages", default=",".join(STAGES), help="separated by commas [all]")
    parser.add_argument("--name", default=f"{socket.gethostname()[:40]}-{os.getpid()}")
    parser.add_argument("--lease", type=int, default=60, help="duration of a lease in seconds [60]")
    parser.add_argument("--grace", type=float, default=20, help="seconds from SIGTERM to exit [20]")
    options = parser.parse_args()
    if unknown := set(options.stages.split(",")) - set(STAGES):
        parser.error(f"no function for {', '.join(sorted(unknown))}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: stop(options.grace))
    signal.signal(signal.SIGINT, lambda *_: stop(options.grace))

    api, stages = f"{options.server.rstrip('/')}/api/v1", options.stages.split(",")
    body = {
        "worker": options.name,
        "stages": stages,
        "lease_seconds": options.lease,
        "wait_seconds": CLAIM_WAIT,
    }

    def claim_work() -> tuple[float, Any]:
        timeout = CLAIM_WAIT + TIMEOUT
        return time.monotonic(), call("POST", f"{api}/work/claim", body, timeout=timeout)

    while True:
        sent_at, response = retry(claim_work, exit_if_stopped)
        for claim in response["claims"]:
            work = Work(api, claim, options.lease, sent_at)
            # The claim may have been waiting when the signal came.
            work.execute() if stop_at == math.inf else work.release()


if __name__ == "__main__":
    main()
