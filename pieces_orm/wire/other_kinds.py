"""Kinds that Pieces OS has, and neither this library nor its server.

Programs ask for all of them. A server without them answers what is true: there are none, and no associations with them.
"""

from __future__ import annotations

from .kinds import Kind, kind

CONNECTOR = kind("connector", "connectors", "Connector")
FINGERPRINT = kind("fingerprint", "fingerprints", "Fingerprint")
PIPELINE = kind("pipeline", "pipelines", "Pipeline")
SCHEDULE = kind("schedule", "schedules", "Schedule")
SIGNAL = kind("signal", "signals", "Signal")
OTHER_KINDS: tuple[Kind, ...] = (
    CONNECTOR,
    FINGERPRINT,
    PIPELINE,
    SCHEDULE,
    SIGNAL,
    kind("allocation", "allocations", "Allocation"),
    kind("distribution", "distributions", "Distribution"),
    kind("entity", "entities", "Entity"),
    kind("relationship", "relationships", "Relationship"),
    kind("subscription", "subscriptions", "Subscription"),
    kind(
        "workstream_pattern_engine_observer", "workstream_pattern_engine_observers", "WorkstreamPatternEngineObserver"
    ),
)
