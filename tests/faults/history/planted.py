"""Faults planted into a recorded history, each of which the checker has to report."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from itertools import pairwise

from .checker import check
from .leases import TOLERANCE
from .operation import OK, REFUSED, UNKNOWN, History, Operation

# Jobs in whose history a fault is planted.
PLACES = 3

Planter = Callable[[History], bool]


def plant(
    name: str, parts: dict[str, History], choice: random.Random
) -> Iterator[tuple[str, History]]:
    """The kind of the violation, and the history of one job with the fault in it."""
    kind, planter = PLANTED[name]
    jobs = sorted(parts)
    choice.shuffle(jobs)
    places = 0
    for job in jobs:
        planted = copy.deepcopy(parts[job])
        if planter(planted):
            assert not check(parts[job]), "a part of a history without violations has one"
            yield kind, planted
            places += 1
            if places == PLACES:
                return
    assert places, f"no place in the history to plant: {name}"


def split(history: History) -> dict[str, History]:
    """The operations on each job."""
    parts = history.by_job()
    for claim in history.of("claim"):
        for grant in claim.got.get("grants", []):
            part = copy.copy(claim)
            part.got = {"grants": [grant]}
            parts.setdefault(grant["job"], History()).append(part)
    for listing in history.of("jobs"):
        for token, ids in listing.got["tokens"].items():
            part = copy.copy(listing)
            part.got = {"tokens": {token: ids}}
            parts.setdefault(ids[0], History()).append(part)
    return parts


def reads_after(history: History, write: Operation, *kinds: str) -> list[Operation]:
    return [one for one in history.of(*kinds) if one.is_ok and one.began > write.ended]


def last_reads(history: History) -> Iterator[tuple[Operation, list[Operation]]]:
    """For each set its acknowledged writes in their order, and the last read."""
    for last in history.of("get")[-4:]:
        of_set = [one for one in history.of("put") if one.sent["set"] == last.sent["set"]]
        if last.is_ok and all(one.outcome != UNKNOWN for one in of_set):
            writes = sorted((one for one in of_set if one.is_ok), key=lambda one: one.began)
            apart = all(one.ended < other.began for one, other in pairwise(writes))
            if len(writes) > 1 and apart and last.began > writes[-1].ended:
                yield last, writes


def lost_write(history: History) -> bool:
    """The last write of a set is gone: all reads return the one before it."""
    for _, writes in last_reads(history):
        for read in history.of("get"):
            if read.got.get("value") == writes[-1].sent["value"]:
                read.got = copy.deepcopy(writes[-2].got)
        return True
    return False


def stale_read(history: History) -> bool:
    for last, writes in last_reads(history):
        again = copy.deepcopy(last)
        again.began, again.ended = last.ended + 1, last.ended + 2
        last.got = copy.deepcopy(writes[-2].got)
        history.append(again)
        return True
    return False


def torn_set(history: History) -> bool:
    for last, writes in last_reads(history):
        last.got["value"] = [one.sent["value"] for one in writes[-2:]]
        return True
    return False


def doubled_set(history: History) -> bool:
    for last, _ in last_reads(history):
        last.got["ids"] = [f"other-{row}" for row in last.got["ids"]]
        return True
    return False


def refused_write(history: History) -> bool:
    for write in history.of("put"):
        if write.is_ok and any(
            r.got["value"] == write.got["value"] for r in reads_after(history, write, "get")
        ):
            write.outcome, write.status = REFUSED, 409
            return True
    return False


def lost_append(history: History) -> bool:
    for append in history.of("log"):
        reads = reads_after(history, append, "logs")
        if append.is_ok and reads:
            reads[-1].got["messages"].remove(append.sent["message"])
            return True
    return False


def doubled_append(history: History) -> bool:
    for read in history.of("logs"):
        if read.got["messages"]:
            read.got["messages"].append(read.got["messages"][0])
            return True
    return False


def lost_job(history: History) -> bool:
    deletes = [one for one in history.of("delete") if one.outcome != REFUSED]
    reads = [one for one in history.of("get-job") if one.is_ok]
    if deletes or not reads or not any(one.is_ok for one in history.of("create")):
        return False
    reads[-1].outcome, reads[-1].status, reads[-1].got = REFUSED, 404, {}
    return True


def deleted_job(history: History) -> bool:
    """A deletion that was acknowledged, and a job that is there at the end."""
    reads = [one for one in history.of("get-job") if one.is_ok]
    if not reads or history.of("delete"):
        return False
    before = history.of("create")[0].ended
    history.append(Operation("delete", reads[-1].job, 0, 0, before, before + 0.001, OK, 204))
    return True


def unlisted_job(history: History) -> bool:
    for listing in history.of("jobs"):
        if listing.got["tokens"] and not history.of("delete"):
            listing.got["tokens"] = {}
            return True
    return False


def doubled_job(history: History) -> bool:
    for listing in history.of("jobs"):
        for ids in listing.got["tokens"].values():
            ids.append("another job")
            return True
    return False


def old_version(history: History) -> bool:
    for patch in history.of("patch"):
        reads = reads_after(history, patch, "get-job")
        if patch.is_ok and reads:
            reads[-1].got["version"] = patch.got["version"] - 1
            return True
    return False


def lost_update(history: History) -> bool:
    """Two changes of one version are acknowledged."""
    for patch in history.of("patch"):
        if patch.is_ok and patch.sent["if_match"] is not None:
            again = copy.deepcopy(patch)
            again.sent["filename"] = again.got["filename"] = "another name"
            history.append(again)
            return True
    return False


def lost_progress(history: History) -> bool:
    for report in history.of("progress"):
        reads = reads_after(history, report, "get-job")
        if report.is_ok and reads:
            reads[-1].got["percent"] = 0.0
            return True
    return False


def cancelled_job(history: History) -> bool:
    retries = [one for one in history.of("retry") if one.outcome != REFUSED]
    for cancel in history.of("cancel"):
        for read in reads_after(history, cancel, "get-job"):
            is_between = [one.ended > cancel.began and one.began < read.ended for one in retries]
            if cancel.is_ok and not any(is_between):
                read.got["status"] = "running"
                return True
    return False


def two_holders(history: History) -> bool:
    """Another lease on a stage, granted right after the first."""
    for claim in history.of("claim"):
        for grant in claim.got.get("grants", []):
            uses = [one for one in history if one.sent.get("lease") == grant["lease"]]
            others = history.of("cancel", "retry", "delete") + uses
            at = claim.ended + 0.01
            if at + 0.01 > claim.began + claim.sent["lease_seconds"] - TOLERANCE:
                continue
            if any(one.began < at + 0.01 for one in others if one.ended > claim.began):
                continue
            again = {**grant, "lease": "another", "attempt": grant["attempt"] + 1}
            other = Operation("claim", None, 0, 0, at, at + 0.01, OK, 200, {"lease_seconds": 1})
            other.got = {"grants": [again]}
            history.append(other)
            return True
    return False


def granted_completed(history: History) -> bool:
    for complete in history.of("complete"):
        if complete.is_ok:
            names = ("stage", "attempt")
            again = {name: complete.sent[name] for name in names}
            again |= {"job": complete.job, "lease": "another"}
            at = complete.ended + 100
            claim = Operation("claim", None, 0, 0, at, at + 0.01, OK, 200, {"lease_seconds": 1})
            claim.got = {"grants": [again]}
            history.append(claim)
            return True
    return False


def lost_completion(history: History) -> bool:
    for complete in history.of("complete"):
        reads = reads_after(history, complete, "stages")
        if complete.is_ok and reads:
            reads[-1].got["stages"][complete.sent["stage"]]["status"] = "ready"
            return True
    return False


def write_of_an_old_lease(history: History) -> bool:
    """A write succeeds although another holder has had the stage since."""
    claims = [(claim, grant) for claim in history.of("claim") for grant in claim.got["grants"]]
    for claim, grant in claims:
        for other, other_grant in claims:
            if other_grant["stage"] == grant["stage"] and other.began > claim.ended:
                at = other.ended + 1
                sent = {"set": "transcripts", "value": "late", "lease": grant["lease"]}
                late = Operation("put", grant["job"], 0, 0, at, at + 1, OK, 200, sent)
                late.got = {"value": "late", "ids": ["late"]}
                history.append(late)
                return True
    return False


def missing_event(history: History) -> bool:
    for read in history.of("events"):
        if read.is_ok and len(read.got["events"]) > 2:
            del read.got["events"][1]
            return True
    return False


def changed_event(history: History) -> bool:
    reads = [one for one in history.of("events") if one.is_ok and one.got["events"]]
    if len(reads) < 2 or reads[0].sent["after"] != reads[1].sent["after"]:
        return False
    reads[1].got["events"][0][1] = "another event"
    return True


def forgotten_events(history: History) -> bool:
    reads = [one for one in history.of("events") if one.is_ok]
    if not reads or reads[-1].got["last"] < 2 or len(reads) < 2:
        return False
    reads[-1].got = {"events": [], "last": 0, "is_full": False}
    return reads[0].ended < reads[-1].began and reads[0].got["last"] > 0


PLANTED: dict[str, tuple[str, Planter]] = {
    "a write of a set is lost": ("lost", lost_write),
    "a read returns the set before": ("stale", stale_read),
    "a read returns rows of two writes": ("torn", torn_set),
    "a write of a set runs twice": ("doubled", doubled_set),
    "a refused write is visible": ("invented", refused_write),
    "an appended entry is lost": ("lost", lost_append),
    "an appended entry is doubled": ("doubled", doubled_append),
    "a job is lost": ("lost", lost_job),
    "a job is not in the list": ("lost", unlisted_job),
    "a job is created twice": ("doubled", doubled_job),
    "a deleted job returns": ("stale", deleted_job),
    "a read returns an old version": ("stale", old_version),
    "two changes replace one version": ("lost", lost_update),
    "reported progress is lost": ("lost", lost_progress),
    "a cancelled job runs": ("lost", cancelled_job),
    "a lease is granted twice": ("granted twice", two_holders),
    "a completed stage is granted": ("lost", granted_completed),
    "a completion is lost": ("lost", lost_completion),
    "a write under an old lease succeeds": ("stale", write_of_an_old_lease),
    "an event is missing": ("lost", missing_event),
    "an event changes": ("stale", changed_event),
    "events are forgotten": ("stale", forgotten_events),
}
