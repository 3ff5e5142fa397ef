import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from agents.configuration import set_caller
from agents.hybrid.page_archive import is_kept
from agents.models import Caller, Replay, Settings, Step, Task
from agents.operator_jobs import leased_job, replays, submissions
from agents.policy.modes import CallerState
from monitoring.reporting.file_exports import exported
from monitoring.reporting.filter_query import Qualifier, parse
from monitoring.reporting.pagination import Order, Place, Slice
from monitoring.tasks import attempts, steps, tasks
from monitoring.tasks.callers import callers, unknown_paths
from monitoring.tasks.forms import ReplayForm, TaskForm
from monitoring.tasks.saved_views import saved_views
from monitoring.tasks.steps import latest_replays, page_changes, prompt_of
from monitoring.tasks.task_detail import task_detail
from monitoring.web.access import CHANGE, SUBMIT, VIEW, PanelRequest, guarded
from monitoring.web.pages import page

_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
# By the name in the file name: qualifiers, columns and rows.
EXPORTS = {
    "tasks": (tasks.task_qualifiers, tasks.COLUMNS, tasks.exported_tasks),
    "steps": (steps.step_qualifiers, steps.COLUMNS, steps.exported_steps),
    "llm-attempts": (attempts.attempt_qualifiers, attempts.COLUMNS, attempts.exported_attempts),
}
STEPS = Step.objects.select_related("task")
CALLER_ACTIONS = ((CallerState.ALLOWED, "Allow"), (CallerState.BLOCKED, "Block"), (CallerState.OTHER, "Reset"))


def _list_context(
    request: PanelRequest, page_name: str, qualifiers: tuple[Qualifier, ...], orders: Mapping[Order, str], read: Callable[..., Slice[Any]]
) -> dict[str, Any]:
    now, query = timezone.localtime(), parse(request.GET.get("q", ""), qualifiers)
    order = Order.parse(request.GET.get("sort", ""), orders)
    page_rows = read(query, Place.parse(request.GET), order, now)
    views = {**saved_views(page_name, request.user), "save_view": f"save_{page_name}_view"}
    return {"now": now, "query": query, "qualifiers": qualifiers, "sort": order, "orders": list(orders), "page": page_rows, **views}


@page("tasks/tasks")
def task_list(request: PanelRequest) -> dict[str, Any]:
    return _list_context(request, "tasks", tasks.task_qualifiers(), tasks.ORDERS, tasks.tasks)


@page("tasks/steps")
def step_list(request: PanelRequest) -> dict[str, Any]:
    return _list_context(request, "steps", steps.step_qualifiers(), steps.ORDERS, steps.steps)


@page("tasks/attempts")
def attempt_list(request: PanelRequest) -> dict[str, Any]:
    return _list_context(request, "attempts", attempts.attempt_qualifiers(), attempts.ORDERS, attempts.attempts)


@guarded(get=VIEW, post=None)
def export(request: PanelRequest, name: str) -> HttpResponseBase:
    qualifiers, columns, rows = EXPORTS[name]
    now, query = timezone.localtime(), parse(request.GET.get("q", ""), qualifiers())
    return exported(name, request.GET.get("format", "csv"), columns, query, rows(query, now), now)


@page("tasks/task")
def task(request: PanelRequest, pk: int) -> dict[str, Any]:
    now, before = timezone.now(), request.GET.get("before", "")
    detail = task_detail(pk, now, before=int(before) if _NUMBER.fullmatch(before) else None)
    if detail is None:
        raise Http404(f"There is no task {pk}.")
    return {"now": now, "detail": detail, "is_newest": not before}


@page("tasks/new_task", get=SUBMIT, post=SUBMIT)
def new_task(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    form = TaskForm(request.POST or None)
    if not form.is_valid():
        return {"form": form}
    if "try" in request.POST:
        return {"form": form, "trial": form.trial()}
    return redirect(submissions.submit(**form.task(), by=request.user.get_username()).task)


@guarded(get=None, post=SUBMIT)
def cancel_task(request: PanelRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Task, pk=pk, submission__isnull=False)
    if not leased_job.cancel(row.submission):
        messages.info(request, "A worker has already started this task.")
    return redirect(row)


@page("tasks/step_page")
def step_page(request: PanelRequest, pk: int) -> dict[str, Any]:
    return {"changes": page_changes(get_object_or_404(STEPS, pk=pk), timezone.now())}


@page("tasks/replay", post=SUBMIT)
def replay(request: PanelRequest, pk: int) -> HttpResponse | dict[str, Any]:
    step, now = get_object_or_404(STEPS, pk=pk), timezone.now()
    is_gone, details = not is_kept(pk, now), latest_replays(step)
    form = ReplayForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and not is_gone:
        if any(detail.row.is_under_way for detail in details):
            messages.warning(request, "Another replay of this step is running; it is shown below. Yours was not started.")
        replays.start(step, **form.arguments(), by=request.user.get_username())
        return redirect("replay", pk)
    return {"form": form, "step": step, "is_gone": is_gone, "replays": details, "prompt": partial(prompt_of, step, now)}


@guarded(get=None, post=SUBMIT)
def cancel_replay(request: PanelRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Replay, pk=pk)
    if not leased_job.cancel(row):
        messages.info(request, "A worker has already started this replay.")
    return redirect("replay", row.step_id)


@page("tasks/callers")
def caller_list(request: PanelRequest) -> dict[str, Any]:
    settings = Settings.current()
    page_rows = callers(Place.parse(request.GET), settings, timezone.now())
    return {"callers": page_rows, "unknown": unknown_paths(), "settings": settings, "actions": CALLER_ACTIONS}


@guarded(get=None, post=CHANGE)
def change_caller(request: PanelRequest, pk: int) -> HttpResponse:
    caller = get_object_or_404(Caller, pk=pk)
    if request.POST.get("state") not in list(CallerState):
        messages.error(request, "Choose Allow, Block or Reset.")
        return redirect("callers")
    state = CallerState(request.POST["state"])
    in_force = set_caller(caller.address, state, by=request.user, reason="Callers page")
    override = "" if in_force is state else " A network in the settings overrides it."
    messages.success(request, f"{caller.address}: {in_force.sentence}.{override}")
    return redirect("callers")
