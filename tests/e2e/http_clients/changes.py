"""Repeated requests, and changes by JSON merge patch."""

from __future__ import annotations

import json
import uuid

from service import API, call, create_job, curl


def check_a_repeated_request_makes_one_job() -> None:
    """Idempotency-Key: requests and curl get the response of the first request; another body
    is refused."""
    key = f"key-{uuid.uuid4()}"
    body = {"filename": f"{key}.mp4", "file_size": 1, "s3_key": "in/talk.mp4"}
    headers = {"Idempotency-Key": key}
    first, second = (call("POST", f"{API}/jobs", 201, json=body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    # Other bytes, but the same JSON.
    header, again = f"Idempotency-Key: {key}", json.dumps(body, indent=2)
    third = json.loads(curl("--header", header, "--json", again, f"{API}/jobs"))
    assert third == first.json()
    other = {**body, "file_size": 2}
    problem = call("POST", f"{API}/jobs", 422, json=other, headers=headers).json()
    assert problem["code"] == "idempotency_mismatch", problem
    found = call("GET", f"{API}/jobs", 200, params={"filename": key}).json()
    assert len(found["jobs"]) == 1, found


def check_a_merge_patch_keeps_what_it_does_not_name() -> None:
    """application/merge-patch+json merges metadata; JSON replaces it; If-Match is the version."""
    metadata = {"course": {"id": 7, "room": "A"}, "tags": ["a", "b"]}
    url = f"{API}/jobs/{create_job(extra_metadata=metadata)['job_id']}"
    etag = call("GET", url, 200).headers["ETag"]
    patch = {"extra_metadata": {"course": {"room": None, "year": 2026}, "tags": ["c"]}}
    merge = {"Content-Type": "application/merge-patch+json", "If-Match": etag}
    merged = call("PATCH", url, 200, data=json.dumps(patch), headers=merge).json()
    expected = {"course": {"id": 7, "year": 2026}, "tags": ["c"]}
    assert merged["extra_metadata"] == expected, merged
    call("PATCH", url, 412, data=json.dumps(patch), headers=merge)
    replaced = call("PATCH", url, 200, json={"extra_metadata": {"tags": []}}).json()
    assert replaced["extra_metadata"] == {"tags": []}, replaced
