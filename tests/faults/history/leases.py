"""A stage has one holder at a time, is completed once, and takes no writes of earlier holders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from .operation import OK, REFUSED, History, Operation, Violation, earliest_begin

# The clock of the database may step a little against the monotonic one.
TOLERANCE = 0.1


@dataclass
class Grant:
    """A lease, and the requests that used it."""

    claim: Operation
    job: str
    stage: str
    attempt: int
    lease: str
    uses: list[Operation] = field(default_factory=list)

    @property
    def held_until(self) -> float:
        """The lease lasts at least this long, unless something ended it."""
        until: float = self.claim.began + self.claim.sent["lease_seconds"]
        for beat in self.uses:
            if beat.kind == "heartbeat" and beat.is_ok:
                until = max(until, beat.began + beat.sent["lease_seconds"])
        return until - TOLERANCE

    @property
    def ended_from(self) -> float:
        """When a request began that may have ended the lease early."""
        ends = [one for one in self.uses if one.kind in ("complete", "fail")]
        return earliest_begin(one for one in ends if one.outcome != REFUSED)

    def __str__(self) -> str:
        return f"attempt {self.attempt} of {self.stage} under {self.lease} ({self.claim})"


def violations(history: History) -> Iterator[Violation]:
    stages = _grants(history)
    by_job = history.by_job()
    for (job, stage), grants in stages.items():
        of_job = by_job.get(job, History())
        yield from _overlaps(job, grants, of_job)
        yield from _completed(job, stage, grants, of_job)
        yield from _late_writes(job, grants)
        yield from _reported(job, stage, grants, of_job)


def _grants(history: History) -> dict[tuple[str, str], list[Grant]]:
    stages: dict[tuple[str, str], list[Grant]] = {}
    by_lease: dict[str, Grant] = {}
    for claim in history.of("claim"):
        for one in claim.got.get("grants", []):
            grant = Grant(claim, one["job"], one["stage"], one["attempt"], one["lease"])
            stages.setdefault((grant.job, grant.stage), []).append(grant)
            by_lease[grant.lease] = grant
    for operation in history:
        grant_of_use = by_lease.get(operation.sent.get("lease") or "")
        if grant_of_use:
            grant_of_use.uses.append(operation)
    return stages


def _overlaps(job: str, grants: list[Grant], history: History) -> Iterator[Violation]:
    others = [one for one in history.of("cancel", "retry", "delete") if one.outcome != REFUSED]
    retries = [one for one in others if one.kind == "retry"]
    for grant in grants:
        for other in grants:
            if other is grant:
                continue
            if other.lease == grant.lease:
                yield Violation("granted twice", job, f"one lease: {grant} and {other}")
                continue
            # A retry counts attempts anew.
            if other.attempt == grant.attempt and not retries and id(grant) < id(other):
                yield Violation("granted twice", job, f"one attempt: {grant} and {other}")
            ended_from = min(
                grant.ended_from,
                earliest_begin(one for one in others if one.ended > grant.claim.began),
            )
            was_held = grant.claim.ended < other.claim.began
            if was_held and other.claim.ended < min(grant.held_until, ended_from):
                yield Violation("granted twice", job, f"{grant} was held at {other}")
        for cancel in others:
            if cancel.kind != "cancel" or not cancel.is_ok or cancel.ended > grant.claim.began:
                continue
            if all(
                retry.ended < cancel.began or retry.began > grant.claim.ended for retry in retries
            ):
                yield Violation("granted twice", job, f"granted after {cancel}: {grant}")


def _completed(job: str, stage: str, grants: list[Grant], history: History) -> Iterator[Violation]:
    """What was completed stays so; nobody is given it again."""
    completed = [
        (grant, one)
        for grant in grants
        for one in grant.uses
        if one.kind == "complete" and one.outcome == OK
    ]
    if len({grant.lease for grant, _ in completed}) > 1:
        yield Violation("doubled", job, f"{stage} was completed under two leases: {completed}")
    for _, complete in completed:
        for other in grants:
            if other.claim.began > complete.ended:
                yield Violation("lost", job, f"completed by {complete}, then granted: {other}")
        for read in history.of("stages"):
            if read.is_ok and read.began > complete.ended:
                status = read.got["stages"][stage]["status"]
                if status != "completed":
                    yield Violation("lost", job, f"{status} after {complete}: {read}")


def _late_writes(job: str, grants: list[Grant]) -> Iterator[Violation]:
    """No request under a lease succeeds once another has the stage, or it was given back."""
    for grant in grants:
        replaced = min(
            (one.claim.ended for one in grants if one.claim.began > grant.claim.ended), default=inf
        )
        failed = min(
            (one.ended for one in grant.uses if one.kind == "fail" and one.outcome == OK),
            default=inf,
        )
        for one in grant.uses:
            if one.outcome == OK and one.began > min(replaced, failed):
                yield Violation("stale", job, f"{one} succeeded under an old lease: {grant}")


def _reported(job: str, stage: str, grants: list[Grant], history: History) -> Iterator[Violation]:
    """While an attempt runs, its stage has the progress that was acknowledged last."""
    if history.of("retry"):
        return
    for read in history.of("stages"):
        if not read.is_ok:
            continue
        shown = read.got["stages"][stage]
        for grant in grants:
            if grant.attempt != shown["attempt"] or shown["status"] != "running":
                continue
            beats = [one for one in grant.uses if one.kind == "heartbeat" and one.is_ok]
            least = max((b.sent["percent"] for b in beats if b.ended < read.began), default=0)
            if shown["percent"] < least:
                yield Violation("lost", job, f"{shown['percent']} % after {least} %: {read}")
