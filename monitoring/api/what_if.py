"""What if: other pacing settings, simulated on the last hours, as a job."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils import timezone
from ninja import Field, Router, Schema, Status

from agents.models import Settings, WhatIf
from agents.operator_jobs.leased_job import cancel
from agents.operator_jobs.what_if import KEPT, start
from agents.simulation.settings import TRIED, as_text
from monitoring.api.access import ApiRequest, reads, recorded, submits, who
from monitoring.api.paging import Id, get_row
from monitoring.api.problems import ApiProblem, bad_field, of_form
from monitoring.api.settings import Value
from monitoring.what_if.offer import pacing_offer
from monitoring.what_if.result import result_of
from monitoring.what_if.views import WhatIfForm

router = Router(tags=["What if"])


class WhatIfFigure(Schema):
    name: str
    before: str
    after: str
    difference: str
    tone: str


class WhatIfOut(Schema):
    """`settings`: the simulated ones. `sentence`, `figures`: the result, empty until the run succeeded."""

    id: int
    state: str
    progress: int
    requested_by: str
    requested_at: datetime
    span: str
    settings: dict[str, str]
    sentence: str
    recorded: str
    figures: list[WhatIfFigure]
    fault: str


def run_out(row: WhatIf) -> dict[str, Any]:
    shown = result_of(row)
    own = {name: getattr(row, name) for name in ("id", "state", "progress", "requested_by", "requested_at", "settings", "fault")}
    result = {"sentence": shown.get("sentence", ""), "recorded": shown.get("recorded", ""), "figures": shown.get("figures", [])}
    return {**own, "span": shown["span"], **result}


class WhatIfIn(Schema, extra="forbid"):
    """`settings`: to simulate, by name; all others as in force."""

    settings: Annotated[dict[str, Value], Field(max_length=len(TRIED))] = {}
    hours: Literal[1, 6, 24, 168] = 24


@router.post("/what-if", auth=submits, response={202: WhatIfOut})
@recorded
def start_run(request: ApiRequest, body: WhatIfIn) -> Status[dict[str, Any]]:
    """Start a what-if run. It is a job: read its result by its id."""
    return Status(202, run_out(try_settings(body, who(request))))


def try_settings(body: WhatIfIn, by: str) -> WhatIf:
    """Raises ApiProblem: 422 for an invalid setting, 409 while another run is active."""
    if unknown := sorted(set(body.settings) - set(TRIED)):
        raise bad_field(f"settings.{unknown[0]}", "This can't be tried.", f"Choose from {', '.join(TRIED)}.")
    in_force = Settings.current()
    tried = {name: as_text(body.settings.get(name, getattr(in_force, name))) for name in TRIED}
    form = WhatIfForm(in_force, {"hours": str(body.hours), **tried})
    if not form.is_valid():
        raise of_form(form)
    run = start(hours=body.hours, settings=form.settings(), by=by)
    if (run.hours, run.settings) != (body.hours, form.settings()):
        raise ApiProblem(409, f"Run {run.pk} is active. Wait for it, or cancel it.")
    return run


@router.get("/what-if", auth=reads, response=list[WhatIfOut])
def run_list(request: ApiRequest) -> list[dict[str, Any]]:
    """What-if runs that are kept, newest first."""
    return [run_out(row) for row in WhatIf.objects.order_by("-requested_at", "-pk")[:KEPT]]


class OfferOut(Schema):
    """`to`: the other pacing, "" without an offer. `gain`: of LLM answers, as a fraction of the current ones."""

    to: str
    sentence: str
    gain: float | None


@router.get("/what-if/offer", auth=reads, response=OfferOut)
def offer(request: ApiRequest) -> dict[str, Any]:
    """Offer of the other pacing: its gain or loss, as simulated by the panel."""
    row = pacing_offer(timezone.now())
    return {"to": row.to.value, "sentence": row.sentence, "gain": row.gain} if row else {"to": "", "sentence": "", "gain": None}


@router.get("/what-if/{run}", auth=reads, response=WhatIfOut)
def run(request: ApiRequest, run: Id) -> dict[str, Any]:
    """One what-if run: its progress or its result."""
    return run_out(get_row(WhatIf, run))


@router.post("/what-if/{run}/cancel", auth=submits, response=WhatIfOut)
@recorded
def cancel_run(request: ApiRequest, run: Id) -> dict[str, Any]:
    """Cancel a what-if run."""
    row = get_row(WhatIf, run)
    if not cancel(row):
        raise ApiProblem(409, "The run has already ended.")
    row.refresh_from_db()
    return run_out(row)
