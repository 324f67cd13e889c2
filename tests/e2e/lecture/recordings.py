"""Takes recordings of every kind through `lectern process`: without sound or
picture, rotated, damaged, other files; and with every source of a transcript. Checks
each time that the output directory holds the clips of this recording and no others.
Then interrupts the program while it writes them.

    python3 tests/e2e/lecture/recordings.py PATH/TO/lectern

Needs ffmpeg and flite.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from check import Server, get, length, run
from served import upload, wait_for

SAID = "It has been said before."
CUE = f"1\n00:00:01,000 --> 00:00:04,500\n{SAID}\n"
TOPIC = "What was said"


def ffmpeg(*arguments):
    run("ffmpeg", "-v", "error", "-y", *arguments)


def render(directory):
    """Renders half a minute of picture and sound, and variants of it."""
    picture = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=30"]
    sound = ["-f", "lavfi", "-i", "sine=440:d=30,volume='if(between(t,10,13),0,1)':eval=frame"]
    ffmpeg(*picture, *sound, "-c:v", "libx264", "-c:a", "aac", directory / "whole.mp4")
    ffmpeg(*picture, "-c:v", "libx264", directory / "silent.mp4")
    ffmpeg(*sound, "-c:a", "aac", directory / "audio.m4a")
    ffmpeg("-i", directory / "whole.mp4", "-c", "copy", "-metadata:s:v", "rotate=90", directory / "turned.mp4")
    ffmpeg(
        *picture, *sound, "-vf", "select='not(mod(n,3))+between(t,5,9)'", "-vsync", "vfr",
        "-c:v", "libx264", "-c:a", "aac", directory / "uneven.mp4",
    )  # fmt: skip
    ffmpeg("-i", directory / "whole.mp4", "-c", "copy", directory / "broken.mkv")
    with open(directory / "broken.mkv", "r+b") as file:
        file.truncate((directory / "broken.mkv").stat().st_size // 2)
    with open(directory / "headless.mp4", "wb") as file:
        file.write((directory / "whole.mp4").read_bytes()[:50_000])
    (directory / "text.mp4").write_text("This is no recording.\n")
    (directory / "empty.mp4").touch()
    (directory / "said.srt").write_text(CUE)
    ffmpeg(
        "-i", directory / "whole.mp4", "-i", directory / "said.srt", "-c", "copy", "-c:s", "mov_text",
        directory / "track.mp4",
    )  # fmt: skip


def without_subtitles(directory):
    """A PATH with an ffmpeg that cannot write subtitles."""
    tools = directory / "tools"
    tools.mkdir()
    script = f'#!/bin/sh\ncase "$*" in *webvtt*) exit 1;; esac\nexec {shutil.which("ffmpeg")} "$@"\n'
    (tools / "ffmpeg").write_text(script)
    (tools / "ffmpeg").chmod(0o755)
    return f"{tools}:{os.environ['PATH']}"


class Service(BaseHTTPRequestHandler):
    """A stub of OpenAI's API. The first transcription is a 503, and every second
    chat completion is malformed. A 401 quotes the rejected request."""

    chats = hearings = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != "Bearer secret":
            who = self.headers["Authorization"]
            return self.answer(401, {"error": f"who are you, {who}, and what is {self.path}?"})
        if self.path == "/v1/audio/transcriptions":
            Service.hearings += 1
            if Service.hearings == 1:
                return self.answer(503, {"error": "later"}, {"Retry-After": "0"})
            assert b"RIFF" in body and b"verbose_json" in body
            return self.answer(200, {"segments": [{"start": 1.0, "end": 4.5, "text": f" {SAID}"}]})
        Service.chats += 1
        part = {
            "start_time": 1.0, "end_time": 4.5, "topic": TOPIC, "description": "", "importance_score": 0.9,
            "keywords": ["said"], "concepts": [],
        }  # fmt: skip
        content = {"segments": [part]} if Service.chats % 2 == 0 else {"parts": [part]}
        message = {"role": "assistant", "content": json.dumps(content)}
        self.answer(200, {"choices": [{"index": 0, "message": message}]})

    def answer(self, status, content, headers={}):
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Lectern:
    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.own = set()

    def keep(self, name):
        """Writes a file of the user into the output directory."""
        (self.directory / "out" / name).write_text("mine")
        self.own.add(name)

    def has(self, job):
        """Whether the storage has objects of a job."""
        return (self.directory / "data/objects/jobs" / job).exists()

    def command(self, name, *options):
        directories = [f"--out={self.directory / 'out'}", f"--data-dir={self.directory / 'data'}"]
        return list(map(str, [self.program, "process", self.directory / name, *directories, *options]))

    def process(self, name, *options, fresh=True, **settings):
        """The results of a recording, or the last line of the error output."""
        out = self.directory / "out"
        command = self.command(name, *options, *["--fresh"] * fresh)
        env = os.environ | settings
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
        if done.returncode:
            assert done.returncode == 1, done.stderr
            return None, done.stderr.strip().splitlines()[-1]
        results = json.loads((out / "results.json").read_text())
        for clip in results["clips"]:
            assert abs(length(out / clip["url"]) - clip["duration"]) <= 0.1, clip
        self.check_directory(out, results)
        return results, None

    def check_directory(self, out, results):
        """Checks that the directory holds the files named by the results and those of the user."""
        named = {clip[name] for clip in results["clips"] for name in ("url", "thumbnail_url", "subtitle_url")}
        if reel := results["metadata"]["highlight_video"]:
            named.add(reel["url"])
        named |= {"results.json", "transcript.srt", "transcript.txt", "transcript.vtt", ".lectern-job"}
        there = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()}
        assert there - self.own == named - {None}, (there, named)
        assert all((out / name).read_text() == "mine" for name in self.own), self.own

    def stops(self, name):
        """Interrupts the program while it writes the clips: it is blocked because
        nothing reads its output."""
        part, last = self.directory / "out/clips/.part", self.directory / "out/transcript.txt"
        os.mkfifo(part)
        last.unlink()
        command = self.command(name)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            while not last.exists():
                assert process.poll() is None, process.stderr.read()
            process.send_signal(signal.SIGINT)
            said = next(line for line in process.stderr if "SIGINT" in line)
            with open(part, "rb") as reader:
                reader.read()
            said += process.stderr.read()
        assert process.returncode == 1 and "interrupted" in said, (process.returncode, said)
        assert not part.exists()

    def refuses_a_busy_directory(self, name):
        """Refuses an output directory that another process uses."""
        other = os.open(self.directory / "out", os.O_RDONLY)
        fcntl.flock(other, fcntl.LOCK_EX)
        self.refuses(name, "out is in use by another `lectern process`")
        os.close(other)

    def serves(self, name):
        """A server runs its own worker unless `--with-worker=false`."""
        for options, has_one in (["--with-worker=false"], False), ([], True), (["--with-worker"], True):
            with Server(self.program, self.directory / "served", *options) as server:
                if options == []:
                    job = upload(server.address, self.directory / name)
                    state = wait_for("the job", 120, lambda: ended(get(f"{server.address}/jobs/{job}")))
                    assert state["status"] == "completed", state
                    results = get(f"{server.address}/results/{job}")
                    assert [segment["text"] for segment in results["transcript"]] == [SAID], results
                    assert len(results["clips"]) == 1, results
            assert bool(re.search("worker .* runs silence_detection, ", server.log)) == has_one, server.log

    def refuses(self, name, why, **how):
        results, error = self.process(name, **how)
        assert results is None and re.search(why, error), (name, error)

    def takes(self, name, *options, clips=1, said=None, topic=None, **settings):
        results, error = self.process(name, *options, **settings)
        assert error is None, (name, error)
        assert len(results["clips"]) == clips, (name, results["clips"])
        heard = [segment["text"] for segment in results["transcript"]]
        if said is not None:
            assert heard == said, (name, heard)
        if topic is not None:
            assert results["clips"][0]["title"] == topic, (name, results["clips"][0])
        return results


def ended(job):
    return job["status"] in ("completed", "failed") and job


def main(program):
    with tempfile.TemporaryDirectory(prefix="lectern-recordings-") as directory:
        directory = Path(directory)
        render(directory)
        lectern = Lectern(program, directory)
        # A tone has no speech; the recognizer is not needed.
        without_speech = {"LECTERN_TRANSCRIBE_COMMAND": "true {audio}"}

        lectern.refuses("text.mp4", "silence_detection: not a media file")
        lectern.refuses("headless.mp4", "silence_detection: not a media file")
        lectern.refuses("empty.mp4", "is empty")
        lectern.refuses("nowhere.mp4", "cannot read .*nowhere.mp4")

        earlier = lectern.takes("whole.mp4", said=[], **without_speech)["job_id"]
        job = lectern.takes("whole.mp4", said=[], **without_speech)["job_id"]
        assert job != earlier and lectern.has(job) and not lectern.has(earlier)
        lectern.keep("clips/01-mine.mp4")
        lectern.keep("notes.txt")
        results = lectern.takes("silent.mp4", said=[])
        assert results["metadata"]["layout"] is not None
        results = lectern.takes("audio.m4a", said=[], **without_speech)
        assert results["metadata"]["layout"] is None and results["clips"][0]["thumbnail_url"] is None
        lectern.takes("turned.mp4", **without_speech)
        lectern.takes("uneven.mp4", **without_speech)
        lectern.takes("broken.mkv", **without_speech)

        lectern.takes("track.mp4", said=[SAID])
        (directory / "whole.srt").write_text(CUE)
        lectern.takes("whole.mp4", said=[SAID])
        (directory / "whole.srt").write_text("Dear all,\n")
        lectern.refuses("whole.mp4", "transcription: .*whole.srt: line 1: ")
        (directory / "whole.srt").unlink()
        # Other subtitles beside it make another recording of it.
        without_speech |= {"fresh": False}
        silent = lectern.takes("whole.mp4", said=[], **without_speech)
        assert lectern.takes("whole.mp4", said=[], **without_speech)["job_id"] == silent["job_id"]
        (directory / "whole.json").write_text("{}, I think")
        lectern.takes("whole.mp4", said=[], **without_speech)
        (directory / "whole.json").unlink()
        (directory / "whole.srt").write_text(CUE)
        lectern.takes("whole.mp4", said=[SAID], **without_speech)
        (directory / "whole.srt").unlink()
        lectern.takes("whole.mp4", said=[], **without_speech)
        lectern.stops("whole.mp4")
        lectern.refuses_a_busy_directory("whole.mp4")
        lectern.takes("whole.mp4", said=[], **without_speech)
        with open(directory / "whole.srt", "wb") as file:
            file.truncate((64 << 20) + 1)
        lectern.refuses("whole.mp4", "transcription: .*whole.srt is longer than 64 MiB")
        (directory / "whole.srt").unlink()
        writes = f"cp {directory / 'said.srt'} {{out}}.srt # {{audio}}"
        writes = f"--transcribe-command=sh -c '{writes}'"
        lectern.takes("whole.mp4", writes, said=[SAID])
        # A track that cannot be read is no reason not to listen.
        path = without_subtitles(directory)
        lectern.takes("track.mp4", said=[], PATH=path, **without_speech)
        lectern.takes("track.mp4", writes, said=[SAID], PATH=path)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = f"http://127.0.0.1:{server.server_port}/v1"
        hears = f"--transcribe-url={service}/audio/transcriptions"
        chats = f"--chat-url={service}/chat/completions"
        keys = {"LECTERN_TRANSCRIBE_KEY": "secret", "LECTERN_CHAT_KEY": "secret"}
        lectern.takes("whole.mp4", hears, chats, said=[SAID], topic=TOPIC, **keys)
        assert (Service.hearings, Service.chats) == (2, 2), (Service.hearings, Service.chats)
        # Without its key the service refuses: the topics are found without it.
        lectern.takes("track.mp4", chats, said=[SAID])
        hears = hears.replace("//", "//nobody:password@") + "?api-key=mellon"
        _, error = lectern.process("whole.mp4", hears, LECTERN_TRANSCRIBE_KEY="sesame")
        assert f"{service}/audio/transcriptions answered 401" in error, error
        assert not re.search("sesame|password|mellon", error), error
        server.shutdown()

        # What is there may be the user's as long as nothing says that it is not.
        (directory / "out" / ".lectern-job").unlink()
        lectern.refuses("whole.mp4", "transcript.vtt was not written by `lectern process`")

        lectern.serves("track.mp4")
        print("every recording came to what it had to")


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
