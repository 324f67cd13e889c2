"""Takes recordings of every kind through `lectern process`: without sound or
picture, rotated, damaged, and files that are not recordings; and with every source of
a transcript. Checks each time that the output directory holds the files of this
recording and no others. Also interrupts the program while it writes them.

    python3 tests/e2e/lecture/recordings.py PATH/TO/lectern

Needs ffmpeg, flite and a font, such as DejaVu.
"""

import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from check import Server, get, length, run
from flashes import check_synchronous, ffmpeg
from layouts import check_layouts, render_layouts
from missing_parts import check_missing_parts, render_missing_parts
from served import upload, wait_for

SAID = "It has been said before."
OTHERWISE = "It has been said otherwise."
CUE = f"1\n00:00:01,000 --> 00:00:04,500\n{SAID}\n"
TOPIC = "What was said"


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
    ffmpeg(
        "-f", "lavfi", "-i", "color=black:s=13000x2:r=1:d=125", "-c:v", "libx264", "-preset", "ultrafast",
        directory / "stripe.mp4",
    )  # fmt: skip
    ffmpeg("-i", directory / "whole.mp4", "-c", "copy", directory / "eons.mkv")
    claim_duration(directory / "eons.mkv", 9e12)
    (directory / "text.mp4").write_text("This is no recording.\n")
    (directory / "empty.mp4").touch()
    (directory / "said.srt").write_text(CUE)
    ffmpeg(
        "-i", directory / "whole.mp4", "-i", directory / "said.srt", "-c", "copy", "-c:s", "mov_text",
        directory / "track.mp4",
    )  # fmt: skip


def render_unusual(directory):
    """Renders recordings whose picture, sound or clock changes at 50 s, and others whose
    sound is not where players look for it. There is a flash and a beep every four seconds."""
    beep = "aevalsrc='if(lt(mod(t,4),0.12),0.6*sin(6283*t),0.06*(random(0)-0.5))':s=48000:d=100"
    flash = "color=gray:s=320x180:r=25:d=100,drawbox=color=white:t=fill:enable='lt(mod(t,4),0.12)'"
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "100"]
    base = directory / "base.mkv"
    ffmpeg("-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep, *x264, "-c:a", "pcm_s16le", base)

    def append(name, first, second, offset=50):
        parts = []
        for start, length, options in (0, 50, first), (50 if offset else 48, 52, second):
            part = directory / "part.ts"
            ffmpeg("-ss", start, "-t", length, "-i", base, *x264, *options, "-f", "mpegts", part)
            parts.append(part.read_bytes())
        (directory / name).write_bytes(b"".join(parts))

    aac, after = ["-c:a", "aac"], ["-output_ts_offset", "50"]
    append("sizes.ts", aac, [*aac, "-vf", "scale=426:240", *after])
    ffmpeg("-i", directory / "sizes.ts", "-c", "copy", "-bsf:a", "aac_adtstoasc", directory / "sizes.mp4")
    ac3 = ["-c:a", "ac3", "-ac"]
    append("channels.ts", [*ac3, "2"], [*ac3, "6", *after])
    append("rates.ts", [*ac3[:2], "-ar", "48000"], [*ac3[:2], "-ar", "32000", *after])
    append("clocks.ts", aac, aac, offset=None)
    ffmpeg(
        "-i", base, "-f", "lavfi", "-i", "anullsrc=cl=stereo", "-map", "0:v", "-map", "1:a", "-map", "0:a",
        *x264, *aac, "-t", "100", directory / "microphone.mkv",
    )  # fmt: skip
    for name, pan in ("right", "c1=c0"), ("inverted", "c0=c0|c1=-1*c0"):
        ffmpeg("-i", base, "-af", f"pan=stereo|{pan}", *x264, *aac, directory / f"{name}.mp4")
    ffmpeg(
        "-i", base, "-af", "atrim=end=60,asetpts=PTS+300/TB,aresample=async=1:first_pts=0,apad=whole_dur=660",
        "-vf", "tpad=stop=-1:stop_mode=clone", *x264, "-r", "10", *aac, "-t", "660", directory / "padded.mp4",
    )  # fmt: skip


SAND = [
    "Sand is rock that water and wind have ground to small grains.",
    "The grains of sand are between a tenth of a millimetre and two millimetres wide.",
    "Wind moves the grains of sand in small jumps over the ground.",
    "Where the wind becomes weak, the sand falls and a dune grows.",
]
CLAY = [
    "Clay is made of flakes that are so small that nobody can see them.",
    "Wet clay can be formed, because water lets its flakes slide.",
    "Fire makes clay hard, because its flakes grow together in the heat.",
    "Bricks, cups and tiles are clay that was in the fire.",
]


def render_chapters(directory):
    """Renders a recording of 100 seconds with two chapters, and subtitles beside it."""
    marks = "\n".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}"
        for start, end, title in ((0, 41_500, "eBay’s sand & dunes"), (41_500, 100_000, "Chapter 2"))
    )
    (directory / "marks.txt").write_text(f";FFMETADATA1\n{marks}\n")
    chapters = ["-i", directory / "marks.txt", "-map", "0", "-map_chapters", "1", "-c:v", "copy", "-c:a", "aac"]
    ffmpeg("-i", directory / "base.mkv", *chapters, directory / "chapters.mp4")
    (directory / "chapters.srt").write_text(
        "".join(
            f"{i + 1}\n00:{10 * i // 60:02}:{10 * i % 60:02},000 --> 00:{10 * i // 60:02}:{10 * i % 60 + 9:02},000\n{text}\n\n"
            for i, text in enumerate(SAND + CLAY)
        )
    )


def check_chapters(lectern):
    """Checks that topics are the chapters of a recording, with and without a transcript."""
    name = "chapters.mp4"

    def topics(results, note):
        notes = [text["message"] for text in results["notes"] if text["stage"] == "content_analysis"]
        assert any(note in text for text in notes), notes
        with Server(lectern.program, lectern.directory / "data", "--with-worker=false") as server:
            found = get(f"{server.address}/jobs/{results['job_id']}/content-segments")["segments"]
        return [(topic["start_time"], round(topic["end_time"]), topic["topic"]) for topic in found]

    first = (0, 42, "eBay’s sand & dunes")
    results = lectern.check(name, "--keep", clips=None, said=SAND + CLAY)
    found = topics(results, "topics are the recording's 2 chapters")
    assert found[0] == first and found[1][:2] == (41.5, 100), found
    assert "Chapter" not in found[1][2] and len(found[1][2]) > 3, found
    assert [clip["title"] for clip in results["clips"]][0] == first[2], results["clips"]
    (lectern.directory / "chapters.srt").unlink()
    results = lectern.check(name, "--keep", clips=None, said=[], LECTERN_TRANSCRIBE_COMMAND="true {audio}")
    found = topics(results, "topics are 1 of the recording's 2 chapters")
    assert found == [first], found
    assert all(clip["title"].startswith(first[2]) for clip in results["clips"]), results["clips"]


def render_voice(directory):
    """Renders a sentence every eight seconds, in noise that is nearly as loud. Returns the ends of the sentences."""
    inputs, filters, ends = [], [], []
    for i, text in enumerate(SAND + CLAY):
        file = directory / f"voice{i}.wav"
        run("flite", "-voice", "slt", "-t", text, "-o", file)
        inputs += ["-i", file]
        filters.append(f"[{i}:a]aresample=48000,volume=-3dB,adelay={8000 * i}[v{i}];")
        ends.append(8 * i + length(file))
    labels = "".join(f"[v{i}]" for i in range(len(ends)))
    noise = "anoisesrc=color=pink:sample_rate=48000:seed=3:amplitude=0.3:d=64[n];"
    mix = f"{noise}{labels}[n]amix=inputs={len(ends) + 1}:normalize=0,atrim=end=64[a]"
    ffmpeg(*inputs, "-filter_complex", "".join(filters) + mix, "-map", "[a]", "-c:a", "aac", directory / "voice.m4a")
    return ends


def check_voice(lectern, ends):
    """Checks that pauses are found in noise of which the level shows none."""
    transcribes = {"LECTERN_TRANSCRIBE_COMMAND": "true {audio}"}
    results = lectern.check("voice.m4a", "--keep", clips=None, said=[], **transcribes)
    notes = [text["message"] for text in results["notes"] if text["stage"] == "silence_detection"]
    assert any("a detector of voices has found them" in text for text in notes), notes
    with Server(lectern.program, lectern.directory / "data", "--with-worker=false") as server:
        job = f"{server.address}/jobs/{results['job_id']}"
        silences = get(f"{job}/silence-regions?silence_type=audio_silence")["regions"]
    for i, end in enumerate(ends):
        pause = (end, 8 * (i + 1))
        silent = sum(max(0, min(pause[1], s["end_time"]) - max(pause[0], s["start_time"])) for s in silences)
        spoken = sum(max(0, min(end, s["end_time"]) - max(8 * i, s["start_time"])) for s in silences)
        assert silent > (pause[1] - pause[0]) / 2 and spoken < 0.35 * (end - 8 * i), (i, pause, silences)


def render_fields(directory):
    """Renders 40 seconds of two fields per picture, which says that it is progressive."""
    bar = "color=gray:s=720x576:r=50[a];color=white:s=60x400:r=50[b];[a][b]overlay=x='mod(300*t,660)':y=80"
    options = ["-vf", "interlace=scan=tff,setfield=prog", "-c:v", "libx264", "-preset", "ultrafast", "-t", "40"]
    ffmpeg("-f", "lavfi", "-i", bar, *options, directory / "fields.mp4")


def check_fields(lectern):
    """Checks that clips of a recording with unflagged fields are progressive."""

    def fields(file):
        found = run("ffmpeg", "-hide_banner", "-i", file, "-vf", "idet", "-f", "null", "-", capture_output=True, text=True)
        return re.findall(r"Multi frame detection: TFF: *(\d+) BFF: *(\d+) Progressive: *(\d+)", found.stderr)[-1]

    top, _, progressive = map(int, fields(lectern.directory / "fields.mp4"))
    assert top > 900 and progressive < 50, (top, progressive)
    results = lectern.check("fields.mp4", clips=None, said=[])
    notes = [text["message"] for text in results["notes"] if text["stage"] == "compilation"]
    assert any("interlaced, top field first, which the file does not say" in text for text in notes), notes
    for clip in results["clips"]:
        top, _, progressive = map(int, fields(lectern.directory / "out" / clip["url"]))
        assert progressive > 10 * top, (top, progressive)


def claim_duration(matroska, seconds):
    """Changes the duration in the header."""
    content = matroska.read_bytes()
    # The element `Duration`: its id, its size of 8 bytes, milliseconds.
    start = content.index(b"\x44\x89\x88") + 3
    matroska.write_bytes(content[:start] + struct.pack(">d", seconds * 1e3) + content[start + 8 :])


LAYERS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def check_transcript_sources(lectern):
    """Checks which of the files beside a recording and of its tracks the words are from, and that
    the notes name the others."""
    directory = lectern.directory

    def said(name, expected, *texts, options=(), **settings):
        results = lectern.check(name, *options, clips=None, said=expected, **settings)
        messages = " | ".join(note["message"] for note in results["notes"] if note["stage"] == "transcription")
        for text in texts:
            assert text in messages, (name, text, messages)
        return results

    hears_otherwise = {"LECTERN_TRANSCRIBE_COMMAND": f"sh -c 'cp {directory / 'otherwise.srt'} {{out}}.srt' {{audio}}"}
    (directory / "otherwise.srt").write_text(CUE.replace(SAID, OTHERWISE))
    recording = "GMT20240101-100000_Recording_640x360.mp4"
    shutil.copy(directory / "whole.mp4", directory / recording)
    transcript = directory / "GMT20240101-100000_Recording.transcript.vtt"
    transcript.write_text("WEBVTT\n\n" + CUE.replace(",", "."))
    said(recording, [SAID], "taken from GMT20240101-100000_Recording.transcript.vtt", **hears_otherwise)
    for name in "whole_captions.srt", "whole-en.srt", "whole (1).srt", "whole.english.srt":
        (directory / name).write_text(CUE)
        said("whole.mp4", [SAID], f"taken from {name}", **hears_otherwise)
        (directory / name).unlink()
    for name in "whole.smi", "whole.sub", "whole_2.srt":
        (directory / name).write_text(CUE)
    results = said(
        "whole.mp4", [OTHERWISE], "recognized with the worker's --transcribe-command", "whole.smi (SAMI is not read)",
        "whole.sub (MicroDVD and VobSub are not read)", "whole_2.srt (it may be of another recording", **hears_otherwise,
    )  # fmt: skip
    assert len(notes(results)) == 1, results["notes"]
    for name in "whole.smi", "whole.sub", "whole_2.srt":
        (directory / name).unlink()

    lines = [f"Line {i} says what no other line has said." for i in range(6)]
    layers = LAYERS
    for i, line in enumerate(lines):
        for layer, tags in enumerate((r"{\k50}", r"{\bord3}", r"{\blur2}")):
            layers += f"Dialogue: {layer},0:00:{4 * i:02}.00,0:00:{4 * i + 3:02}.50,Default,,0,0,0,,{tags}{line}\n"
        layers += f"Dialogue: 3,0:00:{4 * i:02}.00,0:00:{4 * i + 3:02}.50,Default,,0,0,0,,{{\\p1}}m 0 0 l 9 9{{\\p0}}\n"
    (directory / "karaoke.ass").write_text(layers)
    ffmpeg("-i", directory / "whole.mp4", "-i", directory / "karaoke.ass", "-c", "copy", directory / "layers.mkv")
    results = said("layers.mkv", lines, "taken from a track of the recording")
    assert results["clips"] and "invented" not in str(results["notes"]), results["notes"]

    ffmpeg(
        "-i", directory / "whole.mp4", "-i", directory / "otherwise.srt", "-i", directory / "otherwise.srt",
        "-i", directory / "said.srt", "-map", "0", "-map", "1", "-map", "2", "-map", "3", "-c", "copy",
        "-metadata:s:a:0", "language=eng", "-metadata:s:s:0", "language=fre", "-metadata:s:s:1", "language=eng",
        "-metadata:s:s:2", "language=eng", "-disposition:s:0", "default", "-disposition:s:1", "forced",
        directory / "languages.mkv",
    )  # fmt: skip
    said("languages.mkv", [SAID], "(en)", "subtitle tracks en (forced), fr were not used")
    said("languages.mkv", [OTHERWISE], "(fr)", options=["--language=fr"])
    said("languages.mkv", [], "fr (another language), en (another language)", options=["--language=de"])


def path_without_webvtt(directory):
    """A PATH with an ffmpeg that cannot write subtitles."""
    tools = directory / "tools"
    tools.mkdir()
    script = f'#!/bin/sh\ncase "$*" in *"-c:s webvtt"*) exit 1;; esac\nexec {shutil.which("ffmpeg")} "$@"\n'
    (tools / "ffmpeg").write_text(script)
    (tools / "ffmpeg").chmod(0o755)
    return f"{tools}:{os.environ['PATH']}"


class Service(BaseHTTPRequestHandler):
    """A stub of OpenAI's API. The first transcription is a 503, and every second
    chat completion is malformed. A 401 quotes the rejected request."""

    chats = transcriptions = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != "Bearer secret":
            rejected = self.headers["Authorization"]
            return self.answer(401, {"error": f"{rejected} is not allowed to use {self.path}"})
        if self.path == "/v1/audio/transcriptions":
            Service.transcriptions += 1
            if Service.transcriptions == 1:
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
        self.user_files = set()

    def add_user_file(self, name):
        """Writes a file of the user into the output directory."""
        (self.directory / "out" / name).write_text("mine")
        self.user_files.add(name)

    def has_objects(self, job):
        """Whether the storage has objects of a job."""
        return (self.directory / "data/objects/jobs" / job).exists()

    def command(self, name, *options):
        directories = [f"--out={self.directory / 'out'}", f"--data-dir={self.directory / 'data'}"]
        return list(map(str, [self.program, "process", self.directory / name, *directories, *options]))

    def process(self, name, *options, fresh=True, **settings):
        """Processes a recording; returns its results and None, or None and the last line of the error output."""
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
        present = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()}
        assert present - self.user_files == named - {None}, (present, named)
        assert all((out / name).read_text() == "mine" for name in self.user_files), self.user_files

    def check_interruption(self, name):
        """Interrupts the program while it writes the clips, blocked by a pipe that
        nothing reads."""
        part, last = self.directory / "out/clips/.part", self.directory / "out/transcript.txt"
        os.mkfifo(part)
        last.unlink()
        command = self.command(name)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            while not last.exists():
                assert process.poll() is None, process.stderr.read()
            process.send_signal(signal.SIGINT)
            message = next(line for line in process.stderr if "SIGINT" in line)
            with open(part, "rb") as reader:
                reader.read()
            message += process.stderr.read()
        assert process.returncode == 1 and "interrupted" in message, (process.returncode, message)
        assert not part.exists()

    def check_busy_directory(self, name):
        """Checks that an output directory in use by another process is rejected."""
        other = os.open(self.directory / "out", os.O_RDONLY)
        fcntl.flock(other, fcntl.LOCK_EX)
        self.check_error(name, "out is in use by another `lectern process`")
        os.close(other)

    def check_server(self, name):
        """Checks that a server runs its own worker unless `--with-worker=false`."""
        for options, has_worker in (["--with-worker=false"], False), ([], True), (["--with-worker"], True):
            with Server(self.program, self.directory / "served", *options) as server:
                if options == []:
                    job = upload(server.address, self.directory / name)
                    state = wait_for("the job", 120, lambda: ended(get(f"{server.address}/jobs/{job}")))
                    assert state["status"] == "completed", state
                    results = get(f"{server.address}/results/{job}")
                    assert [segment["text"] for segment in results["transcript"]] == [SAID], results
                    assert len(results["clips"]) == 1, results
            assert bool(re.search("worker .* runs silence_detection, ", server.log)) == has_worker, server.log

    def check_environment(self, name):
        """A transcription command gets no secrets, but the variables named for it."""
        condition = 'test -z "$AWS_SECRET_ACCESS_KEY$PGPASSFILE$LECTERN_CHAT_KEY" && test "$HF_HOME" = models'
        settings = {
            "AWS_SECRET_ACCESS_KEY": "secret", "PGPASSFILE": "secret", "LECTERN_CHAT_KEY": "secret",
            "HF_HOME": "models", "LECTERN_TRANSCRIBE_VARIABLES": "CUDA_*,HF_HOME",
        }  # fmt: skip
        self.check(name, self.transcriber(condition), said=[SAID], **settings)

    def check_sandbox(self, name):
        """All programs of a worker run in bubblewrap, where it can create namespaces."""
        probe = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
        if not shutil.which("bwrap") or subprocess.run(probe, capture_output=True).returncode:
            print("bubblewrap cannot run here: the sandbox is not tested")
            return
        objects, scratch = self.directory / "data/objects", self.directory / "data/scratch"
        said = self.directory / "said.srt"
        sandbox = (
            "bwrap --unshare-all --die-with-parent --new-session --ro-bind /usr /usr"
            " --ro-bind-try /etc/alternatives /etc/alternatives --symlink usr/bin /bin"
            " --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev"
            f" --ro-bind-try {objects} {objects} --bind-try {scratch} {scratch} --ro-bind {said} {said}"
        )
        command = self.transcriber(f"test ! -e {self.directory / 'text.mp4'}")
        self.check(name, command, said=[SAID], LECTERN_SANDBOX=sandbox)
        self.check_error(name, "no-bwrap.* not found.*; check the command in LECTERN_SANDBOX", LECTERN_SANDBOX="no-bwrap --unshare-all")

    def transcriber(self, condition):
        """A transcription command that fails unless the condition of the shell is met."""
        copy = f"cp {self.directory / 'said.srt'} {{out}}.srt # {{audio}}"
        return "--transcribe-command=sh -c " + shlex.quote(f"{condition} && {copy}")

    def check_error(self, name, pattern, *options, **settings):
        results, error = self.process(name, *options, **settings)
        assert results is None and re.search(pattern, error), (name, error)

    def check(self, name, *options, clips=1, said=None, topic=None, **settings):
        results, error = self.process(name, *options, **settings)
        assert error is None, (name, error)
        assert clips is None or len(results["clips"]) == clips, (name, results["clips"])
        assert results["clips"], name
        heard = [segment["text"] for segment in results["transcript"]]
        if said is not None:
            assert heard == said, (name, heard)
        if topic is not None:
            assert results["clips"][0]["title"] == topic, (name, results["clips"][0])
        return results


def check_unusual(lectern):
    """Checks that every clip of an unusual recording has its beeps with its flashes, and that
    a note tells what was done."""
    without_speech = {"LECTERN_TRANSCRIBE_COMMAND": "true {audio}", "said": []}
    for name, duration, note in (
        ("sizes.mp4", 100, "the size of the picture changes within the recording (320 × 180, 426 × 240)"),
        ("channels.ts", 100, "the number of audio channels changes within the recording (2, 6)"),
        ("rates.ts", 100, "the sample rate of the sound changes within the recording (32000, 48000 Hz)"),
        ("clocks.ts", 102, "its parts were joined, and last 102"),
        ("microphone.mkv", 100, "audio track 1 is silent; audio track 2 of 2 is used"),
        ("right.mp4", 100, "the right channel is used for both"),
        ("inverted.mp4", 100, "the left channel is used for both"),
    ):
        results = lectern.check(name, clips=None, **without_speech)
        if note:
            texts = [text["message"] for text in results["notes"] if text["stage"] == "silence_detection"]
            assert any(note in text for text in texts), (name, texts)
        assert results["clips"][-1]["end_time"] > duration - 5, (name, results["clips"])
        for clip in results["clips"]:
            check_synchronous(lectern.directory / "out" / clip["url"], clip["duration"])
    # One minute of sound between five minutes of nothing each.
    results = lectern.check("padded.mp4", clips=None, **without_speech)
    for clip in results["clips"]:
        assert 298 < clip["start_time"] and clip["end_time"] < 362, clip
    _, error = lectern.process("microphone.mkv", "--audio-track=3", LECTERN_TRANSCRIBE_COMMAND="true {audio}")
    assert "there is no audio track 3: the recording has 2" in error, error


def notes(results):
    """The warnings of the transcription."""
    return [note for note in results["notes"] if note["stage"] == "transcription" and note["level"] == "warning"]


def ended(job):
    """The job if it has ended."""
    return job["status"] in ("completed", "failed") and job


def main(program):
    with tempfile.TemporaryDirectory(prefix="lectern-recordings-") as directory:
        directory = Path(directory)
        render(directory)
        lectern = Lectern(program, directory)
        # A tone has no speech; the recognizer is not needed.
        without_speech = {"LECTERN_TRANSCRIBE_COMMAND": "true {audio}"}

        lectern.check_error("text.mp4", "silence_detection: not a media file")
        lectern.check_error("headless.mp4", "silence_detection: not a media file")
        lectern.check_error("empty.mp4", "is empty")
        lectern.check_error("stripe.mp4", "the recording is beyond a limit: .* 13000 × 2 pixels")
        lectern.check_error("nowhere.mp4", "cannot read .*nowhere.mp4")

        earlier = lectern.check("whole.mp4", "--keep", said=[], **without_speech)["job_id"]
        job = lectern.check("whole.mp4", "--keep", said=[], **without_speech)["job_id"]
        assert job != earlier and lectern.has_objects(job) and not lectern.has_objects(earlier)
        last = lectern.check("whole.mp4", said=[], **without_speech)["job_id"]
        assert not lectern.has_objects(job) and not lectern.has_objects(last)
        lectern.add_user_file("clips/01-mine.mp4")
        lectern.add_user_file("notes.txt")
        results = lectern.check("silent.mp4", said=[])
        assert results["metadata"]["layout"] is not None
        results = lectern.check("audio.m4a", said=[], **without_speech)
        assert results["metadata"]["layout"] is None and results["clips"][0]["thumbnail_url"] is None
        pictures = [note["level"] for note in results["notes"] if note["message"] == "the recording has no picture"]
        assert pictures == ["info"], results["notes"]
        lectern.check("turned.mp4", **without_speech)
        lectern.check("uneven.mp4", **without_speech)
        lectern.check("broken.mkv", **without_speech)
        lectern.check("eons.mkv", said=[], **without_speech)
        render_unusual(directory)
        check_unusual(lectern)
        check_voice(lectern, render_voice(directory))
        render_fields(directory)
        check_fields(lectern)
        render_chapters(directory)
        check_chapters(lectern)
        render_layouts(directory)
        check_layouts(lectern)
        render_missing_parts(directory)
        check_missing_parts(lectern)

        check_transcript_sources(lectern)
        lectern.check("track.mp4", said=[SAID])
        (directory / "whole.srt").write_text(CUE)
        lectern.check("whole.mp4", said=[SAID])
        # A named transcript takes the place of the one beside the recording, also on a rerun.
        (directory / "minutes.de.txt").write_text(CUE.replace(SAID, OTHERWISE))
        named = lectern.check("whole.mp4", "--transcript", directory / "minutes.de.txt", said=[OTHERWISE], fresh=False)
        assert any("minutes.de.txt" in note["message"] for note in named["notes"]), named["notes"]
        lectern.check("whole.mp4", said=[SAID], fresh=False)
        (directory / "letter.txt").write_text("Dear all,\n")
        lectern.check_error("whole.mp4", "cannot read .*letter.txt: line 1: ", "--transcript", directory / "letter.txt")
        lectern.check_error("whole.mp4", "cannot read .*nothing.srt", "--transcript", directory / "nothing.srt")
        (directory / "whole.srt").write_text("Dear all,\n")
        lectern.check_error("whole.mp4", "transcription: .*whole.srt: line 1: ")
        (directory / "whole.srt").unlink()
        # With other subtitles beside it, a recording is processed again.
        without_speech |= {"fresh": False}
        silent = lectern.check("whole.mp4", said=[], **without_speech)
        assert lectern.check("whole.mp4", said=[], **without_speech)["job_id"] == silent["job_id"]
        (directory / "whole.json").write_text("{}, I think")
        lectern.check("whole.mp4", said=[], **without_speech)
        (directory / "whole.json").unlink()
        (directory / "whole.srt").write_text(CUE)
        lectern.check("whole.mp4", said=[SAID], **without_speech)
        (directory / "whole.srt").unlink()
        lectern.check("whole.mp4", said=[], **without_speech)
        lectern.check_interruption("whole.mp4")
        lectern.check_busy_directory("whole.mp4")
        lectern.check("whole.mp4", said=[], **without_speech)
        with open(directory / "whole.srt", "wb") as file:
            file.truncate((64 << 20) + 1)
        lectern.check_error("whole.mp4", "transcription: .*whole.srt is longer than 64 MiB")
        (directory / "whole.srt").unlink()
        writes = f"cp {directory / 'said.srt'} {{out}}.srt # {{audio}}"
        writes = f"--transcribe-command=sh -c '{writes}'"
        lectern.check("whole.mp4", writes, said=[SAID])
        # With another recognizer, a recording is transcribed again. What came before is kept.
        kept = lectern.check("whole.mp4", "--keep", said=[], **without_speech)
        again = lectern.check("whole.mp4", "--keep", writes, said=[SAID], fresh=False)
        assert again["job_id"] == kept["job_id"] and notes(kept) and not notes(again), (kept["notes"], again["notes"])
        once = lectern.check("whole.mp4", said=[], fresh=False)
        assert once["job_id"] == kept["job_id"] and not lectern.has_objects(kept["job_id"])
        lectern.check("whole.mp4", writes, said=[SAID], fresh=False)
        # If a subtitle track cannot be read, the sound is transcribed.
        path = path_without_webvtt(directory)
        lectern.check("track.mp4", said=[], PATH=path, **without_speech)
        lectern.check("track.mp4", writes, said=[SAID], PATH=path)

        lectern.check_environment("whole.mp4")
        lectern.check_sandbox("whole.mp4")

        server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = f"http://127.0.0.1:{server.server_port}/v1"
        transcribes = f"--transcribe-url={service}/audio/transcriptions"
        chats = f"--chat-url={service}/chat/completions"
        keys = {"LECTERN_TRANSCRIBE_KEY": "secret", "LECTERN_CHAT_KEY": "secret"}
        lectern.check("whole.mp4", transcribes, chats, said=[SAID], topic=TOPIC, **keys)
        assert (Service.transcriptions, Service.chats) == (2, 2), (Service.transcriptions, Service.chats)
        # Without its key the service returns an error; topics are found without it.
        lectern.check("track.mp4", chats, said=[SAID])
        transcribes = transcribes.replace("//", "//nobody:password@") + "?api-key=mellon"
        _, error = lectern.process("whole.mp4", transcribes, LECTERN_TRANSCRIBE_KEY="sesame")
        assert f"{service}/audio/transcriptions answered 401" in error, error
        assert not re.search("sesame|password|mellon", error), error
        server.shutdown()

        # Without the marker of its job, the files in the directory may be the user's.
        (directory / "out" / ".lectern-job").unlink()
        lectern.check_error("whole.mp4", "transcript.vtt was not written by `lectern process`")

        lectern.check_server("track.mp4")
        print("every recording has the expected results")


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
