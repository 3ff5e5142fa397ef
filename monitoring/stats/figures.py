"""Key figures of a range, each with its change against the range before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from agents.phrases import phrase
from agents.text import length
from monitoring.rollups.histogram import percentile
from monitoring.stats.series import Tally
from monitoring.stats.what_if import Better
from monitoring.wording import translated


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure in words. `change`: against `before`, "" where nothing can be compared. `tone`: good, bad or "". `note`: more of it."""

    name: str
    value: str
    before: str
    change: str
    tone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a figure is read from a tally, written, and compared. `is_new_bad`: also where there was none of it before."""

    name: str
    of: Callable[[Tally], float | None]
    words: Callable[[float], str]
    compare: Callable[[float, float], str]
    better: Better
    note: Callable[[Tally], str] = lambda _: ""
    is_new_bad: bool = False


def figures(now: Tally, before: Tally) -> list[Figure]:
    """All figures of a range."""
    return [_figure(kind, now, before) for kind in KINDS]


def in_time_share(tally: Tally) -> float | None:
    """Percent of the answered steps whose answer left before the deadline."""
    return share(tally.in_time, tally.answered)


def share(part: float, whole: float) -> float | None:
    """Percent; None of nothing."""
    return 100 * part / whole if whole else None


def milliseconds(value: float) -> str:
    """A duration in ms, as short as it can be read: 0.4 ms, 85 ms, 1.24 s, 12.4 s, 2 min 3 s."""
    if value >= 59_950:
        return length(value / 1000)
    if value < 999.5:
        return f"{value:.1f} ms" if 0.05 <= value < 9.95 else f"{value:.0f} ms"
    return f"{value / 1000:.2f} s" if value < 9_995 else f"{value / 1000:.1f} s"


def percent(value: float) -> str:
    """A share; 100 % means all of them and 0 % none."""
    whole = round(value)
    return f"{value:.1f} %" if whole in (0, 100) and value not in (0, 100) else f"{whole} %"


def short(value: float) -> str:
    """A count in few characters: 950, 12.3 k, 4.56 M."""
    if value < 10_000:
        return f"{value:,.0f}"
    return f"{value / 1_000:.1f} k" if value < 999_950 else f"{value / 1_000_000:.2f} M"


def usd(value: float) -> str:
    """A cost: small ones with the digits that matter."""
    return f"{value:,.2f} USD" if value >= 1 or not value else f"{value:.4f} USD"


def _figure(kind: Kind, now: Tally, before: Tally) -> Figure:
    new, old = kind.of(now), kind.of(before)
    change = "" if new is None or old is None else kind.compare(new, old)
    says_nothing = change in ("", SAME) or (change == NEW and not kind.is_new_bad)
    tone = "" if says_nothing else _tone(kind.better, new or 0, old or 0)
    return Figure(translated(kind.name), _words(kind, new), _words(kind, old), translated(change), tone, kind.note(now))


def _words(kind: Kind, value: float | None) -> str:
    return "–" if value is None else kind.words(value)


def _tone(better: Better, new: float, old: float) -> str:
    if better is Better.NEITHER:
        return ""
    return "good" if (new > old) == (better is Better.MORE) else "bad"


SAME, NEW = "±0", phrase("new")


def _relative(new: float, old: float) -> str:
    """In percent of what was before; from nothing there is no such number."""
    if new == old:
        return SAME
    if not old:
        return NEW
    change = 100 * (new - old) / old
    if abs(change) < 0.5:
        return SAME
    return f"{change:+,.0f} %".replace("-", "−") if abs(change) < 999.5 else f"× {new / old:,.0f}"


def _points(new: float, old: float) -> str:
    """In percentage points."""
    change = round(new - old, 1)
    return _("{change:+.1f} points").format(change=change).replace("-", "−") if change else SAME


def _longer(new: float, old: float) -> str:
    change = round(new - old)
    return f"{'+' if change > 0 else '−'}{length(abs(change))}" if change else SAME


def _percentile(wanted: float) -> Callable[[Tally], float | None]:
    return lambda tally: percentile(tally.all_durations, wanted)


def _answered_note(tally: Tally) -> str:
    return _("{unanswered:,} without an answer").format(unanswered=tally.unanswered) if tally.unanswered else ""


def _late_note(tally: Tally) -> str:
    return _("{late:,} late").format(late=tally.answered - tally.in_time) if tally.answered else ""


KINDS = (
    Kind(phrase("Steps answered"), lambda tally: tally.answered, lambda value: f"{value:,.0f}", _relative, Better.NEITHER, _answered_note),
    Kind(phrase("In time"), in_time_share, percent, _points, Better.MORE, _late_note),
    Kind(
        phrase("LLM share"),
        lambda tally: share(tally.llm, tally.answered),
        percent,
        _points,
        Better.MORE,
        lambda tally: _("{llm:,} steps").format(llm=tally.llm),
    ),
    Kind(phrase("LLM attempts"), lambda tally: tally.attempts, lambda value: f"{value:,.0f}", _relative, Better.NEITHER),
    Kind(phrase("Rate limits (429)"), lambda tally: tally.too_many, lambda value: f"{value:,.0f}", _relative, Better.LESS, is_new_bad=True),
    Kind(phrase("Paused"), lambda tally: tally.paused_seconds, length, _longer, Better.LESS),
    Kind(phrase("Median answer"), _percentile(0.5), milliseconds, _relative, Better.NEITHER),
    Kind(phrase("95th percentile"), _percentile(0.95), milliseconds, _relative, Better.LESS),
    Kind(phrase("Tokens"), lambda tally: tally.tokens, short, _relative, Better.NEITHER),
    Kind(phrase("Cost"), lambda tally: float(tally.cost), usd, _relative, Better.LESS),
)
