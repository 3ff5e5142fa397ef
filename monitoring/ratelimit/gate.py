"""An account's gate: state, backoff, models and an operator's actions. Times are Unix seconds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from agents.accounts import probing
from agents.accounts.status import USABLE, AccountState, AccountStatus
from agents.common.choice import Choice
from agents.common.text import length
from agents.ledger import actions
from agents.models import Account
from agents.policy import gate, latency
from agents.policy.gate import GateState
from agents.policy.refusals import RefusalClass
from monitoring.ratelimit.belief_text import sentences
from monitoring.ratelimit.status_text import StatusText, cause_text, expectation, status_text

MEANINGS = {
    AccountState.OPEN: ("Open", "The next step may send at once"),
    AccountState.SPACING: ("Spacing", "Waiting for the next slot"),
    AccountState.PAUSED: ("Paused", "Nothing is sent"),
    AccountState.PROBING: ("Probing", "One request checks the account"),
    AccountState.STOPPED: ("Stopped", "Needs an operator"),
    AccountState.OFF: ("Off", "Not used"),
}
BEYOND = 2  # pauses shown beyond the configured list, while the backoff doubles
MOST_MINUTES = 7 * 24 * 60  # for longer, accounts are disabled in the settings
LENGTHS = [("5", "5 min"), ("15", "15 min"), ("60", "1 h"), ("360", "6 h")]


class GateAction(Choice):
    PROBE = "probe", "Probe now"
    PAUSE = "pause", "Pause"
    RESUME = "resume", "Resume"
    CLEAR = "clear", "Clear"


@dataclass(frozen=True, slots=True)
class Offer:
    """`obstacle`: why the action is not possible now, "" if it is."""

    action: GateAction
    effect: str
    risk: str
    obstacle: str = ""

    @property
    def route(self) -> str:
        return f"{self.action}_account"


class PauseForm(forms.Form):
    length = forms.ChoiceField(label="Pause for", choices=LENGTHS, initial="15", widget=forms.RadioSelect({"class": "form-check-input"}))
    minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_MINUTES,
        label="Or this many minutes",
        widget=forms.NumberInput({"inputmode": "numeric"}),
        help_text="1 to 10,080, which is a week. Overrides the choice above.",
    )

    @property
    def seconds(self) -> float:
        return 60.0 * (self.cleaned_data["minutes"] or int(self.cleaned_data["length"]))


def gate_now(snapshot: AccountStatus, now: datetime) -> dict[str, Any]:
    """The gate for its page. `states`: name, meaning, and whether it is the current one; `serves`: whether steps may use its models."""
    at, state, status = now.timestamp(), snapshot.state(now.timestamp()), status_text(snapshot, now)
    slot = gate.next_slot(snapshot.gate, snapshot.limits, at)
    return {
        "snapshot": snapshot,
        "state": state,
        "status": status,
        "cause": cause(snapshot, status),
        "states": [(name, meaning, other is state) for other, (name, meaning) in MEANINGS.items()],
        "expected": expectation(snapshot, now),
        "blocked_at": snapshot.gate.blocked_at if snapshot.gate.strikes else None,
        "pauses": backoff_pauses(snapshot),
        "belief": sentences(snapshot.gate, snapshot.limits, at),
        "next_slot_at": slot if slot > at and state is AccountState.SPACING else None,
        "models": models(snapshot, at),
        "serves": state in USABLE,
    }


def cause(snapshot: AccountStatus, status: StatusText) -> str:
    """The cause, without the remedy that the status has already."""
    return snapshot.cause_sentence.removesuffix(status.remedy).strip() or f"{cause_text(snapshot)[0].capitalize()}."


def backoff_pauses(snapshot: AccountStatus) -> list[tuple[float, bool]]:
    """With fixed pacing: the pauses after refusals in a row, and whether each is the current one. Only rate limits have them."""
    if snapshot.limits.is_auto:
        return []
    limits, strikes = snapshot.limits, snapshot.gate.strikes if snapshot.cause is RefusalClass.EDGE else 0
    shown = max(len(limits.ladder), min(strikes + 1, len(limits.ladder) + BEYOND))
    return [(limits.pause(number), number == min(strikes, shown)) for number in range(1, shown + 1)]


def models(snapshot: AccountStatus, now: float) -> list[dict[str, Any]]:
    """In the order of attempts: `usable` answers of `tried` recent attempts; the configured `place` if it differs.

    `expected`: seconds in which nine of ten answers arrive. `refused`: why it was refused, "" if it answered since.
    """
    cooldowns = {name: (until, times) for name, until, times in snapshot.gate.cooldowns if now < until}
    rows = []
    for number, name in enumerate(latency.ordered(snapshot.latencies, snapshot.models, now), 1):
        until, refusals = cooldowns.get(name, (None, 0))
        recent, place = latency.recent(snapshot.latencies, name, now), snapshot.models.index(name) + 1
        counts = {"usable": sum(bool(sample[2]) for sample in recent), "tried": len(recent), "expected": latency.expected(recent)}
        refused = snapshot.refused[name].sentence if name in snapshot.refused else ""
        about = {"name": name, "place": place if place != number else None, **counts}
        rows.append({**about, "cooling_until": until, "refusals": refusals, "refused": refused})
    return rows


def offer(action: GateAction, snapshot: AccountStatus, now: float) -> Offer:
    is_paused, if_refused = snapshot.gate.state(now) is GateState.PAUSED, _if_refused(snapshot, now)
    match action:
        case GateAction.PROBE:
            obstacle = "The account is off, so nothing can be sent." if snapshot.state(now) is AccountState.OFF else ""
            start = "Ends the pause and sends" if is_paused else "Sends"
            return Offer(action, f"{start} one request for a single token. If it is accepted, the account is open.", if_refused, obstacle)
        case GateAction.PAUSE:
            effect = "Nothing is sent for this time; steps are answered by another account or by the template agent."
            return Offer(action, effect, "A pause that already lasts longer stays as it is.")
        case GateAction.RESUME:
            obstacle = "" if is_paused else "No pause is running, so there is nothing to resume."
            if not snapshot.gate.strikes:
                return Offer(action, "Ends the pause. The next step may send at once.", "None: no refusal caused this pause.", obstacle)
            effect = "Ends the pause. The next request, of a step or a probe, shows whether the account works."
            return Offer(action, effect, if_refused, obstacle)
    and_limit = " and what is known of the limit" if snapshot.limits.is_auto else ""
    effect = f"Forgets all refusals{and_limit}: the account is open, with its spacing, without a probe."
    pause = length(snapshot.limits.pause(1))
    risk = f"If the limit still holds, steps are refused at once and the backoff restarts at {pause}; the provider may block for longer."
    return Offer(action, effect, risk)


def _if_refused(snapshot: AccountStatus, now: float) -> str:
    if snapshot.gate.is_stopped:
        return f"If it is refused again, the next check is in {length(snapshot.limits.key_check)}."
    pause = length(gate.refused(snapshot.gate, snapshot.limits, now, now).paused_until - now)
    if not snapshot.gate.strikes or snapshot.cause is not RefusalClass.EDGE:
        return f"If it is refused by the edge, the account is paused for {pause}."
    return f"If the limit still holds, the next pause takes {pause}."


def act(action: GateAction, account: Account, *, seconds: float, by: str, now: float) -> str:
    match action:
        case GateAction.PROBE:
            probing.start(account, by=by, now=now)
            return f"A probe of {account.name} is queued. The result appears here within seconds."
        case GateAction.PAUSE:
            actions.pause(account, seconds, by=by, now=now)
            return f"{account.name} is paused for {length(seconds)}, or longer where a longer pause was running."
        case GateAction.RESUME:
            actions.resume(account, by=by, now=now)
            return f"The pause of {account.name} has ended."
    actions.clear(account, by=by, now=now)
    return f"The state of {account.name} is cleared. The account is open, with its spacing."
