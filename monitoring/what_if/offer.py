"""Gain or loss of the other pacing, by the worker's own what-if run, or by the known limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.ledger import gate_rows
from agents.models import Gate, Settings, WhatIf
from agents.operator_jobs.what_if import DAY, LEAST_STEPS, newest_automatic
from agents.policy.belief import MINUTE, MOST, quantiles
from agents.policy.modes import Pacing
from agents.policy.reasons import PaceSource

# A smaller gain, as a fraction of the LLM's answers, is chance; a limit below twice the used pace is little reason to change.
LEAST_GAIN, FAR_ABOVE = 0.02, 2.0
NAMES: dict[str, str] = {Pacing.FIXED: "fixed", Pacing.AUTO: "automatic"}


@dataclass(frozen=True, slots=True)
class Offer:
    """`to`: the other pacing. `gain`: of LLM answers, as a fraction of the current ones, negative for a loss; None without records.

    `tried_at`: the request of that what-if run.
    """

    to: Pacing
    sentence: str
    gain: float | None = None
    tried_at: datetime | None = None

    @property
    def button(self) -> str:
        return f"Switch to {NAMES[self.to]} pacing"

    @property
    def is_gain(self) -> bool:
        return self.gain is not None and self.gain >= LEAST_GAIN


def pacing_offer(now: datetime) -> Offer | None:
    """Under fixed pacing, if automatic pacing would gain; under automatic pacing always."""
    settings = Settings.current()
    to = Pacing.FIXED if settings.pacing == Pacing.AUTO else Pacing.AUTO
    run = newest_automatic(settings, now - DAY, state=WhatIf.State.SUCCEEDED)
    shown = _by_records(run, to) if run else None
    if to is Pacing.FIXED:
        return shown or Offer(to, "Requests leave as fast as the account most likely allows. Fixed pacing keeps to the spacing.")
    if shown:
        return shown if shown.is_gain else None
    return _by_limit(settings.spacing_seconds, now.timestamp())


def _by_records(run: WhatIf, to: Pacing) -> Offer | None:
    """By a run that compares both pacings; `before` is of the pacing at that time."""
    before, after = (run.before, run.after) if run.settings["pacing"] == to else (run.after, run.before)
    if not before or not after or before["steps"] < LEAST_STEPS:
        return None
    gain = (after["llm"] - before["llm"]) / max(before["llm"], 1.0)
    return Offer(to, _sentence(to, gain, before, after), gain, run.requested_at)


def _sentence(to: Pacing, gain: float, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    new, old = (f"{round(side['llm']):,}" for side in (after, before))
    refused = round(after["edge_429"])
    refusals = f"{refused:,} refusal{'' if refused == 1 else 's'} instead of {round(before['edge_429']):,}"
    much = f"{abs(gain) * 100:.0f} % {'more' if gain > 0 else 'fewer'}" if before["llm"] >= 1 and round(gain * 100) else "as many"
    counts = f"{new} instead of {old}" if new != old else new
    return f"With {NAMES[to]} pacing, {much} of the last 24 h's steps would have been answered by the LLM ({counts}), with {refusals}."


def _by_limit(spacing: float, now: float) -> Offer | None:
    """By the limits that refusals have shown; without any, by the published limit."""
    paces = [gate_rows.read(row).pace for row in Gate.objects.filter(account__enabled=True)]
    used = MINUTE / spacing if spacing else MOST
    refused = [quantiles(pace.belief, now) for pace in paces if pace.source is PaceSource.REFUSED]
    if refused:
        low, _, high = min(refused)
        if low <= FAR_ABOVE * used and high >= used:
            return None
        sends = "uses" if high >= used else "sends up to"
        return Offer(Pacing.AUTO, f"The account most likely allows {low:g} to {high:g} requests a minute; the spacing {sends} {used:.3g}.")
    published = max((pace.published for pace in paces), default=0.0)
    if published <= FAR_ABOVE * used:
        return None
    least = "at least " if published >= MOST else ""
    return Offer(Pacing.AUTO, f"The provider publishes {least}{published:g} requests a minute; the spacing uses {used:.3g} of them.")
