"""When the cluster of job workers is to be started again: pure decisions over its signs of life.

A worker killed while it holds the queue's lock leaves the others waiting for ever, each alive to look at. Only a job that
comes through, or a lease that moves, proves that jobs are being run. Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

MOST_WAITING = 5  # canaries in the queue prove no more than one does


class Verdict(StrEnum):
    """What the watchdog makes of the cluster."""

    FINE = "fine"
    ENDED = "its main process ended"
    STALLED = "no job came through"


@dataclass(frozen=True)
class Limits:
    """How often a canary job is sent and how long the cluster may stay silent, in seconds."""

    canary_every: float = 10.0
    stalled_after: float = 45.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What was last seen of a cluster: its newest sign of life, the lease seen then, and when a canary was last sent."""

    alive_at: float
    lease: float | None = None
    canary_sent_at: float = 0.0


def seen(signs: Signs, beaten_at: float | None, lease: float | None, now: float) -> Signs:
    """The signs after a look: a later heartbeat counts from when it was beaten, a later lease from now."""
    alive_at = max(signs.alive_at, min(beaten_at or 0.0, now))
    if lease is not None and signs.lease is not None and lease > signs.lease:
        alive_at = now
    return replace(signs, alive_at=alive_at, lease=lease)


def verdict(signs: Signs, running: bool, now: float, limits: Limits) -> Verdict:
    """Whether the cluster is to be left alone, and else why not."""
    if not running:
        return Verdict.ENDED
    return Verdict.STALLED if now - signs.alive_at > limits.stalled_after else Verdict.FINE


def canary_due(signs: Signs, waiting: int, now: float, limits: Limits) -> bool:
    """Whether to send a canary. Oftener while the cluster is silent: other machines' clusters take canaries too."""
    silent = now - signs.alive_at > 2 * limits.canary_every
    pause = limits.canary_every / 10 if silent else limits.canary_every
    return waiting < MOST_WAITING and now - signs.canary_sent_at >= pause


def restart_delay(lived: float, failures: int) -> float:
    """Seconds to wait before starting a cluster again that lived so long, after so many short lives in a row."""
    return 0.0 if lived > 10 else min(30.0, 2.0**failures)
