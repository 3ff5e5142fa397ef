"""The only writer of steps, attempts, events and gates: all facts of one moment in one transaction."""

from agents.ledger.attempts import (
    Clock,
    Permit,
    Request,
    add_excerpts,
    close_attempt,
    close_step,
    left_late,
    lose_attempts,
    may_send,
    next_attempt,
    open_attempt,
    open_step,
    renew,
)

__all__ = [
    "Clock",
    "Permit",
    "Request",
    "add_excerpts",
    "close_attempt",
    "close_step",
    "left_late",
    "lose_attempts",
    "may_send",
    "next_attempt",
    "open_attempt",
    "open_step",
    "renew",
]
