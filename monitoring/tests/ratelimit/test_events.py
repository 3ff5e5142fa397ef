"""Rate-limit events: rows, filters and paging."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from agents.models import Account, RateLimitEvent
from monitoring.ratelimit import events as stats
from monitoring.tests.reading import HTMX, rows_of, text_of, tree_of
from monitoring.tests.records import NOW, make_attempt, make_event, make_step

pytestmark = pytest.mark.django_db

PAGE = "/rate-limit/events/"
INDEXES = {
    ("refusal", "auth"): "by_refusal",
    ("scope", "account"): "by_model",
    ("scope", "model"): "of_a_model",
    ("ended", "succeeded"): "by_end",
}
BAD = ({"account": "nobody"}, {"refusal": "x"}, {"scope": "9"}, {"ended": "\0"}, {"older": "x"}, {"newer": "9" * 17 + "-" + "9" * 18})


def listed(client: Client, **conditions: str) -> list[str]:
    """The details of the events that match a filter, in order."""
    return tree_of(client.get(PAGE, conditions)).xpath("//tbody/tr//code/text()")  # type: ignore[no-any-return]


def test_an_event_shows_predicted_and_actual_recovery(viewer: Client) -> None:
    make_event(at=NOW, took=370)
    (row,) = rows_of(viewer.get(PAGE))
    assert "Rate limit 429 default whole account" in row
    assert "1 min our own backoff" in row
    assert "4 May 12:01:00 UTC 4 May 12:01:00 UTC – 4 May 12:03:00 UTC our own backoff, very low confidence" in row
    assert "4 May 12:06:10 UTC 5 min 10 s later than predicted" in row
    assert "A request succeeded" in row


def test_a_recovery_within_the_range_is_marked(viewer: Client) -> None:
    make_event(took=70)
    assert "Inside the range" in rows_of(viewer.get(PAGE))[0]


def test_an_event_without_a_prediction_is_unknown(viewer: Client) -> None:
    make_event(refusal="auth", status=404, prediction_source="check", predicted_at=None)
    (row,) = rows_of(viewer.get(PAGE))
    assert "Unknown" in row
    assert "Still open" in row
    assert "No chat API answers at this address." in row


def test_an_event_links_to_the_step_of_its_attempt(viewer: Client) -> None:
    step = make_step()
    make_event(attempt=make_attempt(step, status=429))
    (link,) = tree_of(viewer.get(PAGE)).xpath("//tbody//a/@href")
    assert link == f"/tasks/{step.task_id}/#step-{step.pk}"


def test_a_probes_event_shows_its_purpose(viewer: Client) -> None:
    attempt = make_attempt(make_step(), status=429)
    attempt.step, attempt.purpose = None, "probe"
    attempt.save()
    make_event(attempt=attempt)
    assert "Probes whether the account works again, model a/model." in rows_of(viewer.get(PAGE))[0]


@pytest.mark.parametrize(
    "conditions",
    [
        {"account": "second"},
        {"refusal": "capacity"},
        {"scope": "model"},
        {"ended": "operator"},
        {"account": "second", "refusal": "capacity", "scope": "model", "ended": "operator"},
    ],
)
def test_a_filter_shows_matching_rows(conditions: dict[str, str], viewer: Client) -> None:
    second = Account.objects.create(name="second", position=2)
    make_event(detail="wanted", account=second, refusal="capacity", model="a/model", ended_by="operator", ended_at=NOW)
    make_event(detail="another", at=NOW - timedelta(hours=1))
    assert listed(viewer, **conditions) == ["wanted"]
    assert listed(viewer, scope="account", ended="open") == ["another"]
    assert listed(viewer) == ["wanted", "another"]


@pytest.mark.parametrize("conditions", BAD)
def test_a_filter_that_cannot_be_read_is_never_a_fault(conditions: dict[str, str], viewer: Client) -> None:
    make_event()
    assert viewer.get(PAGE, conditions).status_code == 200
    assert viewer.get(PAGE, conditions, headers=HTMX).status_code == 200


def test_a_filter_that_cannot_be_read_is_named_and_not_applied(viewer: Client) -> None:
    make_event()
    response = viewer.get(PAGE, {"refusal": "x"})
    assert "Class is not applied" in text_of(response)
    assert len(rows_of(response)) == 1


def test_pages_follow_each_other_and_keep_the_filter(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 2)
    for number in range(5):
        make_event(at=NOW + timedelta(seconds=number // 2), detail=str(number), ended_by="timer", ended_at=NOW)
    address, seen = f"{PAGE}?ended=timer", list[str]()
    while address:
        tree = tree_of(viewer.get(address))
        seen += tree.xpath("//tbody/tr//code/text()")
        address = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
        assert not address or "ended=timer" in address
    assert seen == list("43210")


def test_without_events_the_page_shows_that(viewer: Client) -> None:
    assert "No request has been rate limited yet." in text_of(viewer.get(PAGE))
    assert "No event matches." in text_of(viewer.get(PAGE, {"ended": "timer"}))


def test_a_detail_is_shown_as_text(viewer: Client) -> None:
    make_event(detail="<script>alert(1)</script>")
    assert b"<script>alert" not in viewer.get(PAGE).content


def test_the_newest_of_all_accounts_are_read_off_an_index() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("Postgres sorts small tables, and rightly so.")
    assert "TEMP B-TREE" not in RateLimitEvent.objects.order_by("-started_at", "-id")[:50].explain()
    for (name, value), index in INDEXES.items():
        plan = RateLimitEvent.objects.filter(stats.FILTERS[name](value)).order_by("-started_at", "-id")[:50].explain()
        assert "TEMP B-TREE" not in plan and f"event_newest_{index}" in plan, f"{name}={value}: {plan}"
