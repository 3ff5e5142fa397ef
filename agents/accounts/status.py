"""The status of each account, and the account that represents the miner, for the panel and `/health`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agents.configuration import accounts, models_of, prices_of, rules, usable
from agents.ledger import daily_use, gate_rows
from agents.models import Account, Gate, RateLimitEvent, Settings
from agents.policy import costs
from agents.policy import gate as governor
from agents.policy.costs import Used
from agents.policy.gate import Limits
from agents.policy.latency import Samples
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import RefusalClass, sentence
from agents.policy.reset_times import Prediction
from agents.policy.routing import Rules
from agents.prompting.completions import MAX_TOKENS
from agents.prompting.prompt import MOST_TOKENS

# SPACING: open, but the next slot is later. STOPPED: waits for an operator.
AccountState = StrEnum("AccountState", "OPEN SPACING PAUSED PROBING STOPPED OFF")
USABLE = frozenset({AccountState.OPEN, AccountState.SPACING})


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """`obstacle`: why the account is not used at all. `event`: its open rate-limit event.

    `control`: the refusal of a made-up key in the present block, where the edge refused the account's. `refused`: by model, the class of
    its last refusal, for models that have not answered since.
    """

    account: Account
    gate: governor.Gate = field(default_factory=governor.Gate)
    limits: Limits = field(default_factory=Limits)
    models: tuple[str, ...] = ()
    latencies: Samples = field(default_factory=dict)
    event: RateLimitEvent | None = None
    obstacle: Reason | None = None
    control: RefusalClass | None = None
    refused: Mapping[str, RefusalClass] = field(default_factory=dict)

    @property
    def cause(self) -> RefusalClass | None:
        """Of the refusal that the account has not recovered from."""
        present = self.gate.cause if self.gate.strikes else ""
        refusal = present or (self.event.refusal if self.event else "")
        return RefusalClass(refusal) if refusal else None

    @property
    def status(self) -> int | None:
        return self.event.status if self.event else None

    @property
    def cause_sentence(self) -> str:
        if not self.cause:
            return ""
        return sentence(self.cause, has_succeeded=not self.gate.never_worked, status=self.status, control=self.control)

    @property
    def explanation(self) -> str:
        """A sentence on the edge's refusal where more than its class is known; else ""."""
        return self.cause_sentence if self.control or self.gate.never_worked else ""

    @property
    def models_remedy(self) -> str:
        """Why no model can answer and what to do, where every model waits for an operator; else ""."""
        kinds = [self.refused.get(model) for model in self.models]
        sentences = [kind.sentence for kind in kinds if kind and kind.about.remedy]
        return sentences[0] if sentences and len(sentences) == len(kinds) else ""

    @property
    def is_own_limit(self) -> bool:
        return self.control is RefusalClass.AUTH

    def state(self, now: float) -> AccountState:
        if self.obstacle:
            return AccountState.OFF
        if self.gate.is_stopped and not self.is_paused_by_operator(now):
            return AccountState.STOPPED
        state = self.gate.state(now)
        if state is governor.GateState.OPEN:
            return AccountState.OPEN if governor.next_slot(self.gate, self.limits, now) <= now else AccountState.SPACING
        return AccountState.PAUSED if state is governor.GateState.PAUSED else AccountState.PROBING

    def is_paused_by_operator(self, now: float) -> bool:
        return now < self.gate.paused_until and self.gate.pause_source is PauseSource.OPERATOR

    def expected(self, now: float) -> Prediction | None:
        """The prediction made when the account was paused; None without a pause or a prediction."""
        state, gate = self.state(now), self.gate
        if state is AccountState.STOPPED:
            return Prediction(PauseSource.CHECK, 0.0)
        if state not in (AccountState.PAUSED, AccountState.PROBING):
            return None
        if self.is_paused_by_operator(now):
            return Prediction(PauseSource.OPERATOR, 1.0, gate.paused_until)
        if self.event:
            return predicted_by(self.event)
        if state is AccountState.PROBING:
            return None
        return Prediction(gate.pause_source, gate.pause_source.confidence, gate.paused_until)


def account_statuses(now: float) -> list[AccountStatus]:
    """Every account at `now`, in the order in which a step tries them."""
    in_force, rows = rules(Settings.current()), accounts()
    gates = {row.account_id: row for row in Gate.objects.filter(account__in=rows)}
    events = defaultdict[int, dict[str, RateLimitEvent]](dict)
    for event in RateLimitEvent.objects.filter(account__in=rows, ended_by=""):
        events[event.account_id][event.model] = event
    used, _ = daily_use.today(rows, "", now)
    return [_status(row, in_force, gates.get(row.pk), events[row.pk], used.get(row.pk, Used())) for row in rows]


def _status(account: Account, in_force: Rules, row: Gate | None, events: Mapping[str, RateLimitEvent], used: Used) -> AccountStatus:
    offer, models, prices = usable(account, in_force.mode), models_of(account), prices_of(account)
    obstacle = offer if isinstance(offer, Reason) else None
    cheapest = min((costs.of_tokens(prices.get(model), MOST_TOKENS, MAX_TOKENS) for model in models), default=0.0)
    if not obstacle and not costs.allows(in_force.caps, used, cheapest):
        obstacle = Reason.CAP
    gate, control = (gate_rows.read(row), gate_rows.control(row)) if row else (governor.Gate(), None)
    refused = {model: RefusalClass(events[model].refusal) for model, _, _ in gate.cooldowns if model in events}
    latencies, event = row.latencies if row else {}, events.get("")
    return AccountStatus(account, gate, in_force.limits, models, latencies, event, obstacle, control, refused)


def foremost(statuses: Sequence[AccountStatus], now: float) -> AccountStatus:
    """The account that represents the miner: the first usable one, else the one with the earliest recovery; disabled ones last."""

    def back_at(snapshot: AccountStatus) -> tuple[int, float]:
        state, expected = snapshot.state(now), snapshot.expected(now)
        if state in USABLE:
            return 0, 0.0
        if state in (AccountState.STOPPED, AccountState.OFF):
            return (2 if state is AccountState.STOPPED else 3), 0.0
        return 1, max(now, snapshot.gate.paused_until, (expected and expected.at) or 0.0)

    return min(statuses, key=back_at)


def predicted_by(event: RateLimitEvent) -> Prediction:
    times = (event.predicted_at, event.predicted_from, event.predicted_to)
    at, earliest, latest = (moment.timestamp() if moment else None for moment in times)
    return Prediction(PauseSource(event.prediction_source), event.confidence, at, earliest, latest)
