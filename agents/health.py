"""What the miner says of itself in a few words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agents import standing
from agents.database import UNAVAILABLE
from agents.hybrid import Mode
from agents.models import Settings
from agents.reasons import PauseSource, Reason
from agents.recovery import Prediction
from agents.standing import USABLE, Look, Standing

CLOCK = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True, slots=True)
class Health:
    """`state`: open, paused, probing, stopped, off or unknown. `resets_at`: when the account is expected back; `source`: how we know.

    With several accounts: those of the first that can be used, else of the one that is back the soonest.
    """

    agent_type: str
    state: str
    sentence: str
    resets_at: datetime | None = None
    source: str = ""


def health(now: float) -> Health:
    """The miner's state at `now`. Never raises: a database that can't be read makes it unknown."""
    try:
        return _health(now)
    except UNAVAILABLE:
        return Health(Mode.HYBRID, "unknown", "The database can't be read. The template agent answers.")


def _health(now: float) -> Health:
    mode = Mode(Settings.current().agent_mode)
    look = standing.foremost(standing.looks(), now)
    seen = look.standing(now)
    if seen in USABLE:
        return Health(mode, Standing.OPEN, "The LLM may be asked.")
    if seen is Standing.OFF:
        return Health(mode, seen, look.obstacle.sentence if look.obstacle else look.unreadable)
    told = look.expected(now)
    return Health(mode, seen, _sentence(look, seen, told, now), _at(told.at) if told else None, told.source.sentence if told else "")


def _sentence(look: Look, seen: Standing, told: Prediction | None, now: float) -> str:
    if look.gate.never_worked or seen is Standing.STOPPED:
        return look.cause_sentence
    return " ".join(part for part in (_gate(look, seen, now), _range(told)) if part)


def _gate(look: Look, seen: Standing, now: float) -> str:
    if seen is Standing.PROBING:
        return "The pause is over. The next step probes the account."
    if look.is_paused_by_operator(now):
        return f"Paused by an operator until {datetime.fromtimestamp(look.gate.paused_until, UTC):{CLOCK}}."
    return Reason.PAUSED.sentence


def _range(told: Prediction | None) -> str:
    """The prediction's range; "" where a single time says all, or nothing is known."""
    if told is None or told.source is PauseSource.OPERATOR or told.earliest is None or told.latest is None:
        return ""
    earliest, latest = (datetime.fromtimestamp(each, UTC) for each in (told.earliest, told.latest))
    return f"Expected back from {earliest:{CLOCK}} to {latest:{CLOCK}}."


def _at(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
