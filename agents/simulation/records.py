"""Reads the last hours from the records: a fixed number of queries, whatever came in that time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from agents import gates
from agents.configuration import default_account, models_of, rules
from agents.models import Account, AuditEntry, LLMAttempt, RateLimitEvent, Route, Settings, Step
from agents.reasons import PauseSource, Purpose, Reason, Verdict
from agents.refusals import RefusalClass
from agents.simulation.past import Chain, Outcome, Past, PastStep, Sent
from agents.simulation.settings import Miner

CHUNK = 2000
# For these reasons the LLM was not asked, whatever its gate would have said.
UNASKED = frozenset(
    {
        Reason.MODE,
        Reason.CALLER,
        Reason.NO_KEY,
        Reason.NO_MODEL,
        Reason.DISABLED,
        Reason.SURE,
        Reason.COST,
        Reason.DATABASE,
        Reason.FAULT,
    }
)
# A step's time is its deadline less its arrival, each kept to a microsecond; nobody sets a deadline as finely as this, in seconds.
SAME = 0.005
# An attempt that ends this close to its cut-off was cut off, in seconds.
AT_CUT_OFF = 0.25
SENT = ("sent_at", "ended_at", "cut_off_at", "model", "purpose", "verdict", "refusal", "event__pause_seconds", "event__pause_source")
OUTCOMES = {Verdict.OK: Outcome.OK, Verdict.INVALID: Outcome.INVALID}


def read_past(seconds: float, now: datetime) -> Past:
    """The `seconds` up to `now`: all steps, and what was sent by the account that was asked most often."""
    start = now - timedelta(seconds=seconds)
    account, elsewhere = _account(start, now)
    reader = _Chains(_deadlines())
    for row in _steps(start, now):
        reader.add(*row)
    return Past(
        starts_at=start.timestamp(),
        ends_at=now.timestamp(),
        account=account.name,
        chains=reader.chains(),
        sent=(*_shut_before(account, start), *_sent(account, start, now)),
        published=gates.of(account).pace.published,
        llm=reader.llm,
        elsewhere=elsewhere,
        changes=Settings.history.filter(history_date__gt=start, history_date__lte=now).count(),
        operator_pauses=AuditEntry.objects.filter(account=account, action=AuditEntry.Action.PAUSE, at__gte=start, at__lte=now).count(),
    )


def miner_in_force(account_name: str) -> Miner:
    """The settings in force, with the models of the account."""
    settings = Settings.current()
    in_force, account = rules(settings), Account.objects.filter(name=account_name).first() or default_account()
    models = models_of(account) or Miner().models
    return Miner(limits=in_force.limits, deadline=in_force.deadline_seconds, models=models, probes=settings.probe_after_pause)


def _account(start: datetime, now: datetime) -> tuple[Account, int]:
    """The account that was asked most often, and how many requests went to others."""
    asked = LLMAttempt.objects.filter(decided_at__gte=start, decided_at__lte=now, sent_at__isnull=False)
    counts = list(asked.values_list("account").annotate(count=Count("pk")).order_by("-count", "account"))
    if not counts:
        return Account.objects.first() or default_account(), 0
    return Account.objects.get(pk=counts[0][0]), sum(count for _, count in counts[1:])


def _deadlines() -> list[tuple[datetime, float]]:
    """Since when which deadline was in force, earliest first."""
    return list(Settings.history.order_by("history_date", "history_id").values_list("history_date", "deadline_seconds"))


def _steps(start: datetime, now: datetime) -> Iterator[tuple[Any, ...]]:
    steps = Step.objects.filter(received_at__gte=start, received_at__lte=now).order_by("received_at", "id")
    return steps.values_list("task_id", "received_at", "deadline_at", "answered_at", "route", "reason").iterator(CHUNK)


class _Chains:
    """Puts steps, earliest first, into chains."""

    def __init__(self, deadlines: list[tuple[datetime, float]]) -> None:
        self._deadlines = deadlines
        self._default = float(Settings().deadline_seconds)
        self._open: dict[int, tuple[float | None, list[PastStep]]] = {}
        self._found: list[tuple[float, list[PastStep]]] = []
        self.llm = 0

    def add(self, task: int, received: datetime, deadline: datetime, answered: datetime | None, route: str, reason: str) -> None:
        """One more step. It waited for its task's last one if it came after the answer to that one."""
        came_at, answered_at = received.timestamp(), answered.timestamp() if answered else None
        last_answer, steps = self._open.get(task, (None, []))
        is_next = last_answer is not None and came_at >= last_answer
        gap = came_at - last_answer if is_next and last_answer is not None else 0.0
        if not is_next:
            steps = []
            self._found.append((came_at, steps))
        steps.append(PastStep(gap, self._timeout(received, (deadline - received).total_seconds()), reason not in UNASKED))
        self._open[task] = (answered_at, steps)
        self.llm += route == Route.LLM

    def chains(self) -> tuple[Chain, ...]:
        """All chains, by their time."""
        return tuple(Chain(came_at, tuple(steps)) for came_at, steps in self._found)

    def _timeout(self, received: datetime, seconds: float) -> float | None:
        place = bisect_right(self._deadlines, received, key=lambda each: each[0])
        in_force = self._deadlines[place - 1][1] if place else self._default
        return None if abs(seconds - in_force) < SAME else seconds


def _sent(account: Account, start: datetime, now: datetime) -> Iterator[Sent]:
    """What was sent and came to something, by its time."""
    attempts = LLMAttempt.objects.filter(account=account, decided_at__gte=start, decided_at__lte=now, sent_at__isnull=False)
    ended = attempts.filter(ended_at__isnull=False).exclude(verdict__in=[Verdict.OPEN, Verdict.LOST]).order_by("sent_at", "id")
    rows: Iterator[tuple[Any, ...]] = ended.values_list(*SENT).iterator(CHUNK)
    for row in rows:
        yield _as_sent(*row)


def _as_sent(
    sent_at: datetime, ended_at: datetime, cut_off_at: datetime, model: str, purpose: str, verdict: str, refusal: str, *event: Any
) -> Sent:
    pause, source = event
    kind = RefusalClass(refusal) if refusal else None
    shuts = kind if kind and kind.pauses_account else None
    is_cut_off = verdict == Verdict.FAILED and (cut_off_at - ended_at).total_seconds() < AT_CUT_OFF
    return Sent(
        at=sent_at.timestamp(),
        seconds=(ended_at - sent_at).total_seconds(),
        model=model,
        outcome=Outcome.REFUSED if shuts else Outcome.CUT_OFF if is_cut_off else _outcome(verdict, kind),
        for_step=purpose == Purpose.STEP,
        kind=shuts,
        told_until=ended_at.timestamp() + pause if shuts and pause is not None else None,
        source=PauseSource(source) if shuts and source else None,
    )


def _outcome(verdict: str, kind: RefusalClass | None) -> Outcome:
    if kind in (RefusalClass.CAPACITY, RefusalClass.MODEL):
        return Outcome(kind.value)
    return OUTCOMES.get(Verdict(verdict), Outcome.FAILED)


def _shut_before(account: Account, start: datetime) -> list[Sent]:
    """A block that began before `start` and still was: as if a request had been refused at `start`."""
    shut = RateLimitEvent.objects.filter(account=account, model="", started_at__lt=start).filter(
        Q(recovered_at__gt=start) | Q(recovered_at=None), Q(ended_at__gt=start) | Q(ended_at=None)
    )
    event = shut.order_by("-started_at", "-id").first()
    if event is None:
        return []
    until = event.started_at.timestamp() + event.pause_seconds
    kind, source = RefusalClass(event.refusal), PauseSource(event.pause_source)
    return [Sent(start.timestamp(), 0.0, "", Outcome.REFUSED, for_step=False, kind=kind, told_until=until, source=source)]
