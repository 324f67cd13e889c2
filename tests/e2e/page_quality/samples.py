"""A server with recordings in every state, such as the pages show them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from harness.client import Client
from harness.lectern import Lectern

API = "/api/v1"
STAGES = [
    "silence_detection",
    "transcription",
    "layout_analysis",
    "content_analysis",
    "segmentation",
    "compilation",
]
# The length of the recording that was processed, in seconds.
SECONDS = 3120
LINES = 400
SAID = [
    "Welcome back. Last week we looked at how a table is stored on the disk, page by page.",
    "Today's question is why a query that returns one row may read all of them.",
    "So what does an index change? It is a second copy of some columns, sorted.",
    "Sorted data can be searched in a number of steps that grows with the logarithm of its size.",
    "Yes, exactly, and every write has to change that copy, too.",
    "That is the price: reads become faster, writes become slower.",
    "Let us look at the plan. The planner estimates that forty rows match.",
    "Could you go back to the slide before this one?",
    "Of course. Here is the tree again, with three levels and about two hundred entries in each node.",
]
TOPICS = [
    ("How tables are stored", "Pages, rows and free space: what the database reads to find a row.", 0.35),
    ("Why indexes help", "A sorted copy of a column is searched in few steps.", 0.9),
    ("The price of an index", "Each write changes the index, too.", 0.6),
    ("Reading a query plan", "Estimates, real numbers, and what to do when they differ.", 0.8),
    ("Composite indexes", "The order of the columns decides which queries are helped.", 0.7),
    ("Questions", None, 0.2),
]
CLIPS = [
    ("Why a query for one row reads all of them", 600, 655),
    ("What does an index change?", 700, 790),
    ("The price: writes become slower", 1290, 1345),
    ("Estimates and reality", 1800, 1910),
    ("Which column comes first?", 2350, 2420),
]
FAILURE = (
    "ffmpeg could not read the recording: Invalid data found when processing input "
    "(moov atom not found) in /srv/recordings/2026/seminar-on-query-planning.mp4"
)


def make_recording(directory: Path, seconds: int) -> Path:
    """A recording of this length with a picture a second, in formats that every browser plays. A
    minute is encoded, and repeated."""
    minute, recording = directory / "minute.webm", directory / f"recording-{seconds}.webm"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=1:d=60")
    sound = ("-f", "lavfi", "-i", "sine=frequency=220:duration=60")
    codecs = ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "20k", "-g", "10")
    opus = ("-c:a", "libopus", "-b:a", "8k", "-frame_duration", "60", "-ac", "1")
    _ffmpeg(*picture, *sound, *codecs, *opus, minute)
    repeated = ("-stream_loop", str(seconds // 60), "-i", minute, "-c", "copy", "-t", str(seconds))
    _ffmpeg(*repeated, recording)
    return recording


def make_picture(directory: Path, name: str, size: str, at: int = 7) -> bytes:
    picture = directory / name
    source = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=1:d=60", "-ss", str(at), "-frames:v", "1")
    _ffmpeg(*source, "-update", "1", picture)
    return picture.read_bytes()


def _ffmpeg(*options: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *options], check=True, timeout=120, stdin=subprocess.DEVNULL)


def lines(count: int, seconds: float) -> list[dict[str, Any]]:
    """The lines of a transcript, each about as long as all others."""
    length = seconds / count
    return [
        {
            "start_time": round(i * length, 3),
            "end_time": round((i + 0.9) * length, 3),
            "text": SAID[i % len(SAID)],
            "speaker_id": ("Prof. Lindqvist", "Prof. Lindqvist", "Student", "Tutor")[i % 4],
            "confidence": 0.9,
        }
        for i in range(count)
    ]


class Service:
    """A server with keys, and requests to it as an admin."""

    def __init__(self, program: Path, directory: Path, database: str, settings: dict[str, str] | None = None) -> None:
        settings = {"LECTERN_AUTH": "keys", "LECTERN_DURABILITY": "relaxed", **(settings or {})}
        self.lectern = Lectern(program, directory, database, settings)
        self.key = self.new_key("--role", "admin")
        self.lectern.start()
        self.url = f"http://127.0.0.1:{self.lectern.port}"

    @property
    def client(self) -> Client:
        """A new connection: the server closes one that is idle between two checks."""
        return self.lectern.client()

    def new_key(self, *options: str) -> str:
        done = self.lectern.run("keys", "new", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        answer = self.client.request(method, f"{API}{path}", body, headers)
        return answer.expect(200, 201, 204).json

    def page(self, path: str) -> str:
        """A page as a browser gets it."""
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "text/html"}
        return self.client.get(path, headers=headers).expect(200).body.decode()

    def put_object(self, url: str, content: bytes) -> None:
        self.client.put(url.removeprefix(self.url), content, headers={"Content-Type": "application/octet-stream"}).expect(200)

    def create(self, filename: str, **more: Any) -> str:
        body = {"filename": filename, "file_size": 734003200, "s3_key": f"recordings/{filename[:200]}", **more}
        return self.send("POST", "/jobs", body)["job_id"]

    def upload(self, filename: str, recording: Path, content_type: str, **more: Any) -> str:
        content = recording.read_bytes()
        body = {"filename": filename, "file_size": len(content), "content_type": content_type, **more}
        announced = self.send("POST", "/upload", body)
        headers = {"Content-Type": content_type}
        self.client.put(announced["upload_url"].removeprefix(self.url), content, headers=headers).expect(200)
        self.send("POST", "/upload/confirm", {"job_id": announced["job_id"]})
        return announced["job_id"]

    def complete(self, job_id: str, seconds: float) -> None:
        """Completes a job as a worker with a queue of its own does."""
        self.send("POST", f"/jobs/{job_id}/progress", {"stage": "transcription", "percent": 90})
        self.send("PATCH", f"/jobs/{job_id}", {"status": "completed", "video_duration": seconds})

    def claim(self, job_id: str, stage: str, worker: str) -> str:
        """The lease of a stage of this job, which is put before all others for it."""
        self.send("PATCH", f"/jobs/{job_id}", {"priority": 1_000_000})
        body = {"worker": worker, "stages": [stage], "lease_seconds": 3600}
        claims = self.send("POST", "/work/claim", body)["claims"]
        assert [claim["job"]["job_id"] for claim in claims] == [job_id], claims
        self.send("PATCH", f"/jobs/{job_id}", {"priority": 0})
        return claims[0]["lease_id"]

    def store(self, lease: str, filename: str, content: bytes) -> str:
        announced = self.send("POST", f"/work/{lease}/objects", {"filename": filename, "file_size": len(content)})
        self.put_object(announced["upload_url"], content)
        return announced["s3_key"]

    def stop(self) -> None:
        self.lectern.stop()
        assert " ERROR " not in self.lectern.log(), self.lectern.log()


class Samples:
    """Recordings in every state."""

    def __init__(self, service: Service, directory: Path) -> None:
        self.service, self.directory = service, directory
        recording = make_recording(directory, SECONDS)
        self.queued = service.create("Introduction to relational algebra.mp4")
        self.cancelled = service.create("rehearsal.mov")
        service.send("POST", f"/jobs/{self.cancelled}/cancel", {})
        self.sound = self._sound()
        announced = {"filename": "Guest talk.mp4", "file_size": 912_000_000, "content_type": "video/mp4"}
        self.pending = service.send("POST", "/upload", announced)["job_id"]
        long_name = "2026-11-28_Kolloquium_Datenbankoptimierung_und_Anfrageplanung_Aufzeichnung_Hörsaal-3_final.mp4"
        self.failed = service.create(long_name)
        self._fail()
        self.running = service.create("Lecture 8 – Transactions.mp4")
        self._run()
        self.complete = service.upload("Lecture 7 – Why indexes help.webm", recording, "video/webm")
        self._complete()

    def _sound(self) -> str:
        sound = self.directory / "seminar.wav"
        _ffmpeg("-f", "lavfi", "-i", "sine=frequency=220:duration=20", "-ar", "8000", sound)
        job = self.service.upload("Seminar discussion.wav", sound, "audio/wav")
        self.service.send("PUT", f"/jobs/{job}/transcripts", {"segments": lines(5, 20)})
        self.service.complete(job, 20)
        return job

    def _fail(self) -> None:
        lease = self.service.claim(self.failed, "silence_detection", "worker-1")
        self.service.send("POST", f"/work/{lease}/fail", {"error": FAILURE, "retryable": False})

    def _run(self) -> None:
        silences = self.service.claim(self.running, "silence_detection", "worker-1")
        self.service.send("POST", f"/work/{silences}/complete", {})
        self.lease = self.service.claim(self.running, "transcription", "transcription-3.workers.eu-central.internal")
        self.heartbeat(41)

    def heartbeat(self, percent: float) -> None:
        """The progress of the recording that is being worked on."""
        self.service.send("POST", f"/work/{self.lease}/heartbeat", {"percent": percent, "message": "minute 21 of 52"})

    def _complete(self) -> None:
        send, job = self.service.send, self.complete
        send("PATCH", f"/jobs/{job}", {"video_duration": SECONDS})
        for stage in STAGES:
            lease = self.service.claim(job, stage, "worker-1")
            done = getattr(self, f"_{stage}")(lease) or {}
            send("POST", f"/work/{lease}/complete", done)
            entry = {"stage": stage, "status": "completed", "agent_name": "lectern 1.0", "duration_seconds": 12.4}
            send("POST", f"/jobs/{job}/logs", entry)

    def _put(self, lease: str, output: str, body: Any) -> Any:
        return self.service.send("PUT", f"/jobs/{self.complete}/{output}", body, **{"Lease-Id": lease})

    def _silence_detection(self, lease: str) -> None:
        regions = [
            {"start_time": start, "end_time": start + 2 + start % 5, "silence_type": "audio_silence"}
            for start in range(20, SECONDS - 20, 25)
        ]
        self._put(lease, "silence-regions", {"regions": regions})
        points = 1560
        loud = [(i * 37 % 90) + 20 if i % 12 else 2 for i in range(points)]
        waveform = {"version": 2, "channels": 1, "sample_rate": 8000, "samples_per_pixel": 8000 * SECONDS // points}
        waveform |= {"bits": 8, "length": points, "data": [part for peak in loud for part in (-peak, peak)]}
        self.service.store(lease, "waveform.json", json.dumps(waveform).encode())
        self.service.store(lease, "thumbnails.jpg", make_picture(self.directory, "thumbnails.jpg", "160x90"))
        clock = f"00:{SECONDS // 60}:00.000"
        cues = f"WEBVTT\n\n00:00.000 --> {clock}\nthumbnails.jpg#xywh=0,0,160,90\n"
        self.service.store(lease, "thumbnails.vtt", cues.encode())

    def _transcription(self, lease: str) -> None:
        self._put(lease, "transcripts", {"segments": lines(LINES, SECONDS)})

    def _layout_analysis(self, lease: str) -> None:
        screen, camera = [{"x": x, "y": y, "width": w, "height": h} for x, y, w, h in [(0, 0, 320, 180), (240, 130, 70, 45)]]
        body = {"layout_type": "picture_in_picture", "confidence_score": 0.9}
        self._put(lease, "layout-analysis", body | {"screen_region": screen, "camera_region": camera})

    def _content_analysis(self, lease: str) -> None:
        length = SECONDS / len(TOPICS)
        segments = [
            {
                "start_time": i * length,
                "end_time": (i + 1) * length,
                "topic": topic,
                "description": description,
                "importance_score": score,
            }
            for i, (topic, description, score) in enumerate(TOPICS)
        ]
        self._put(lease, "content-segments", {"segments": segments})

    def _segmentation(self, lease: str) -> None:
        clips = [
            {"title": title, "start_time": start, "end_time": end, "importance_score": 0.9 - i / 10}
            for i, (title, start, end) in enumerate(CLIPS)
        ]
        self._put(lease, "clips", {"clips": clips})

    def _compilation(self, lease: str) -> dict[str, Any]:
        clips = self.service.send("GET", f"/jobs/{self.complete}/clips")["clips"]
        files = []
        for i, clip in enumerate(clips[:4]):
            name = f"clips/{clip['clip_id']}"
            picture = make_picture(self.directory, "clip.jpg", "640x360", i * 5)
            files.append(
                {
                    "clip_id": clip["clip_id"],
                    "s3_key": self.service.store(lease, f"{name}.mp4", b"a clip"),
                    "thumbnail_s3_key": self.service.store(lease, f"{name}.jpg", picture),
                }
            )
        return {"clip_files": files}
