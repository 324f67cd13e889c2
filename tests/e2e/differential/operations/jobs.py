"""Jobs: created, changed, cancelled, run again, deleted."""

from __future__ import annotations

from typing import Any

from naming import Comparable
from request import Request
from sequence import API, JSON, Sequence, operation
from values import spelled

STAGES = [
    "uploading", "silence_detection", "transcription", "layout_analysis", "content_analysis",
    "segmentation", "compilation", "complete",
]  # fmt: skip
STATUSES = ["pending", "queued", "running", "completed", "failed", "cancelled"]


def processing_config(seq: Sequence) -> Any:
    rng = seq.rng
    config: dict[str, Any] = {}
    if rng.random() < 0.6:
        config["pipeline"] = rng.choice(
            ["subtitles", "subtitles", "default", "Ὀδυσσεύς", "missing", "", None]
        )
    if rng.random() < 0.3:
        config["processing_mode"] = rng.choice(["audio", "vision", None, "Audio"])
    if rng.random() < 0.2:
        config["resolution"] = rng.choice(["720p", "2160p", "1p"])
    if rng.random() < 0.3:
        more = seq.values.object(1)
        config.update(more)
    return config


def priority(seq: Sequence) -> Any:
    if seq.values.chance(0.3):
        return seq.values.integer(-2147483648, 2147483647)
    return seq.rng.choice([0, 0, 0, 1, 5, -1, 2147483647, -2147483648])


def optional_fields(seq: Sequence) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    values = seq.values
    if values.chance(0.6):
        fields["extra_metadata"] = metadata = values.object()
        if isinstance(metadata, dict):
            seq.known.metadata += metadata.items()
    if values.chance(0.4):
        fields["priority"] = priority(seq)
    if values.chance(0.6):
        fields["processing_config"] = processing_config(seq)
    return fields


@operation("createJob", 5)
def create(seq: Sequence) -> Request:
    values = seq.values
    job = optional_fields(seq)
    if seq.known.jobs and values.chance(0.15):
        job["source_job_id"] = seq.job()
        if values.chance(0.4):
            job["filename"] = values.filename()
    else:
        job["filename"] = values.filename()
        job["file_size"] = values.integer(1, 9223372036854775807)
        job["s3_key"] = values.text(500) if values.chance(0.3) else f"recordings/{seq.step}.mp4"
        if values.chance(0.2):
            job["content_type"] = seq.rng.choice(
                ["video/mp4", "audio/ogg; codecs=opus", "x", "", values.text(255)]
            )
    if isinstance(job.get("filename"), str):
        seq.known.filenames.append(job["filename"])
    return seq.with_key(seq.write("createJob", "POST", f"{API}/jobs", job))


@operation("getJob", 4)
def read(seq: Sequence) -> Request:
    path = f"{API}/jobs/{seq.job()}"
    return seq.with_none_match(Request("getJob", "GET", path), path)


@operation("updateJob", 6)
def update(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng
    fields: dict[str, Any] = {}
    if values.chance(0.35):
        fields["status"] = rng.choice(STATUSES)
    if values.chance(0.3):
        fields["extra_metadata"] = values.object()
        if isinstance(fields["extra_metadata"], dict):
            seq.known.metadata += fields["extra_metadata"].items()
    if values.chance(0.2):
        fields["video_metadata"] = values.object()
    if values.chance(0.2):
        fields["filename"] = values.filename()
        seq.known.filenames.append(fields["filename"])
    if values.chance(0.2):
        fields["priority"] = priority(seq)
    if values.chance(0.2):
        fields["video_duration"] = values.float(2.2250738585072014e-308, 1e308)
    if values.chance(0.2):
        fields["error_message"] = rng.choice([None, *[values.text(2000, 0)] * 8, "x" * 40_000, "x" * 70_000])
    if values.chance(0.1):
        fields["celery_task_id"] = values.text(255)
    if values.chance(0.02):
        fields[values.key()] = 1
    path = f"{API}/jobs/{seq.job()}"
    request = seq.write("updateJob", "PATCH", path, fields)
    if values.chance(0.4):
        request.headers["Content-Type"] = "application/merge-patch+json"
    return seq.with_match(request, path)


@operation("deleteJob", 0.5)
def delete(seq: Sequence) -> Request:
    return Request("deleteJob", "DELETE", f"{API}/jobs/{seq.job()}")


@operation("cancelJob", 1)
def cancel(seq: Sequence) -> Request:
    return seq.with_key(Request("cancelJob", "POST", f"{API}/jobs/{seq.job()}/cancel"))


@operation("retryJob", 2)
def retry(seq: Sequence) -> Request:
    return seq.with_key(Request("retryJob", "POST", f"{API}/jobs/{seq.job()}/retry"))


@operation("rerunJob", 1)
def rerun(seq: Sequence) -> Request:
    known = seq.known
    job = seq.one_of(known.completed) if known.completed and seq.values.chance(0.7) else seq.job()
    stage = {"from_stage": seq.rng.choice(STAGES)}
    return seq.with_key(seq.write("rerunJob", "POST", f"{API}/jobs/{job}/rerun", stage))


@operation("reportProgress", 4)
def progress(seq: Sequence) -> Request:
    values = seq.values
    report: dict[str, Any] = {"stage": seq.rng.choice(STAGES), "percent": percent(seq)}
    if values.chance(0.4):
        report["message"] = values.text(500, 0)
    if values.chance(0.3):
        report["eta_seconds"] = values.integer(0, 2147483647)
    if values.chance(0.2):
        report["agent_name"] = values.text(50, 0)
    job = seq.job()
    request = seq.write("reportProgress", "POST", f"{API}/jobs/{job}/progress", report)
    return seq.with_key(seq.with_lease(request, job))


def percent(seq: Sequence) -> Any:
    if seq.values.chance(0.3):
        return spelled(
            seq.rng.choice(
                ["0.005", "99.995", "33.335", "49.995", "66.665", "1.005", "100", "28.999999999999996"]
            )
        )
    return seq.values.float(0, 100)


def _learn_results(seq: Sequence, request: Request, answer: Comparable) -> None:
    """The signed addresses in results."""
    if answer.status == 200:
        step = request.step
        seq.known.urls.append(f"«{step}/metadata/original_video/url»")
        seq.known.urls += [f"«{step}/clips/{i}/url»" for i, _ in enumerate(answer.json["clips"][:3])]


@operation("getResults", 1.5, _learn_results)
def results(seq: Sequence) -> Request:
    known = seq.known
    job = seq.one_of(known.completed) if known.completed and seq.values.chance(0.8) else seq.job()
    return Request("getResults", "GET", f"{API}/results/{job}")


@operation("getObject", 0.7)
def fetch(seq: Sequence) -> Request:
    urls = seq.known.urls
    if not urls or seq.values.chance(0.1):
        url = (
            f"{API}/objects/{seq.rng.choice(['a', 'jobs/x', '%00', '../a'])}?expires=9999999999&signature=00"
        )
    else:
        url = seq.rng.choice(urls[-10:])
    request = Request("getObject", seq.rng.choice(["GET", "GET", "HEAD"]), url)
    if seq.values.chance(0.3):
        request.headers["Range"] = seq.rng.choice(["bytes=0-0", "bytes=1-", "bytes=-1", "bytes=9-", "x"])
    return request


# A job whose metadata and name are those of a job before it, in another spelling.
@operation("createJob again", 1)
def create_similar(seq: Sequence) -> Request:
    known, rng = seq.known, seq.rng
    request = create(seq)
    if known.filenames and known.metadata:
        name = rng.choice(known.filenames)
        respelled = rng.choice([name.upper(), name.lower(), name.title(), name.swapcase()])
        job = {
            "filename": respelled,
            "file_size": 1,
            "s3_key": f"recordings/{seq.step}.mp4",
            "extra_metadata": dict(rng.sample(known.metadata, min(2, len(known.metadata)))),
        }
        request = seq.write("createJob", "POST", f"{API}/jobs", job, {"Content-Type": JSON})
    return request
