"""Compares how players and libraries read the WebVTT and SubRip that Lectern writes.

    check.py NODE_PACKAGES

Stores a transcript with texts that are easily misread, downloads it in both formats, and
reads the files with ffmpeg, pysubs2, webvtt-py, pycaption and vtt.js. All of them have to find
the same cues with the same times and texts. Needs a server, whose URL is in LECTERN.
"""

import html
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pycaption
import pysubs2
import webvtt

# Each text with what is to be shown.
TEXTS = [
    ("Good morning.", "Good morning."),
    ("two\nlines", "two\nlines"),
    ("a paragraph\n\nand another\n \n\t\nand a third\n", "a paragraph\nand another\nand a third"),
    ("R&D, 5 < 6 > 4 && done", "R&D, 5 < 6 > 4 && done"),
    ("from here --> to there", "from here --> to there"),
    ("a list of Vec<String> and <i>", "a list of Vec<String> and <i>"),
    ("&amp; is written &lt;", "&amp; is written &lt;"),
    ("42", "42"),
    ("7\n00:00:01,000 --> 00:00:02,000\nquoted", "7\n00:00:01,000 --> 00:00:02,000\nquoted"),
    ("NOTE this is said", "NOTE this is said"),
    ("WEBVTT", "WEBVTT"),
    ("今天我们来谈谈树", "今天我们来谈谈树"),
    ("أهلا وسهلا", "أهلا وسهلا"),
    ("naïve café 👩‍🏫 – “quoted”…", "naïve café 👩‍🏫 – “quoted”…"),
    ("{a brace} and C:\\temp", "{a brace} and C:\\temp"),
]
SPEAKERS = {0: "Ada Lovelace", 3: "Prof. O’Neil", 5: None}


def call(method, url, body=None, accept="application/json"):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Accept": accept}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def download(api):
    """The files of a new transcript as WebVTT and SubRip, and what they should show."""
    job = {"filename": "talk.mp4", "file_size": 1, "s3_key": "talk.mp4"}
    job_id = json.loads(call("POST", f"{api}/jobs", job))["job_id"]
    url = f"{api}/jobs/{job_id}/transcripts"
    segments, expected = [], []
    for i, (text, shown) in enumerate(TEXTS):
        start, end = 4_000 * i + 7, 4_000 * i + 3_210
        if i == len(TEXTS) - 1:
            start, end = start + 4 * 3_600_000, end + 4 * 3_600_000
        segment = {"start_time": start / 1_000, "end_time": end / 1_000, "text": text}
        segments.append(segment | {"speaker_id": SPEAKERS.get(i)})
        expected.append((start, end, shown))
    call("PUT", url, {"segments": segments})
    files = [call("GET", url, accept=kind).decode() for kind in ("text/vtt", "application/x-subrip")]
    return *files, expected


def plain(text):
    """The text as it is shown: without the invisible joiners of SubRip."""
    return text.replace("\u2060", "").replace("\r\n", "\n").strip("\n")


def with_pysubs2(file, kind):
    # pysubs2 keeps character references, which players replace. Its `plaintext` would take braces
    # for markup of SubStation Alpha.
    shown = html.unescape if kind == "vtt" else str
    subtitles = pysubs2.SSAFile.from_string(file, format_=kind)
    return [
        (event.start, event.end, shown(event.text.replace("\\N", "\n"))) for event in subtitles
    ]


def with_webvtt_py(file, kind):
    read = webvtt.from_buffer(io.StringIO(file), format=kind)
    # `text` is without anything in angle brackets, which SubRip has no way to escape; and it has
    # character references.
    text_of = (lambda cue: html.unescape(cue.text)) if kind == "vtt" else (lambda cue: cue.raw_text)
    return [(millis(cue.start), millis(cue.end), text_of(cue)) for cue in read]


def millis(time):
    hours, minutes, seconds = time.replace(",", ".").split(":")
    return round((int(hours) * 60 + int(minutes)) * 60_000 + float(seconds) * 1_000)


def with_pycaption(file, kind):
    reader = pycaption.WebVTTReader() if kind == "vtt" else pycaption.SRTReader()
    captions = reader.read(file).get_captions("en-US")
    found = []
    for i, caption in enumerate(captions):
        # pycaption shows voices before their texts.
        text = caption.get_text().removeprefix(f"{SPEAKERS.get(i)}: ")
        found.append((caption.start // 1_000, caption.end // 1_000, text))
    return found


def with_ffmpeg(file, kind):
    """ffmpeg shows texts as SubStation Alpha."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"file.{kind}")
        path.write_text(file, encoding="utf-8", newline="")
        command = ["ffmpeg", "-v", "error", "-i", path, "-f", "ass", "-"]
        ass = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    found = []
    for event in pysubs2.SSAFile.from_string(ass, format_="ass"):
        # ffmpeg rounds to hundredths of a second and escapes braces and backslashes.
        text = re.sub(r"\{\\[^}]*\}", "", event.text).replace("\\N", "\n")
        text = text.replace("\\{", "{").replace("\\}", "}").replace("\\\u2060", "\\")
        found.append((event.start, event.end, text))
    return found


def with_vtt_js(file, packages):
    script = Path(__file__).with_name("vtt.cjs")
    environment = {**os.environ, "NODE_PATH": str(Path(packages, "node_modules").resolve())}
    done = subprocess.run(
        ["node", script], input=file, check=True, capture_output=True, text=True, env=environment
    )
    return [tuple(cue) for cue in json.loads(done.stdout)]


def compare(name, found, expected, tolerance=0):
    found = [(start, end, plain(text)) for start, end, text in found]
    assert len(found) == len(expected), f"{name}: {len(found)} cues instead of {len(expected)}: {found}"
    for actual, wanted in zip(found, expected):
        times = max(abs(actual[0] - wanted[0]), abs(actual[1] - wanted[1]))
        assert times <= tolerance and actual[2] == wanted[2], f"{name}: {actual} instead of {wanted}"
    print(f"{name}: {len(found)} cues")


def main(packages):
    vtt, srt, expected = download(os.environ["LECTERN"].rstrip("/") + "/api/v1")
    for file in (vtt, srt):
        assert "&#" not in file and "\n\n\n" not in file and "\r" not in file, file
    for kind, file in (("vtt", vtt), ("srt", srt)):
        compare(f"pysubs2 {kind}", with_pysubs2(file, kind), expected)
        compare(f"webvtt-py {kind}", with_webvtt_py(file, kind), expected)
        compare(f"pycaption {kind}", with_pycaption(file, kind), expected)
        compare(f"ffmpeg {kind}", with_ffmpeg(file, kind), expected, tolerance=10)
    # vtt.js replaces what looks like a reference after it has replaced `&amp;`.
    replaced = [(start, end, html.unescape(text)) for start, end, text in expected]
    compare("vtt.js", with_vtt_js(vtt, packages), replaced)


if __name__ == "__main__":
    main(sys.argv[1])
