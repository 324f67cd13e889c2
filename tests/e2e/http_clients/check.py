"""What clients of other makers get: requests, curl and websockets.

    target/debug/with-lectern sqlite PYTHON tests/e2e/http_clients/check.py

LECTERN is the URL of the server. PYTHON has the packages requests and websockets. Each function
`check_…` is a check, and its docstring says what it shows.
"""

from __future__ import annotations

import inspect
import sys

sys.dont_write_bytecode = True

import changes  # noqa: E402
import downloads  # noqa: E402
import events  # noqa: E402
import lists  # noqa: E402
import uploads  # noqa: E402


def main() -> None:
    for module in (lists, downloads, uploads, changes, events):
        for name, check in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("check_"):
                check()
                shown = " ".join((inspect.getdoc(check) or "").split())
                print(f"{module.__name__}: {shown}", flush=True)


main()
