"""Test runs: started, followed, reported, cancelled; and their schedules."""

from datetime import datetime
from typing import Annotated, Any

from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from agents.operator_jobs.leased_job import cancel
from monitoring.api.access import ApiRequest, changes, reads, recorded, submits, who
from monitoring.api.paging import Id, Page, Paging, get_row, paged
from monitoring.api.problems import ApiProblem, of_form
from monitoring.models import SUITE_TITLES, Result, TestRun, TestSchedule
from monitoring.testruns.run_forms import MOST_HOURS, WITHOUT_VERDICT, RunFilter, RunForm
from monitoring.testruns.runs import changed, failing, newest, runs
from monitoring.testruns.suites import running, schedules
from monitoring.testruns.suites.logs import readable_journals
from monitoring.testruns.suites.report import as_json, report

router = Router(tags=["Tests"])

SUITES = list(SUITE_TITLES)
VERDICTS = [*Result.values, *(state for state, _ in WITHOUT_VERDICT)]
Suite = Annotated[str, Field(json_schema_extra={"enum": list(SUITES)})]


class TestRunOut(Schema):
    """`progress`: in percent; `doing`: the current check. `verdict`: "" until the run ends."""

    id: int
    state: str
    verdict: str
    status: str
    suites: list[str]
    trigger: str
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: int
    doing: str
    fault: str
    conclusion: str

    @staticmethod
    def resolve_status(row: TestRun) -> str:
        return row.status_text

    @staticmethod
    def resolve_conclusion(row: Any) -> str:
        return str(getattr(row, "conclusion", ""))


class TestRunQuery(Paging):
    """`verdict`: ok, warn, fail, skipped, or the state of a run that has none."""

    suite: Suite | None = None
    verdict: Annotated[str, Field(json_schema_extra={"enum": [str(verdict) for verdict in VERDICTS]})] | None = None
    trigger: Annotated[str, Field(json_schema_extra={"enum": list(TestRun.Trigger.values)})] | None = None
    range: Annotated[str, Field(json_schema_extra={"enum": ["24h", "7d", "30d"]})] | None = None


@router.get("/test-runs", auth=reads, response=Page[TestRunOut])
def run_list(request: ApiRequest, query: Query[TestRunQuery]) -> dict[str, Any]:
    """Test runs, newest first."""
    filters = RunFilter(query.dict(exclude_none=True, exclude={"older", "newer"}))
    if not filters.is_valid():
        raise of_form(filters)
    return paged(request, runs(filters.conditions(timezone.now()), query.place("requested_at")))


class TestRunIn(Schema, extra="forbid"):
    """`hours`: covered by the log analysis. `bypass_pause`: test paused accounts too, which may make the pause longer."""

    suites: Annotated[list[Suite], Field(min_length=1, max_length=len(SUITES))] = SUITES
    hours: Annotated[float, Field(ge=0.1, le=MOST_HOURS)] = 24
    bypass_pause: bool = False


@router.post("/test-runs", auth=submits, response={202: TestRunOut})
@recorded
def start_run(request: ApiRequest, body: TestRunIn) -> Status[TestRun]:
    """Start a test run. Follow it by its id."""
    return Status(202, start(body, who(request)))


def start(body: TestRunIn, by: str) -> TestRun:
    """Start a run with all readable journals. Raises ApiProblem and AlreadyRunning."""
    form = RunForm({**body.dict(), "journals": [journal.pk for journal in readable_journals()]})
    if not form.is_valid():
        raise of_form(form)
    return running.start(form.cleaned_data["suites"], trigger=TestRun.Trigger.OPERATOR, by=by, options=form.options)


class FailingOut(Schema):
    """A check that fails in the newest run. `since`: of the first run after the last one in which it passed."""

    title: str
    verdict: str
    since: datetime
    since_run: int
    meaning: str
    next_step: str


@router.get("/test-runs/failing", auth=reads, response=list[FailingOut])
def failing_checks(request: ApiRequest) -> list[dict[str, Any]]:
    """Checks that fail in the newest test run, and since when."""
    return [check._asdict() for check in failing()]


class ChangedOut(Schema):
    """A check whose verdict differs from that of its previous run, `before_pk`."""

    title: str
    is_better: bool
    old: str
    new: str
    before_pk: int


@router.get("/test-runs/changed", auth=reads, response=list[ChangedOut])
def changed_checks(request: ApiRequest) -> list[dict[str, Any]]:
    """Checks whose verdict changed in the newest test run. Worse ones first."""
    return [check._asdict() for run in newest(1) for check in changed(run.pk)]


class FindingOut(Schema):
    suite: str
    title: str
    verdict: str
    done: str
    came_back: str
    meaning: str
    next_step: str
    lines: list[Any]
    facts: dict[str, Any]
    seconds: float
    at: datetime


class SectionOut(Schema):
    number: int
    title: str
    verdict: str
    lines: list[FindingOut]


class ReportOut(Schema):
    pk: int
    verdict: str
    state: str
    trigger: str
    requested_by: str
    started_at: datetime | None
    seconds: float | None
    sections: list[SectionOut]
    next_steps: list[str]
    recommendations: list[str]
    conclusion: str
    changed: list[ChangedOut]


@router.get("/test-runs/{run}", auth=reads, response=TestRunOut)
def run(request: ApiRequest, run: Id) -> TestRun:
    """One test run: its state, progress and verdict."""
    return get_row(TestRun, run)


@router.get("/test-runs/{run}/report", auth=reads, response=ReportOut)
def run_report(request: ApiRequest, run: Id) -> dict[str, Any]:
    """Report of a test run, also while it runs."""
    row = get_row(TestRun, run)
    return {**as_json(report(row)), "changed": [check._asdict() for check in changed(run)]}


@router.post("/test-runs/{run}/cancel", auth=submits, response=TestRunOut)
@recorded
def cancel_run(request: ApiRequest, run: Id) -> TestRun:
    """Cancel a test run."""
    row = get_row(TestRun, run)
    if not cancel(row):
        raise ApiProblem(409, "The run has already ended.")
    row.refresh_from_db()
    return row


class TestScheduleOut(Schema):
    """`cron`: minute, hour, day, month, weekday, in UTC."""

    id: int
    name: str
    suites: list[str]
    cron: str
    enabled: bool
    due_at: datetime | None
    last_run_at: datetime | None


class TestScheduleIn(Schema, extra="forbid"):
    enabled: bool


@router.get("/test-schedules", auth=reads, response=list[TestScheduleOut])
def schedule_list(request: ApiRequest) -> list[TestSchedule]:
    """Schedules of test runs."""
    return list(TestSchedule.objects.all())


@router.patch("/test-schedules/{schedule}", auth=changes, response=TestScheduleOut)
@recorded
def switch_schedule(request: ApiRequest, schedule: Id, body: TestScheduleIn) -> TestSchedule:
    """Switch a test schedule on or off."""
    get_row(TestSchedule, schedule)
    schedules.save(schedule, body.dict(), by=request.auth.user, now=timezone.now())
    return TestSchedule.objects.get(pk=schedule)
