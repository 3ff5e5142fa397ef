"""The last hours as a value: the steps as they arrived, and all that was sent for them. Times are Unix seconds, durations seconds."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, Q

from agents.configuration import default_account
from agents.ledger import gate_rows
from agents.models import Account, AuditEntry, LLMAttempt, RateLimitEvent, Route, Settings, Step
from agents.policy.reasons import PauseSource, Purpose, Reason, Verdict
from agents.policy.refusals import Reaction, RefusalClass
from agents.simulation.scenario import BadSetting

CHUNK = 2000
# For these reasons no LLM was tried, whatever its gate would have decided.
NOT_TRIED = frozenset(map(Reason, ("mode", "caller", "no_key", "no_model", "disabled", "sure", "cost", "busy", "database", "fault")))
# A step's time is its deadline less its arrival, each kept to a microsecond; deadlines are not set as finely as this, in seconds.
SAME = 0.005
# An attempt that ends this close to its cut-off was cut off, in seconds.
AT_CUT_OFF = 0.25
SENT = ("sent_at", "ended_at", "cut_off_at", "model", "purpose", "verdict", "refusal", "event__pause_seconds", "event__pause_source")
_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)([mhd])")
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
# Steps are kept for months at most; a longer time is a typing error.
LONGEST = 366 * 86_400.0


def span(text: str) -> float:
    """Seconds of a time such as 90m, 24h or 7d. Raises BadSetting."""
    match = _SPAN.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= LONGEST:
        raise BadSetting("--last", "must be a time such as 90m, 24h or 7d, at most 366d")
    return seconds


@dataclass(frozen=True, slots=True)
class PastStep:
    """`gap`: seconds since the answer before in its chain; `timeout`: its caller's own; `tries_llm`: whether the LLM was to be tried."""

    gap: float
    timeout: float | None
    tries_llm: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps of one task of which each waited for the answer to the one before it; the first arrived at `at`."""

    at: float
    steps: tuple[PastStep, ...]


# The outcome of one request for its account and its model.
Outcome = StrEnum("Outcome", ["OK", "INVALID", "FAILED", "CUT_OFF", "CAPACITY", "MODEL", "REFUSED"])


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. `kind`: the class of a refusal of the whole account, until `stated_until` by `source`."""

    at: float
    seconds: float
    model: str
    outcome: Outcome
    for_step: bool = True
    kind: RefusalClass | None = None
    stated_until: float | None = None
    source: PauseSource | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """`published`: the provider's stated limit a minute, 0 unknown; `llm`: steps it answered; `elsewhere`: requests to other accounts."""

    starts_at: float
    ends_at: float
    account: str
    chains: tuple[Chain, ...]
    sent: tuple[Sent, ...]
    published: float = 0.0
    llm: int = 0
    elsewhere: int = 0
    changes: int = 0
    operator_pauses: int = 0

    @property
    def steps(self) -> int:
        return sum(len(chain.steps) for chain in self.chains)


def read_past(seconds: float, now: datetime) -> Past:
    """The `seconds` up to `now`: all steps, and what was sent by the account that got most requests. A fixed number of queries."""
    start = now - timedelta(seconds=seconds)
    attempts = LLMAttempt.objects.filter(decided_at__gte=start, decided_at__lte=now, sent_at__isnull=False)
    counts = list(attempts.values_list("account").annotate(count=Count("pk")).order_by("-count", "account"))
    account = (Account.objects.get(pk=counts[0][0]) if counts else Account.objects.first()) or default_account()
    chains, llm = _chains(start, now)
    ended = attempts.filter(account=account, ended_at__isnull=False).exclude(verdict__in=[Verdict.OPEN, Verdict.LOST])
    rows: Iterator[tuple[Any, ...]] = ended.order_by("sent_at", "id").values_list(*SENT).iterator(CHUNK)
    pauses = AuditEntry.objects.filter(account=account, action=AuditEntry.Action.PAUSE, at__gte=start, at__lte=now)
    return Past(
        starts_at=start.timestamp(),
        ends_at=now.timestamp(),
        account=account.name,
        chains=chains,
        sent=(*_blocked_before(account, start), *(_sent(*row) for row in rows)),
        published=gate_rows.of(account).pace.published,
        llm=llm,
        elsewhere=sum(count for _, count in counts[1:]),
        changes=Settings.history.filter(history_date__gt=start, history_date__lte=now).count(),
        operator_pauses=pauses.count(),
    )


def _chains(start: datetime, now: datetime) -> tuple[tuple[Chain, ...], int]:
    """The chains, and how many of the steps the LLM answered."""
    deadlines = list(Settings.history.order_by("history_date", "history_id").values_list("history_date", "deadline_seconds"))
    default, llm = float(Settings().deadline_seconds), 0
    last: dict[int, tuple[float | None, list[PastStep]]] = {}  # by task: its last answer, and the chain
    chains = list[tuple[float, list[PastStep]]]()
    rows = Step.objects.filter(received_at__gte=start, received_at__lte=now).order_by("received_at", "id")
    columns = ("task_id", "received_at", "deadline_at", "answered_at", "route", "reason")
    for task, received, deadline, answered, route, reason in rows.values_list(*columns).iterator(CHUNK):
        came_at, (answered_before, steps) = received.timestamp(), last.get(task, (None, []))
        gap = 0.0
        if answered_before is not None and came_at >= answered_before:
            gap = came_at - answered_before
        else:
            steps = []
            chains.append((came_at, steps))
        place = bisect_right(deadlines, received, key=lambda row: row[0])
        timeout = (deadline - received).total_seconds()
        is_default = abs(timeout - (deadlines[place - 1][1] if place else default)) < SAME
        steps.append(PastStep(gap, None if is_default else timeout, reason not in NOT_TRIED))
        last[task] = (answered.timestamp() if answered else None, steps)
        llm += route == Route.LLM
    return tuple(Chain(came_at, tuple(steps)) for came_at, steps in chains), llm


def _sent(
    sent_at: datetime, ended_at: datetime, cut_off_at: datetime, model: str, purpose: str, verdict: str, refusal: str, *event: Any
) -> Sent:
    (pause, source), kind = event, RefusalClass(refusal) if refusal else None
    blocked = kind if kind and kind.pauses_account else None
    if blocked:
        outcome = Outcome.REFUSED
    elif verdict == Verdict.FAILED and (cut_off_at - ended_at).total_seconds() < AT_CUT_OFF:
        outcome = Outcome.CUT_OFF
    elif kind and kind.reaction is Reaction.COOLDOWN:
        outcome = Outcome.CAPACITY if kind is RefusalClass.CAPACITY else Outcome.MODEL
    else:
        outcome = Outcome(verdict) if verdict in (Outcome.OK, Outcome.INVALID) else Outcome.FAILED
    seconds, stated_by = (ended_at - sent_at).total_seconds(), PauseSource(source) if blocked and source else None
    stated_until = ended_at.timestamp() + pause if blocked and pause is not None else None
    return Sent(sent_at.timestamp(), seconds, model, outcome, purpose == Purpose.STEP, blocked, stated_until, stated_by)


def _blocked_before(account: Account, start: datetime) -> list[Sent]:
    """A block that began before `start` and was not over: as if a request had been refused at `start`."""
    running = RateLimitEvent.objects.filter(account=account, model="", started_at__lt=start).filter(
        Q(recovered_at__gt=start) | Q(recovered_at=None), Q(ended_at__gt=start) | Q(ended_at=None)
    )
    event = running.order_by("-started_at", "-id").first()
    if event is None:
        return []
    until = event.started_at.timestamp() + event.pause_seconds
    kind, source = RefusalClass(event.refusal), PauseSource(event.pause_source)
    return [Sent(start.timestamp(), 0.0, "", Outcome.REFUSED, for_step=False, kind=kind, stated_until=until, source=source)]
