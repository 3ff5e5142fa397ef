"""The report of a test run: for its page, as Markdown and as JSON. All sentences are from the run's results."""

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from monitoring.models import SUITE_TITLES, Result, TestRun
from monitoring.testruns.suites.findings import worst

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
    "ladder": "Backoff steps",
    "timeouts": "Timeouts",
    "contradiction": "Contradiction",
    "answers": "LLM and fallback",
    "spacing": "Spacing",
    "errors": "Errors",
    "fault": "The test itself",
}
NOT_WORKING = (Result.FAIL, Result.WARN)
# Fields of a result in JSON.
FIELDS = ("suite", "title", "verdict", "done", "came_back", "meaning", "next_step", "lines", "facts", "seconds", "at")


@dataclass(frozen=True, slots=True)
class Report:
    """A run, also an unfinished one. `lines`: results by suite, each with `title`, `sentence`, `notes` and `seconds`."""

    run: TestRun
    lines: list[Any]

    @property
    def sections(self) -> list[dict[str, Any]]:
        sections = []
        for number, suite in enumerate(self.run.suites, 1):
            own = [line for line in self.lines if line.suite == suite]
            verdict = worst([Result(line.verdict) for line in own])
            sections.append({"number": number, "title": SUITE_TITLES[suite], "verdict": verdict, "lines": own})
        return sections

    @property
    def verdict(self) -> Result:
        return Result(self.run.verdict or Result.SKIPPED)

    @property
    def working(self) -> list[Any]:
        return [line for line in self.lines if line.verdict == Result.OK]

    @property
    def not_working(self) -> list[Any]:
        return sorted((line for line in self.lines if line.verdict in NOT_WORKING), key=lambda line: line.verdict != Result.FAIL)

    @property
    def next_steps(self) -> list[str]:
        return self._steps(Result.FAIL)

    @property
    def recommendations(self) -> list[str]:
        return self._steps(Result.WARN)

    def _steps(self, verdict: Result) -> list[str]:
        return list(dict.fromkeys(line.next_step for line in self.lines if line.verdict == verdict and line.next_step))

    @property
    def without_steps(self) -> str:
        return "Nothing failed. See the recommendations." if self.recommendations else "Nothing to do."

    @property
    def proofs(self) -> list[Any]:
        return [line for line in self.lines if line.lines]

    @property
    def conclusion(self) -> str:
        if self.run.state != TestRun.State.SUCCEEDED:
            return self.run.get_state_display()
        bad = self.not_working
        if not bad:
            return "Everything that was tested works." if self.working else "Nothing was tested."
        return f"{bad[0].title}: {bad[0].sentence}{f' And {len(bad) - 1} more.' if len(bad) > 1 else ''}"


def title(check_name: str, subject: str) -> str:
    check = CHECKS.get(check_name, check_name)
    return f"{check} ({subject})" if subject else check


def report(run: TestRun) -> Report:
    results: list[Any] = sorted(run.results.all(), key=lambda result: result.number)
    for line in results:
        line.title, line.sentence = title(line.check_name, line.subject), line.meaning or line.came_back
        line.seconds = line.duration_ms / 1000
        line.notes = [note for note in dict.fromkeys((line.done, line.came_back, line.meaning)) if note]
    return Report(run, [line for suite in run.suites for line in results if line.suite == suite])


def as_json(made: Report) -> dict[str, Any]:
    run = made.run
    return {
        "pk": run.pk,
        "verdict": made.verdict,
        "state": run.state,
        "trigger": run.get_trigger_display(),
        "requested_by": run.requested_by,
        "started_at": run.started_at,
        "seconds": run.seconds,
        "sections": [
            {**section, "lines": [{name: getattr(line, name) for name in FIELDS} for line in section["lines"]]} for section in made.sections
        ],
        "next_steps": made.next_steps,
        "recommendations": made.recommendations,
        "conclusion": made.conclusion,
    }


def as_markdown(made: Report) -> str:
    return render_to_string("testruns/report.md", {"report": made, "run": made.run})
