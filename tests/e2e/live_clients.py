"""Follows events with real clients: httpx-sse, and EventSource and WebSocket in Chromium.

    live_clients.py target/debug/lectern

The page is the JavaScript of docs/workers.md, word for word. It is served from another
origin, sends credentials, and survives a server that is killed, replaced by a gateway that
answers 503, and started again. Needs `httpx-sse`, and Chromium for the second part.
"""

import json
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from httpx_sse import connect_sse

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 60
# More than the time after which an idle stream sends a comment.
IDLE = 17


def call(method, url, body=None, key=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return json.loads(answer.read() or "null")


class Lectern:
    """A server that can be killed and started again at the same address."""

    def __init__(self, program, directory, *settings):
        self.command = [program, "serve", "--data-dir", directory, "--with-worker=false", *settings]
        self.address = "127.0.0.1:0"
        self.start()

    def start(self):
        command = [*self.command, "--bind", self.address]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"listens on http://(\S+)", line):
                self.address = found[1]
                break
        else:
            raise AssertionError("the server did not start")
        threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True).start()
        self.api = f"http://{self.address}/api/v1"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def create(self):
        job = {"filename": "talk.mp4", "file_size": 1, "s3_key": "talk.mp4"}
        return call("POST", f"{self.api}/jobs", job)["job_id"]

    def report(self, job_id, percent):
        report = {"stage": "transcription", "percent": percent}
        call("POST", f"{self.api}/jobs/{job_id}/progress", report)

    def finish(self, job_id, status):
        call("PATCH", f"{self.api}/jobs/{job_id}", {"status": status})


def with_httpx_sse(lectern):
    """An idle stream has no events without data, and `error` is named `failed`."""
    job_id = lectern.create()
    with (
        httpx.Client(timeout=TIMEOUT) as client,
        connect_sse(client, "GET", f"{lectern.api}/jobs/{job_id}/events") as source,
    ):
        events = source.iter_sse()
        first = next(events)
        assert (first.event, first.retry, json.loads(first.data)["type"]) == ("snapshot", 1000, "snapshot")
        # Comments arrive meanwhile, which are no events.
        time.sleep(IDLE)
        lectern.report(job_id, 50)
        lectern.finish(job_id, "failed")
        rest = list(events)
        assert [event.event for event in rest] == ["progress", "failed"], rest
        assert [int(event.id) for event in rest] == [int(first.id) + 1, int(first.id) + 2]
        assert json.loads(rest[-1].data)["type"] == "error"

        seen = []
        for url, headers in [(f"{lectern.api}/events", {}), (f"{lectern.api}/events", None)]:
            headers = {"Last-Event-ID": seen[-1].id} if headers is None else headers
            with connect_sse(client, "GET", url, headers=headers) as source:
                seen += [event for _, event in zip(range(2), source.iter_sse(), strict=False)]
            lectern.create()
        keys = [(event["job_id"], event["seq"]) for event in (json.loads(event.data) for event in seen)]
        assert len(set(keys)) == len(keys) == 4, keys


def functions_of_the_docs():
    """The JavaScript in docs/workers.md."""
    blocks = re.findall(r"```js\n(.*?)```", (ROOT / "docs/workers.md").read_text(), re.DOTALL)
    assert len(blocks) == 2, blocks
    return "\n".join(blocks)


PAGE = """<!doctype html><meta charset="utf-8"><script>
{functions}
// The functions take no options, so that cookies need this.
const Plain = EventSource;
window.EventSource = class extends Plain {{
  constructor(url) {{ super(url, {{ withCredentials: true }}); }}
}};
const send = (channel, data) =>
  fetch("/received", {{ method: "POST", body: JSON.stringify([channel, data]) }});
follow("http://{address}/api/v1/events", (type, event) => {{ send("events", [type, event]); }});
watch("ws://{address}/ws/jobs/{job_id}", (message) => {{ send("socket", ["", message]); }});
fetch("http://{address}/api/v1/jobs", {{ credentials: "include" }})
  .then((answer) => answer.json()).then((list) => send("jobs", list.jobs.length));
</script>"""


TOKEN_PAGE = """<!doctype html><meta charset="utf-8"><script>
const send = (channel, data) =>
  fetch("/received", {{ method: "POST", body: JSON.stringify([channel, data]) }});
function watch(name, job, token) {{
  const source = new EventSource(`http://{address}/api/v1/jobs/${{job}}/events?token=${{token}}`);
  for (const type of ["snapshot", "progress", "failed"])
    source.addEventListener(type, (event) => send(name + "events", JSON.parse(event.data)));
  source.onerror = () => {{
    if (source.readyState === EventSource.CLOSED) send(name + "events", "closed");
  }};
  const socket = new WebSocket(`ws://{address}/ws/jobs/${{job}}?token=${{token}}`);
  socket.onmessage = (event) => send(name + "socket", JSON.parse(event.data));
  socket.onclose = () => send(name + "socket", "closed");
}}
watch("", "{job_id}", "{token}");
watch("other ", "{other_id}", "{token}");
watch("short ", "{job_id}", "{short}");
</script>"""


class Page(ThreadingHTTPServer):
    """Serves the page, and receives what it got."""

    def __init__(self):
        self.html = ""
        self.received = queue.Queue()
        super().__init__(("127.0.0.1", 0), PageHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class PageHandler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(self.server.html.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.put(json.loads(body))
        self.answer(b"")


class Gateway(BaseHTTPRequestHandler):
    """Answers 503, as a gateway does while a server is replaced."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append("events" if self.path.startswith("/api") else "socket")
        self.send_response(503)
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Credentials", "true")
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def chromium(url):
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("Chromium is missing")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--no-proxy-server", f"--user-data-dir={profile}", "--remote-debugging-port=0", url],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            browser.terminate()
            browser.wait()


def in_chromium(lectern, page):
    """A page gets each event once, across a 503."""
    job_id = lectern.create()
    page.html = PAGE.format(functions=functions_of_the_docs(), address=lectern.address, job_id=job_id)
    received = {"events": [], "socket": [], "jobs": []}

    def wait_for(done):
        while not done():
            channel, data = page.received.get(timeout=TIMEOUT)
            received[channel].append(data)

    def has(channel, kind, percent=None):
        def matches(item):
            message = item[1]
            if message["job_id"] != job_id or message["type"] != kind:
                return False
            return percent is None or (message["data"]["progress"] or {}).get("percent") == percent

        return lambda: any(map(matches, received[channel]))

    with chromium(f"http://page.localhost:{page.server_port}/"):
        wait_for(lambda: received["jobs"])
        lectern.report(job_id, 10)
        wait_for(has("events", "progress", 10))
        wait_for(has("socket", "progress", 10))

        lectern.kill()
        host, port = lectern.address.rsplit(":", 1)
        ThreadingHTTPServer.allow_reuse_address = True
        gateway = ThreadingHTTPServer((host, int(port)), Gateway)
        gateway.asked = []
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        deadline = time.monotonic() + TIMEOUT
        while not {"events", "socket"} <= set(gateway.asked):
            assert time.monotonic() < deadline, gateway.asked
            time.sleep(0.05)
        gateway.shutdown()
        gateway.server_close()
        lectern.start()

        lectern.report(job_id, 20)
        lectern.finish(job_id, "failed")
        wait_for(has("events", "error"))
        wait_for(has("socket", "error"))
        call("DELETE", f"{lectern.api}/jobs/{job_id}")
        wait_for(has("events", "deleted"))

    for channel in ["events", "socket"]:
        of_the_job = [item for item in received[channel] if item[1]["job_id"] == job_id]
        seqs = [item[1]["seq"] for item in of_the_job]
        assert sorted(seqs) == list(range(min(seqs), max(seqs) + 1)), (channel, seqs)
    names = {item[1]["type"]: item[0] for item in received["events"]}
    assert (names["error"], names["progress"], names["deleted"]) == ("failed", "progress", "deleted")


def with_watch_tokens(program, directory, page):
    """A page without a key watches the job of its token, and no other."""
    url = f"sqlite://{directory}/keys.db"
    settings = ["--database-url", url, "--auth", "keys", "--cors-origins", f"http://*.localhost:{page.server_port}"]
    keys = [program, "keys", "--data-dir", directory, "--database-url", url, "new", "--role", "client"]
    key = subprocess.run(keys, check=True, capture_output=True, text=True).stdout.strip()
    lectern = Lectern(program, directory, *settings, "--log", "trace")
    try:
        job = {"filename": "talk.mp4", "file_size": 1, "s3_key": "talk.mp4"}
        job_id, other_id = (call("POST", f"{lectern.api}/jobs", job, key)["job_id"] for _ in range(2))
        tokens = [
            call("POST", f"{lectern.api}/jobs/{job_id}/watch-token", {"expires_in_seconds": seconds}, key)["token"]
            for seconds in (600, 4)
        ]
        page.html = TOKEN_PAGE.format(
            address=lectern.address, job_id=job_id, other_id=other_id, token=tokens[0], short=tokens[1]
        )
        received = {}

        def wait_for(channel, matches):
            while not any(map(matches, received.get(channel, []))):
                name, data = page.received.get(timeout=TIMEOUT)
                received.setdefault(name, []).append(data)

        def is_type(kind):
            return lambda message: message != "closed" and message["type"] == kind

        with chromium(f"http://page.localhost:{page.server_port}/"):
            for channel in ("events", "socket", "short events", "short socket"):
                wait_for(channel, is_type("snapshot"))
            # A refused EventSource gives up, as the one whose token has expired does.
            for channel in ("other events", "other socket", "short events", "short socket"):
                wait_for(channel, lambda message: message == "closed")
            report = {"stage": "transcription", "percent": 50}
            call("POST", f"{lectern.api}/jobs/{job_id}/progress", report, key)
            call("PATCH", f"{lectern.api}/jobs/{job_id}", {"status": "failed"}, key)
            for channel in ("events", "socket"):
                wait_for(channel, is_type("progress"))
                wait_for(channel, is_type("error"))
        assert received["other events"] == received["other socket"] == ["closed"], received
        log = "".join(lectern.log)
        assert f"/api/v1/jobs/{job_id}/events" in log, log
        for secret in (key, *tokens):
            assert secret[30:60] not in log
    finally:
        lectern.kill()


def main():
    program = sys.argv[1]
    page = Page()
    with tempfile.TemporaryDirectory() as directory:
        lectern = Lectern(
            program, directory,
            "--cors-origins", f"http://*.localhost:{page.server_port}", "--cors-credentials",
        )
        try:
            with_httpx_sse(lectern)
            print("httpx-sse: each event once, none without data")
            in_chromium(lectern, page)
            print("Chromium: each event once, across a kill and a 503")
        finally:
            lectern.kill()
    with tempfile.TemporaryDirectory() as directory:
        with_watch_tokens(program, directory, page)
        print("Chromium: EventSource and WebSocket with a watch token, for its job and until it expires")


if __name__ == "__main__":
    main()
