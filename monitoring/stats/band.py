"""The last day of each account as a band: when it was paused, and each refusal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Count, Sum

from agents.ledger.actions import paused_for
from agents.models import Account, AuditEntry, LLMAttempt, RateLimitEvent
from agents.phrases import phrase
from agents.reasons import Verdict
from agents.refusals import RefusalClass
from monitoring.models import AttemptRollup, RollupState
from monitoring.stats.milliseconds import Milliseconds, moment
from monitoring.stats.ranges import Range, sources
from monitoring.stats.standing import CAUSES

DAY = timedelta(days=1)
# A band is drawn up to the full minute, so that an open page's part stays as it is meanwhile.
MINUTE = timedelta(minutes=1)
KEPT_SECONDS = 30
# More pauses or refusals than these are no more to be seen on a band; the table of events has them all.
PAUSES_DRAWN, REFUSALS_DRAWN, PAUSES_LISTED = 2_000, 2_000, 30
OPERATOR = phrase("paused by an operator")
ACCEPTED = (Verdict.OK, Verdict.INVALID)


class Span(NamedTuple):
    """A pause from `start` to `end`, and why. A tuple: a day may have hundreds, which the cache keeps."""

    start: datetime
    end: datetime
    cause: str

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Band:
    """One account's day. `pauses`: earliest first, none overlapping; `refusals`: when, in ms since 1970; counts of attempts."""

    account: str
    start: datetime
    end: datetime
    pauses: list[Span]
    refusals: list[int]
    refused: int
    accepted: int

    @property
    def is_unknown(self) -> bool:
        """Whether nothing of the day tells what the account was doing."""
        return not (self.pauses or self.refused or self.accepted)

    @property
    def paused_seconds(self) -> float:
        """How long the account was paused in all."""
        return sum(span.seconds for span in self.pauses)

    @property
    def longest_seconds(self) -> float:
        """The longest pause."""
        return max((span.seconds for span in self.pauses), default=0.0)

    @property
    def bars(self) -> list[tuple[float, float]]:
        """The pauses in a drawing that is 1,000 wide: where each begins and how wide it is. Those that no eye tells apart are one."""
        found: list[tuple[float, float]] = []
        for span in self.pauses:
            left, right = self._place(span.start), self._place(span.end)
            if found and left - sum(found[-1]) < 1:
                left, _ = found.pop()
            found.append((left, max(1.0, right - left)))
        return found

    @property
    def ticks(self) -> list[int]:
        """The refusals in the same drawing; those at one place are one."""
        start, width = self.start.timestamp() * 1_000, (self.end - self.start).total_seconds()
        return sorted({round((at - start) / width) for at in self.refusals if 0 <= at - start <= width * 1_000})

    @property
    def paused_path(self) -> str:
        """The pauses as a path of SVG, 10 high: one element, however many there are."""
        return "".join(f"M{left:.2f} 0h{width:.2f}v10h-{width:.2f}z" for left, width in self.bars)

    @property
    def refused_path(self) -> str:
        """The refusals as such a path."""
        return "".join(f"M{left} 0h1.5v10h-1.5z" for left in self.ticks)

    @property
    def listed(self) -> list[Span]:
        """The newest pauses, newest first."""
        return self.pauses[::-1][:PAUSES_LISTED]

    def _place(self, at: datetime) -> float:
        return 1000 * (at - self.start) / (self.end - self.start)


def recent_bands(now: datetime) -> list[Band]:
    """Each account's last day, at most `KEPT_SECONDS` old."""
    return cache.get_or_set("bands", partial(bands, now), KEPT_SECONDS)  # type: ignore[return-value]


def bands(now: datetime) -> list[Band]:
    """Each account's last day up to the minute of `now`."""
    end = datetime.fromtimestamp(now.timestamp() // 60 * 60, tz=now.tzinfo)
    start = end - DAY
    spans, refusals, counts = _event_spans(start, end), _refusals(start), _counts(start, end + MINUTE)
    for account, own in _operator_spans(start, end).items():
        spans[account] += own
    return [
        Band(
            account=account.name,
            start=start,
            end=end,
            pauses=merged(spans[account.pk], start, end),
            refusals=refusals[account.pk],
            refused=counts[account.pk, Verdict.REFUSED],
            accepted=sum(counts[account.pk, verdict] for verdict in ACCEPTED),
        )
        for account in Account.objects.only("id", "name")
    ]


def merged(spans: Iterable[Span], start: datetime, end: datetime) -> list[Span]:
    """The spans between `start` and `end`, in order; those that touch are one, with the cause of the first."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        cut = Span(max(span.start, start), min(span.end, end), span.cause)
        if cut.end <= cut.start:
            continue
        if found and cut.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, cut.end), found[-1].cause)
        else:
            found.append(cut)
    return found


def operator_spans(entries: Sequence[AuditEntry], end: datetime) -> list[Span]:
    """An account's pauses by operators, from its entries in order: each lasts as long as was said, or until the next word ends it."""
    spans = []
    for entry, following in pairwise([*entries, None]):
        assert entry is not None
        said = entry.at + timedelta(seconds=paused_for(entry))
        is_ended = following is not None and following.action != AuditEntry.Action.PAUSE
        spans.append(Span(entry.at, min(said, following.at if following and is_ended else end), OPERATOR))
    return [span for span in spans if span.end > span.start]


def _event_spans(start: datetime, end: datetime) -> defaultdict[int, list[Span]]:
    """An open event's account is not back yet. Pauses that touch are one, with the cause of the first."""
    rows = RateLimitEvent.objects.filter(model="", started_at__gte=start - DAY, started_at__lte=end).exclude(ended_at__lte=start)
    columns = ("account_id", Milliseconds("started_at"), Milliseconds("ended_at"), "refusal")
    joined: defaultdict[int, list[list[Any]]] = defaultdict(list)
    for account, began, ended, refusal in reversed(rows.order_by("-started_at").values_list(*columns)[:PAUSES_DRAWN]):
        over, found = ended or round(end.timestamp() * 1_000), joined[account]
        if found and began <= found[-1][1]:
            found[-1][1] = max(found[-1][1], over)
        else:
            found.append([began, over, refusal])
    spans: defaultdict[int, list[Span]] = defaultdict(list)
    for account, some in joined.items():
        spans[account] = [Span(moment(began), moment(over), CAUSES[RefusalClass(refusal)]) for began, over, refusal in some]
    return spans


def _operator_spans(start: datetime, end: datetime) -> Mapping[int, list[Span]]:
    by_account: defaultdict[int, list[AuditEntry]] = defaultdict(list)
    newest = AuditEntry.objects.filter(account__isnull=False, at__gte=start - DAY, at__lte=end).order_by("-at", "-id")[:PAUSES_DRAWN]
    for entry in reversed(newest):
        assert entry.account_id is not None
        by_account[entry.account_id].append(entry)
    return {account: operator_spans(entries, end) for account, entries in by_account.items()}


def _refusals(start: datetime) -> defaultdict[int, list[int]]:
    """When attempts were refused for the whole account, in ms since 1970.

    Only a refused attempt has a class; asked for its verdict too, the database would go through those that met a full model as well.
    """
    pausing = [kind for kind in RefusalClass if kind.pauses_account]
    refused = LLMAttempt.objects.filter(decided_at__gte=start, refusal__in=pausing, ended_at__isnull=False)
    found: defaultdict[int, list[int]] = defaultdict(list)
    for account, ms in refused.order_by("-decided_at").values_list("account_id", Milliseconds("ended_at"))[:REFUSALS_DRAWN]:
        found[account].append(ms)
    return found


def _counts(start: datetime, end: datetime) -> Counter[tuple[int, str]]:
    """How many attempts came to which end, by account."""
    state = RollupState.objects.filter(pk=RollupState.ONLY).first()
    where = sources(Range.between(start, end, end), state, is_drawn=False)
    wanted, found = {"verdict__in": (*ACCEPTED, Verdict.REFUSED)}, Counter[tuple[int, str]]()
    raw = LLMAttempt.objects.filter(where.raw_rows("decided_at"), **wanted).order_by().values_list("account_id", "verdict")
    rolled = AttemptRollup.objects.filter(where.rollups(), **wanted).order_by().values_list("account_id", "verdict")
    for account, verdict, count in (*raw.annotate(count=Count("id")), *rolled.annotate(total=Sum("count"))):
        found[account, verdict] += count
    return found
