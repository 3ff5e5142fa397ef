"""What-if: operators try settings on the last hours; all users see its progress and result."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.configuration import change
from agents.models import WhatIf
from agents.operator_jobs import leased_job
from agents.tests.queue_of_jobs import work
from monitoring.tests.reading import HTMX, rows_of, text_of, tree_of
from monitoring.tests.records import make_attempt, make_llm_step

pytestmark = pytest.mark.django_db

ADDRESS = "/rate-limit/what-if/"
GOOD = {
    "hours": "24",
    "pacing": "fixed",
    "risk": "balanced",
    "spacing_seconds": "2",
    "backoff_seconds": "60, 120",
    "backoff_max_seconds": "300",
    "key_check_minutes": "10",
    "deadline_seconds": "20.5",
    "probe_after_pause": "false",
}
BEFORE = {"steps": 900.0, "in_time": 890.0, "llm": 640.33, "edge_429": 11.0, "in_ban": 4.0, "wasted": 0.0, "resume_minutes": 4.5}
AFTER = {**BEFORE, "in_time": 900.0, "llm": 1812.0, "edge_429": 1.0, "in_ban": 0.0, "resume_minutes": 1.25, "p50": 3.0, "p95": 24.0}


def a_run(**more: Any) -> WhatIf:
    now = timezone.now()
    values = {"requested_by": "ann", "requested_at": now, "settings": {"spacing_seconds": "2", "probe_after_pause": "false"}}
    return WhatIf.objects.create(**{**values, **more})


def a_done_run(**after: Any) -> WhatIf:
    before = {**BEFORE, "p50": 3.5, "p95": 22.0, "recorded_steps": 900, "recorded_llm": 655}
    return a_run(state="succeeded", before=before, after={**AFTER, "assumed": ["The limit was never met."], **after})


def test_the_form_is_filled_in_with_the_settings_in_force(operator: Client) -> None:
    change({"spacing_seconds": 2.5, "backoff_seconds": [30, 90.5], "pacing": "auto"}, by=None, reason="test")
    tree = tree_of(operator.get(ADDRESS))
    values = {field.name: field.value for field in tree.xpath("//form[@action='/rate-limit/what-if/']")[0].inputs if field.name in GOOD}
    assert values == {
        "hours": "24",
        "pacing": "auto",
        "risk": "balanced",
        "spacing_seconds": "2.5",
        "backoff_seconds": "30, 90.5",
        "backoff_max_seconds": "600",
        "key_check_minutes": "5",
        "deadline_seconds": "25",
        "probe_after_pause": "true",
    }


def test_an_operators_run_is_queued_and_carried_out(operator: Client) -> None:
    make_attempt(make_llm_step(at=timezone.now() - timedelta(hours=2)))
    assert operator.post(ADDRESS, GOOD)["Location"] == ADDRESS
    row = WhatIf.objects.get()
    assert (row.requested_by, row.hours, row.state) == ("one-of-operators", 24, "queued")
    assert row.settings == {name: value for name, value in GOOD.items() if name != "hours"}
    assert work(row)
    assert "With these settings the last 24 hours would have had 1 LLM answer as before and" in text_of(operator.get(ADDRESS), "//main")


def test_a_viewer_sees_the_run_and_no_form(viewer: Client) -> None:
    assert "Operators can try some." in text_of(viewer.get(ADDRESS), "//*[@id='what-if']")
    a_done_run()
    response = viewer.get(ADDRESS)
    assert "Started" in text_of(response, "//*[@id='what-if']")
    assert not tree_of(response).xpath("//form[@action='/rate-limit/what-if/']")
    assert viewer.post(ADDRESS, GOOD).status_code == 403


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("spacing_seconds", "-1", "greater than or equal to 0"),
        ("spacing_seconds", "nan", "Enter a number"),
        ("spacing_seconds", "", "required"),
        ("backoff_seconds", "60, soon", "“soon” is not a number"),
        ("backoff_seconds", "60, 30", "can't be shorter"),
        ("backoff_seconds", ",", "1 to 12 pauses"),
        ("backoff_max_seconds", "0", "greater than or equal to 1"),
        ("deadline_seconds", "1", "greater than or equal to 3"),
        ("pacing", "fast", "not one of the available choices"),
        ("hours", "5", "not one of the available choices"),
        ("hours", "x", "not one of the available choices"),
        ("probe_after_pause", "perhaps", "not one of the available choices"),
    ],
)
def test_an_invalid_value_is_reported_at_its_field_and_stays_in_it(field: str, value: str, complaint: str, operator: Client) -> None:
    response = operator.post(ADDRESS, {**GOOD, field: value})
    assert response.status_code == 200
    assert complaint in text_of(response, f"//*[@id='id_{field}_error']")
    assert not WhatIf.objects.exists()


def test_while_one_runs_a_second_one_is_refused_with_a_message(operator: Client) -> None:
    a_run(state="running", progress=40, lease_until=timezone.now() + timedelta(seconds=30))
    response = operator.post(ADDRESS, GOOD, follow=True)
    assert WhatIf.objects.count() == 1
    assert "Another run is active; it is shown below. Yours was not started" in text_of(response, "//main")
    assert "Running: 40 %" in text_of(response, "//main")


def test_the_same_run_twice_is_started_once(operator: Client) -> None:
    operator.post(ADDRESS, GOOD)
    assert "Another run" not in text_of(operator.post(ADDRESS, GOOD, follow=True), "//main")
    assert WhatIf.objects.count() == 1


def test_a_run_under_way_shows_how_far_it_is_and_refreshes_itself(viewer: Client) -> None:
    a_run(state="running", progress=40)
    response = viewer.get(ADDRESS, headers=HTMX)
    root = tree_of(response).get_element_by_id("what-if")
    assert (root.get("hx-get"), root.get("hx-trigger")) == (ADDRESS, "tick from:body")
    assert root.xpath(".//progress/@value") == ["40"]
    assert "Running: 40 %" in text_of(response)


def test_a_run_that_waits_is_cancelled_and_never_worked_out(operator: Client, viewer: Client) -> None:
    operator.post(ADDRESS, GOOD)
    assert not tree_of(viewer.get(ADDRESS)).xpath("//*[@form='cancel'] | //form[@id='cancel']")
    (button,) = tree_of(operator.get(ADDRESS)).xpath("//button[@form='cancel']")
    page = operator.post(button.get("formaction"), follow=True)
    assert "Cancelled." in text_of(page, "//*[@id='what-if']")
    assert not tree_of(page).xpath("//button[@form='cancel']")
    run = WhatIf.objects.get()
    leased_job.dispatch(timezone.now() + timedelta(days=1))
    assert not work(run)
    assert "already ended" in text_of(operator.post(button.get("formaction"), follow=True))
    assert a_run().pk != run.pk, "another can be started"


def test_a_finished_run_has_a_sentence_and_a_comparison(viewer: Client) -> None:
    a_done_run()
    response = viewer.get(ADDRESS)
    text = text_of(response, "//main")
    assert (
        "With these settings the last 24 hours would have had 1,812 LLM answers instead of 640, 1 rate limit instead of 11, 0 late answers "
        "instead of 10 and 1.2 min until the LLM is back after a block instead of 4.5 min."
    ) in text
    assert "On record are 655 LLM answers to 900 steps; a simulation of the same time under the settings in force gives 640." in text
    assert "Spacing 2 s" in text
    assert "Probe after a pause no" in text
    assert rows_of(response) == [
        "Steps 900 900 =",
        "Answered in time 890 900 +10",
        "Answered by the LLM 640 1,812 +1,172",
        "Rate limits (429) 11 1 −10",
        "Of them while blocked 4 0 −4",
        "Calls refused with 401 or 402 0 0 =",
        "Back after a block 4.5 min 1.2 min −3.3 min",
        "Median answer 3.5 s 3.0 s −0.5 s",
        "95th percentile 22.0 s 24.0 s +2.0 s",
    ]
    tones = [badge.get("class").rpartition("tone-")[2] for badge in tree_of(response).xpath("//tbody//*[contains(@class, 'badge')]")]
    assert tones == ["green", "green", "green", "green", "green"]


def test_a_worse_figure_is_marked_and_an_equal_one_is_not(viewer: Client) -> None:
    a_done_run(llm=600.0, edge_429=11.3, resume_minutes=4.53)
    response = viewer.get(ADDRESS)
    assert "Answered by the LLM 640 600 −40" in rows_of(response)
    assert "Rate limits (429) 11 11 =" in rows_of(response)
    assert "Back after a block 4.5 min 4.5 min =" in rows_of(response)
    assert text_of(response, "//*[contains(@class, 'tone-red')]") == "−40"
    assert "is back" not in text_of(response, "//main")


def test_assumptions_are_collapsed(viewer: Client) -> None:
    a_done_run()
    assert text_of(viewer.get(ADDRESS), "//details[not(@open)]") == "Assumptions The limit was never met."


def test_an_unknown_figure_is_shown_as_unknown(viewer: Client) -> None:
    a_done_run(resume_minutes=None)
    response = viewer.get(ADDRESS)
    assert "Back after a block 4.5 min – –" in rows_of(response)
    assert "is back" not in text_of(response, "//main")


def test_a_time_without_steps_is_reported(viewer: Client) -> None:
    a_run(state="succeeded", before={"steps": 0.0}, after={"steps": 0.0})
    assert "No step was received in this time." in text_of(viewer.get(ADDRESS), "//main")
    assert not rows_of(viewer.get(ADDRESS))


def test_a_failed_run_shows_the_reason(viewer: Client) -> None:
    a_run(state="failed", fault="No worker brought it to an end.")
    assert text_of(viewer.get(ADDRESS), "//*[@role='alert']") == "No worker brought it to an end."


def test_the_newest_run_is_shown(viewer: Client, django_assert_max_num_queries: Callable[..., Any]) -> None:
    a_run(requested_at=timezone.now() - timedelta(hours=1), requested_by="bob", state="succeeded", before={"steps": 0}, after={})
    a_run(state="queued")
    viewer.get(ADDRESS)  # a session's visit is noted once a minute
    with django_assert_max_num_queries(9):
        text = text_of(viewer.get(ADDRESS), "//main")
    assert "by ann" in text and "bob" not in text
    assert "Queued. The result appears here" in text
