"""Lists of jobs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urljoin

from service import API, call, create_job, curl


def pages(**query: Any) -> Iterator[list[str]]:
    """The ids on each page, by following the header `Link` as requests parses it."""
    response = call("GET", f"{API}/jobs", 200, params=query)
    while True:
        page = response.json()
        yield [job["job_id"] for job in page["jobs"]]
        link = response.links.get("next")
        assert (link is None) == (page["next_cursor"] is None), (response.headers, page)
        if link is None:
            return
        response = call("GET", urljoin(response.url, link["url"]), 200)


def jobs_of_a_course(count: int) -> tuple[str, list[str]]:
    """Jobs with metadata of their own, and their ids, newest first."""
    course = f"ML {uuid.uuid4()} & more"
    jobs = [
        create_job(filename=f"Lecture {i}.mp4", extra_metadata={"course": course, "number": i})
        for i in range(count)
    ]
    return course, [job["job_id"] for job in reversed(jobs)]


def check_links_lead_through_all_pages() -> None:
    """response.links leads through all pages, each job once, and keeps the conditions."""
    course, newest_first = jobs_of_a_course(7)
    query = {"metadata.course": course, "status": "queued,running", "limit": 2}
    found = list(pages(**query))
    assert [len(page) for page in found] == [2, 2, 2, 1], found
    assert sum(found, []) == newest_first, found


def check_order_and_direction() -> None:
    """order and direction sort all pages; the newest change comes first, or last."""
    course, ids = jobs_of_a_course(5)
    call("PATCH", f"{API}/jobs/{ids[3]}", 200, json={"filename": "renamed.mp4"})
    changed_first = [ids[3], *ids[:3], ids[4]]
    query = {"metadata.course": course, "order": "updated_at", "limit": 2}
    assert sum(pages(**query), []) == changed_first
    assert sum(pages(**query, direction="asc"), []) == changed_first[::-1]
    assert sum(pages(**{**query, "order": "created_at"}, direction="asc"), []) == ids[::-1]


def check_statuses_by_commas() -> None:
    """Several statuses, whether the client encodes the comma (requests) or not (curl)."""
    course, ids = jobs_of_a_course(3)
    call("POST", f"{API}/jobs/{ids[1]}/cancel", 200)
    query = {"metadata.course": course}
    assert sum(pages(**query, status="queued,cancelled"), []) == ids
    assert sum(pages(**query, status="cancelled,failed"), []) == [ids[1]]
    condition = f"metadata.course={course}"
    listed = curl("--get", "--data-urlencode", condition, f"{API}/jobs?status=cancelled,failed")
    assert [job["job_id"] for job in json.loads(listed)["jobs"]] == [ids[1]], listed


def check_metadata() -> None:
    """metadata.<key> finds texts and numbers; several conditions must all hold."""
    course, ids = jobs_of_a_course(3)
    assert sum(pages(**{"metadata.course": course, "metadata.number": 2}), []) == [ids[0]]
    assert sum(pages(**{"metadata.course": course, "metadata.number": "2.0"}), []) == [ids[0]]
    assert sum(pages(**{"metadata.course": course[:-1]}), []) == []


def check_dates_without_a_time() -> None:
    """A date is the start of that day in UTC."""
    course, ids = jobs_of_a_course(2)
    created = call("GET", f"{API}/jobs/{ids[0]}", 200).json()["created_at"]
    day = date.fromisoformat(created[:10])
    query = {"metadata.course": course}
    # The first of the jobs may be from the day before, at midnight.
    assert ids[0] in sum(pages(**query, created_after=day), [])
    assert sum(pages(**query, created_after=day + timedelta(days=1)), []) == []
    assert sum(pages(**query, created_before=day + timedelta(days=1)), []) == ids
    assert ids[0] not in sum(pages(**query, created_before=day), [])


def check_an_offset_gets_the_name_of_the_cursor() -> None:
    """A client that pages with offset or skip gets a 400 that names the cursor."""
    for name in ("offset", "skip"):
        problem = call("GET", f"{API}/jobs", 400, params={"limit": 2, name: 2}).json()
        assert problem["code"] == "malformed_query", problem
        [error] = problem["errors"]
        assert error["field"] == name and "cursor" in error["message"], problem
