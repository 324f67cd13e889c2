"""Compares the checker of registers with an exhaustive search on small random histories."""

from __future__ import annotations

import random
from math import inf

from .operation import OK, UNKNOWN, History, Operation
from .registers import violations

WRITES, READS = 3, 4
DURATION = 10


def compare(number: int, choice: random.Random) -> str:
    """Checks that both agree on every history; returns how many have an order."""
    explained = 0
    for _ in range(number):
        history = random_history(choice)
        has_order = can_be_ordered(list(history), None)
        found = list(violations("job", history))
        assert has_order == (not found), f"order: {has_order}, found: {found}\n{history}"
        explained += has_order
    assert 0 < explained < number, "all random histories are alike"
    return f"{number} random histories, {explained} of them without a violation"


def random_history(choice: random.Random) -> History:
    history = History()
    for number in range(WRITES + READS):
        began = choice.random() * DURATION
        one = Operation("get", "job", 0, 0, began, began + choice.random() * 4, OK, 200)
        value: str | None = f"set-{number}"
        if number < WRITES:
            one.kind = "put"
            if choice.random() < 0.3:
                one.outcome, one.ended = UNKNOWN, inf
        else:
            value = choice.choice([None, *(f"set-{write}" for write in range(WRITES))])
        one.sent = {"set": "clips", "value": value}
        one.got = {"value": value, "ids": [value]}
        history.append(one)
    return history


def can_be_ordered(left: list[Operation], value: str | None) -> bool:
    """Whether the operations can be executed one after the other from this value, each between
    its begin and its end. Writes with unknown outcome may be left out."""
    if all(one.outcome == UNKNOWN for one in left):
        return True
    first_end = min(one.ended for one in left)
    for at, one in enumerate(left):
        if one.began > first_end or (one.kind == "get" and one.got["value"] != value):
            continue
        after = one.sent["value"] if one.kind == "put" else value
        if can_be_ordered(left[:at] + left[at + 1 :], after):
            return True
    return False
