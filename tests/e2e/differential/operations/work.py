"""Stages: claimed, extended, completed, failed, given back; progress and the log."""

from __future__ import annotations

from typing import Any

from naming import Comparable, Name
from request import Request
from sequence import API, Lease, Sequence, operation

from .jobs import STAGES, percent
from .lists import parameters

WORK = STAGES[1:-1]
# Longer than a sequence takes. A lease that expires during one would end at another step on
# each server; `expire` waits for it.
LEASES = [1800, 2700, 3600]
# A run under a lease that has expired, until the server ends it, once a second.
LOST_RUN = r'"status":"running","attempt":\d+,"max_attempts":\d+,"worker":"lost"'


def _learn_claims(seq: Sequence, request: Request, answer: Comparable) -> None:
    if answer.status != 200:
        return
    known = seq.known
    for i, claim in enumerate(answer.json["claims"]):
        lease = Lease(claim["lease_id"], claim["job"]["job_id"], claim["stage"])
        is_short = isinstance(request.body, str) and '"lease_seconds": 1,' in request.body
        (known.ended_leases if is_short else known.leases).append(lease)
        if isinstance(claim.get("source_url"), str):
            known.urls.append(f"«{request.step}/claims/{i}/source_url»")


def claim_body(seq: Sequence) -> dict[str, Any]:
    values, rng = seq.values, seq.rng
    count = rng.choice([1, 2, 3, 6])
    claim: dict[str, Any] = {"lease_seconds": rng.choice(LEASES), "stages": rng.sample(WORK, count)}
    claim["worker"] = values.text(50) if values.chance(0.3) else "worker"
    if values.chance(0.5):
        claim["max"] = values.integer(1, 100) if values.chance(0.3) else rng.randint(1, 4)
    if values.chance(0.06):
        wrong: dict[str, list[Any]] = {
            "stages": [[], ["uploading"], ["transcription"] * 2],
            "lease_seconds": [0, 3601, 1.5],
            "wait_seconds": [-1, 61],
        }
        name = rng.choice(list(wrong))
        claim[name] = rng.choice(wrong[name])
    return claim


@operation("claimWork", 7, _learn_claims)
def claim(seq: Sequence) -> Request:
    return seq.with_key(seq.write("claimWork", "POST", f"{API}/work/claim", claim_body(seq)))


@operation("claimWork that expires", 0.06)
def expire(seq: Sequence) -> Request:
    """A claim with leases that have expired when the next requests are answered."""
    most = 4
    claim = {"lease_seconds": 1, "stages": WORK, "worker": "lost", "max": most}
    for i in range(most):
        # Of a claim that is not granted, this asks for a job that does not exist.
        path = f"{API}/jobs/«{seq.step}/claims/{i}/job/job_id»/stages"
        seq.planned.append(Request("listStages", "GET", path, until_gone=LOST_RUN))
    return seq.write("claimWork", "POST", f"{API}/work/claim", claim)


def _ended(seq: Sequence, request: Request, answer: Comparable) -> None:
    known = seq.known
    if answer.status == 200:
        ended = [lease for lease in known.leases if f"/{lease.id}/" in request.path]
        known.leases = [lease for lease in known.leases if lease not in ended]
        known.ended_leases += ended


@operation("heartbeat", 3)
def heartbeat(seq: Sequence) -> Request:
    values = seq.values
    beat: dict[str, Any] = {}
    if values.chance(0.7):
        beat["percent"] = percent(seq)
    if values.chance(0.4):
        beat["message"] = values.text(500, 0)
    if values.chance(0.3):
        beat["eta_seconds"] = values.integer(0, 2147483647)
    return seq.with_key(seq.write("heartbeat", "POST", f"{API}/work/{seq.lease().id}/heartbeat", beat))


@operation("completeStage", 5, _ended)
def complete(seq: Sequence) -> Request:
    value: dict[str, Any] | None = {} if seq.values.chance(0.3) else None
    return seq.with_key(seq.write("completeStage", "POST", f"{API}/work/{seq.lease().id}/complete", value))


@operation("failStage", 2, _ended)
def fail(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng
    failure: dict[str, Any] = {"error": values.text(1000)}
    if values.chance(0.4):
        failure["retryable"] = rng.choice([True, False, None])
    if values.chance(0.4):
        # At once or in a day: never while the sequence is sent.
        failure["retry_after_seconds"] = rng.choice([0, 0, 86_400, 86_401, -1, None])
    if values.chance(0.3):
        failure["details"] = values.object()
    return seq.with_key(seq.write("failStage", "POST", f"{API}/work/{seq.lease().id}/fail", failure))


@operation("releaseStage", 1, _ended)
def release(seq: Sequence) -> Request:
    value: dict[str, Any] | None = {} if seq.values.chance(0.3) else None
    return seq.with_key(seq.write("releaseStage", "POST", f"{API}/work/{seq.lease().id}/release", value))


@operation("createWorkUpload", 1)
def work_upload(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng
    names = ["clips/1.mp4", "a", "original/a", "../a", "a//b", "", "a b", "/a"]
    body: dict[str, Any] = {"filename": rng.choice(names), "file_size": values.integer(1, 10**6)}
    path = f"{API}/work/{seq.lease().id}/objects"
    return seq.with_key(seq.write("createWorkUpload", "POST", path, body))


@operation("listWorkObjects", 1)
def work_objects(seq: Sequence) -> Request:
    options = {"s3_key": ["in/a.mp4", "jobs/a", "../a", ""]}
    path = f"{API}/work/{seq.lease().id}/objects{parameters(seq, options)}"
    return Request("listWorkObjects", "GET", path)


@operation("listStages", 2)
def stages(seq: Sequence) -> Request:
    return Request("listStages", "GET", f"{API}/jobs/{seq.job()}/stages")


@operation("appendLog", 3)
def append_log(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng
    entry: dict[str, Any] = {
        "stage": rng.choice(STAGES),
        "status": rng.choice(["started", "completed", "failed"]),
    }
    if values.chance(0.5):
        entry["message"] = values.text(3000, 0)
    if values.chance(0.3):
        entry["agent_name"] = values.text(50, 0)
    if values.chance(0.4):
        entry["duration_seconds"] = values.float(0, 1e308)
    if values.chance(0.4):
        entry["error_details"] = values.object()
    job = seq.job()
    request = seq.write("appendLog", "POST", f"{API}/jobs/{job}/logs", entry)
    return seq.with_key(seq.with_lease(request, job))


def _learn_logs(seq: Sequence, request: Request, answer: Comparable) -> None:
    if answer.status == 200 and isinstance(answer.json["next_cursor"], Name):
        path = request.path.split("?")[0]
        seq.known.log_pages.append((path, answer.json["next_cursor"]))


@operation("listLogs", 2, _learn_logs)
def logs(seq: Sequence) -> Request:
    known = seq.known
    if known.log_pages and seq.values.chance(0.4):
        path, cursor = seq.rng.choice(known.log_pages[-3:])
        return Request("listLogs", "GET", f"{path}?limit=2&cursor={cursor}")
    options = {
        "limit": ["1", "2", "3", "100", "101", "0", "x", ""],
        "stage": STAGES,
        "status": ["started", "failed", "started,failed", "x"],
    }
    return Request("listLogs", "GET", f"{API}/jobs/{seq.job()}/logs{parameters(seq, options)}")


@operation("pauseStage", 0.3)
def pause(seq: Sequence) -> Request:
    stage = seq.rng.choice([*WORK, "uploading", "x"])
    return seq.with_key(Request("pauseStage", "POST", f"{API}/work/stages/{stage}/pause"))


@operation("resumeStage", 1)
def resume(seq: Sequence) -> Request:
    stage = seq.rng.choice(WORK)
    return seq.with_key(Request("resumeStage", "POST", f"{API}/work/stages/{stage}/resume"))


@operation("getWorkStats", 0.7)
def work_stats(seq: Sequence) -> Request:
    return Request("getWorkStats", "GET", f"{API}/work/stats")


def _learn_workers(seq: Sequence, request: Request, answer: Comparable) -> None:
    if answer.status == 200 and isinstance(answer.json["next_cursor"], Name):
        seq.known.worker_pages.append(answer.json["next_cursor"])


@operation("listWorkers", 0.7, _learn_workers)
def workers(seq: Sequence) -> Request:
    known = seq.known
    if known.worker_pages and seq.values.chance(0.3):
        cursor = seq.rng.choice(known.worker_pages[-3:])
        return Request("listWorkers", "GET", f"{API}/workers?limit=2&cursor={cursor}")
    options = {"limit": ["1", "2", "3", "100", "101", "0", "x"]}
    return Request("listWorkers", "GET", f"{API}/workers{parameters(seq, options, 0.5)}")
