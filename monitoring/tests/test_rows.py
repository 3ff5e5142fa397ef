"""Rows of long tables: what anybody wrote is shown as text, whatever it holds."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from lxml.html import fragment_fromstring

from agents.configuration import default_account
from agents.models import AuditEntry
from monitoring.cells import addresses, cell, details, fact, filled, joined, link
from monitoring.models import HealthState, LogEntry
from monitoring.stats.components import Beat
from monitoring.stats.runs import RunRow
from monitoring.templatetags.strips import beats, run_beats
from monitoring.tests.reading import rows_of, tree_of
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_task
from monitoring.tests.test_retention import make_event

HOSTILE = "\"'><i>{0}&amp;"


def test_a_text_becomes_no_html_and_html_stays() -> None:
    bold = joined("<b>")
    assert bold == "&lt;b&gt;"
    assert cell(bold, "<i>", label='"') == '<td data-label="&quot;">&lt;b&gt;&lt;i&gt;</td>'
    assert link('/?a="', "<b>") == '<a href="/?a=&quot;">&lt;b&gt;</a>'
    assert details("x", "<b>", "<i>") == '<details id="x"><summary>&lt;b&gt;</summary>&lt;i&gt;</details>'
    assert filled("by {who}", who="<b>") == "by &lt;b&gt;"
    assert fact("") == ""


def test_an_address_is_that_of_the_row() -> None:
    assert addresses("task")(7) == "/tasks/7/"


def test_what_was_seen_and_which_tests_ran_are_told_as_text() -> None:
    run = RunRow(7, "ok", HOSTILE, NOW, HOSTILE, "", "", None, "")
    for strip in (beats([Beat(NOW, HealthState.UP, HOSTILE)], "title"), run_beats([run])):
        element = fragment_fromstring(strip)
        assert HOSTILE in str(element.get("title"))
        assert len(element) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/", "/tasks/", "/steps/", "/attempts/", "/logs/", "/audit/", "/rate-limit/", "/rate-limit/events/"])
def test_what_anybody_wrote_is_shown_as_text(page: str, viewer: Client) -> None:
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
