"""What came of each peer, as a table beside the miner's own."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TITLES = ("steps", "in time", "LLM", "429", "in ban", "p50", "p95", "LLM ×", "429 ×")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One peer. `taken`: seconds until each step's answer, None: none in time. `refused`: 429s of the edge; `in_ban`: sent into a ban."""

    name: str
    version: str
    taken: Sequence[float | None]
    llm: int
    refused: int
    in_ban: int

    @property
    def answered(self) -> list[float]:
        """Seconds of the answers that came in time."""
        return [seconds for seconds in self.taken if seconds is not None]


def edge(arrivals: Sequence[Mapping[str, Any]], until: float) -> tuple[int, int]:
    """The 429s and the requests into a ban among what reached the stand-in by `until`, a Unix time."""
    seen = [arrival for arrival in arrivals if arrival["at"] <= until]
    return sum(arrival["status"] == 429 for arrival in seen), sum(arrival["in_ban"] for arrival in seen)


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The lines; ratios are to the first outcome."""
    yield f"{'':24}{'version':>10}" + "".join(f"{title:>9}" for title in TITLES)
    for outcome in outcomes:
        yield f"{outcome.name:24}{outcome.version:>10}" + "".join(f"{cell:>9}" for cell in _cells(outcome, outcomes[0]))


def _cells(outcome: Outcome, first: Outcome) -> tuple[object, ...]:
    answered = outcome.answered
    times = _quantiles(answered) if len(answered) > 1 else ("–", "–")
    ratios = _ratio(outcome.llm, first.llm), _ratio(outcome.refused, first.refused)
    return (len(outcome.taken), len(answered), outcome.llm, outcome.refused, outcome.in_ban, *times, *ratios)


def _quantiles(seconds: Sequence[float]) -> tuple[str, str]:
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return f"{cuts[9]:.2f} s", f"{cuts[18]:.2f} s"


def _ratio(own: int, other: int) -> str:
    return f"{own / other:.2f}" if other else "–"
