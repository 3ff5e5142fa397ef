"""Components, jobs and schedules."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from ninja import Router, Schema

from agents.models import LeasedJob, Schedule
from agents.worker.schedules import schedules
from monitoring.api.access import ApiRequest, reads
from monitoring.api.paging import Id, get_row
from monitoring.health.components import ComponentRow, day, health
from monitoring.health.views import jobs
from monitoring.models import Component

router = Router(tags=["Health"])


class ComponentOut(Schema):
    """`up_share`: percent of its last checks. `is_stale`: checks were missed, so its status is unknown."""

    id: int
    name: str
    status: str
    message: str
    since: datetime
    checked_at: datetime
    latency_ms: float | None
    is_stale: bool
    is_flapping: bool
    up_share: float | None


def component_out(row: ComponentRow) -> dict[str, Any]:
    shown = row.component
    own = {"id": shown.pk, "name": shown.name, "checked_at": shown.checked_at, "latency_ms": shown.latency_ms}
    return {
        **own,
        **{name: getattr(row, name) for name in ("message", "since", "is_stale", "is_flapping", "up_share")},
        "status": row.status,
    }


class HealthOut(Schema):
    components: list[ComponentOut]
    worker: str
    is_worker_silent: bool


@router.get("/health", auth=reads, response=HealthOut)
def components(request: ApiRequest) -> dict[str, Any]:
    """Components with their status, failing ones first."""
    current = health(timezone.now())
    shown = [component_out(row) for row in current.rows]
    return {"components": shown, "worker": current.worker.message, "is_worker_silent": current.worker.is_silent}


class SegmentOut(Schema):
    """A period in which all checks had the same status; "" if checks are missing."""

    start: datetime
    end: datetime
    status: str
    message: str


class DayOut(Schema):
    component: ComponentOut
    segments: list[SegmentOut]
    checks: int
    median_ms: float | None
    longest_ms: float | None
    up_share: float | None


@router.get("/health/{component}", auth=reads, response=DayOut)
def component_day(request: ApiRequest, component: Id) -> dict[str, Any]:
    """One component's last 24 hours."""
    result = day(get_row(Component, component), timezone.now())
    parts = [{name: getattr(part, name) for name in SegmentOut.model_fields} for part in result["segments"]]
    return {**result, "component": component_out(result["row"]), "segments": parts}


class JobOut(Schema):
    id: int
    kind: str
    title: str
    state: str
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    tries: int
    fault: str

    @staticmethod
    def resolve_kind(row: LeasedJob) -> str:
        return str(row._meta.verbose_name)  # noqa: SLF001 -- Django's documented name of any model

    @staticmethod
    def resolve_title(row: LeasedJob) -> str:
        return str(row)


@router.get("/jobs", auth=reads, response=list[JobOut])
def job_list(request: ApiRequest) -> list[LeasedJob]:
    """Jobs that run, wait, or failed within a day."""
    return jobs(timezone.now())


class PeriodicOut(Schema):
    """`due_at`: its next run, null while it is switched off."""

    name: str
    when: str
    state: str
    due_at: datetime | None
    last_run_at: datetime | None
    result: str
    fault: str

    @staticmethod
    def resolve_when(row: Any) -> str:
        return str(row.when)

    @staticmethod
    def resolve_result(row: Any) -> str:
        return str(getattr(row, "result", ""))


@router.get("/schedules", auth=reads, response=list[PeriodicOut])
def schedule_list(request: ApiRequest) -> list[Schedule]:
    """Periodic work, with its last and next run."""
    return schedules()
