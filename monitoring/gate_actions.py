"""What an operator can do to an account's gate: what each action does, what it risks, and the doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agents import probing
from agents.governor import Pacing, State
from agents.ledger import actions
from agents.models import Account
from agents.refusals import RefusalClass
from agents.standing import Look, Standing
from agents.text import length
from monitoring.stats.gate import next_pause


class GateAction(StrEnum):
    """An operator's word to a gate."""

    PROBE = "probe"
    PAUSE = "pause"
    RESUME = "resume"
    CLEAR = "clear"

    @property
    def sentence(self) -> str:
        """The action as a button says it."""
        return _NAMES[self]


_NAMES = {
    GateAction.PROBE: "Probe now",
    GateAction.PAUSE: "Pause",
    GateAction.RESUME: "Resume",
    GateAction.CLEAR: "Clear",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One action on one account: what it does and what it risks. `obstacle`: why it can't be done now, "" where it can."""

    action: GateAction
    effect: str
    risk: str
    obstacle: str = ""

    @property
    def route(self) -> str:
        """The name of its address."""
        return f"{self.action}_account"


def offers(look: Look, now: float) -> list[Offer]:
    """All actions, in the order of the page."""
    return [offer(action, look, now) for action in GateAction]


def offer(action: GateAction, look: Look, now: float) -> Offer:
    """What `action` would do at `now`."""
    effect, risk = _TOLD[action](look, now)
    return Offer(action, effect, risk, _obstacle(action, look, now))


def act(action: GateAction, account: Account, *, seconds: float, by: str, now: float) -> str:
    """Do it, on record. `seconds`: for a pause. Returns what was done, in a sentence."""
    match action:
        case GateAction.PROBE:
            probing.ask(account, by=by, now=now)
            return f"A probe of {account.name} is queued. What it finds shows here within seconds."
        case GateAction.PAUSE:
            actions.pause(account, seconds, by=by, now=now)
            return f"{account.name} is paused for {length(seconds)}, or longer where a longer pause was running."
        case GateAction.RESUME:
            actions.resume(account, by=by, now=now)
            return f"The pause of {account.name} is over."
    actions.clear(account, by=by, now=now)
    return f"What was known of {account.name} is forgotten. The account is open, at the spacing."


def _obstacle(action: GateAction, look: Look, now: float) -> str:
    if action is GateAction.PROBE and look.standing(now) is Standing.OFF:
        return "The account is off, so nothing can be sent. Look at what the page says of it first."
    if action is GateAction.RESUME and look.gate.state(now) is not State.PAUSED:
        return "No pause is running, so there is nothing to resume."
    return ""


def _probe(look: Look, now: float) -> tuple[str, str]:
    ends = "Ends the pause and sends" if look.gate.state(now) is State.PAUSED else "Sends"
    return f"{ends} one request for a single token. If it is accepted, the account is open at once.", _if_it_holds(look)


def _pause(look: Look, now: float) -> tuple[str, str]:
    return (
        "Nothing is sent for as long as you say; steps are answered by another account or by the template agent.",
        "A pause that already lasts longer stays as it is.",
    )


def _resume(look: Look, now: float) -> tuple[str, str]:
    if not look.gate.strikes:
        return "Ends the pause. The next step may ask at once.", "None: no refusal is behind this pause."
    return "Ends the pause. The next request, a step's or the machine's probe, finds out whether the account works.", _if_it_holds(look)


def _clear(look: Look, now: float) -> tuple[str, str]:
    learned = " and what was learned of the limit" if look.limits.pacing is Pacing.LEARNED else ""
    effect = f"Forgets all refusals{learned}: the account is open, at the spacing, without a probe."
    again = f"If the limit still holds, steps are refused at once and the ladder begins anew at {length(next_pause(look, 1))}"
    return effect, f"{again}; the provider may ban for longer each time."


_TOLD: dict[GateAction, Callable[[Look, float], tuple[str, str]]] = {
    GateAction.PROBE: _probe,
    GateAction.PAUSE: _pause,
    GateAction.RESUME: _resume,
    GateAction.CLEAR: _clear,
}


def _if_it_holds(look: Look) -> str:
    """What a refused probe brings about."""
    if look.gate.is_stopped:
        return f"If it is refused again, the next look is in {length(look.limits.key_check)}."
    if not look.gate.strikes or look.cause is not RefusalClass.EDGE:
        return f"If it is refused by the edge, the account is paused for {length(next_pause(look, 1))}."
    before, after = next_pause(look, look.gate.strikes), next_pause(look, look.gate.strikes + 1)
    up_to = "up to " if look.limits.is_learned else ""
    return f"If the limit still holds, the next pause is {'longer: ' if after > before else 'again '}{up_to}{length(after)}."
