"""What if: the last hours' arrivals are simulated under other settings, as a job that stores its progress."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

from django.utils import timezone

from agents.models import WhatIf
from agents.operator_jobs import leased_job
from agents.operator_jobs.leased_job import JobFailed, Outcome
from agents.simulation.past import read_past
from agents.simulation.replay import assumptions, replayed
from agents.simulation.scenario import BadSetting
from agents.simulation.settings import miner_in_force

KEPT = 50
# Progress is stored in steps of so many percent.
PROGRESS_STEP = 5
# Means over so many runs. With more steps than `MANY` one is all that the job's two minutes have time for, and chance counts for little.
SEEDS, MANY = 3, 30_000


def start(*, hours: int, settings: Mapping[str, str], by: str) -> WhatIf:
    """`settings` as `simulate --settings` takes them. Where a run is under way, that one is returned instead."""
    job, is_new = leased_job.start(WhatIf, requested_by=by, hours=hours, settings=dict(settings))
    if is_new:
        kept = WhatIf.objects.order_by("-requested_at", "-pk").values_list("pk", flat=True)[:KEPT]
        WhatIf.objects.exclude(pk__in=list(kept)).delete()
    return job


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
