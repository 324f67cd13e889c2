"""Jobs are created once, have increasing versions, and stay until they are deleted; nothing
that was appended to them is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator

from .operation import (
    OK,
    REFUSED,
    History,
    Operation,
    Violation,
    earliest_begin,
    earliest_end,
)

# Operations whose path is below the job, so that they answer 404 without it.
ON_JOB = (
    "get-job", "patch", "progress", "put", "get", "log", "logs", "stages", "events", "cancel",
    "retry",
)  # fmt: skip


def violations(job: str, history: History) -> Iterator[Violation]:
    yield from _existence(job, history)
    yield from _versions(job, history)
    yield from _appended(job, history)
    yield from _progress(job, history)
    yield from _cancelled(job, history)


def creations(history: History) -> Iterator[Violation]:
    """Each key has created at most one job, and exactly one if it was acknowledged."""
    jobs_of_key: dict[str, set[str]] = {}
    for create in history.of("create"):
        if create.is_ok:
            jobs_of_key.setdefault(create.sent["token"], set()).add(create.got["job"])
    for token, jobs in jobs_of_key.items():
        if len(jobs) > 1:
            yield Violation("doubled", None, f"the repeated creation of {token} gave {jobs}")
    deletes = [one for one in history.of("delete") if one.outcome != REFUSED]
    for listing in history.of("jobs"):
        if not listing.is_ok:
            continue
        listed = listing.got["tokens"]
        for token, ids in listed.items():
            if len(ids) > 1:
                yield Violation("doubled", ids[0], f"one creation, {len(ids)} jobs: {token}")
        for create in history.of("create"):
            token, job = create.sent["token"], create.got.get("job")
            is_deleted = any(one.job == job and one.began < listing.ended for one in deletes)
            is_expected = create.is_ok and create.ended < listing.began and not is_deleted
            if is_expected and job not in listed.get(token, []):
                yield Violation("lost", job, f"created and not listed: {create}")


def _existence(job: str, history: History) -> Iterator[Violation]:
    created = earliest_end(one for one in history.of("create") if one.is_ok)
    deletes = [one for one in history.of("delete") if one.outcome != REFUSED]
    delete_began = earliest_begin(deletes)
    delete_ended = earliest_end(one for one in deletes if one.outcome == OK)
    for one in history.of(*ON_JOB, "delete"):
        if one.is_missing and one.began > created and one.ended < delete_began:
            yield Violation("lost", job, f"a job that nobody deleted is missing: {one}")
        # An answer other than 404 after the deletion or after the first 404.
        elif one.outcome != "unknown" and not one.is_missing and one.began > delete_ended:
            yield Violation("stale", job, f"a deleted job is there: {one}")


def _versions(job: str, history: History) -> Iterator[Violation]:
    """A later answer has no lower version, and one version is replaced at most once."""
    known = [one for one in history.of("get-job", "patch") if one.is_ok]
    highest: Operation | None = None
    by_end = sorted(known, key=lambda one: one.ended)
    at = 0
    for one in sorted(known, key=lambda one: one.began):
        while at < len(by_end) and by_end[at].ended < one.began:
            ended = by_end[at]
            if highest is None or ended.got["version"] > highest.got["version"]:
                highest = ended
            at += 1
        if highest and one.got["version"] < highest.got["version"]:
            versions = f"version {one.got['version']} after {highest.got['version']}"
            yield Violation("stale", job, f"{versions}: {one}")
    replaced: dict[int, Operation] = {}
    for patch in history.of("patch"):
        expected = patch.sent["if_match"]
        if not patch.is_ok or expected is None:
            continue
        if patch.got["version"] <= expected:
            yield Violation("stale", job, f"version {patch.got['version']} after {patch}")
        if expected in replaced:
            text = f"version {expected} was replaced twice: {patch}, {replaced[expected]}"
            yield Violation("lost", job, text)
        replaced[expected] = patch


def _appended(job: str, history: History) -> Iterator[Violation]:
    appends = {one.sent["message"]: one for one in history.of("log")}
    for read in history.of("logs"):
        if not read.is_ok:
            continue
        messages: list[str] = read.got["messages"]
        counts = {message: messages.count(message) for message in messages}
        for message, count in counts.items():
            append = appends.get(message)
            if append is None or append.outcome == REFUSED or append.began > read.ended:
                yield Violation("invented", job, f"{message} was not appended: {read}")
            if count > 1:
                yield Violation("doubled", job, f"{message} is there {count} times: {read}")
        for message, append in appends.items():
            if append.is_ok and append.ended < read.began and message not in counts:
                yield Violation("lost", job, f"{message} is not there: {read}")


def _progress(job: str, history: History) -> Iterator[Violation]:
    """A job's own reports of progress are never lost, and never go back."""
    reports = [one for one in history.of("progress") if one.is_ok]
    for read in history.of("get-job"):
        if not read.is_ok or not reports:
            continue
        least = max((one.sent["percent"] for one in reports if one.ended < read.began), default=0)
        if (read.got["percent"] or 0) < least:
            yield Violation("lost", job, f"{read.got['percent']} % after {least} %: {read}")


def _cancelled(job: str, history: History) -> Iterator[Violation]:
    """A cancelled job stays cancelled until a retry begins."""
    retries = [one for one in history.of("retry") if one.outcome != REFUSED]
    for cancel in history.of("cancel"):
        if not cancel.is_ok:
            continue
        for read in history.of("get-job"):
            if not read.is_ok or read.began < cancel.ended or read.got["status"] == "cancelled":
                continue
            if all(one.ended < cancel.began or one.began > read.ended for one in retries):
                yield Violation("lost", job, f"{read.got['status']} after {cancel}: {read}")
