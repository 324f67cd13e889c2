"""Runs `lectern process` in a pseudo-terminal, sends Ctrl-C, and runs it again.

    python3 tests/e2e/lecture/terminal.py PATH/TO/lectern

Needs ffmpeg.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from check import Server, get, run

STAGES = [
    "silence_detection", "transcription", "layout_analysis", "content_analysis", "segmentation", "compilation",
]  # fmt: skip
ROWS, COLUMNS = 30, 100
# How long a program may print nothing before it counts as stuck, in seconds.
TIMEOUT = 120


class Screen:
    """The screen of a terminal; interprets the control sequences that are used."""

    CODE = re.compile(r"\x1b\[(\??)(\d*)([A-LN-Za-ln-z])|\x1b\[[\d;]*m|[\r\n]|[^\x1b\r\n]+")

    def __init__(self):
        self.lines, self.row, self.column = [""], 0, 0
        self.is_cursor_shown = True
        self.codes = set()

    def show(self, text):
        place = 0
        while place < len(text):
            found = self.CODE.match(text, place)
            if not found and len(text) - place < 16:
                return text[place:]  # an incomplete code
            assert found, repr(text[place : place + 40])
            place = found.end()
            private, number, code = found[1], found[2], found[3]
            if code:
                self.interpret(private, number, code)
            elif found[0] == "\r":
                self.column = 0
            elif found[0] == "\n":
                self.go(self.row + 1)
            elif found[0][0] != "\x1b":
                self.write(found[0])
        return ""

    def interpret(self, private, number, code):
        self.codes.add(code)
        if private and number == "25":
            self.is_cursor_shown = code == "h"
        elif code == "A":
            self.go(self.row - int(number or 1))
        elif code == "B":
            self.go(self.row + int(number or 1))
        elif code == "K" and number == "2":
            self.lines[self.row] = ""
        elif code in "JK" and number in ("", "0"):
            self.lines[self.row] = self.lines[self.row][: self.column]
            if code == "J":
                del self.lines[self.row + 1 :]
        else:
            raise AssertionError(f"unknown control sequence {private}{number}{code}")

    def go(self, row):
        self.row = max(row, 0)
        self.lines += [""] * (self.row + 1 - len(self.lines))

    def write(self, text):
        for character in text:
            if self.column == COLUMNS:
                self.go(self.row + 1)
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    def bars(self):
        """Percentage and message of each stage, in the order of the lines."""
        found = {}
        for line in self.lines:
            if bar := re.fullmatch(r"(\w+) +[█░▉▊▋▌▍▎▏▒▓#>-]* *(\d+) % (.*)", line.rstrip()):
                found[bar[1]] = (int(bar[2]), bar[3])
        return found

    def __str__(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip()


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, command):
        self.screen, self.rest = Screen(), b""
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
        # Otherwise Ctrl+C discards what the program has written and this class has not read.
        settings = termios.tcgetattr(self.slave)
        settings[3] |= termios.NOFLSH
        termios.tcsetattr(self.slave, termios.TCSANOW, settings)
        self.settings = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), env=os.environ | {"TERM": "xterm"},
        )  # fmt: skip

    def read(self, until=lambda _: False):
        """Reads the output until the condition holds (True) or the program ends (False)."""
        silent = 0
        while not until(self.screen):
            if select.select([self.master], [], [], 0.2)[0]:
                silent = 0
                self.rest += os.read(self.master, 1 << 16)
                text = self.rest.decode(errors="ignore")  # an incomplete character is kept for the next read
                if text.encode() == self.rest:
                    self.rest = self.screen.show(text).encode()
                continue
            silent += 0.2
            if self.process.poll() is not None:
                return False
            assert silent < TIMEOUT, f"no more output:\n{self.screen}"
        return True

    def type(self, keys):
        os.write(self.master, keys)

    def end(self):
        """Waits for the end of the program; checks that it restored the terminal; returns its exit code."""
        self.read()
        code = self.process.wait()
        assert self.screen.is_cursor_shown, "the cursor is hidden"
        assert termios.tcgetattr(self.slave) == self.settings, "the terminal has other settings than before"
        assert not self.screen.lines[self.screen.row].strip(), f"the cursor is not in an empty line:\n{self.screen}"
        os.close(self.master)
        os.close(self.slave)
        return code


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_completed(bar):
    """Whether a bar is full, and says how long the stage took."""
    return bar is not None and bar[0] == 100 and re.match(r"completed, \d+:\d\d", bar[1])


def main(lectern):
    with tempfile.TemporaryDirectory(prefix="lectern-terminal-") as directory:
        directory = Path(directory)
        recording, data, out = directory / "short.mp4", directory / "data", directory / "out"
        run(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=4", "-f", "lavfi", "-i",
            "sine=440:d=4", "-c:v", "libx264", "-c:a", "aac", recording,
        )  # fmt: skip
        # The transcriber writes its process id, waits for a file, and finds no speech.
        pid_file, permission = directory / "pid", directory / "permission"
        transcriber = f"echo $$ >{pid_file}; until [ -e {permission} ]; do sleep 0.1; done # {{audio}}"
        command = [
            lectern, "process", recording, f"--out={out}", f"--data-dir={data}",
            f'--transcribe-command=sh -c "{transcriber}"', "--concurrency=2",
        ]  # fmt: skip

        first = Terminal(command)

        def only_transcription_runs(screen):
            bars = screen.bars()
            is_done = [is_completed(bars.get(stage)) for stage in ("silence_detection", "layout_analysis")]
            is_listening = bars.get("transcription", (0, ""))[1].endswith(", listening")
            has_pid = pid_file.exists() and pid_file.read_text().strip()
            return all(is_done) and is_listening and has_pid and list(bars) == STAGES and bars["compilation"] == (0, "waiting")

        assert first.read(only_transcription_runs), f"the program ended:\n{first.screen}"
        assert len(str(first.screen).splitlines()) == len(STAGES), first.screen
        first.type(b"\x03")
        assert first.end() == 1, first.screen
        assert "A" in first.screen.codes, "the bars were never redrawn in place"
        assert str(first.screen).splitlines()[-1] == "lectern: interrupted; run the same command again to continue", (
            f"the program ended with\n{first.screen}"
        )
        assert f"{data} keeps job " in str(first.screen), first.screen
        # The terminal shows ^C within the bar that is being drawn.
        assert is_completed(first.screen.bars().get("silence_detection")), first.screen
        assert not is_alive(int(pid_file.read_text())), "the transcriber still runs"
        assert not [entry for entry in (data / "scratch").iterdir() if entry.is_dir()]
        assert not (out / "results.json").exists()

        permission.touch()
        second = Terminal([*command, "--keep"])
        assert second.end() == 0, second.screen
        bars = second.screen.bars()
        assert list(bars) == STAGES and all(map(is_completed, bars.values())), second.screen
        assert "there is no transcript" in bars["transcription"][1], second.screen
        screen = str(second.screen)
        clip = r"^  1  0:00 to 0:0[34]     0:0[34]  \S"
        assert re.search(clip, screen, re.MULTILINE), screen
        assert re.search(r"^transcription: warning: there is no transcript", screen, re.MULTILINE), screen
        assert f"{data} keeps job " in screen, screen
        lines = screen.splitlines()
        assert lines[-2].startswith("Took ") and lines[-1] == f"{out} is ready", screen
        results = json.loads((out / "results.json").read_text())
        with Server(lectern, data) as server:
            log = get(f"{server.address}/jobs/{results['job_id']}/logs")["logs"]
        started = [entry["stage"] for entry in log if entry["status"] == "started"]
        assert sorted(started) == sorted([*STAGES, "transcription"]), started
        print("Ctrl-C stops it, and a second run continues")


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
