"""A test run as a report: for the page, as Markdown and as JSON. Every sentence comes from the run's results."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from monitoring.models import Result, TestResult, TestRun
from monitoring.testruns.suites.findings import worst
from monitoring.testruns.suites.registry import TITLES

CHECKS = {
    "key": "API key",
    "models": "Models",
    "admin": "Admin key",
    "health": "API health",
    "task": "Task processing",
    "step": "Step processing",
    "task by": "LLM usage, task",
    "step by": "LLM usage, step",
    "journal": "Journal",
    "rate limits": "Rate limit detection",
    "backoff": "Backoff kept",
    "ladder": "Backoff ladder",
    "timeouts": "Timeouts",
    "contradiction": "Contradiction",
    "answers": "LLM and fallback",
    "spacing": "Spacing",
    "errors": "Errors",
    "fault": "The test itself",
}
NOT_WORKING = (Result.FAIL, Result.WARN)


@dataclass(frozen=True, slots=True)
class Line:
    """One result. `title` names check and subject."""

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
    """The whole run, also while it is under way. `next_steps`: of failures; `recommendations`: of warnings."""

    pk: int
    verdict: Result
    state: str
    trigger: str
    requested_by: str
    started_at: datetime | None
    seconds: float | None
    sections: tuple[Section, ...]
    next_steps: tuple[str, ...]
    recommendations: tuple[str, ...]

    @property
    def lines(self) -> list[Line]:
        return [line for section in self.sections for line in section.lines]

    @property
    def working(self) -> list[Line]:
        return [line for line in self.lines if line.verdict == Result.OK]

    @property
    def not_working(self) -> list[Line]:
        """What failed or warned, failures first."""
        return sorted((line for line in self.lines if line.verdict in NOT_WORKING), key=lambda line: line.verdict != Result.FAIL)

    @property
    def without_steps(self) -> str:
        """What stands under “Next steps” where nothing failed."""
        return "Nothing failed. See the recommendations." if self.recommendations else "Nothing to do."

    @property
    def proofs(self) -> list[Line]:
        return [line for line in self.lines if line.lines]

    @property
    def conclusion(self) -> str:
        if self.state != TestRun.State.SUCCEEDED:
            return str(TestRun.State(self.state).label)
        return conclusion([(line.title, line.sentence) for line in self.not_working], works=bool(self.working))


def conclusion(bad: Sequence[tuple[str, str]], *, works: bool) -> str:
    """A finished run in a sentence. `bad`: titles and sentences of what failed or warned; `works`: whether anything else works."""
    if not bad:
        return "Everything that was tested works." if works else "Nothing was tested."
    text = f"{bad[0][0]}: {bad[0][1]}"
    return f"{text} And {len(bad) - 1} more." if len(bad) > 1 else text


def title(check_name: str, subject: str) -> str:
    check = CHECKS.get(check_name, check_name)
    return f"{check} ({subject})" if subject else check


def report(run: TestRun, results: Iterable[TestResult]) -> Report:
    lines = [
        Line(
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
        for result in results
    ]
    sections = []
    for number, suite in enumerate(run.suites, 1):
        own = tuple(line for line in lines if line.suite == suite)
        sections.append(Section(number, TITLES[suite], worst([line.verdict for line in own]), own))
    # Each step once, in order
    failed, warned = (
        tuple(dict.fromkeys(line.next_step for line in lines if line.verdict == verdict and line.next_step)) for verdict in NOT_WORKING
    )
    return Report(
        pk=run.pk,
        verdict=Result(run.verdict or Result.SKIPPED),
        state=run.state,
        trigger=run.get_trigger_display(),
        requested_by=run.requested_by,
        started_at=run.started_at,
        seconds=(run.ended_at - run.started_at).total_seconds() if run.ended_at and run.started_at else None,
        sections=tuple(sections),
        next_steps=failed,
        recommendations=warned,
    )


def as_json(made: Report) -> dict[str, Any]:
    return {**asdict(made), "conclusion": made.conclusion}


def as_markdown(made: Report) -> str:
    """The report as people wrote them by hand: summary by test, what works, what doesn't, next steps, logs, recommendations, status."""
    when = f"{made.started_at:%Y-%m-%d %H:%M:%S} UTC" if made.started_at else "not started"
    who = f"{made.trigger}, {made.requested_by}" if made.requested_by else made.trigger
    took = f"{made.seconds:.1f} s" if made.seconds is not None else "still under way"
    text = [f"# Integration test results, run {made.pk}", "", f"Started: {when} · by: {who} · took: {took}", "", "## Test summary", ""]
    for section in made.sections:
        text += [f"### Test {section.number}: {section.title}", "", f"- **Status**: [{section.verdict.value}]"]
        text += [f"- **{line.title}**: [{line.verdict.value}] {_escaped(line.sentence)}" for line in section.lines] or [
            "- Nothing was checked."
        ]
        text.append("")
    text += ["## What works", "", *_items(made.working), "", "## What doesn't", "", *_items(made.not_working), ""]
    text += ["## Next steps", "", *(_numbered(made.next_steps) or [made.without_steps]), "", "## Test logs", ""]
    for line in made.proofs:
        text += [f"{line.title}:", "", "```", *(each.replace("```", "'''") for each in line.lines), "```", ""]
    if not made.proofs:
        text += ["No line to show.", ""]
    action = (made.next_steps or made.recommendations or ("Nothing to do.",))[0]
    text += ["## Recommendations", "", *(_numbered(made.recommendations) or ["None."]), ""]
    text += [f"**Status**: [{made.verdict.value}] {_escaped(made.conclusion)}", "", f"**Action**: {_escaped(action)}"]
    return "\n".join(text) + "\n"


def _numbered(steps: Iterable[str]) -> list[str]:
    return [f"{number}. {_escaped(step)}" for number, step in enumerate(steps, 1)]


def _items(lines: Sequence[Line]) -> list[str]:
    text: list[str] = []
    for number, line in enumerate(lines, 1):
        text.append(f"{number}. **{line.title}** [{line.verdict.value}]")
        text += [f"   - {_escaped(each)}" for each in dict.fromkeys((line.done, line.came_back, line.meaning)) if each]
    return text or ["Nothing."]


def _escaped(text: str) -> str:
    plain = " ".join(text.split())
    for sign in "\\`*_<>[]|":
        plain = plain.replace(sign, f"\\{sign}")
    return plain
