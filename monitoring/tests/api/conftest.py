"""A panel with records, and programs that call its API."""

import pytest

from agents.configuration import default_account
from agents.models import Caller, Submission, WhatIf
from monitoring.tests.api.calling import Program, program
from monitoring.tests.records import NOW, make_step
from monitoring.tests.status_records import make_component, make_run, make_schedule
from monitoring.tests.test_pages import fill


@pytest.fixture
def admin_program(groups: None) -> Program:
    return program()


@pytest.fixture
def records(groups: None) -> None:
    """Three rows for each list."""
    fill(3)


@pytest.fixture
def one_of_each(groups: None) -> dict[str, str]:
    """Values for the API's path parameters, by name."""
    step, account = make_step(), default_account()
    Submission.objects.create(task=step.task, enqueued_at=NOW)
    run = make_run(state="queued", ended_at=None, verdict="")
    WhatIf.objects.create(pk=run.pk, requested_at=NOW, enqueued_at=NOW)
    caller = Caller.objects.create(address="203.0.113.7", first_seen_at=NOW, last_seen_at=NOW)
    pks = {"account": account, "task": step.task, "step": step, "run": run, "schedule": make_schedule(), "caller": caller}
    return {
        **{name: str(row.pk) for name, row in pks.items()},
        "component": str(make_component("web").pk),
        "kind": "settings",
        "change": "1",
    }
