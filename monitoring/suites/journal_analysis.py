"""What a miner's journal tells: rate limits, waits and whether they were kept, timeouts, who answered, and what contradicts what.

Pure: entries go in, in the order of their times; sentences come out, each with the lines that prove it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from monitoring.models import Result
from monitoring.suites.findings import Finding

# Journals write whole seconds: a line may be up to this much later than it says.
ROUNDED = timedelta(seconds=1)
MOST_PROOFS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that tells something. `kind` and `facts` as the journal's reader gives them; `line`: as it is shown."""

    at: datetime
    kind: str
    facts: Mapping[str, Any]
    line: str


@dataclass(slots=True)
class Tally:
    """What was counted on the way through."""

    kinds: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    waits: list[tuple[int | None, float]] = field(default_factory=list)
    first: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    backoff_too_long: list[str] = field(default_factory=list)
    timeouts_in_a_wait: int = 0
    longest_in_a_wait: tuple[float, float] = (0.0, 0.0)
    since_last_limit: int = 0
    closest: tuple[float, str, str] | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(slots=True)
class _Wait:
    """The wait that a rate limit announced last."""

    entry: Entry
    seconds: float

    def runs_at(self, at: datetime) -> bool:
        return self.entry.at < at < self.entry.at + timedelta(seconds=self.seconds) - ROUNDED


def tally(entries: Iterable[Entry]) -> Tally:
    """Everything that the findings need, in one pass and in bounded space."""
    told, wait, asked = Tally(), None, None
    for entry in entries:
        told.kinds[entry.kind] += 1
        told.first.setdefault(entry.kind, entry.line)
        told.first_at, told.last_at = told.first_at or entry.at, entry.at
        if entry.kind in ("rate_limited", "llm_success"):
            _note_request(told, wait, asked, entry)
            asked = entry
        if entry.kind == "rate_limited":
            wait = _limited(told, entry)
        elif entry.kind == "timeout":
            _timed_out(told, wait, entry)
        elif entry.kind == "llm_success":
            told.since_last_limit += 1
        elif entry.kind == "error":
            told.errors[str(entry.facts.get("error") or "without a class")] += 1
    return told


def _note_request(told: Tally, wait: _Wait | None, before: Entry | None, entry: Entry) -> None:
    """Both a refusal and a success show that a request went out."""
    if wait and wait.runs_at(entry.at) and len(told.broken) < 2 * MOST_PROOFS:
        told.broken += [wait.entry.line, entry.line]
    if before is None:
        return
    gap = (entry.at - before.at).total_seconds()
    if told.closest is None or gap < told.closest[0]:
        told.closest = (gap, before.line, entry.line)


def _limited(told: Tally, entry: Entry) -> _Wait | None:
    told.since_last_limit = 0
    seconds = entry.facts.get("wait_seconds")
    if seconds is None:
        return None
    told.waits.append((entry.facts.get("attempt"), float(seconds)))
    return _Wait(entry, float(seconds))


def _timed_out(told: Tally, wait: _Wait | None, entry: Entry) -> None:
    if wait is None or not wait.entry.at <= entry.at < wait.entry.at + timedelta(seconds=wait.seconds):
        return
    told.timeouts_in_a_wait += 1
    deadline = float(entry.facts.get("seconds") or 0.0)
    if deadline and wait.seconds > deadline:
        told.longest_in_a_wait = max(told.longest_in_a_wait, (wait.seconds, deadline))
        if len(told.backoff_too_long) < 2 * MOST_PROOFS:
            told.backoff_too_long += [wait.entry.line, entry.line]


def findings(name: str, told: Tally) -> Iterator[Finding]:
    """The sentences, of the journal called `name`."""
    if told.first_at is None or told.last_at is None:
        yield Finding("journal", Result.SKIPPED, name, meaning="Nothing in it was understood.")
        return
    span = f"From {told.first_at:%Y-%m-%d %H:%M:%S} to {told.last_at:%Y-%m-%d %H:%M:%S} UTC."
    yield _limits(name, told, span)
    if told.waits:
        yield _backoff(name, told)
        yield _ladder(name, told)
    if told.kinds["timeout"]:
        yield _timeouts(name, told)
    if told.backoff_too_long:
        yield _contradiction(name, told)
    yield _answers(name, told)
    if told.closest:
        yield _spacing(name, told.closest)
    if told.errors:
        yield _errors(name, told)


def _limits(name: str, told: Tally, span: str) -> Finding:
    count = told.kinds["rate_limited"]
    if not count:
        return Finding("rate limits", Result.OK, name, came_back=span, meaning="No rate limit was logged.")
    facts = {"rate_limited": count, "waits": len(told.waits)}
    meaning = f"Detected {_count(count, 'rate limit')}, {len(told.waits) or 'none'} with a wait that was logged."
    return Finding("rate limits", Result.WARN, name, "", span, meaning, facts=facts, lines=(told.first["rate_limited"],))


def _backoff(name: str, told: Tally) -> Finding:
    if told.broken:
        meaning = "A request went out while a wait was running, so the backoff was not kept."
        return Finding(
            "backoff", Result.FAIL, name, "", "", meaning, "Let all processes of the miner share one gate.", lines=tuple(told.broken)
        )
    meaning = f"The waits were kept: no request in any of the {_count(len(told.waits), 'wait')}."
    return Finding("backoff", Result.OK, name, meaning=meaning, lines=(told.first["rate_limited"],))


def _ladder(name: str, told: Tally) -> Finding:
    """Attempts that follow each other in a row should wait longer each time."""
    shown = ", ".join(f"{seconds:g}" for _, seconds in told.waits[:12]) + (" …" if len(told.waits) > 12 else "")
    numbered = [(attempt, seconds) for attempt, seconds in told.waits if attempt is not None]
    wrong = [(before, after) for before, after in pairwise(numbered) if after[0] == before[0] + 1 and after[1] <= before[1]]
    if wrong:
        (_, first), (attempt, second) = wrong[0]
        meaning = f"Attempt {attempt} waited {second:g} s, no longer than the {first:g} s before it: the backoff does not grow."
        return Finding("ladder", Result.WARN, name, came_back=f"Waits: {shown} s.", meaning=meaning)
    meaning = (
        "Each wait follows its attempt's number." if numbered else "The waits carry no attempt number, so their order can't be judged."
    )
    return Finding("ladder", Result.OK if numbered else Result.SKIPPED, name, came_back=f"Waits: {shown} s.", meaning=meaning)


def _timeouts(name: str, told: Tally) -> Finding:
    count = told.kinds["timeout"]
    inside = f", {told.timeouts_in_a_wait} of them while a backoff was running" if told.timeouts_in_a_wait else ""
    meaning = f"{_count(count, 'task')} timed out{inside}: validators got no answer."
    step = "Answer within the deadline whatever the LLM does; this panel's miner does."
    return Finding("timeouts", Result.FAIL, name, "", "", meaning, step, {"timeouts": count}, (told.first["timeout"],))


def _contradiction(name: str, told: Tally) -> Finding:
    wait, deadline = told.longest_in_a_wait
    meaning = f"Backoff ({wait:g} s) is longer than the task's deadline ({deadline:g} s): these tasks got no answer."
    step = "Never wait out a backoff inside a task: let the template agent answer at once."
    facts = {"backoff_seconds": wait, "deadline_seconds": deadline, "tasks": told.timeouts_in_a_wait}
    return Finding("contradiction", Result.FAIL, name, "", "", meaning, step, facts, tuple(told.backoff_too_long))


def _answers(name: str, told: Tally) -> Finding:
    llm, template = told.kinds["llm_success"], told.kinds["fallback"]
    facts = {"llm": llm, "fallback": template, "llm_since_last_limit": told.since_last_limit}
    since = f", {told.since_last_limit} of them since the last rate limit" if told.kinds["rate_limited"] else ""
    parts = f"{_count(llm, 'LLM success')}{since}; {_count(template, 'answer')} by the template agent."
    if llm and (told.since_last_limit or not told.kinds["rate_limited"]):
        return Finding("answers", Result.OK, name, meaning=parts, facts=facts)
    verdict = Result.WARN if template or llm else Result.FAIL if told.kinds["timeout"] else Result.SKIPPED
    missing = " No fallback was logged: a task that the LLM did not answer had no answer." if told.kinds["timeout"] and not template else ""
    return Finding("answers", verdict, name, meaning=parts + missing, facts=facts)


def _spacing(name: str, closest: tuple[float, str, str]) -> Finding:
    gap, first, second = closest
    meaning = f"The two requests closest to each other are {gap:g} s apart."
    return Finding("spacing", Result.OK, name, meaning=meaning, facts={"smallest_gap": gap}, lines=(first, second))


def _errors(name: str, told: Tally) -> Finding:
    parts = ", ".join(f"{error} {count}" for error, count in told.errors.most_common(8))
    meaning = f"{_count(told.errors.total(), 'error')}: {parts}."
    return Finding("errors", Result.WARN, name, meaning=meaning, facts=dict(told.errors.most_common(20)), lines=(told.first["error"],))


def _count(number: int, what: str) -> str:
    plural = "" if number == 1 else "es" if what.endswith("s") else "s"
    return f"{number:,} {what}{plural}"
