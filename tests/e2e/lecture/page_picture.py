"""Draws the page of the rendered lecture as it looks in a browser.

    python3 tests/e2e/lecture/page_picture.py PATH/TO/lectern NODE_PACKAGES docs/recording.png

Needs ffmpeg, flite, Chromium and the packages of tests/e2e/clients/package.json.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import render
from check import HERE, Server, run
from picture import write_subtitles


def main(lectern, node_packages, picture):
    with tempfile.TemporaryDirectory(prefix="lectern-picture-") as directory:
        render.main(directory)
        os.chdir(directory)
        write_subtitles(json.loads(Path("truth.json").read_text()))
        run(lectern, "process", "lecture.mp4", "--keep", "--out=out", "--data-dir=data")
        job = json.loads(Path("out/results.json").read_text())["job_id"]
        # Node.js looks for packages beside the script.
        shutil.copy(HERE.parent / "clients" / "picture.mjs", directory)
        Path("node_modules").symlink_to(node_packages / "node_modules")
        with Server(lectern, "data", "--with-worker=false") as server:
            page = f"{server.address.removesuffix('/api/v1')}/jobs/{job}"
            run("node", "picture.mjs", shutil.which("chromium"), page, picture)


if __name__ == "__main__":
    main(*(Path(argument).resolve() for argument in sys.argv[1:]))
