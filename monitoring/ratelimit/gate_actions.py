"""What an operator can do to an account's gate: the effect and risk of each action."""

from dataclasses import dataclass

from django import forms

from agents.accounts import probing
from agents.accounts.status import AccountState, AccountStatus
from agents.common.choice import Choice
from agents.common.text import length
from agents.ledger import actions
from agents.models import Account
from agents.policy.gate import GateState
from agents.policy.modes import Pacing
from agents.policy.refusals import RefusalClass
from monitoring.ratelimit.gate import next_pause

# A pause beyond a week is a switch: accounts are disabled in the settings.
MOST_MINUTES = 7 * 24 * 60
LENGTHS = [("5", "5 min"), ("15", "15 min"), ("60", "1 h"), ("360", "6 h")]


class GateAction(Choice):
    PROBE = "probe", "Probe now"
    PAUSE = "pause", "Pause"
    RESUME = "resume", "Resume"
    CLEAR = "clear", "Clear"


@dataclass(frozen=True, slots=True)
class Offer:
    """`obstacle`: why the action is not possible now, "" where it is."""

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


def offer(action: GateAction, snapshot: AccountStatus, now: float) -> Offer:
    is_paused, if_refused = snapshot.gate.state(now) is GateState.PAUSED, _if_refused(snapshot)
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
    learned = " and the learned limit" if snapshot.limits.pacing is Pacing.LEARNED else ""
    effect = f"Forgets all refusals{learned}: the account is open, with its spacing, without a probe."
    pause = length(next_pause(snapshot, 1))
    risk = f"If the limit still holds, steps are refused at once and the backoff restarts at {pause}; the provider may block for longer."
    return Offer(action, effect, risk)


def _if_refused(snapshot: AccountStatus) -> str:
    if snapshot.gate.is_stopped:
        return f"If it is refused again, the next check is in {length(snapshot.limits.key_check)}."
    if not snapshot.gate.strikes or snapshot.cause is not RefusalClass.EDGE:
        return f"If it is refused by the edge, the account is paused for {length(next_pause(snapshot, 1))}."
    before, after = next_pause(snapshot, snapshot.gate.strikes), next_pause(snapshot, snapshot.gate.strikes + 1)
    pause = f"up to {length(after)}" if snapshot.limits.is_learned else length(after)
    return f"If the limit still holds, the next pause is {'longer:' if after > before else 'again'} {pause}."


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
