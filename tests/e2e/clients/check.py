"""Checks the OpenAPI document and the pages with the clients that people use: linters, generated
clients and a browser, behind nginx with a path prefix. Checks the types in the scripts of the pages.

    python3 tests/e2e/clients/check.py PATH/TO/lectern NODE_PACKAGES PYTHON

NODE_PACKAGES is a directory in which package.json is installed, PYTHON a Python with
openapi-python-client. Also needs node, nginx, chromium and ffmpeg.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "faults"))
sys.dont_write_bytecode = True

from harness.lectern import Lectern  # noqa: E402
from harness.processes import free_port  # noqa: E402

PAGE_SCRIPTS = HERE.parents[2] / "crates/web/assets"
NGINX = """
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/nginx-body;
    proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-fastcgi;
    uwsgi_temp_path {directory}/nginx-uwsgi;
    scgi_temp_path {directory}/nginx-scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    server {{
        listen 127.0.0.1:{port};
        location /lectern/ {{
            proxy_pass http://127.0.0.1:{upstream}/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
        }}
    }}
}}
"""

# openapi-python-client sends JSON, forms and octet streams. It leaves out the other formats of
# a transcript, and uploads that resume, for which there are other clients, and reports that.
EXPECTED_WARNINGS = {
    f"WARNING parsing {operation} within outputs. Unsupported content type {media_type}"
    for operation in (
        "PUT /api/v1/clips/{clip_id}/subtitles",
        "PUT /api/v1/jobs/{job_id}/transcripts",
        "POST /api/v1/jobs/{job_id}/transcripts",
    )
    for media_type in (
        "application/ttml+xml",
        "application/x-ndjson",
        "application/x-subrip",
        "text/tab-separated-values",
        "text/vtt",
        "text/x-lrc",
        "text/x-sbv",
        "text/x-ssa",
    )
} | {
    f"WARNING parsing {operation} within uploads. Endpoint will not be generated. "
    "Unsupported content type application/offset+octet-stream"
    for operation in (
        "POST /api/v1/uploads/tus",
        "POST /api/v1/uploads/tus/{upload_id}",
        "PATCH /api/v1/uploads/tus/{upload_id}",
    )
}


# Far more than any command takes on a busy machine: trying every operation takes Chromium minutes.
COMMAND_SECONDS = 900


def run(*command: str | Path, cwd: Path, errors: int = subprocess.PIPE) -> str:
    """The output of a command that succeeds; with `STDOUT` for `errors`, of both streams."""
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr or ''}"
    return done.stdout


@contextmanager
def nginx(program: str, directory: Path, port: int, upstream: int) -> Iterator[None]:
    """nginx with the path prefix /lectern. The command returns when it listens."""
    settings = directory / "nginx.conf"
    # Its workers need the temporary directory, which belongs to this user.
    user = "user root;" if os.geteuid() == 0 else ""
    settings.write_text(user + NGINX.format(directory=directory, port=port, upstream=upstream))
    command = [program, "-e", directory / "nginx.log", "-c", settings]
    run(*command, cwd=directory)
    try:
        yield
    finally:
        run(*command, "-s", "stop", cwd=directory)


def check_locations(url: str) -> None:
    """Checks that `Location` and signed URLs lead back through the gateway."""
    body = {"filename": "talk.mp4", "file_size": 1, "content_type": "video/mp4"}
    request = Request(f"{url}/api/v1/upload", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        location, announced = answer.headers["Location"], json.load(answer)
    assert location == f"/lectern/api/v1/jobs/{announced['job_id']}", location
    assert announced["upload_url"].startswith(f"{url}/api/v1/objects/"), announced
    with urlopen(url.removesuffix("/lectern") + location) as answer:
        assert json.load(answer)["job_id"] == announced["job_id"]
    with urlopen(Request(url.removesuffix("/lectern") + location, method="DELETE")) as answer:
        assert answer.status == 204


def lint(directory: Path, tools: Path) -> None:
    ruleset = ("--ruleset", "spectral.yaml", "--fail-severity", "hint")
    run(tools / "spectral", "lint", "openapi.json", *ruleset, cwd=directory)
    options = ("--config", "redocly.yaml", "--format", "json")
    report = json.loads(run(tools / "redocly", "lint", "openapi.json", *options, cwd=directory))
    totals = report["totals"]
    assert totals["errors"] == totals["warnings"] == 0, report
    print(f"spectral and redocly: no findings, {totals['ignored']} ignored")


def lint_with_keys(program: Path, directory: Path, tools: Path) -> None:
    """Checks the document of a server that asks for keys, which has security schemes."""
    server = Lectern(program, directory / "keys", f"sqlite://{directory}/keys.db", {"LECTERN_AUTH": "keys"})
    server.start()
    try:
        with urlopen(f"http://127.0.0.1:{server.port}/openapi.json") as answer:
            document = json.load(answer)
    finally:
        server.kill()
    assert document["components"]["securitySchemes"], document["components"].keys()
    (directory / "openapi.json").write_text(json.dumps(document))
    lint(directory, tools)


def use_python_client(directory: Path, python: Path, url: str) -> None:
    options = ("--path", "openapi.json", "--meta", "none", "--output-path", "lectern_client")
    command = (python, "-m", "openapi_python_client", "generate", *options)
    report = run(*command, cwd=directory, errors=subprocess.STDOUT)
    paragraphs = report.split("WARNING")[1:]
    words = (" ".join(["WARNING", *paragraph.split("{\n")[0].split()]) for paragraph in paragraphs)
    warnings = {re.match(r".*?content type \S+|.*", text).group() for text in words}
    assert warnings == EXPECTED_WARNINGS, report
    print(run(python, "lifecycle.py", url, cwd=directory), end="")


def use_typescript_client(directory: Path, tools: Path, url: str) -> None:
    # By default, a field with a default value would be required in requests.
    options = ("--default-non-nullable", "false", "--output", "openapi.d.ts")
    run(tools / "openapi-typescript", "openapi.json", *options, cwd=directory)
    run(tools / "tsc", "--project", "tsconfig.json", cwd=directory)
    print(run("node", "out/lifecycle.js", url, cwd=directory), end="")


def check_scripts(tools: Path) -> None:
    """Checks the types in the scripts of the pages."""
    options = ("--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable")
    run(tools / "tsc", *options, *sorted(PAGE_SCRIPTS.glob("*.js")), cwd=PAGE_SCRIPTS)


def make_recording(directory: Path) -> Path:
    """A recording of 30 seconds in formats that every browser plays."""
    recording = directory / "recording.webm"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=30")
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:duration=30")
    codecs = ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")
    run("ffmpeg", "-v", "error", *picture, *sound, *codecs, recording, cwd=directory)
    return recording


def main(lectern: str, node_packages: str, python: str) -> None:
    program, chromium = (
        shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("nginx", "chromium")
    )
    assert program and chromium, "nginx or chromium is missing"
    with tempfile.TemporaryDirectory(prefix="lectern-clients-") as name:
        directory = Path(name)
        for file in HERE.iterdir():
            if file.is_file():
                shutil.copy(file, directory)
        (directory / "node_modules").symlink_to(Path(node_packages).resolve() / "node_modules")
        tools = directory / "node_modules" / ".bin"
        lint_with_keys(Path(lectern).resolve(), directory, tools)
        port = free_port()
        url = f"http://127.0.0.1:{port}/lectern"
        database = f"sqlite://{directory}/lectern.db"
        server = Lectern(Path(lectern).resolve(), directory / "server", database, {"LECTERN_PUBLIC_URL": url})
        server.start()
        try:
            with nginx(program, directory, port, server.port):
                with urlopen(f"{url}/openapi.json") as answer:
                    document = json.load(answer)
                assert document["servers"] == [{"url": "/lectern"}], document["servers"]
                (directory / "openapi.json").write_text(json.dumps(document))
                check_locations(url)
                lint(directory, tools)
                use_python_client(directory, Path(python).absolute(), url)
                use_typescript_client(directory, tools, url)
                print(run("node", "page.mjs", chromium, url, cwd=directory), end="")
                check_scripts(tools)
                print(run("node", "recordings.mjs", chromium, url, cwd=directory), end="")
                print(run("node", "operation.mjs", chromium, url, cwd=directory), end="")
                recording = make_recording(directory)
                print(run("node", "recording.mjs", chromium, url, recording, cwd=directory), end="")
            server.stop()
        finally:
            server.kill()
        assert " ERROR " not in server.log(), server.log()


if __name__ == "__main__":
    main(*sys.argv[1:])
