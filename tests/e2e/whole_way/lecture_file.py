"""A lecture that is rendered for the tests of the pages, and short films beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lecture"))

import render  # noqa: E402

# So much of each topic is enough for clips of at least 20 seconds.
SENTENCES = 5
TOPICS = [(topic, sentences[:SENTENCES]) for topic, sentences in render.TOPICS[:2]]
# What a page must show as text. No name of a file has a slash.
LECTURE = "<script>window.taken=1<script><img src=x onerror=window.taken=1>.mp4"


def make_lecture(directory: Path) -> Path:
    """A lecture of about a minute with its text as a subtitle track, which is its transcript."""
    render.main(directory, TOPICS)
    spoken = json.loads((directory / "truth.json").read_text())["spoken"]
    cues = [
        f"{i}\n{time_of(line['start'])} --> {time_of(line['end'])}\n{line['text']}\n"
        for i, line in enumerate(spoken, 1)
    ]
    subtitles = directory / "lecture.srt"
    subtitles.write_text("\n".join(cues))
    lecture = directory / LECTURE
    inputs = ("-i", directory / "lecture.mp4", "-i", subtitles)
    ffmpeg(*inputs, "-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text", f"file:{lecture}")
    return lecture


def make_film(directory: Path, name: str) -> Path:
    """A short film of which every name has other bytes."""
    film = directory / name
    picture = f"testsrc2=s=320x180:r=10:d=1.{len(name)}"
    ffmpeg("-f", "lavfi", "-i", picture, "-pix_fmt", "yuv420p", film)
    return film


def time_of(seconds: float) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    return f"00:{minutes:02}:{rest:02},{milliseconds:03}"


def ffmpeg(*options: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *options], check=True, timeout=120)


def probe(file: Path) -> tuple[float, set[str]]:
    """The length of a video in seconds, and the kinds of its streams."""
    entries = ("-show_entries", "format=duration:stream=codec_type", "-of", "json")
    found = json.loads(subprocess.check_output(["ffprobe", "-v", "error", *entries, file]))
    return float(found["format"]["duration"]), {stream["codec_type"] for stream in found["streams"]}
