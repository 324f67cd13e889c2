"""Takes a rendered lecture through `lectern process` and compares the results
with the rendered content.

    python3 tests/e2e/lecture/check.py PATH/TO/lectern DIR

DIR is what render.py has written. Needs ffmpeg and pocketsphinx. The word error rate of
the transcript is only printed; everything else has to be correct.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
# Tolerance of the start and end of a silence, in seconds.
SILENCE_TOLERANCE = 0.1
# Tolerance of a region, as a fraction of the size of the picture.
REGION_TOLERANCE = 0.05
# Tolerance of the times of transcript segments, in seconds.
SEGMENT_TOLERANCE = 0.5
# Tolerance of the start of a topic in seconds: a sentence and a pause.
TOPIC_TOLERANCE = 7


def run(*command, **options):
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, check=True, **options)


def length(file):
    """The decoded duration of a file in seconds."""
    output = run("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file, capture_output=True)
    noise = run("ffmpeg", "-v", "error", "-i", file, "-f", "null", "-", capture_output=True).stderr
    assert not noise, f"{file} does not decode: {noise.decode()}"
    return float(output.stdout)


def dimensions(picture):
    """The decoded width and height of a picture in pixels."""
    shown = run("ffprobe", "-v", "error", "-show_entries", "frame=width,height", "-of", "csv=p=0", picture, capture_output=True)
    return tuple(map(int, shown.stdout.split(b",")))


def word_error_rate(said, heard):
    """The Levenshtein distance in words, divided by the number of spoken words."""
    said, heard = (re.findall(r"[a-z']+", text.lower()) for text in (said, heard))
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1] / len(said)


def seconds(stamp):
    hours, minutes, rest = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def cues(file):
    """Start, end and text of each cue of a WebVTT file."""
    blocks = file.read_text().strip().split("\n\n")
    assert blocks[0] == "WEBVTT", blocks[0]
    for block in blocks[1:]:
        times, _, text = block.partition("\n")
        start, _, end = times.partition(" --> ")
        yield seconds(start), seconds(end), text


def get(address):
    with urllib.request.urlopen(address) as answer:
        return json.load(answer)


class Server:
    """`lectern serve` on a data directory; `log` is complete after it has stopped."""

    def __init__(self, lectern, directory, *options):
        command = [lectern, "serve", "--bind=127.0.0.1:0", f"--data-dir={directory}", *options]
        self.process, self.log = subprocess.Popen(command, stderr=subprocess.PIPE, text=True), ""
        for line in self.process.stderr:
            self.log += line
            if found := re.search(r"http://[\d.]+:\d+", line):
                self.address = f"{found[0]}/api/v1"
                return
        raise SystemExit("lectern serve ended before it listened")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.log += self.process.stderr.read()
        assert self.process.wait(30) == 0, self.log


def interrupt(lectern, recording, data, out):
    """Interrupts `lectern process` after a stage, as Ctrl-C does."""
    command = [lectern, "process", recording, f"--out={out}", f"--data-dir={data}"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    seen = []
    for line in process.stderr:
        seen.append(line)
        if line.startswith("silence_detection: completed"):
            process.send_signal(signal.SIGINT)
            break
    seen += process.stderr.read().splitlines(keepends=True)
    assert process.wait(60) == 1, "".join(seen)
    assert any("run the same command again" in line for line in seen), "".join(seen)


def check(truth, results, server, out):
    job = f"{server.address}/jobs/{results['job_id']}"

    silences = get(f"{job}/silence-regions?silence_type=audio_silence")["regions"]
    found = [(region["start_time"], region["end_time"]) for region in silences]
    assert len(found) == len(truth["silences"]), (len(found), len(truth["silences"]))
    for (start, end), (begins, ends) in zip(found, truth["silences"]):
        assert abs(start - begins) <= SILENCE_TOLERANCE and abs(end - ends) <= SILENCE_TOLERANCE, ((start, end), (begins, ends))

    layout, wanted = results["metadata"]["layout"], truth["layout"]
    width, height = wanted["size"]
    assert layout["layout_type"] == wanted["type"], layout
    for region, places in (("camera_region", wanted["camera"]), ("screen_region", (0, 0, width, height))):
        for name, size, place in zip(("x", "y", "width", "height"), (width, height) * 2, places):
            assert abs(layout[region][name] - place) <= REGION_TOLERANCE * size, (name, layout[region], places)

    said = " ".join(spoken["text"] for spoken in truth["spoken"])
    heard = " ".join(segment["text"] for segment in results["transcript"])
    assert heard, "the transcript is empty"
    print(f"word error rate: {word_error_rate(said, heard):.2f}")
    for spoken in truth["spoken"]:
        overlapping = [
            segment
            for segment in results["transcript"]
            if segment["start_time"] < spoken["end"] and segment["end_time"] > spoken["start"]
        ]
        assert overlapping, f"{spoken} is not in the transcript"
        begins = min(segment["start_time"] for segment in overlapping)
        ends = max(segment["end_time"] for segment in overlapping)
        assert abs(begins - spoken["start"]) <= SEGMENT_TOLERANCE and abs(ends - spoken["end"]) <= SEGMENT_TOLERANCE, (spoken, overlapping)

    topics = get(f"{job}/content-segments")["segments"]
    assert len(topics) == len(truth["topics"]), [topic["topic"] for topic in topics]
    for found, topic in zip(topics, truth["topics"]):
        assert abs(found["start_time"] - topic["start"]) <= TOPIC_TOLERANCE, (found, topic)
    assert abs(results["metadata"]["original_video"]["duration"] - truth["duration"]) <= 0.1

    clips = results["clips"]
    assert 3 <= len(clips) <= 8, len(clips)
    stored = {clip["clip_id"]: clip for clip in get(f"{job}/clips")["clips"]}
    for clip in clips:
        start, end = clip["start_time"], clip["end_time"]
        assert 20 <= clip["duration"] <= 120, clip
        assert abs(length(out / clip["url"]) - clip["duration"]) <= 0.1, clip
        assert dimensions(out / clip["thumbnail_url"]) == tuple(truth["layout"]["size"]), clip
        assert stored[clip["clip_id"]]["s3_key"] == clip["s3_key"]
        # The cues of a clip are the segments of the transcript in its time range.
        wanted = [
            (max(segment["start_time"], start) - start, min(segment["end_time"], end) - start)
            for segment in results["transcript"]
            if segment["start_time"] < end and segment["end_time"] > start
        ]
        shown = list(cues(out / clip["subtitle_url"]))
        assert len(shown) == len(wanted) and shown, (len(shown), len(wanted))
        for (begins, ends, _), (from_, to) in zip(shown, wanted):
            assert abs(begins - from_) < 0.002 and abs(ends - to) < 0.002, (begins, ends, from_, to)
    reel = length(out / "highlights.mp4")
    assert abs(reel - sum(clip["duration"] for clip in clips)) <= 0.1 * len(clips), reel
    print(f"{len(clips)} clips, {reel:.1f} s in all")


def main(lectern, rendered):
    with tempfile.TemporaryDirectory(prefix="lectern-lecture-") as directory:
        truth = json.loads((rendered / "truth.json").read_text())
        recording, data, out = rendered / "lecture.mp4", Path(directory, "data"), Path(directory, "out")
        interrupt(lectern, recording, data, out)
        before = time.monotonic()
        run(lectern, "process", recording, "--keep", f"--out={out}", f"--data-dir={data}")
        took = time.monotonic() - before
        print(f"{took:.0f} s for {truth['duration']:.0f} s of lecture")
        results = json.loads((out / "results.json").read_text())
        # The server has the data that are not exported.
        with Server(lectern, data, "--with-worker=false") as server:
            log = get(f"{server.address}/jobs/{results['job_id']}/logs")["logs"]
            started = [entry["stage"] for entry in log if entry["status"] == "started"]
            assert started.count("silence_detection") == 1, started
            check(truth, results, server, out)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]))
