"""Recordings that clients send: to signed addresses, and in the protocol tus."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from naming import Comparable, Name
from request import Request
from sequence import API, Sequence, Upload, operation

from .jobs import priority, processing_config

TUS = f"{API}/uploads/tus"
BYTES = "application/offset+octet-stream"


def _learn_url(seq: Sequence, request: Request, answer: Comparable) -> None:
    if (
        answer.status in (200, 201)
        and isinstance(answer.json, dict)
        and isinstance(answer.json.get("job_id"), Name)
    ):
        size = next((u.size for u in seq.known.uploads if u.job == answer.json["job_id"]), 4)
        if request.operation == "createUpload" and isinstance(request.body, str):
            digits = request.body.split('"file_size": ')[-1].split(",")[0].strip("}")
            size = int(digits) if digits.isdigit() else 4
        seq.known.uploads.append(Upload(answer.json["job_id"], f"«{request.step}/upload_url»", size))


@operation("createUpload", 2, _learn_url)
def create(seq: Sequence) -> Request:
    values = seq.values
    upload: dict[str, Any] = {"filename": values.filename(), "file_size": values.integer(1, 4096)}
    if values.chance(0.2):
        upload["content_type"] = seq.rng.choice(["video/mp4", "audio/ogg", "text/plain", ""])
    if values.chance(0.3):
        upload["processing_config"] = processing_config(seq)
    if values.chance(0.2):
        upload["priority"] = priority(seq)
    return seq.with_key(seq.write("createUpload", "POST", f"{API}/upload", upload))


@operation("createUploadUrl", 0.5, _learn_url)
def create_url(seq: Sequence) -> Request:
    uploads = seq.known.uploads
    job = seq.rng.choice(uploads).job if uploads and seq.values.chance(0.7) else seq.job()
    return seq.with_key(Request("createUploadUrl", "POST", f"{API}/jobs/{job}/upload-url"))


@operation("putObject", 2)
def put(seq: Sequence) -> Request:
    uploads = [upload for upload in seq.known.uploads if upload.url]
    if not uploads or seq.values.chance(0.05):
        url = f"{API}/objects/jobs/x?expires=9999999999&size=1&signature={'0' * 64}"
        return Request("putObject", "PUT", url, {}, b"x")
    upload = seq.rng.choice(uploads[-4:])
    size = upload.size + (seq.rng.choice([-1, 1]) if seq.values.chance(0.1) else 0)
    return Request(
        "putObject",
        "PUT",
        upload.url,
        {"Content-Type": "video/mp4"},
        bytes(i % 251 for i in range(max(size, 0))),
    )


@operation("confirmUpload", 1.5)
def confirm(seq: Sequence) -> Request:
    uploads = seq.known.uploads[-4:]
    job = seq.rng.choice(uploads).job if uploads and seq.values.chance(0.9) else seq.job()
    return seq.with_key(seq.write("confirmUpload", "POST", f"{API}/upload/confirm", {"job_id": job}))


def _tus_headers(seq: Sequence, **more: str) -> dict[str, str]:
    headers = {"Tus-Resumable": "1.0.0", **{name.replace("_", "-"): value for name, value in more.items()}}
    if seq.values.chance(0.02):
        headers["Tus-Resumable"] = "0.2.2"
    return headers


def _checksum(seq: Sequence, part: bytes) -> str:
    digest = base64.b64encode(hashlib.sha1(part).digest()).decode()
    return seq.rng.choice(
        [f"sha1 {digest}", f"sha1 {digest}", f"sha1 {digest[::-1]}", f"crc32 {digest}", "sha1"]
    )


def _learn_upload(seq: Sequence, request: Request, answer: Comparable) -> None:
    if answer.status == 201:
        length = request.headers["Upload-Length"]
        received = len(request.body or b"")
        job = f"«{request.step}/location»"
        seq.known.uploads.append(Upload(job, "", int(length), received))
        seq.known.jobs.append(job)


@operation("createTusUpload", 1.5, _learn_upload)
def create_tus(seq: Sequence) -> Request:
    values, rng = seq.values, seq.rng
    name = base64.b64encode(values.filename().encode("utf-8", "surrogatepass")).decode()
    length = str(values.integer(1, 4096)) if values.chance(0.8) else rng.choice(["0", "x", "4097", "1"])
    metadata = rng.choice(
        [f"filename {name}"] * 5 + [f"filename {name},filetype dmlkZW8vbXA0", "filename !", "filename", ""]
    )
    headers = _tus_headers(seq, Upload_Length=length, Upload_Metadata=metadata)
    request = Request("createTusUpload", "POST", TUS, headers)
    if values.chance(0.3) and length.isdigit():
        request.body = b"c" * rng.randint(0, min(int(length), 4096))
        headers["Content-Type"] = BYTES
    else:
        headers["Content-Length"] = "0"
    return seq.with_key(request)


def _resumable(seq: Sequence) -> Upload:
    uploads = [upload for upload in seq.known.uploads if not upload.url]
    return seq.rng.choice(uploads[-4:]) if uploads else Upload(seq.job(), "", 4)


def _learn_offset(seq: Sequence, request: Request, answer: Comparable) -> None:
    if answer.status == 204 and request.body is not None:
        for upload in seq.known.uploads:
            if not upload.url and upload.job in request.path:
                upload.offset += len(request.body)


def _append(seq: Sequence, operation: str, method: str) -> Request:
    values, rng = seq.values, seq.rng
    upload = _resumable(seq)
    rest = max(upload.size - upload.offset, 0)
    part = b"p" * (rest if values.chance(0.5) else rng.randint(0, rest + 1))
    offset = upload.offset if values.chance(0.9) else rng.choice([0, upload.offset + 1, -1, 1 << 64])
    headers = _tus_headers(seq, Upload_Offset=str(offset), Content_Type=BYTES)
    if values.chance(0.2):
        headers["Upload-Checksum"] = _checksum(seq, part)
    return Request(operation, method, f"{TUS}/{upload.job}", headers, part)


@operation("appendTusUpload", 2, _learn_offset)
def append(seq: Sequence) -> Request:
    return _append(seq, "appendTusUpload", "PATCH")


@operation("overrideTusMethod", 0.5, _learn_offset)
def override(seq: Sequence) -> Request:
    if seq.values.chance(0.4):
        request = Request("overrideTusMethod", "POST", f"{TUS}/{_resumable(seq).job}", _tus_headers(seq))
        request.headers["X-HTTP-Method-Override"] = seq.rng.choice(["HEAD", "DELETE", "GET", ""])
        return request
    request = _append(seq, "overrideTusMethod", "POST")
    request.headers["X-HTTP-Method-Override"] = "PATCH"
    return request


@operation("getTusUpload", 1)
def head(seq: Sequence) -> Request:
    return Request("getTusUpload", "HEAD", f"{TUS}/{_resumable(seq).job}", _tus_headers(seq))


@operation("deleteTusUpload", 0.3)
def delete(seq: Sequence) -> Request:
    return Request("deleteTusUpload", "DELETE", f"{TUS}/{_resumable(seq).job}", _tus_headers(seq))


@operation("getTusOptions", 0.1)
def options(seq: Sequence) -> Request:
    return Request("getTusOptions", "OPTIONS", TUS)


@operation("getTusUploadOptions", 0.1)
def upload_options(seq: Sequence) -> Request:
    return Request("getTusUploadOptions", "OPTIONS", f"{TUS}/{_resumable(seq).job}")
