"""Who called, when last, how often, answered how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents.models import Caller, Settings
from monitoring.stats.keyset import Place, Slice, cut

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class CallerRow:
    """One caller, with counts over all time. `may_use_llm`: by the settings of now."""

    address: str
    first_seen_at: datetime
    last_seen_at: datetime
    steps: int
    llm_steps: int
    late_steps: int
    may_use_llm: bool

    @property
    def llm_share(self) -> float | None:
        """Percent of its steps that the LLM answered."""
        return 100 * self.llm_steps / self.steps if self.steps else None


@dataclass(frozen=True, slots=True)
class CallerList:
    """One page of callers. `networks`: who may use the LLM; empty: all."""

    page: Slice[Caller]
    rows: list[CallerRow]
    networks: list[str]


def callers(place: Place) -> CallerList:
    """The callers, last seen first."""
    page, settings = cut(Caller.objects.all(), "last_seen_at", place, PAGE_SIZE), Settings.current()
    return CallerList(page, [_row(caller, settings) for caller in page.rows], list(settings.llm_callers))


def _row(caller: Caller, settings: Settings) -> CallerRow:
    return CallerRow(
        address=caller.address,
        first_seen_at=caller.first_seen_at,
        last_seen_at=caller.last_seen_at,
        steps=caller.steps,
        llm_steps=caller.llm_steps,
        late_steps=caller.late_steps,
        may_use_llm=settings.may_use_llm(caller.address),
    )
