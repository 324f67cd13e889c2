"""Draws every page in both languages, light and dark, on a desktop and on a phone.

    python tests/e2e/page_quality/screenshots.py PATH/TO/lectern DIRECTORY [VIEW…]

Needs the package playwright, chromium and ffmpeg.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "faults"))
sys.dont_write_bytecode = True

from views import DESKTOP, LANGUAGES, PHONE, SCHEMES, Reader, chromium, new_keys, service_with_samples, views  # noqa: E402


def main(program: str, directory: str, *names: str) -> None:
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    with service_with_samples(Path(program).resolve()) as (service, samples), chromium() as browser:
        keys = new_keys(service)
        for view in views(samples):
            if names and view.name not in names:
                continue
            for language in LANGUAGES:
                for size_name, size in (("desktop", DESKTOP), ("phone", PHONE)):
                    reader = Reader(browser, service, keys[view.reader], locale=language, viewport=size)
                    for scheme in SCHEMES:
                        reader.page.emulate_media(color_scheme=scheme)
                        if scheme == SCHEMES[0]:
                            reader.open(view)
                        path = target / f"{view.name}-{language[:2]}-{size_name}-{scheme}.png"
                        reader.page.screenshot(path=path, full_page=True)
                    reader.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
