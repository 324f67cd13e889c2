#!/usr/bin/env python3
"""A worker for Lectern, to copy: Python 3.9 or later and nothing else.

    worker.py http://127.0.0.1:8080 --stages silence_detection,transcription

Replace the stages at the end by your own; workers.md says why the rest is as it is.
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
WAIT = 5  # seconds a claim waits for work: an idle worker stops within them
TIMEOUT = 30  # seconds without a byte after which a connection is given up
TRIES = 15  # of a request within a stage, which takes most of a minute
AWAY = (OSError, HTTPException, ValueError)  # no answer, or half of one: ask again
stop_at = math.inf  # from when on what is not done is given back; set by SIGTERM


class Lost(Exception):
    """The stage is not ours any more: leave it as it is."""


class Hopeless(Exception):
    """Another attempt would not end better. For stages to raise, too."""


def ask(request: Request, timeout: float = TIMEOUT) -> Any:
    try:
        return urlopen(request, timeout=timeout)
    except HTTPError as error:
        if error.code >= 500 or error.code in (408, 429):
            raise OSError(f"{error.code} {error.reason}") from None
        problem = error.read().decode(errors="replace")
        is_lost = '"lease_lost"' in problem or '"job_not_found"' in problem
        raise (Lost if is_lost else Hopeless)(f"{error.code} {problem}") from None


def call(method: str, url: str, body: Any = None, lease: str = "", timeout: float = TIMEOUT) -> Any:
    headers = {"Content-Type": "application/json", **({"Lease-Id": lease} if lease else {})}
    data = None if body is None else json.dumps(body).encode()
    with ask(Request(url, data, headers, method=method), timeout) as answer:
        return json.load(answer)


def insist(send: Callable[[], Any], check: Callable[[], None], tries: float = math.inf) -> Any:
    """Tries until there is an answer, more and more slowly, unless `check` raises."""
    pause = 0.25
    while True:
        check()
        try:
            return send()
        except AWAY as error:
            tries -= 1
            if not tries:
                raise
            log.warning("%s; trying again", error)
            time.sleep(pause * random.uniform(0.5, 1.0))  # not everybody at once
            pause = min(5.0, pause * 2)


class Work:
    """A claimed stage, as its function gets it. A thread keeps the lease meanwhile."""

    def __init__(self, api: str, claim: dict[str, Any], lease: int, asked: float) -> None:
        self.api, self.job, self.stage = api, claim["job"], claim["stage"]
        self.source_url, self.lease_id = claim["source_url"], claim["lease_id"]
        self.path = f"/jobs/{self.job['job_id']}"
        self.name = f"{self.stage} of {self.job['job_id']}, attempt {claim['attempt']}"
        # By our clock, from when we asked: never later than by the server's.
        self.lease, self.deadline = lease, asked + lease
        self.report: dict[str, Any] = {}
        self.done = threading.Event()
        self.why: Exception | None = None  # to end before it is done

    def perform(self) -> None:
        log.info("%s: begun", self.name)
        heart = threading.Thread(target=self.beat, daemon=True)
        heart.start()
        try:
            with tempfile.TemporaryDirectory(prefix="lectern-") as self.dir:
                STAGES[self.stage](self)
            self.call("POST", f"/work/{self.lease_id}/complete")
            log.info("%s: completed", self.name)
        except Lost as lost:
            log.warning("%s: left: %s", self.name, lost)
        except Exception as error:
            log.exception("%s: failed", self.name)
            self.give_back(error)
        finally:
            self.done.set()
            heart.join()

    def give_back(self, error: Exception) -> None:
        body = {"error": str(error) or repr(error), "retryable": not isinstance(error, Hopeless)}
        self.why = None  # this has still to get through
        try:
            self.call("POST", f"/work/{self.lease_id}/fail", body)
        except Exception as why:  # the lease will expire
            log.warning("%s: not given back: %s", self.name, why)

    def beat(self) -> None:
        """Extends the lease in good time, and every second when there is news."""
        told, due = self.report, self.deadline - self.lease * 2 / 3
        url = f"{self.api}/work/{self.lease_id}/heartbeat"
        while not self.done.wait(min(1.0, self.lease / 6)):
            now, report = time.monotonic(), self.report
            try:
                if now >= stop_at:
                    raise RuntimeError("the worker is shutting down")
                if report is told and now < due:
                    continue
                answer = call("POST", url, report, timeout=min(10.0, self.lease / 3))
                if answer["cancelled"]:
                    raise Lost("the job was cancelled")
                told, due, self.deadline = report, now + self.lease / 3, now + self.lease
            except AWAY as error:
                log.warning("%s: no heartbeat: %s", self.name, error)
            except Exception as why:
                self.why = why
                return

    # What stages call. All of it raises as soon as there is no use in going on.

    def check(self) -> None:
        """To be called every second or so: nobody can stop a function from outside."""
        if self.why:
            raise self.why
        if time.monotonic() >= self.deadline:
            raise Lost("the lease has expired, no heartbeat got through")

    def progress(self, percent: float, message: str | None = None) -> None:
        """As often as you like: the next heartbeat takes the latest along."""
        self.report = {"percent": max(0.0, min(100.0, percent)), "message": message}
        self.check()

    def get(self, output: str) -> Any:
        return self.call("GET", f"{self.path}/{output}")

    def put(self, output: str, body: dict[str, Any]) -> Any:
        return self.call("PUT", f"{self.path}/{output}", body)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        url = self.api + path
        return insist(lambda: call(method, url, body, self.lease_id), self.check, TRIES)

    def recording(self) -> str:
        """Downloads the recording, to a file that is gone when the stage is done."""
        path = os.path.join(self.dir, "recording")

        def download() -> None:
            with ask(Request(self.source_url)) as source, open(path, "wb") as file:
                while piece := source.read(1 << 20):
                    self.check()
                    file.write(piece)
            if self.job["file_size"] not in (None, os.path.getsize(path)):
                raise OSError("the download broke off")

        if not self.source_url:
            raise Hopeless("the job has no recording")
        insist(download, self.check, TRIES)
        return path

    def run(self, *command: str) -> None:
        """Runs a program, and kills it when the work has to end."""
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as program:
            try:
                while program.poll() is None:
                    self.check()
                    time.sleep(0.1)
            finally:
                program.kill()
        if program.returncode:
            raise RuntimeError(f"{command[0]} ended with {program.returncode}")


Stage = Callable[[Work], None]
STAGES: dict[str, Stage] = {}


def stage(name: str) -> Callable[[Stage], Stage]:
    """Makes a function the one that does the stage of this name."""

    def register(function: Stage) -> Stage:
        STAGES[name] = function
        return function

    return register


# The stages, as real as they can be without a model: silence is measured, speech is whatever
# is not silent, a topic ends at a long pause, and the fullest topics become clips.

QUIET = -40.0  # dBFS; what stays below is silence
SHORTEST = 0.3  # seconds of silence that count
LONG = 2.5  # seconds of silence that end a topic
HIGHLIGHTS = 300.0  # seconds the clips may take together


def listen(work: Work) -> tuple[list[tuple[float, float]], float]:
    """The silences of the recording, and its length, in seconds."""
    path = work.recording()
    if shutil.which("ffmpeg"):  # without it, WAV files are all that can be heard
        source, path = path, os.path.join(work.dir, "sound.wav")
        to_wav = ("-vn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", path)
        work.run("ffmpeg", "-nostdin", "-loglevel", "error", "-i", source, *to_wav)
    with wave.open(path, "rb") as sound:
        if sound.getsampwidth() != 2:
            raise RuntimeError("these are not samples of 16 bits")
        step = sound.getframerate() // 50
        limit, quiet = (32768 * 10 ** (QUIET / 20)) ** 2, []
        while samples := array("h", sound.readframes(step)):
            if sys.byteorder == "big":
                samples.byteswap()
            quiet.append(sum(sample * sample for sample in samples) < limit * len(samples))
            work.progress(100 * sound.tell() / sound.getnframes())
        window, end = step / sound.getframerate(), sound.tell() / sound.getframerate()
    silences, count = [], 0
    for is_quiet, windows in groupby(quiet):
        start, count = count, count + len(list(windows))
        if is_quiet and (count - start) * window >= SHORTEST:
            silences.append((round(start * window, 3), min(round(count * window, 3), end)))
    return silences, end


@stage("silence_detection")
def silence_detection(work: Work) -> None:
    silences, end = listen(work)
    kind = {"silence_type": "audio_silence", "amplitude_threshold": QUIET}
    regions = [{"start_time": start, "end_time": end, **kind} for start, end in silences]
    work.put("silence-regions", {"regions": regions})
    work.call("PATCH", work.path, {"video_duration": end})


@stage("transcription")
def transcription(work: Work) -> None:
    """Not what is said, but when."""
    silences, end = listen(work)
    edges = [0.0, *chain(*silences), end]
    speech = [(start, end) for start, end in zip(edges[::2], edges[1::2]) if start < end]
    segments = [{"start_time": start, "end_time": end, "text": "[speech]"} for start, end in speech]
    work.put("transcripts", {"segments": segments})


@stage("content_analysis")
def content_analysis(work: Work) -> None:
    topics: list[list[dict[str, Any]]] = []
    for segment in work.get("transcripts")["segments"]:
        if not topics or segment["start_time"] - topics[-1][-1]["end_time"] >= LONG:
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
    """A clip of each topic, the most important first, until there is enough."""
    clips, left = [], HIGHLIGHTS
    for topic in work.get("content-segments?top=100")["segments"]:
        if topic["duration"] <= left:
            left -= topic["duration"]
            clip = {"title": topic["topic"], "content_segment_id": topic["segment_id"]}
            clips.append({**clip, **{name: topic[name] for name in ("start_time", "end_time")}})
    work.put("clips", {"clips": clips})


@stage("compilation")
def compilation(work: Work) -> None:
    """Puts the clips in the order of the recording. Yours would also cut them."""
    keep = ("title", "content_segment_id", "start_time", "end_time")
    clips = sorted(work.get("clips")["clips"], key=lambda clip: clip["start_time"])
    work.put("clips", {"clips": [{name: clip[name] for name in keep} for clip in clips]})


def stop(grace: float) -> None:
    global stop_at
    stop_at = min(stop_at, time.monotonic() + grace)


def go_when_stopped() -> None:
    if stop_at < math.inf:
        sys.exit()


def main() -> None:
    parser = argparse.ArgumentParser(description="A worker for Lectern.")
    parser.add_argument("server", help="such as http://127.0.0.1:8080")
    parser.add_argument("--stages", default=",".join(STAGES), help="by commas [all]")
    parser.add_argument("--name", default=f"{socket.gethostname()[:40]}-{os.getpid()}")
    parser.add_argument("--lease", type=int, default=60, help="seconds it may be unheard of [60]")
    parser.add_argument("--grace", type=float, default=20, help="seconds to finish in [20]")
    options = parser.parse_args()
    if unknown := set(options.stages.split(",")) - set(STAGES):
        parser.error(f"it has no function for {', '.join(sorted(unknown))}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: stop(options.grace))
    signal.signal(signal.SIGINT, lambda *_: stop(options.grace))

    api, stages = f"{options.server.rstrip('/')}/api/v1", options.stages.split(",")
    wanted = {"worker": options.name, "stages": stages, "lease_seconds": options.lease}

    def claim_some() -> tuple[float, Any]:
        body = {**wanted, "wait_seconds": WAIT}
        return time.monotonic(), call("POST", f"{api}/work/claim", body, timeout=WAIT + TIMEOUT)

    while True:
        asked, answer = insist(claim_some, go_when_stopped)
        for claim in answer["claims"]:
            Work(api, claim, options.lease, asked).perform()


if __name__ == "__main__":
    main()
