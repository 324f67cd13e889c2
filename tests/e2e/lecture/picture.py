"""Draws a run of `lectern process` on the rendered lecture as it looks in a terminal.

    python3 tests/e2e/lecture/picture.py PATH/TO/lectern docs/process.svg

Needs ffmpeg and flite.
"""

import json
import os
import sys
import tempfile
from html import escape
from pathlib import Path

import render
from terminal import COLUMNS, Terminal

COMMAND = "lectern process lecture.mp4"
# The size of a character, and the margin, in pixels.
WIDTH, HEIGHT, MARGIN = 7.8, 18, 14


def svg(lines):
    width, height = round(COLUMNS * WIDTH + 2 * MARGIN), len(lines) * HEIGHT + 2 * MARGIN
    rows = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + HEIGHT * (number + 0.75):g}" textLength="{len(line) * WIDTH:.1f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
        if line.strip()
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>{COMMAND}</title>
<rect width="{width}" height="{height}" rx="6" fill="#16181d"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="#d8dee9" xml:space="preserve">
{rows}
</g>
</svg>"""


def write_subtitles(truth):
    def clock(seconds):
        minutes, seconds = divmod(seconds, 60)
        return f"00:{minutes:02.0f}:{seconds:06.3f}"

    cues = [f"{clock(spoken['start'])} --> {clock(spoken['end'])}\n{spoken['text']}\n\n" for spoken in truth["spoken"]]
    Path("lecture.vtt").write_text("WEBVTT\n\n" + "".join(cues))


def main(lectern, picture):
    with tempfile.TemporaryDirectory(prefix="lectern-picture-") as directory:
        render.main(directory)
        os.chdir(directory)
        write_subtitles(json.loads(Path("truth.json").read_text()))
        terminal = Terminal([lectern, *COMMAND.split()[1:]])
        assert terminal.end() == 0, terminal.screen
        picture.write_text(svg([f"$ {COMMAND}", *str(terminal.screen).splitlines()]) + "\n")


if __name__ == "__main__":
    main(*(Path(argument).resolve() for argument in sys.argv[1:]))
