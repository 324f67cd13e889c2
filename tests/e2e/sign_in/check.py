"""Lets a person sign in at a real identity provider, in Chromium, and a program with a token.

    python3 tests/e2e/sign_in/check.py PATH/TO/lectern NODE_PACKAGES

NODE_PACKAGES is a directory in which tests/e2e/clients/package.json is installed. The provider is
the npm package oidc-provider, which is certified by the OpenID Foundation; browser.mjs runs it,
with RSA keys, and the browser. Needs node and chromium.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "faults"))
sys.dont_write_bytecode = True

from harness.lectern import Lectern  # noqa: E402
from harness.processes import free_port  # noqa: E402

CLIENT_SECRET = "a secret: with / signs + and spaces"


def status(url: str, token: str) -> int:
    request = Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=60) as response:
            return response.status
    except HTTPError as error:
        return error.code


def main() -> None:
    program, packages = sys.argv[1:]
    issuer = f"http://127.0.0.1:{free_port()}"
    settings = {
        "LECTERN_OIDC_ISSUER": issuer,
        "LECTERN_OIDC_AUDIENCE": "https://lectern.example/api",
        "LECTERN_OIDC_CLIENT_ID": "lectern",
        "LECTERN_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "LECTERN_OIDC_ROLE_CLAIM": "https://lectern.example/roles",
        "LECTERN_OIDC_ROLES": "client=lecturers,viewer=*",
        "LECTERN_OIDC_OWNER_CLAIM": "org.team",
    }
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        database = f"sqlite://{directory}/lectern.db"
        lectern = Lectern(Path(program).resolve(), directory, database, settings).start()
        try:
            url = f"http://127.0.0.1:{lectern.port}"
            browser = subprocess.run(
                ["node", HERE / "browser.mjs", packages, issuer, url, CLIENT_SECRET],
                stdout=subprocess.PIPE,
                timeout=300,
                check=True,
                text=True,
            )
            tokens = json.loads(browser.stdout.splitlines()[-1])
            expected = {"owned": 200, "without_owner": 403, "other_audience": 401}
            found = {name: status(f"{url}/api/v1/jobs", tokens[name]) for name in expected}
            assert found == expected, found
            log = lectern.log()
            for token in tokens.values():
                assert token not in log, "a token is in the log"
        finally:
            lectern.stop()
    print("a person has signed in and out in Chromium, and a program has called with a token")


main()
