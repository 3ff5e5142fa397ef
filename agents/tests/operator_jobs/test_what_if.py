"""What-ifs: one at a time, simulated with progress, cancelled in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.configuration import change
from agents.models import WhatIf
from agents.operator_jobs import leased_job, what_if
from agents.simulation import replay
from agents.simulation.scenario import MODELS, parse
from agents.tests import recording
from agents.tests.queue_of_jobs import queued, work
from agents.tests.recording import recorded

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

State = WhatIf.State
SETTINGS = {"spacing_seconds": "2", "pacing": "fixed"}


def requested(**more: Any) -> WhatIf:
    return what_if.start(**{"hours": 1, "settings": SETTINGS, "by": "ann", **more})


@pytest.fixture
def an_hour(settings: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """The records of a period that ended a moment ago; returns the number of LLM answers in it."""
    settings.CHUTES_MODELS = MODELS
    monkeypatch.setattr(recording, "START", timezone.now().timestamp() - 1900)
    return recorded(parse({"horizon": 600, "load": {"every": [60, 60], "tasks": 4, "steps": 5}})).llm


def test_while_one_is_under_way_that_one_is_returned() -> None:
    row = requested()
    assert (row.state, row.requested_by, row.hours, row.settings, row.progress) == ("queued", "ann", 1, SETTINGS, 0)
    assert requested(by="bob") == row
    assert queued() == [f"agents.operator_jobs.leased_job.run('agents.WhatIf', {row.pk})"]


def test_old_runs_are_deleted() -> None:
    long_ago = timezone.now() - timedelta(days=1)
    WhatIf.objects.bulk_create(
        WhatIf(requested_by="ann", requested_at=long_ago + timedelta(seconds=n), state=State.SUCCEEDED) for n in range(60)
    )
    row = requested()
    assert WhatIf.objects.count() == what_if.KEPT
    assert WhatIf.objects.order_by("-requested_at").first() == row
    assert WhatIf.objects.order_by("requested_at")[0].requested_at == long_ago + timedelta(seconds=11)


@pytest.mark.long
def test_the_worker_simulates_both_settings(an_hour: int) -> None:
    row = requested()
    assert work(row)
    assert (row.state, row.progress, row.fault, row.lease_until) == ("succeeded", 100, "", None)
    assert row.before and row.after
    assert row.before["recorded_steps"] == row.before["steps"] == row.after["steps"]
    assert row.before["recorded_llm"] == an_hour
    assert row.before["llm"] == pytest.approx(an_hour, rel=0.1)
    assert row.after["llm"] > 1.3 * row.before["llm"], "a spacing of 2 s permits more than one of 5 s"
    assert row.after["assumed"]


@pytest.mark.long
def test_progress_is_stored_as_it_goes(an_hour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    update = leased_job.update

    def watched(job: WhatIf, **fields: Any) -> None:
        update(job, **fields)
        seen.append(WhatIf.objects.get().progress)

    monkeypatch.setattr(what_if, "PROGRESS_STEP", 1)
    monkeypatch.setattr(leased_job, "update", watched)
    assert an_hour and work(requested())
    assert seen == sorted(seen)
    assert (len(set(seen)) > 50, seen[-1] >= 98) == (True, True)


@pytest.mark.long
def test_a_run_that_is_cancelled_while_it_is_simulated_stops(an_hour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    row = requested()
    runs = []

    class Cancelled(replay.Replay):
        def result(self) -> Any:
            runs.append(self)
            assert leased_job.cancel(row)
            return super().result()

    monkeypatch.setattr(replay, "Replay", Cancelled)
    assert an_hour and not work(row)
    assert (row.state, row.before, row.lease_until, len(runs)) == ("cancelled", None, None, 1)
    assert not leased_job.cancel(row)
    assert requested().pk != row.pk, "another can be started"


def test_settings_that_cannot_be_tried_are_named() -> None:
    row = requested(settings={"spacing_seconds": "soon"})
    assert work(row)
    assert (row.state, row.fault) == ("failed", "These settings can't be tried: spacing_seconds: “soon” is not a number.")


def test_a_period_without_steps_is_simulated_too() -> None:
    change({}, by=None, reason="test")
    row = requested()
    assert work(row)
    assert row.before and row.after
    assert (row.state, row.before["steps"], row.after["steps"]) == ("succeeded", 0, 0)
