"""What an operator can do to an account's gate: what each action does, what it risks, and the doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from agents import probing
from agents.governor import Pacing, State
from agents.ledger import actions
from agents.models import Account
from agents.phrases import phrase
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
    GateAction.PROBE: phrase("Probe now"),
    GateAction.PAUSE: phrase("Pause"),
    GateAction.RESUME: phrase("Resume"),
    GateAction.CLEAR: phrase("Clear"),
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
            return _("A probe of {name} is queued. What it finds shows here within seconds.").format(name=account.name)
        case GateAction.PAUSE:
            actions.pause(account, seconds, by=by, now=now)
            return _("{name} is paused for {seconds}, or longer where a longer pause was running.").format(
                name=account.name, seconds=length(seconds)
            )
        case GateAction.RESUME:
            actions.resume(account, by=by, now=now)
            return _("The pause of {name} is over.").format(name=account.name)
    actions.clear(account, by=by, now=now)
    return _("What was known of {name} is forgotten. The account is open, at the spacing.").format(name=account.name)


def _obstacle(action: GateAction, look: Look, now: float) -> str:
    if action is GateAction.PROBE and look.standing(now) is Standing.OFF:
        return _("The account is off, so nothing can be sent. Look at what the page says of it first.")
    if action is GateAction.RESUME and look.gate.state(now) is not State.PAUSED:
        return _("No pause is running, so there is nothing to resume.")
    return ""


def _probe(look: Look, now: float) -> tuple[str, str]:
    if look.gate.state(now) is State.PAUSED:
        told = _("Ends the pause and sends one request for a single token. If it is accepted, the account is open at once.")
    else:
        told = _("Sends one request for a single token. If it is accepted, the account is open at once.")
    return told, _if_it_holds(look)


def _pause(look: Look, now: float) -> tuple[str, str]:
    return (
        _("Nothing is sent for as long as you say; steps are answered by another account or by the template agent."),
        _("A pause that already lasts longer stays as it is."),
    )


def _resume(look: Look, now: float) -> tuple[str, str]:
    if not look.gate.strikes:
        return _("Ends the pause. The next step may ask at once."), _("None: no refusal is behind this pause.")
    return _("Ends the pause. The next request, a step's or the machine's probe, finds out whether the account works."), _if_it_holds(look)


def _clear(look: Look, now: float) -> tuple[str, str]:
    if look.limits.pacing is Pacing.LEARNED:
        effect = _("Forgets all refusals and what was learned of the limit: the account is open, at the spacing, without a probe.")
    else:
        effect = _("Forgets all refusals: the account is open, at the spacing, without a probe.")
    again = _(
        "If the limit still holds, steps are refused at once and the ladder begins anew at {pause}; "
        "the provider may ban for longer each time."
    )
    return effect, again.format(pause=length(next_pause(look, 1)))


_TOLD: dict[GateAction, Callable[[Look, float], tuple[str, str]]] = {
    GateAction.PROBE: _probe,
    GateAction.PAUSE: _pause,
    GateAction.RESUME: _resume,
    GateAction.CLEAR: _clear,
}


def _if_it_holds(look: Look) -> str:
    """What a refused probe brings about."""
    if look.gate.is_stopped:
        return _("If it is refused again, the next look is in {key_check}.").format(key_check=length(look.limits.key_check))
    if not look.gate.strikes or look.cause is not RefusalClass.EDGE:
        return _("If it is refused by the edge, the account is paused for {length}.").format(length=length(next_pause(look, 1)))
    before, after = next_pause(look, look.gate.strikes), next_pause(look, look.gate.strikes + 1)
    pause = _("up to {pause}").format(pause=length(after)) if look.limits.is_learned else length(after)
    if after > before:
        return _("If the limit still holds, the next pause is longer: {pause}.").format(pause=pause)
    return _("If the limit still holds, the next pause is again {pause}.").format(pause=pause)
