"""A test run as a report: for the page, as Markdown and as JSON. Every sentence comes from the run's results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from agents.phrases import phrase
from monitoring.models import Result, TestResult, TestRun
from monitoring.suites.registry import TITLES
from monitoring.wording import translated

CHECKS = {
    "key": phrase("API key"),
    "models": phrase("Models"),
    "admin": phrase("Admin key"),
    "health": phrase("API health"),
    "task": phrase("Task processing"),
    "step": phrase("Step processing"),
    "task by": phrase("LLM usage, task"),
    "step by": phrase("LLM usage, step"),
    "journal": phrase("Journal"),
    "rate limits": phrase("Rate limit detection"),
    "backoff": phrase("Backoff kept"),
    "ladder": phrase("Backoff ladder"),
    "timeouts": phrase("Timeouts"),
    "contradiction": phrase("Contradiction"),
    "answers": phrase("LLM and fallback"),
    "spacing": phrase("Spacing"),
    "errors": phrase("Errors"),
    "fault": phrase("The test itself"),
}
NOT_WORKING = (Result.FAIL, Result.WARN)


@dataclass(frozen=True, slots=True)
class Line:
    """One result, as a report tells it. `title` names check and subject."""

    suite: str
    title: str
    verdict: Result
    done: str
    came_back: str
    meaning: str
    next_step: str
    lines: tuple[str, ...]
    facts: dict[str, Any]
    seconds: float
    at: datetime

    @property
    def sentence(self) -> str:
        """What it means, or at least what came back."""
        return self.meaning or self.came_back


@dataclass(frozen=True, slots=True)
class Section:
    """One suite of the run. `number` from 1."""

    number: int
    title: str
    verdict: Result
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole run. `next_steps`: what failures ask for; `recommendations`: what warnings ask for."""

    pk: int
    verdict: Result
    state: str
    trigger: str
    asked_by: str
    started_at: datetime | None
    seconds: float | None
    sections: tuple[Section, ...]
    next_steps: tuple[str, ...]
    recommendations: tuple[str, ...]

    @property
    def working(self) -> list[Line]:
        """What is fine."""
        return [line for section in self.sections for line in section.lines if line.verdict == Result.OK]

    @property
    def not_working(self) -> list[Line]:
        """What failed or warned, failures first."""
        lines = [line for section in self.sections for line in section.lines if line.verdict in NOT_WORKING]
        return sorted(lines, key=lambda line: line.verdict != Result.FAIL)

    @property
    def proofs(self) -> list[Line]:
        """What has lines to show."""
        return [line for section in self.sections for line in section.lines if line.lines]

    @property
    def conclusion(self) -> str:
        """The run in a sentence."""
        if self.state != TestRun.State.DONE:
            return str(TestRun.State(self.state).label)
        bad = self.not_working
        return conclusion(bad[0].title if bad else "", bad[0].sentence if bad else "", len(bad), works=bool(self.working))


def conclusion(title: str, sentence: str, count: int, *, works: bool) -> str:
    """A finished run in a sentence: the worst of `count` results that failed or warned, and whether anything else works."""
    if not count:
        return _("Everything that was tested works.") if works else _("Nothing was tested.")
    said = f"{title}: {sentence}"
    return _("{said} And {more} more.").format(said=said, more=count - 1) if count > 1 else said


def title(check_name: str, subject: str) -> str:
    """A check and what it looked at, in words."""
    check = translated(CHECKS.get(check_name, check_name))
    return f"{check} ({subject})" if subject else check


def report(run: TestRun, results: Iterable[TestResult]) -> Report:
    """The run's report, also of one that is still under way."""
    lines = [_line(result) for result in results]
    sections = tuple(
        Section(number, translated(TITLES[suite]), _worst(lines, suite), tuple(line for line in lines if line.suite == suite))
        for number, suite in enumerate(run.suites, 1)
    )
    seconds = (run.ended_at - run.started_at).total_seconds() if run.ended_at and run.started_at else None
    return Report(
        pk=run.pk,
        verdict=Result(run.verdict or Result.SKIPPED),
        state=run.state,
        trigger=run.get_trigger_display(),
        asked_by=run.asked_by,
        started_at=run.started_at,
        seconds=seconds,
        sections=sections,
        next_steps=_asked_for(lines, Result.FAIL),
        recommendations=_asked_for(lines, Result.WARN),
    )


def as_json(told: Report) -> dict[str, Any]:
    """The report as JSON values."""
    return {**asdict(told), "conclusion": told.conclusion}


def as_markdown(told: Report) -> str:
    """The report as the hand-written ones were: summary by test, what works, what doesn't, status, next steps, logs, recommendations."""
    return "\n".join([*_head(told), *_summary(told), *_working(told), *_not_working(told), *_steps(told), *_logs(told), *_end(told)]) + "\n"


def _line(result: TestResult) -> Line:
    return Line(
        suite=result.suite,
        title=title(result.check_name, result.subject),
        verdict=Result(result.verdict),
        done=result.done,
        came_back=result.came_back,
        meaning=result.meaning,
        next_step=result.next_step,
        lines=tuple(result.lines),
        facts=result.facts,
        seconds=result.duration_ms / 1000,
        at=result.at,
    )


def _worst(lines: Sequence[Line], suite: str) -> Result:
    found = {line.verdict for line in lines if line.suite == suite}
    return next((each for each in (Result.FAIL, Result.WARN, Result.OK) if each in found), Result.SKIPPED)


def _asked_for(lines: Sequence[Line], verdict: Result) -> tuple[str, ...]:
    """Each step once, in order."""
    return tuple(dict.fromkeys(line.next_step for line in lines if line.verdict == verdict and line.next_step))


def _head(told: Report) -> list[str]:
    when = _("{started_at:%Y-%m-%d %H:%M:%S} UTC").format(started_at=told.started_at) if told.started_at else _("not started")
    who = f"{told.trigger}{f', {told.asked_by}' if told.asked_by else ''}"
    took = f"{told.seconds:.1f} s" if told.seconds is not None else _("still under way")
    return [
        _("# Integration test results, run {pk}").format(pk=told.pk),
        "",
        _("Started: {when} · by: {who} · took: {took}").format(when=when, who=who, took=took),
        "",
    ]


def _summary(told: Report) -> list[str]:
    text = [_("## Test summary"), ""]
    for section in told.sections:
        text += [
            _("### Test {number}: {title}").format(number=section.number, title=section.title),
            "",
            _("- **Status**: {verdict}").format(verdict=_mark(section.verdict)),
        ]
        text += [f"- **{line.title}**: {_mark(line.verdict)} {_md(line.sentence)}" for line in section.lines]
        text += [] if section.lines else [_("- Nothing was looked at.")]
        text.append("")
    return text


def _working(told: Report) -> list[str]:
    return [_("## What works"), "", *_items(told.working), ""]


def _not_working(told: Report) -> list[str]:
    return [_("## What doesn't"), "", *_items(told.not_working), ""]


def _items(lines: Sequence[Line]) -> list[str]:
    text: list[str] = []
    for number, line in enumerate(lines, 1):
        text.append(f"{number}. **{line.title}** {_mark(line.verdict)}")
        text += [f"   - {_md(said)}" for said in dict.fromkeys((line.done, line.came_back, line.meaning)) if said]
    return text or [_("Nothing.")]


def _steps(told: Report) -> list[str]:
    return [
        _("## Next steps"),
        "",
        *([f"{number}. {_md(step)}" for number, step in enumerate(told.next_steps, 1)] or [_("Nothing to do.")]),
        "",
    ]


def _logs(told: Report) -> list[str]:
    text = [_("## Test logs"), ""]
    for line in told.proofs:
        text += [f"{line.title}:", "", "```", *(each.replace("```", "'''") for each in line.lines), "```", ""]
    return text if told.proofs else [*text, _("No line to show."), ""]


def _end(told: Report) -> list[str]:
    wanted = [f"{number}. {_md(step)}" for number, step in enumerate(told.recommendations, 1)] or [_("None.")]
    action = (told.next_steps or told.recommendations or (_("Nothing to do."),))[0]
    return [
        "## Recommendations",
        "",
        *wanted,
        "",
        _("**Status**: {verdict} {conclusion}").format(verdict=_mark(told.verdict), conclusion=_md(told.conclusion)),
        "",
        _("**Action**: {action}").format(action=_md(action)),
    ]


def _mark(verdict: Result) -> str:
    return f"[{verdict.value}]"


def _md(text: str) -> str:
    """One line that Markdown takes for text."""
    plain = " ".join(text.split())
    for sign in "\\`*_<>[]|":
        plain = plain.replace(sign, f"\\{sign}")
    return plain
