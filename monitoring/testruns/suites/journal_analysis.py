"""Analysis of a miner's journal. Pure: converts entries, in the order of time, to findings with the lines as evidence."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from monitoring.models import Result
from monitoring.testruns.suites.findings import Finding

# Journals have whole seconds: an event may be up to this much later than its line's time.
ROUNDED = timedelta(seconds=1)
MOST_PROOFS = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """A recognised line. `kind`, `facts`: as in `journal.meaning`; `line`: for display."""

    at: datetime
    kind: str
    facts: Mapping[str, Any]
    line: str


@dataclass(slots=True)
class Tally:
    """The counts of one pass over a journal, of bounded size except `waits`, which has attempt and seconds of each.

    `first`: the first line of each kind; `broken`, `outlasted`: the lines of a wait and of the request or timeout within it.
    `longest`: seconds of the longest wait beyond a task's deadline, and that deadline; `closest`: seconds between the two requests
    closest to each other, and their lines.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None
    waits: list[tuple[int | None, float]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    outlasted: list[str] = field(default_factory=list)
    timeouts_in_a_wait: int = 0
    longest: tuple[float, float] = (0.0, 0.0)
    since_last_limit: int = 0
    closest: tuple[float, str, str] | None = None
    wait: Entry | None = None
    request: Entry | None = None

    def add(self, entry: Entry) -> None:
        self.kinds[entry.kind] += 1
        self.first.setdefault(entry.kind, entry.line)
        self.start, self.end = self.start or entry.at, entry.at
        match entry.kind:
            case "rate_limited" | "llm_success":  # both show that a request was sent
                self._add_request(entry)
            case "timeout":
                self._add_timeout(entry)
            case "error":
                self.errors[str(entry.facts.get("error") or "without a class")] += 1

    def _add_request(self, entry: Entry) -> None:
        if self.wait and self.wait.at < entry.at < _end_of(self.wait) - ROUNDED and len(self.broken) < MOST_PROOFS:
            self.broken += [self.wait.line, entry.line]
        if self.request:
            gap = (entry.at - self.request.at).total_seconds()
            if self.closest is None or gap < self.closest[0]:
                self.closest = gap, self.request.line, entry.line
        self.request = entry
        if entry.kind == "llm_success":
            self.since_last_limit += 1
            return
        self.since_last_limit = 0
        self.wait = entry if entry.facts.get("wait_seconds") is not None else None
        if self.wait:
            self.waits.append((entry.facts.get("attempt"), float(entry.facts["wait_seconds"])))

    def _add_timeout(self, entry: Entry) -> None:
        if self.wait is None or not self.wait.at <= entry.at < _end_of(self.wait):
            return
        self.timeouts_in_a_wait += 1
        waited, deadline = self.waits[-1][1], float(entry.facts.get("seconds") or 0.0)
        if 0 < deadline < waited:
            self.longest = max(self.longest, (waited, deadline))
            if len(self.outlasted) < MOST_PROOFS:
                self.outlasted += [self.wait.line, entry.line]


def _end_of(wait: Entry) -> datetime:
    return wait.at + timedelta(seconds=float(wait.facts["wait_seconds"]))


def findings(entries: Iterable[Entry]) -> Iterator[Finding]:
    tally = Tally()
    for entry in entries:
        tally.add(entry)
    if tally.start is None:
        yield Finding("journal", Result.SKIPPED, "No line was recognised.")
        return
    for check in (_limits, _backoff, _ladder, _timeouts, _contradiction, _answers, _spacing, _errors):
        yield from check(tally)


def _limits(tally: Tally) -> Iterator[Finding]:
    came_back, count = f"From {tally.start:%Y-%m-%d %H:%M:%S} to {tally.end:%Y-%m-%d %H:%M:%S} UTC.", tally.kinds["rate_limited"]
    if count:
        meaning = f"Detected {_count(count, 'rate limit')}, {len(tally.waits) or 'none'} with a wait that was logged."
        facts, lines = {"rate_limited": count, "waits": len(tally.waits)}, (tally.first["rate_limited"],)
        yield Finding("rate limits", Result.WARN, meaning, came_back=came_back, facts=facts, lines=lines)
    else:
        yield Finding("rate limits", Result.OK, "No rate limit was logged.", came_back=came_back)


def _backoff(tally: Tally) -> Iterator[Finding]:
    if tally.broken:
        meaning = "A request was sent during a wait, so the backoff was not kept."
        yield Finding("backoff", Result.FAIL, meaning, "Let all processes of the miner share one gate.", lines=tuple(tally.broken))
    elif tally.waits:
        meaning = f"The waits were kept: no request in any of the {_count(len(tally.waits), 'wait')}."
        yield Finding("backoff", Result.OK, meaning, lines=(tally.first["rate_limited"],))


def _ladder(tally: Tally) -> Iterator[Finding]:
    """Consecutive attempts should wait longer each time."""
    if not tally.waits:
        return
    shown = ", ".join(f"{seconds:g}" for _, seconds in tally.waits[:12]) + (" …" if len(tally.waits) > 12 else "")
    numbered = [(attempt, seconds) for attempt, seconds in tally.waits if attempt is not None]
    wrong = [(before, after) for before, after in pairwise(numbered) if after[0] == before[0] + 1 and after[1] <= before[1]]
    verdict, meaning = Result.OK, "Each wait follows its attempt's number."
    if wrong:
        (_, first), (attempt, second) = wrong[0]
        verdict = Result.WARN
        meaning = f"Attempt {attempt} waited {second:g} s, no longer than the {first:g} s before it: the backoff does not grow."
    elif not numbered:
        verdict, meaning = Result.SKIPPED, "The waits carry no attempt number, so their order can't be judged."
    yield Finding("ladder", verdict, meaning, came_back=f"Waits: {shown} s.")


def _timeouts(tally: Tally) -> Iterator[Finding]:
    if count := tally.kinds["timeout"]:
        inside = f", {tally.timeouts_in_a_wait} of them while a backoff was running" if tally.timeouts_in_a_wait else ""
        meaning = f"{_count(count, 'task')} timed out{inside}: validators got no answer."
        step = "Answer within the deadline whatever the LLM does; this panel's miner does."
        yield Finding("timeouts", Result.FAIL, meaning, step, facts={"timeouts": count}, lines=(tally.first["timeout"],))


def _contradiction(tally: Tally) -> Iterator[Finding]:
    if tally.outlasted:
        wait, deadline = tally.longest
        meaning = f"Backoff ({wait:g} s) is longer than the task's deadline ({deadline:g} s): these tasks got no answer."
        step = "Never wait out a backoff inside a task: let the template agent answer at once."
        facts = {"backoff_seconds": wait, "deadline_seconds": deadline, "tasks": tally.timeouts_in_a_wait}
        yield Finding("contradiction", Result.FAIL, meaning, step, facts=facts, lines=tuple(tally.outlasted))


def _answers(tally: Tally) -> Iterator[Finding]:
    llm, template, has_timeouts = tally.kinds["llm_success"], tally.kinds["fallback"], tally.kinds["timeout"] > 0
    facts = {"llm": llm, "fallback": template, "llm_since_last_limit": tally.since_last_limit}
    since = f", {tally.since_last_limit} of them since the last rate limit" if tally.kinds["rate_limited"] else ""
    meaning = f"{_count(llm, 'LLM success')}{since}; {_count(template, 'answer')} by the template agent."
    if llm and (tally.since_last_limit or not tally.kinds["rate_limited"]):
        yield Finding("answers", Result.OK, meaning, facts=facts)
        return
    if has_timeouts and not template:
        meaning += " No fallback was logged: a task that the LLM did not answer had no answer."
    verdict = Result.WARN if template or llm else Result.FAIL if has_timeouts else Result.SKIPPED
    yield Finding("answers", verdict, meaning, facts=facts)


def _spacing(tally: Tally) -> Iterator[Finding]:
    if tally.closest:
        gap, *lines = tally.closest
        meaning = f"The two requests closest to each other are {gap:g} s apart."
        yield Finding("spacing", Result.OK, meaning, facts={"smallest_gap": gap}, lines=tuple(lines))


def _errors(tally: Tally) -> Iterator[Finding]:
    if tally.errors:
        kinds = ", ".join(f"{error} {count}" for error, count in tally.errors.most_common(8))
        meaning, facts = f"{_count(tally.errors.total(), 'error')}: {kinds}.", dict(tally.errors.most_common(20))
        yield Finding("errors", Result.WARN, meaning, facts=facts, lines=(tally.first["error"],))


def _count(number: int, what: str) -> str:
    plural = "" if number == 1 else "es" if what.endswith("s") else "s"
    return f"{number:,} {what}{plural}"
