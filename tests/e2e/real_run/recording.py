"""A recording whose silences are known: tones in the rhythm of speech, and pauses."""

from __future__ import annotations

import math
import random
import sys
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

RATE = 16_000  # samples per second
PARTS = 4


class Recording(NamedTuple):
    """A file and its content; times in seconds."""

    path: Path
    silences: list[tuple[float, float]]
    parts: int
    duration: float


def script() -> Iterator[tuple[str, float]]:
    """The sounds of about two minutes, each with its duration in seconds."""
    yield "pause", random.uniform(0.6, 1.2)
    for part in range(PARTS):
        if part:
            yield "pause", random.uniform(3.0, 4.0)
        for sentence in range(7):
            if sentence:
                yield "pause", random.uniform(0.5, 1.5)
            yield "voice", random.uniform(0.8, 3.0)
            yield "breath", random.uniform(0.08, 0.15)
            yield "voice", random.uniform(0.8, 3.0)
    yield "pause", random.uniform(0.6, 1.2)


def record(path: Path) -> Recording:
    """Writes a recording. A breath is too short to count as silence."""
    voice, noise = one_second_of_voice(), one_second_of_noise()
    samples, silences = array("h"), []
    for sound, seconds in script():
        start, count = len(samples), int(seconds * RATE)
        tile = voice if sound == "voice" else noise
        samples.extend((tile * (count // RATE + 1))[:count])
        if sound == "pause":
            silences.append((start / RATE, len(samples) / RATE))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return Recording(path, silences, PARTS, len(samples) / RATE)


def one_second_of_voice() -> array[int]:
    """A low tone with overtones, modulated like four syllables."""

    def sample(n: int) -> int:
        turn = 2 * math.pi * n / RATE
        tone = sum(math.sin(140 * overtone * turn) / overtone for overtone in range(1, 6))
        syllables = 0.7 - 0.3 * math.cos(4 * turn)
        return round(7000 * tone * syllables)

    return array("h", map(sample, range(RATE)))


def one_second_of_noise() -> array[int]:
    """About -67 dBFS: a quiet room."""
    return array("h", (random.randint(-25, 25) for _ in range(RATE)))
