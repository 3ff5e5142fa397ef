"""What the miner says of itself in a few words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from agents import gates
from agents.configuration import default_account, provider, rules
from agents.database import UNAVAILABLE
from agents.governor import State
from agents.hybrid import Mode, intend
from agents.keys import UnreadableKey
from agents.models import Account, Settings
from agents.reasons import Reason
from agents.refusals import RefusalClass, sentence


@dataclass(frozen=True, slots=True)
class Health:
    """`state`: open, paused, probing, off or unknown. `resets_at`: when a pause ends, and `source`: how that is known."""

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
    except UnreadableKey as error:
        return Health(Mode.HYBRID, "off", str(error))


def _health(now: float) -> Health:
    settings, account = Settings.current(), default_account()
    known, mode = provider(account), rules(settings).mode
    obstacle = intend(mode=mode, caller_allowed=True, enabled=account.enabled, has_key=bool(known.key), models=known.models).reason
    if obstacle:
        return Health(mode, "off", obstacle.sentence)
    gate = gates.of(account)
    state = gate.state(now)
    if state is State.PAUSED:
        until = datetime.fromtimestamp(gate.paused_until, UTC)
        return Health(mode, state, _paused(account), until, gate.pause_source.sentence)
    if state is State.PROBING:
        return Health(mode, state, "The pause is over. The next step probes the account.")
    return Health(mode, state, "The LLM may be asked.")


def _paused(account: Account) -> str:
    """Why the account is paused; more than that it is, where an operator has to look into the set-up."""
    event = account.events.filter(ended_by="", model="").values_list("refusal", "status").first()
    if event is None:
        return Reason.PAUSED.sentence
    kind = RefusalClass(event[0])
    said = sentence(kind, has_succeeded=not gates.of(account).never_worked, status=event[1])
    return Reason.PAUSED.sentence if said == kind.sentence else said
