"""Recordings with flashes and beeps at the same times, and whether their clips have them together."""

import re

from check import run


def ffmpeg(*arguments):
    run("ffmpeg", "-v", "error", "-y", *arguments)


def beeps(clip):
    """The times of the beeps in a clip, and of the flashes."""
    # Without most of the noise, which normalisation may make loud.
    sound = "bandpass=f=1000:width_type=h:w=200,silencedetect=n=-25dB:d=0.05"
    heard = run(
        "ffmpeg", "-hide_banner", "-i", clip, "-ac", "1", "-af", sound, "-f", "null", "-",
        capture_output=True, text=True,
    ).stderr  # fmt: skip
    # A flash may fill a part of the picture.
    filters = "scale=8:8:flags=area,format=gray"
    shown = run("ffmpeg", "-v", "error", "-i", clip, "-vf", filters, "-r", "25", "-f", "rawvideo", "-", capture_output=True)
    bright = [max(shown.stdout[i : i + 64]) > 190 for i in range(0, len(shown.stdout), 64)]
    flashes = [i / 25 for i in range(1, len(bright)) if bright[i] and not bright[i - 1]]
    return [float(time) for time in re.findall(r"silence_end: ([\d.]+)", heard)], flashes


def check_synchronous(clip, duration):
    """Checks that a clip has all its flashes, each with a beep."""
    heard, flashes = beeps(clip)
    assert len(flashes) >= duration // 4 - 1, (clip, duration, flashes)
    for flash in flashes:
        assert min(abs(flash - beep) for beep in heard) <= 0.06, (clip, heard, flashes)
