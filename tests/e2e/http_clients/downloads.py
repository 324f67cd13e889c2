"""The names under which clients save clips and transcripts."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from service import SERVER, call, curl, results
from uploads import upload

RECORDING = b"a clip"
# Title of a clip: the name of the file, and the name in ASCII for clients without RFC 8187.
TITLES = {
    "Gradient descent": ("Gradient descent", None),
    'What is "entropy"?': ("What is _entropy__", None),
    "A/B tests \\ ../../etc/passwd": ("A_B tests _ .._.._etc_passwd", None),
    "Wärme 🔥 – Übung": ("Wärme 🔥 – Übung", "W_rme _ _ _bung"),
    "講義": ("講義", "_"),
}


def job_with_clip(title: str) -> tuple[str, dict[str, Any]]:
    """A job and its clip. The file of the clip is the recording, which is an object of the job
    as well."""
    job = upload("Vorlesung 7: Wärme.mp4", RECORDING, "video/mp4")
    path = f"/api/v1/jobs/{job['job_id']}"
    clip = {"title": title, "start_time": 0, "end_time": 1, "s3_key": job["s3_key"]}
    call("PUT", f"{path}/clips", 200, json={"clips": [clip]})
    cues = [{"start_time": 0, "end_time": 1, "text": "Welcome back."}]
    call("PUT", f"{path}/transcripts", 200, json={"segments": cues})
    [clip] = results(job["job_id"])["clips"]
    return path, clip


def name_in(disposition: str) -> str:
    """The name in `Content-Disposition`: that in UTF-8 (RFC 8187) if there is one. requests
    leaves this header to its caller."""
    if in_utf_8 := re.search(r"filename\*=UTF-8''([^;\s]+)", disposition):
        return unquote(in_utf_8[1], errors="strict")
    name = re.search(r'filename="([^"]*)"', disposition)
    assert name, disposition
    return name[1]


def saved_by_curl(url: str) -> tuple[str, bytes]:
    """The file that `curl -OJ` saves: its name and content."""
    with tempfile.TemporaryDirectory() as directory:
        curl("--remote-name", "--remote-header-name", url, cwd=Path(directory))
        [file] = Path(directory).iterdir()
        return file.name, file.read_bytes()


def check_a_clip_is_saved_under_its_title() -> None:
    """curl -OJ and requests save a clip under its title, whatever characters that has; curl,
    which does not read names in UTF-8, under one with underscores."""
    for title, (name, ascii_name) in TITLES.items():
        _, clip = job_with_clip(title)
        response = call("GET", clip["url"], 200)
        assert response.content == RECORDING
        assert name_in(response.headers["Content-Disposition"]) == f"{name}.mp4", response.headers
        assert saved_by_curl(clip["url"]) == (f"{ascii_name or name}.mp4", RECORDING)


def check_a_transcript_is_saved_under_the_name_of_the_recording() -> None:
    """A transcript in each format is saved under the name of the recording, and subtitles under
    the title of their clip."""
    path, clip = job_with_clip('What is "entropy"?')
    for form, extension in (("vtt", "vtt"), ("srt", "srt"), ("text", "txt")):
        url = f"{SERVER}{path}/transcripts?format={form}"
        response = call("GET", url, 200)
        name = name_in(response.headers["Content-Disposition"])
        assert name == f"Vorlesung 7_ Wärme.{extension}", response.headers
        saved = saved_by_curl(url)
        assert saved == (f"Vorlesung 7_ W_rme.{extension}", response.content), saved
    url = f"{SERVER}/api/v1/clips/{clip['clip_id']}/subtitles?format=srt"
    assert saved_by_curl(url)[0] == "What is _entropy__.srt"
