"""Uploads of recordings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from service import API, call, curl, results

# Media types of recordings by extension: that of the extension, and with parameters or in
# other letters, as recorders and browsers send them.
MEDIA_TYPES = {
    "ogg": ("audio/ogg", "audio/ogg; codecs=opus", "video/ogg"),
    "opus": ("audio/ogg", "audio/ogg;codecs=opus", "audio/opus"),
    "flac": ("audio/flac", "audio/x-flac", "Audio/FLAC"),
    "aac": ("audio/aac", "audio/aac; profile=lc", "audio/aacp"),
    "m4v": ("video/mp4", 'video/mp4; codecs="avc1.42E01E, mp4a.40.2"', "video/x-m4v"),
    "mts": ("video/mp2t", "video/mp2t; charset=binary", "video/vnd.dlna.mpeg-tts"),
    "ts": ("video/mp2t", "video/MP2T"),
    "mpg": ("video/mpeg", "video/mpeg;q=1"),
    "wmv": ("video/x-ms-wmv", "video/x-ms-wmv; a=b"),
    "mka": ("audio/x-matroska", "audio/x-matroska; codecs=opus"),
    "3gp": ("video/3gpp", "video/3gpp; codecs=mp4v.20.9", "audio/3gpp"),
    # Chromium's MediaRecorder.
    "webm": ("video/webm", "video/webm;codecs=vp8,opus"),
}
LEFT_OUT = "left out"


def announce(filename: str, size: int, content_type: str) -> dict[str, Any]:
    body = {"filename": filename, "file_size": size, "content_type": content_type}
    if content_type == LEFT_OUT:
        del body["content_type"]
    announced: dict[str, Any] = call("POST", f"{API}/upload", 201, json=body).json()
    return announced


def confirm(job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = call("POST", f"{API}/upload/confirm", 200, json={"job_id": job_id}).json()
    assert job["status"] == "queued", job
    return job


def upload(filename: str, recording: bytes, content_type: str) -> dict[str, Any]:
    """A job whose recording was uploaded with requests, with the media type as the header of
    the upload, too."""
    announced = announce(filename, len(recording), content_type)
    headers = {} if content_type == LEFT_OUT else {"Content-Type": content_type}
    call("PUT", announced["upload_url"], 200, data=recording, headers=headers)
    return confirm(announced["job_id"])


def check_media_types_with_requests() -> None:
    """Recordings of every kind, whose media type has parameters, is empty or is left out."""
    for extension, (default, *others) in MEDIA_TYPES.items():
        for content_type in (default, *others):
            job = upload(f"talk.{extension}", b"recording", content_type)
            assert job["content_type"] == content_type, job
        for content_type in ("", LEFT_OUT):
            job = upload(f"TALK.{extension.upper()}", b"recording", content_type)
            assert job["content_type"] == default, job


def check_uploads_with_curl() -> None:
    """curl -T, which sends no media type, and --data-binary, which sends that of a form, upload
    the bytes as they are."""
    recording = bytes(range(256)) * 40
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "talk.opus"
        file.write_bytes(recording)
        for arguments in (
            ("--upload-file", file),
            ("--upload-file", file, "--header", "Content-Type:"),
            ("--upload-file", file, "--header", "Content-Type;"),
            ("--upload-file", file, "--header", "Content-Type: audio/ogg; codecs=opus"),
            ("--request", "PUT", "--data-binary", f"@{file}"),
        ):
            announced = announce(file.name, len(recording), "")
            curl(*arguments, announced["upload_url"])
            job = confirm(announced["job_id"])
            url = results(job["job_id"])["metadata"]["original_video"]["url"]
            assert call("GET", url, 200).content == recording, arguments


def check_a_document_is_refused() -> None:
    """A file that is no recording, and a media type of another kind, are refused by name."""
    for filename, content_type, field in (
        ("notes.pdf", "application/pdf", "filename"),
        ("talk.flac", "video/mp4; codecs=avc1", "content_type"),
    ):
        body = {"filename": filename, "file_size": 1, "content_type": content_type}
        problem = call("POST", f"{API}/upload", 422, json=body).json()
        assert [error["field"] for error in problem["errors"]] == [field], problem
