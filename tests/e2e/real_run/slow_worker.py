"""The worker of docs/worker.py with a transcription that stores its output and then never
completes."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "docs"))
import worker

transcribe = worker.transcription


@worker.stage("transcription")
def transcribe_and_linger(work: worker.Work) -> None:
    transcribe(work)
    for turn in itertools.count(1):
        work.progress(100 * turn / (turn + 1), f"pass {turn}")
        time.sleep(0.2)


worker.main()
