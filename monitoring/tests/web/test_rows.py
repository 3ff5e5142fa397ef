"""Rows of long tables: any stored text is shown as text."""

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from lxml.html import document_fromstring

from agents.configuration import default_account
from agents.models import AuditEntry
from monitoring.health.components import ComponentRow
from monitoring.models import Component, HealthCheck, HealthState, LogEntry, TestRun
from monitoring.tests.reading import rows_of, tree_of
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_task
from monitoring.tests.retention.test_retention import make_event

HOSTILE = "\"'><i>{0}&amp;"


def test_health_checks_and_test_runs_are_shown_as_text() -> None:
    run = TestRun(pk=7, verdict="ok", requested_at=NOW, suites=["key"], options={"account": HOSTILE})
    check = HealthCheck(at=NOW, state=HealthState.UP, message=HOSTILE)
    row = ComponentRow(Component(pk=1, name="web", checked_at=NOW), HealthState.UP, HOSTILE, NOW, beats=[check])
    for name, context in (("health/_component_row", {"row": row}), ("web/_run_beats", {"runs": [run]})):
        page = document_fromstring(render_to_string(f"{name}.html", context))
        assert any(HOSTILE in str(title) for title in page.xpath("//*[contains(@class, 'beat ')]/@title"))
        assert page.xpath("//i") == []


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/", "/tasks/", "/steps/", "/attempts/", "/logs/", "/audit/", "/rate-limit/", "/rate-limit/events/"])
def test_stored_markup_is_shown_as_text(page: str, viewer: Client) -> None:
    now, account = timezone.now(), default_account()
    type(account).objects.update(name=HOSTILE)
    step = make_llm_step(make_task(prompt=HOSTILE, project=HOSTILE, at=now), at=now, endpoint=HOSTILE)
    attempt = make_attempt(step, model=HOSTILE, verdict="refused", refusal="edge", detail=HOSTILE)
    make_event(started_at=now, block_started_at=now, model=HOSTILE, detail=HOSTILE, attempt=attempt)
    AuditEntry.objects.create(account=account, at=now, by=HOSTILE, action=AuditEntry.Action.PAUSE, detail=HOSTILE)
    texts = {"message": f"{HOSTILE}\n{HOSTILE}", "logger": HOSTILE, "host": HOSTILE, "process": HOSTILE}
    LogEntry.objects.create(at=now, level=40, **texts)
    response = viewer.get(page)
    assert any(HOSTILE in row for row in rows_of(response))
    assert tree_of(response).xpath("//i") == []
