"""Events behind a gateway that adds a token to the URL."""

from __future__ import annotations

import json

import requests
from service import API, SERVER, TIMEOUT, call, create_job
from websockets.sync.client import connect


def check_a_token_is_ignored_by_the_websocket() -> None:
    """?token= on /ws: the WebSocket opens, with and without another parameter."""
    job_id = create_job()["job_id"]
    url = f"{SERVER.replace('http', 'ws', 1)}/ws/jobs/{job_id}"
    with connect(f"{url}?token=a.b-c", open_timeout=TIMEOUT) as socket:
        message = json.loads(socket.recv(timeout=TIMEOUT))
    assert (message["type"], message["job_id"]) == ("snapshot", job_id), message
    call("POST", f"{API}/jobs/{job_id}/cancel", 200)
    with connect(f"{url}?token=a.b-c&after=0", open_timeout=TIMEOUT) as socket:
        messages = [json.loads(message) for message in socket]
    assert (socket.close_code, messages[-1]["data"]["status"]) == (1000, "cancelled"), messages


def first_data(response: requests.Response) -> dict[str, object]:
    """The first event of a stream."""
    for line in response.iter_lines(decode_unicode=True):
        if line.startswith("data:"):
            event: dict[str, object] = json.loads(line.removeprefix("data:"))
            return event
    raise AssertionError("the stream has ended")


def check_a_token_is_ignored_by_streams_and_pages() -> None:
    """?token= on /events: of one job, as a page and as a stream, and of all jobs."""
    job_id = create_job()["job_id"]
    url, token = f"{API}/jobs/{job_id}/events", {"token": "a.b-c"}
    page = call("GET", url, 200, params=token).json()
    assert page["events"][0]["type"] == "snapshot", page
    accept = {"Accept": "text/event-stream"}
    with call("GET", url, 200, params=token, headers=accept, stream=True) as response:
        assert first_data(response)["job_id"] == job_id
    call("GET", f"{API}/events", 200, params={**token, "after": "latest"})
    # Elsewhere a misspelled parameter would change the result without notice.
    problem = call("GET", f"{API}/jobs", 400, params=token).json()
    assert [error["field"] for error in problem["errors"]] == ["token"], problem
