"""What if: a job that simulates the arrivals of the last hours under other settings, and stores its progress."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from agents.models import Settings, Step, WhatIf
from agents.operator_jobs import leased_job
from agents.operator_jobs.leased_job import JobFailed, Outcome
from agents.policy.modes import Pacing
from agents.simulation.past import read_past
from agents.simulation.replay import assumptions, replayed
from agents.simulation.scenario import BadSetting
from agents.simulation.settings import TRIED, as_text, miner_in_force

KEPT = 50
# Progress is stored in steps of this many percent.
PROGRESS_STEP = 5
# Runs to average. With more than `MANY` steps the job's two minutes are enough for one run only, and chance matters little.
SEEDS, MANY = 3, 30_000
# Automatic runs try the other pacing on the last day, unless one ran under these settings within AGAIN. With fewer steps than LEAST_STEPS
# two percent of them would be less than one.
AUTOMATIC, DAY, AGAIN = "schedule", timedelta(hours=24), timedelta(hours=6)
LEAST_STEPS = 50


def start(*, hours: int, settings: Mapping[str, str], by: str) -> WhatIf:
    """Start a run with `settings`, in the form of `simulate --settings`. If a run is under way, that one is returned."""
    job, is_new = leased_job.start(WhatIf, requested_by=by, hours=hours, settings=dict(settings))
    if is_new:
        kept = WhatIf.objects.order_by("-requested_at", "-pk").values_list("pk", flat=True)[:KEPT]
        WhatIf.objects.exclude(pk__in=list(kept)).delete()
    return job


def start_unasked(now: datetime) -> None:
    """Try the other pacing if there are enough steps to compare. Does nothing while another run is under way."""
    settings = Settings.current()
    steps = Step.objects.filter(received_at__gt=now - DAY, received_at__lte=now).values("pk")[:LEAST_STEPS]
    if newest_automatic(settings, now - AGAIN) or len(steps) < LEAST_STEPS:
        return
    other = Pacing.FIXED if settings.pacing == Pacing.AUTO else Pacing.AUTO
    start(hours=24, settings={**_tried(settings), "pacing": other.value}, by=AUTOMATIC)


def newest_automatic(settings: Settings, since: datetime, **state: str) -> WhatIf | None:
    """The newest automatic run under these settings, whichever pacing was in force."""
    rows = WhatIf.objects.filter(requested_by=AUTOMATIC, requested_at__gt=since, **state).order_by("-requested_at", "-pk")
    tried = _tried(settings)
    return next((row for row in rows if {**row.settings, "pacing": ""} == {**tried, "pacing": ""}), None)


def _tried(settings: Settings) -> dict[str, str]:
    return {name: as_text(getattr(settings, name)) for name in TRIED}


def simulate(job: WhatIf) -> Outcome:
    past = read_past(job.hours * 3600.0, timezone.now())
    in_force = miner_in_force(past.account)
    try:
        tried = miner_in_force(past.account, [f"{name}={value}" for name, value in job.settings.items()])
    except BadSetting as error:
        raise JobFailed(f"These settings can't be tried: {error}") from None
    seeds = range(1 if past.steps > MANY else SEEDS)

    def store(start: float, done: float) -> None:
        progress = round(100 * (start + done / 2))
        if progress >= job.progress + PROGRESS_STEP:
            leased_job.update(job, progress=progress)

    before = replayed(past, in_force, seeds, partial(store, 0.0))
    after = replayed(past, tried, seeds, partial(store, 0.5))
    recorded = {"recorded_steps": past.steps, "recorded_llm": past.llm}
    return Outcome({"progress": 100, "before": {**asdict(before), **recorded}, "after": {**asdict(after), "assumed": assumptions(past)}})
