"""The only writer of steps, attempts, events and gates: all facts of one moment in one transaction."""

from agents.ledger.attempts import Clock, Permit, Request, close_attempt, left_late, lose_attempts, open_attempt
from agents.ledger.caps import retell
from agents.ledger.steps import close_step, next_attempt, open_step

__all__ = [
    "Clock",
    "Permit",
    "Request",
    "close_attempt",
    "close_step",
    "left_late",
    "lose_attempts",
    "next_attempt",
    "open_attempt",
    "open_step",
    "retell",
]
