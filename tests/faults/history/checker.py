"""Finds what no order of the operations explains."""

from __future__ import annotations

from . import events, jobs, leases, registers
from .operation import History, Violation


def check(history: History) -> list[Violation]:
    """An empty list: every acknowledged write is there, once, and no read was older than one
    that had ended before."""
    found = [
        Violation("unexpected", one.job, f"answered {one.status}: {one}")
        for one in history
        if one.status == 500
    ]
    found += jobs.creations(history)
    found += leases.violations(history)
    for job, of_job in history.by_job().items():
        for check_job in (registers, jobs, events):
            found += check_job.violations(job, of_job)
    return found
