"""Tasks, steps and LLM attempts: lists with the pages' filter lines, and single records."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import Http404
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from agents.common.redaction import redact
from agents.models import Step, Submission
from agents.operator_jobs import leased_job, submissions
from agents.policy.reasons import Reason
from monitoring.api.access import ApiRequest, reads, recorded, submits, submits_page, who
from monitoring.api.paging import PLAIN, Id, Line, Page, Paging, get_row, paged, query_of
from monitoring.api.problems import ApiProblem, of_form
from monitoring.reporting.pagination import Order
from monitoring.tasks import attempts, steps, tasks
from monitoring.tasks.forms import MAX_PAGE, TaskForm
from monitoring.tasks.task_detail import StepDetail, TaskDetail, task_detail

router = Router(tags=["Tasks, steps, attempts"])


class AttemptOut(Schema):
    id: int
    decided_at: datetime
    account: str
    model: str
    purpose: str
    verdict: str
    refusal: str
    status: int | None
    wait_ms: float | None
    latency_ms: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: Decimal | None
    detail: str
    step_id: int | None

    @staticmethod
    def resolve_account(row: Any) -> str:
        return str(getattr(row, "account_name", None) or row.account.name)

    @staticmethod
    def resolve_detail(row: Any) -> str:
        return redact(row.detail)


class StepOut(Schema):
    """`prompt`: its beginning, secrets masked. `reason_sentence`: the reason for its route, and the remedy."""

    id: int
    task_id: int
    received_at: datetime
    source: str
    endpoint: str
    index: int
    project: str
    prompt: str
    route: str
    reason: str
    reason_sentence: str
    deadline_at: datetime
    duration_ms: float | None
    is_late: bool
    outcome: str
    miner: str

    @staticmethod
    def resolve_prompt(row: Any) -> str:
        return redact(row.prompt)

    @staticmethod
    def resolve_reason_sentence(row: Any) -> str:
        return reason_sentence(row.reason)


def reason_sentence(reason: str) -> str:
    return Reason(reason).sentence if reason else ""


class Pair(Schema):
    name: str
    value: str


class Declined(Schema):
    account: str
    reason: str
    retry_at: datetime | None


class ActionOut(Schema):
    """`words`: the action as text. `worked`: null if the caller did not report it."""

    words: str
    worked: bool | None


class StepDetailOut(Schema):
    """One step with its decision and attempts. `limits`: the settings then in force. `declined`: other accounts, with the reason."""

    id: int
    task_id: int
    index: int
    received_at: datetime
    deadline_at: datetime
    answered_at: datetime | None
    duration_ms: float | None
    state: str
    route: str
    reason: str
    reason_sentence: str
    retry_at: datetime | None
    confidence: float | None
    confidence_why: str
    model: str
    limits: list[Pair]
    declined: list[Declined]
    attempts: list[AttemptOut]
    actions: list[ActionOut]
    answer: str
    outcome: str
    caller_error: str
    effect: str
    miner: str


def step_out(detail: StepDetail) -> dict[str, Any]:
    row = detail.row
    plain = ("task_id", "index", "received_at", "deadline_at", "answered_at", "duration_ms", "route", "reason", "retry_at", "confidence")
    masked = ("confidence_why", "answer", "caller_error", "effect")
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in (*plain, "outcome", "miner")},
        **{name: redact(getattr(row, name)) for name in masked},
        "state": detail.state_text,
        "reason_sentence": reason_sentence(row.reason),
        "model": detail.model,
        "limits": [{"name": name, "value": value} for name, value in detail.limits],
        "declined": [{"account": account, "reason": why, "retry_at": at} for account, why, at in detail.declined],
        "attempts": detail.attempts,
        "actions": [{"words": redact(text), "worked": worked} for text, worked in detail.actions],
    }


class TaskOut(Schema):
    id: int
    key: str
    created_at: datetime
    source: str
    caller: str | None
    project: str
    prompt: str
    state: str
    steps: int
    newest_step: StepOut | None


def task_row(task: Any) -> dict[str, Any]:
    own = {name: getattr(task, name) for name in ("id", "key", "created_at", "source", "caller", "project")}
    more = {"prompt": redact(task.short_prompt), "state": task.state.value, "steps": task.step_count, "newest_step": task.newest}
    return {**own, **more}


class TaskDetailOut(Schema):
    """`steps`: the newest ones, in order; `earlier`: an id before which there are more. `submission`: the state of an operator's task."""

    id: int
    key: str
    created_at: datetime
    source: str
    caller: str | None
    project: str
    kind: str
    prompt: str
    url: str
    submission: str | None
    fault: str
    steps: list[StepDetailOut]
    earlier: int | None


def task_out(detail: TaskDetail) -> dict[str, Any]:
    task, submission = detail.task, detail.submission
    return {
        **{name: getattr(task, name) for name in ("id", "key", "created_at", "source", "caller", "project")},
        "kind": detail.kind,
        "prompt": redact(task.prompt),
        "url": redact(task.url),
        "submission": submission.state if submission else None,
        "fault": redact(submission.fault) if submission else "",
        "steps": [step_out(step) for step in detail.steps],
        "earlier": detail.earlier,
    }


class TaskQuery(Paging):
    q: Line = ""
    sort: Literal["newest", "oldest"] = "newest"


class StepQuery(Paging):
    q: Line = ""
    sort: Literal["newest", "oldest", "longest"] = "newest"


class AttemptQuery(Paging):
    q: Line = ""
    sort: Literal["newest", "oldest", "longest", "costliest"] = "newest"


@router.get("/tasks", auth=reads, response=Page[TaskOut])
def task_list(request: ApiRequest, query: Query[TaskQuery]) -> dict[str, Any]:
    """Tasks by a filter line, such as state:late since:2h."""
    order = Order(query.sort)
    page = tasks.tasks(query_of(query.q, tasks.task_qualifiers()), query.place(tasks.ORDERS[order]), order, timezone.now())
    return paged(request, page, [task_row(task) for task in page.rows])


class TaskIn(Schema, extra="forbid"):
    """`page`: HTML of the task's page, from which the agent takes selectors."""

    prompt: Annotated[str, Field(min_length=1, pattern=PLAIN)]
    url: Annotated[str, Field(min_length=1, pattern=PLAIN)]
    page: Annotated[str, Field(max_length=MAX_PAGE, pattern=PLAIN)] = ""


class Submitted(Schema):
    task: int
    state: str


@router.post("/tasks", auth=submits_page, response={202: Submitted})
@recorded
def submit_task(request: ApiRequest, body: TaskIn) -> Status[dict[str, Any]]:
    """Submit a task. A worker answers it with a whole plan."""
    form = TaskForm(body.dict())
    if not form.is_valid():
        raise of_form(form)
    submission = submissions.submit(**form.task(), by=who(request))
    return Status(202, {"task": submission.task_id, "state": submission.state})


class TaskPlace(Schema):
    before: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


@router.get("/tasks/{task}", auth=reads, response=TaskDetailOut)
def task(request: ApiRequest, task: Id, query: Query[TaskPlace]) -> dict[str, Any]:
    """One task with its steps, each with its decision, attempts and answer."""
    detail = task_detail(task, timezone.now(), before=query.before)
    if detail is None:
        raise Http404(f"There is no task {task}. GET /api/v1/tasks lists them.")
    return task_out(detail)


@router.post("/tasks/{task}/cancel", auth=submits, response=Submitted)
@recorded
def cancel_task(request: ApiRequest, task: Id) -> dict[str, Any]:
    """Cancel a task. Only while it waits for a worker."""
    submission: Submission = get_row(Submission, task, "task")
    if not leased_job.cancel(submission):
        raise ApiProblem(409, f"The task is {submission.state}: only one that waits can be cancelled.")
    return {"task": task, "state": "cancelled"}


@router.get("/steps", auth=reads, response=Page[StepOut])
def step_list(request: ApiRequest, query: Query[StepQuery]) -> dict[str, Any]:
    """Steps by a filter line, such as route:template reason:paused since:24h."""
    order = Order(query.sort)
    page = steps.steps(query_of(query.q, steps.step_qualifiers()), query.place(steps.ORDERS[order]), order, timezone.now())
    return paged(request, page)


@router.get("/steps/{step}", auth=reads, response=StepDetailOut)
def step(request: ApiRequest, step: Id) -> dict[str, Any]:
    """One step: its route, the reason, and its attempts."""
    return step_out(step_detail(step))


def step_detail(pk: int) -> StepDetail:
    task = Step.objects.filter(pk=pk).values_list("task", flat=True).first()
    detail = task_detail(task, timezone.now(), before=pk + 1) if task else None
    if detail is None or not detail.steps:
        raise Http404(f"There is no step {pk}. GET /api/v1/steps lists them.")
    return detail.steps[-1]


@router.get("/attempts", auth=reads, response=Page[AttemptOut])
def attempt_list(request: ApiRequest, query: Query[AttemptQuery]) -> dict[str, Any]:
    """LLM attempts by a filter line, such as status:429 since:1h."""
    order = Order(query.sort)
    page = attempts.attempts(query_of(query.q, attempts.attempt_qualifiers()), query.place(attempts.ORDERS[order]), order, timezone.now())
    return paged(request, page)
