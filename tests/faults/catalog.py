"""All scenarios."""

from __future__ import annotations

from scenarios import (
    bodies,
    clocks,
    connections,
    databases,
    disks,
    durability,
    histories,
    kills,
    recordings,
    restarts,
    restore,
)
from scenarios.scenario import Scenario

SCENARIOS: list[Scenario] = [
    *kills.SCENARIOS,
    *databases.SCENARIOS,
    *disks.SCENARIOS,
    *durability.SCENARIOS,
    *connections.SCENARIOS,
    *bodies.SCENARIOS,
    *recordings.SCENARIOS,
    *restarts.SCENARIOS,
    *clocks.SCENARIOS,
    *restore.SCENARIOS,
    *histories.SCENARIOS,
]
