"""Takes a job through its whole life with the package that openapi-python-client generates.

    python lifecycle.py URL
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any
from uuid import UUID

from lectern_client import Client
from lectern_client.api.jobs import cancel_job, create_job, delete_job, get_job, list_jobs
from lectern_client.api.live import get_events
from lectern_client.api.outputs import put_clips, put_transcript
from lectern_client.api.results import get_results
from lectern_client.api.uploads import confirm_upload, create_upload
from lectern_client.api.work import claim_work, complete_stage, heartbeat
from lectern_client.models import (
    ClaimBody,
    ClaimResponse,
    ClipBody,
    ClipsBody,
    Code,
    HeartbeatBody,
    JobCreate,
    JobOfSourceCreate,
    JobStatus,
    JsonObject,
    ProcessingConfig,
    ProcessingMode,
    Stage,
    StageRunStatus,
    TranscriptSegmentBody,
    TranscriptSegmentsBody,
    UploadConfirmBody,
    UploadRequest,
    WorkStage,
    WsCompleteMessage,
    WsStageMessage,
)
from lectern_client.types import Response

client = Client(base_url=sys.argv[1])
RECORDING = b"a lecture"


def ok(response: Response[Any], status: HTTPStatus = HTTPStatus.OK) -> Any:
    """The parsed body of a successful response."""
    assert response.status_code == status, response
    return response.parsed


def upload() -> UUID:
    config = ProcessingConfig(processing_mode=ProcessingMode.AUDIO)
    config["language"] = "en"
    request = UploadRequest(
        filename="lecture.wav",
        file_size=len(RECORDING),
        content_type="audio/wav",
        processing_config=config,
    )
    announced = ok(create_upload.sync_detailed(client=client, body=request), HTTPStatus.CREATED)
    put = client.get_httpx_client().put(announced.upload_url, content=RECORDING)
    assert put.status_code == HTTPStatus.OK, put
    confirmation = UploadConfirmBody(job_id=announced.job_id)
    job = ok(confirm_upload.sync_detailed(client=client, body=confirmation))
    assert job.status == JobStatus.QUEUED, job
    job_id: UUID = job.job_id
    return job_id


def store_output(claim: ClaimResponse) -> None:
    """Stores the output of a stage under its lease."""
    job_id, lease = claim.job.job_id, str(claim.lease_id)
    if claim.stage == Stage.TRANSCRIPTION:
        segment = TranscriptSegmentBody(start_time=0, end_time=2.5, text="Welcome back.")
        transcript = TranscriptSegmentsBody(segments=[segment])
        stored = ok(
            put_transcript.sync_detailed(job_id, client=client, body=transcript, lease_id=lease)
        )
        assert stored.total == 1 and stored.segments[0].speaker_id is None, stored
    if claim.stage == Stage.SEGMENTATION:
        metadata = JsonObject.from_dict({"cut": [1, None, "x"]})
        clip = ClipBody(title="Welcome", start_time=0, end_time=2.5, extra_metadata=metadata)
        clips = ClipsBody(clips=[clip])
        stored = ok(put_clips.sync_detailed(job_id, client=client, body=clips, lease_id=lease))
        assert stored.clips[0].extra_metadata["cut"] == [1, None, "x"], stored


def work(job_id: UUID) -> int:
    """Claims one stage after the other until the job is completed; returns their number."""
    claim_body = ClaimBody(worker="python", stages=list(WorkStage))
    count = 0
    while True:
        (claim,) = ok(claim_work.sync_detailed(client=client, body=claim_body)).claims
        assert claim.job.job_id == job_id, claim
        lease = str(claim.lease_id)
        body = HeartbeatBody(percent=50.0)
        beat = ok(heartbeat.sync_detailed(lease, client=client, body=body))
        assert not beat.cancelled, beat
        store_output(claim)
        run = ok(complete_stage.sync_detailed(lease, client=client))
        assert run.status == StageRunStatus.COMPLETED, run
        count += 1
        if run.job_status == JobStatus.COMPLETED:
            return count


def check_events(job_id: UUID) -> None:
    events = ok(get_events.sync_detailed(job_id, client=client, after=0)).events
    stages = {event.data.stage for event in events if isinstance(event, WsStageMessage)}
    assert Stage.TRANSCRIPTION in stages, stages
    assert isinstance(events[-1], WsCompleteMessage), events[-1]
    assert events[-1].data.status == JobStatus.COMPLETED, events[-1]


def main() -> None:
    job_id = upload()
    count = work(job_id)
    check_events(job_id)
    results = ok(get_results.sync_detailed(job_id, client=client))
    assert results.clips[0].title == "Welcome", results
    assert results.transcript[0].text == "Welcome back.", results
    downloaded = client.get_httpx_client().get(results.metadata.original_video.url)
    assert downloaded.content == RECORDING, downloaded

    metadata = JsonObject.from_dict({"course": {"id": 7}})
    other = JobCreate(
        filename="other.mp4", file_size=1, s3_key="in/other.mp4", extra_metadata=metadata
    )
    other_id = ok(create_job.sync_detailed(client=client, body=other), HTTPStatus.CREATED).job_id
    jobs = ok(list_jobs.sync_detailed(client=client, status=[JobStatus.QUEUED], limit=10)).jobs
    assert [job.job_id for job in jobs] == [other_id], jobs
    cancelled = ok(cancel_job.sync_detailed(other_id, client=client))
    assert cancelled.status == JobStatus.CANCELLED, cancelled

    again = JobOfSourceCreate(source_job_id=job_id)
    again = ok(create_job.sync_detailed(client=client, body=again), HTTPStatus.CREATED)
    assert again.source_job_id == job_id, again
    again_id = again.job_id

    for each in (job_id, other_id, again_id):
        ok(delete_job.sync_detailed(each, client=client), HTTPStatus.NO_CONTENT)
        problem = ok(get_job.sync_detailed(each, client=client), HTTPStatus.NOT_FOUND)
        assert problem.code == Code.JOB_NOT_FOUND, problem
    print(f"openapi-python-client: a job with {count} stages")


main()
