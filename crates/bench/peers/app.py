"""The stack that Lectern replaces, with the routes that the benchmark measures.

FastAPI, SQLAlchemy and Pydantic: a session per request, models for the tables, and models
for requests and responses.

    python app.py                      creates the tables
    uvicorn app:app --workers 2        serves
"""

import os
from datetime import datetime, timezone
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, String, Text, create_engine, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg2://"),
    pool_pre_ping=True,
    pool_recycle=3600,
)
new_session = sessionmaker(engine, autoflush=False)


def now() -> datetime:
    return datetime.now(timezone.utc)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), dict: JSON}


class Job(Base):
    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    job_id: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    filename: Mapped[str] = mapped_column(String(255))
    file_size: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str] = mapped_column(String(100), default="video/mp4")
    original_s3_key: Mapped[str] = mapped_column(String(500))
    status: Mapped[str] = mapped_column(String(20), index=True, default="queued")
    video_duration: Mapped[float | None]
    error_message: Mapped[str | None] = mapped_column(Text)
    current_stage: Mapped[str | None] = mapped_column(String(50))
    progress_percent: Mapped[float] = mapped_column(default=0.0)
    progress_message: Mapped[str | None] = mapped_column(String(500))
    eta_seconds: Mapped[int | None]
    extra_metadata: Mapped[dict] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    completed_at: Mapped[datetime | None]

    segments: Mapped[list["Segment"]] = relationship(
        cascade="all, delete-orphan", order_by="Segment.start_time"
    )
    clips: Mapped[list["Clip"]] = relationship(cascade="all, delete-orphan", order_by="Clip.clip_order")


class Segment(Base):
    __tablename__ = "transcripts"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    segment_id: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.job_id"), index=True)
    start_time: Mapped[float]
    end_time: Mapped[float]
    text: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float | None]
    speaker_id: Mapped[str | None] = mapped_column(String(50))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Clip(Base):
    __tablename__ = "clips"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    clip_id: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.job_id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    start_time: Mapped[float]
    end_time: Mapped[float]
    s3_key: Mapped[str | None] = mapped_column(String(500))
    clip_order: Mapped[int]


class JobCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filename: str = Field(min_length=1, max_length=255)
    file_size: int = Field(gt=0)
    s3_key: str = Field(min_length=1, max_length=500)


class Progress(BaseModel):
    model_config = ConfigDict(extra="forbid")

    stage: str = Field(min_length=1, max_length=50)
    percent: float = Field(ge=0, le=100)
    message: str | None = Field(None, max_length=500)
    eta_seconds: int | None = Field(None, ge=0)


class JobResponse(BaseModel):
    job_id: UUID
    status: str
    filename: str
    file_size: int
    content_type: str
    video_duration: float | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    progress: Progress | None
    error_message: str | None
    extra_metadata: dict


class JobListResponse(BaseModel):
    jobs: list[JobResponse]


class SegmentCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    start_time: float = Field(ge=0)
    end_time: float = Field(ge=0)
    text: str = Field(min_length=1)
    confidence: float | None = Field(None, ge=0, le=1)
    speaker_id: str | None = Field(None, max_length=50)


class SegmentsReplace(BaseModel):
    segments: list[SegmentCreate]


class SegmentResponse(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    segment_id: UUID
    start_time: float
    end_time: float
    text: str
    confidence: float | None
    speaker_id: str | None


class SegmentsResponse(BaseModel):
    job_id: UUID
    segments: list[SegmentResponse]
    total: int


class ClipResponse(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    clip_id: UUID
    title: str
    start_time: float
    end_time: float
    s3_key: str | None


class ResultsResponse(BaseModel):
    job_id: UUID
    clips: list[ClipResponse]
    transcript: list[SegmentResponse]
    metadata: dict


app = FastAPI()


def to_response(job: Job) -> JobResponse:
    progress = None
    if job.current_stage is not None:
        progress = Progress(
            stage=job.current_stage,
            percent=job.progress_percent,
            message=job.progress_message,
            eta_seconds=job.eta_seconds,
        )
    return JobResponse(
        job_id=job.job_id,
        status=job.status,
        filename=job.filename,
        file_size=job.file_size,
        content_type=job.content_type,
        video_duration=job.video_duration,
        created_at=job.created_at,
        updated_at=job.updated_at,
        completed_at=job.completed_at,
        progress=progress,
        error_message=job.error_message,
        extra_metadata=job.extra_metadata,
    )


def find(db: Session, job_id: UUID) -> Job:
    job = db.scalars(select(Job).where(Job.job_id == job_id)).one_or_none()
    if job is None:
        raise HTTPException(404, "there is no such job")
    return job


# The routes open their session themselves. As a dependency it would keep its connection until
# the response is written, for which FastAPI needs another thread of its pool. Under load all
# threads wait for a connection then, until SQLAlchemy gives up after 30 seconds.
@app.post("/api/v1/jobs", status_code=201)
def create_job(body: JobCreate) -> JobResponse:
    with new_session() as db:
        job = Job(filename=body.filename, file_size=body.file_size, original_s3_key=body.s3_key)
        db.add(job)
        db.commit()
        db.refresh(job)
        return to_response(job)


@app.get("/api/v1/jobs")
def list_jobs(limit: Annotated[int, Query(ge=1, le=100)] = 50) -> JobListResponse:
    newest = select(Job).order_by(Job.created_at.desc(), Job.job_id.desc()).limit(limit)
    with new_session() as db:
        return JobListResponse(jobs=[to_response(job) for job in db.scalars(newest)])


@app.get("/api/v1/jobs/{job_id}")
def get_job(job_id: UUID) -> JobResponse:
    with new_session() as db:
        return to_response(find(db, job_id))


@app.post("/api/v1/jobs/{job_id}/progress")
def report_progress(job_id: UUID, body: Progress) -> JobResponse:
    with new_session() as db:
        job = find(db, job_id)
        job.status = "running"
        job.current_stage = body.stage
        job.progress_percent = body.percent
        job.progress_message = body.message
        job.eta_seconds = body.eta_seconds
        db.commit()
        db.refresh(job)
        return to_response(job)


@app.put("/api/v1/jobs/{job_id}/transcripts")
def replace_segments(job_id: UUID, body: SegmentsReplace) -> SegmentsResponse:
    with new_session() as db:
        find(db, job_id)
        db.execute(delete(Segment).where(Segment.job_id == job_id))
        segments = [Segment(job_id=job_id, **new.model_dump()) for new in body.segments]
        db.add_all(segments)
        # The response is built before the commit, after which each row would be read again.
        db.flush()
        stored = [SegmentResponse.model_validate(segment) for segment in segments]
        db.commit()
        return SegmentsResponse(job_id=job_id, segments=stored, total=len(stored))


@app.get("/api/v1/results/{job_id}")
def results(job_id: UUID) -> ResultsResponse:
    with new_session() as db:
        job = find(db, job_id)
        return ResultsResponse(
            job_id=job.job_id,
            clips=[ClipResponse.model_validate(clip) for clip in job.clips],
            transcript=[SegmentResponse.model_validate(segment) for segment in job.segments],
            metadata={"filename": job.filename, "duration": job.video_duration},
        )


if __name__ == "__main__":
    Base.metadata.create_all(engine)
