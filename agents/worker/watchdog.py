"""Decides when to restart the cluster of job workers, by its signs of life. Pure. Times are Unix seconds."""

from dataclasses import dataclass, replace

MOST_WAITING = 5  # further canaries in the queue would not help


@dataclass(frozen=True)
class Limits:
    """Seconds between canary jobs, and seconds without a sign of life after which the cluster is restarted."""

    canary_every: float = 10.0
    stalled_after: float = 45.0


@dataclass(frozen=True, slots=True)
class Signs:
    alive_at: float
    canary_sent_at: float = 0.0


def seen(signs: Signs, beaten_at: float | None, now: float) -> Signs:
    return replace(signs, alive_at=max(signs.alive_at, min(beaten_at or 0.0, now)))


def why_restart(signs: Signs, running: bool, now: float, limits: Limits) -> str:
    if not running:
        return "its main process ended"
    return "no job came through" if now - signs.alive_at > limits.stalled_after else ""


def canary_due(signs: Signs, waiting: int, now: float, limits: Limits) -> bool:
    """Whether to send a canary. More often while there is no sign of life, as other machines' clusters may take canaries."""
    overdue = now - signs.alive_at > 2 * limits.canary_every
    pause = limits.canary_every / 10 if overdue else limits.canary_every
    return waiting < MOST_WAITING and now - signs.canary_sent_at >= pause


def restart_delay(lived: float, failures: int) -> float:
    return 0.0 if lived > 10 else min(30.0, 2.0**failures)
