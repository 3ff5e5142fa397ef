"""When the next request of an account may be sent, by the evidence on its limit and its blocks.

Pure transitions over one frozen value of bounded size. Times are Unix seconds; a level is a number of requests in a minute.

The pace is even, since an even pace suits both kinds of counter (see belief). Bursts are only for steps that arrive together, with none
after them.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from math import ceil, inf, isfinite
from typing import Any

from agents.policy import belief as beliefs
from agents.policy import blocks as blocking
from agents.policy.belief import MINUTE, MOST, USUAL, Belief
from agents.policy.blocks import Block, Blocks
from agents.policy.others import Others
from agents.policy.packing import packed, unpacked
from agents.policy.reasons import PaceSource

# Network delays vary: a window is assumed to be this much longer, in seconds.
SLACK = 1.0
# How long after its slot's start a request may be sent, in seconds.
GRACE = 0.1
# Between two requests of a burst: an edge's first refusal has arrived before the next request is sent.
BURST_GAP = 0.25
# For how many minutes finding a limit is assumed to pay: an hour before any refusal. Right after a refusal two, of which another usual
# block would leave nothing; then more for each minute at the full pace: a quarter of what was gained may be lost by the next refusal.
UNREFUSED_MINUTES, REFUSED_MINUTES, RISKED_PART = 60.0, 2.0, 0.25
# An answer confirms the limit where so much of the pace was used in its minute.
CONFIRMING_PART = 0.75
# A burst that is accepted serves this crowd, and shows that the next one can be served so.
BURSTS_WORTH = 2.0
# Steps that all arrived within this time, in seconds, are of different tasks: a task's next step comes after an answer.
AT_ONCE = 3.0
# How far ahead of its time a request may be planned, in seconds: the longest deadline of a step.
AHEAD = 180.0
# An answer has arrived by then, in seconds: it is evidence on what was sent in the minute before its request.
ANSWERED = 30.0


def earliest(sends: tuple[float, ...], most: float, start: float, gap: float) -> float:
    """The first time from `start` at which one more request beside `sends` keeps `most` in a minute and the gap to all others."""
    at = start
    # Fewer than `most` sends in the minute before, counting all that are planned after it.
    if isfinite(most) and len(sends) - bisect_right(sends, start - MINUTE - SLACK) >= most:
        at = max(start, sends[len(sends) - int(most)] + MINUTE + SLACK)
    for send in sends[bisect_right(sends, at - gap) :]:
        if send >= at + gap:
            break
        at = max(at, send + gap)
    return at


@dataclass(frozen=True, slots=True)
class Pace:
    """What was learned about one account.

    `sends`: when requests were or will be sent, those of a good minute, earliest first. `blocks`: from outside; `own_blocks`: caused by
    our own pace, as the last one if `is_ours`. `source`: of the evidence on the limit; `confirmed_at`: when an answer last confirmed it.
    `used`: minutes for which the level was used since the last refusal, None before the first. `crowd`: when the first and the last step
    came that left no slot in time for one more, of the latest such crowd; `comes_at_once`: whether the crowd before it came all at once.
    """

    sends: tuple[float, ...] = ()
    belief: Belief = field(default_factory=Belief)
    others_seen: Others = field(default_factory=Others)
    blocks: Blocks = field(default_factory=Blocks)
    own_blocks: Blocks = field(default_factory=lambda: Blocks(is_ours=True))
    is_ours: bool = False
    source: PaceSource = PaceSource.SPACING
    confirmed_at: float = 0.0
    used: float | None = None
    crowd: tuple[float, float] = (0.0, 0.0)
    comes_at_once: bool = False

    def as_json(self) -> dict[str, Any]:
        made = {"sends": packed(self.sends), "belief": self.belief.as_json(), "blocks": self.blocks.as_json()}
        made |= {"own_blocks": self.own_blocks.as_json()}
        return {name: getattr(self, name) for name in self.__slots__} | made | {"others_seen": asdict(self.others_seen)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Pace":
        """Fields of other versions are left out."""
        made = {
            "belief": Belief.from_json(value.get("belief", {})),
            "others_seen": Others(**value.get("others_seen", {})),
            "blocks": Blocks.from_json(value.get("blocks", {})),
            "own_blocks": Blocks.from_json(value.get("own_blocks", {}), is_ours=True),
            "source": PaceSource(value.get("source", PaceSource.SPACING)),
            "sends": unpacked(value.get("sends", ())),
            "crowd": tuple(value.get("crowd", (0.0, 0.0))),
        }
        return cls(**{name: item for name, item in {**value, **made}.items() if name in cls.__slots__})

    @property
    def published(self) -> float:
        """The limit that the provider states, 0 unknown."""
        return self.belief.stated

    @property
    def others(self) -> float:
        """Requests a minute that others send with this account, 0 for none or unknown."""
        return self.others_seen.rate

    @property
    def present_blocks(self) -> Blocks:
        """Those of the kind of the last one."""
        return self.own_blocks if self.is_ours else self.blocks

    @property
    def cost(self) -> float:
        """Seconds that a refusal may cost: of the longer kind, since a short pause in a crowd's minute loses more than its length."""
        return max(self.own_blocks.cost, self.blocks.cost)

    @property
    def has_evidence(self) -> bool:
        return self.source is not PaceSource.SPACING

    def level(self, now: float, risk: float) -> float:
        """Requests a minute, 0 without evidence. `risk`: the weight of a minute lost by a refusal, relative to one gained."""
        if not self.has_evidence:
            return 0.0
        minutes = UNREFUSED_MINUTES if self.used is None else REFUSED_MINUTES + RISKED_PART * self.used
        usual = min(self.published or USUAL, USUAL) - self.belief.taken if self.used is None else beliefs.quantiles(self.belief, now)[1]
        # A pace far above what is sent gains nothing and shows nothing about the limit.
        last = max((now, *self.sends[-1:]))  # a crowd's requests are planned when it comes
        sent = len(self.sends) - bisect_right(self.sends, last - MINUTE) + 1
        most = min(MOST, max(usual, 2.0 * sent))
        kept = 1.0 - risk * self.cost / MINUTE / minutes
        return beliefs.best_level(self.belief, now, kept, most)


def gap(level: float, spacing: float) -> float:
    return MINUTE / level if level else spacing and spacing + GRACE


def slot(pace: Pace, spacing: float, risk: float, now: float, latest: float) -> float:
    """When the next request may be sent: at the even pace if that is by `latest`, else as soon as a burst allows, where one is of use.

    A burst uses up the minute, so that tasks that continue have no slots left: it is only used for many steps that arrive together.
    """
    level = pace.level(now, risk)
    even = earliest(pace.sends, ceil(level) if level else inf, now, gap(level, spacing))
    if even <= latest or not level or not _is_for_bursts(pace, now):
        return even
    burst = earliest(pace.sends, ceil(level), now, BURST_GAP)
    return burst if burst < even and _is_worth_it(pace, risk, burst, now) else even


def _is_worth_it(pace: Pace, risk: float, burst: float, now: float) -> bool:
    """A burst serves a minute's requests at once; a refusal loses those of as many minutes as a block lasts."""
    likely = beliefs.accepted_with(pace.belief, pace.sends, burst, now)
    return BURSTS_WORTH * likely >= (1 - likely) * risk * pace.cost / MINUTE


def reserved(pace: Pace, spacing: float, risk: float, at: float, now: float, latest: float) -> Pace:
    """With a request at `at` for a step that came at `now` and can wait until `latest`."""
    first_kept = bisect_left(pace.sends, now - MINUTE - ANSWERED)
    kept, belief = list(pace.sends[first_kept:]), beliefs.filled(pace.belief, pace.sends[:first_kept])
    insort(kept, at)
    crowd, comes_at_once = pace.crowd, pace.comes_at_once
    if at > now and at + gap(pace.level(now, risk), spacing) > latest:  # the last slot in time: one more step like it is turned away
        first, last = crowd
        crowd = (first, max(last, now))
        if now > last + MINUTE:
            crowd, comes_at_once = (now, now), _is_for_bursts(pace, now)
    return replace(pace, sends=tuple(kept), belief=belief, crowd=crowd, comes_at_once=comes_at_once)


def _is_for_bursts(pace: Pace, now: float) -> bool:
    """Whether the last crowd, if it is over, came all at once, and the present one does so too."""
    first, last = pace.crowd
    if now > last + MINUTE:
        return bool(last) and last - first < AT_ONCE
    return pace.comes_at_once and last - first < AT_ONCE


def counted(pace: Pace, used: float | None, now: float) -> Pace:
    """A request of ours counts for the day; `used`: the day's requests as its answer states them."""
    others = pace.others_seen.counted(used, now)
    return replace(pace, others_seen=others, belief=replace(pace.belief, taken=others.rate))


def accepted(pace: Pace, risk: float, sent_at: float, now: float, published: float | None) -> Pace:
    """`published`: the limit a minute that the answer states."""
    limit, source, sent_at = min(published or 0.0, MOST), pace.source, _slot_of(pace, sent_at)
    belief = beliefs.stated(pace.belief, limit, now) if limit and limit != pace.published else pace.belief
    if source is PaceSource.SPACING:
        source = PaceSource.PUBLISHED if belief.stated else PaceSource.USUAL
    learned = replace(pace, belief=beliefs.updated(belief, pace.sends, sent_at, now, accepted=True), source=source)
    level = learned.level(now, risk)
    used = None if pace.used is None else round(pace.used + 1.0 / level, 6)
    if _sent_before(pace, sent_at) + 1 < CONFIRMING_PART * level:
        return replace(learned, used=used)
    source = source if source is PaceSource.REFUSED else PaceSource.ACCEPTED
    return replace(learned, used=used, source=source, confirmed_at=now)


def violated(pace: Pace, sent_at: float, now: float, since: float) -> Pace:
    """The first refusal in a row. `since`: when a request was last accepted."""
    # A crowd that the refusal cut short does not show whether crowds come at once.
    crowd, sent_at = pace.crowd if pace.comes_at_once else (0.0, 0.0), _slot_of(pace, sent_at)
    belief = beliefs.updated(pace.belief, pace.sends, sent_at, now, accepted=False)
    is_ours = beliefs.is_ours(pace.belief, pace.sends, sent_at, since)
    pace = replace(pace, sends=pace.sends[: bisect_right(pace.sends, now)], crowd=crowd, belief=belief, is_ours=is_ours)
    if not _sent_before(pace, sent_at):
        # Nothing had been sent for a minute: the account is blocked, which is no evidence on its limit.
        return pace
    return replace(pace, source=PaceSource.REFUSED, confirmed_at=now, used=0.0)


def probed(pace: Pace, block: Block, now: float, *, is_over: bool) -> Pace:
    """A probe of the account showed whether its block is over."""
    blocks = blocking.probed(pace.present_blocks, block, now, is_over=is_over)
    return replace(pace, own_blocks=blocks) if pace.is_ours else replace(pace, blocks=blocks)


def rebased(pace: Pace, now: float) -> Pace:
    """Under a clock that was set back: what was planned for a time far ahead is removed."""
    if pace.sends and pace.sends[-1] > now + AHEAD:
        pace = replace(pace, sends=pace.sends[: bisect_right(pace.sends, now)])
    if pace.others_seen.at > now + AHEAD:
        pace = replace(pace, others_seen=Others())
    if max(pace.crowd[1], pace.confirmed_at, pace.belief.at) > now + AHEAD:
        pace = replace(pace, crowd=(0.0, 0.0), confirmed_at=min(pace.confirmed_at, now), belief=replace(pace.belief, at=now))
    return pace


def _slot_of(pace: Pace, sent_at: float) -> float:
    """The slot of a request that was sent at `sent_at`, a little after the slot opened."""
    slot = pace.sends[bisect_right(pace.sends, sent_at) - 1] if pace.sends else 0.0
    return slot if 0 <= sent_at - slot <= SLACK else sent_at


def _sent_before(pace: Pace, at: float) -> int:
    """Requests in the minute before the one at `at`."""
    return max(0, bisect_left(pace.sends, at) - bisect_right(pace.sends, at - MINUTE))
