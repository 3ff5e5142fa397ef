"""The page Rate limit: the state of each account's gate, its start, its end, and the source."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings

from agents.configuration import change, default_account
from agents.configuration.account_changes import change_account
from agents.models import Account, AuditEntry, Gate, LimitEstimate, RateLimitEvent
from agents.policy.refusals import NEVER_WORKED
from monitoring.tests.reading import HTMX, element_text, text_of, tree_of
from monitoring.tests.records import event_of, make_event

pytestmark = pytest.mark.django_db

PAGE = "/rate-limit/"
MANY = 10_000


@pytest.fixture(autouse=True)
def ready(settings: DjangoSettings) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_made.up", ("a/model",)


def lit(client: Client) -> list[str]:
    """The state of each account's gate."""
    return [element_text(stage) for stage in tree_of(client.get(PAGE)).xpath("//*[@class='stages']/*[@aria-current='step']/strong")]


def paused(account: Account | None = None, seconds: float = 600.9, **gate: Any) -> None:
    now = timezone.now().timestamp()
    state = {
        "strikes": 2,
        "paused_at": now,
        "paused_until": now + seconds,
        "cause": "edge",
        "blocked_at": now - 60,
        "succeeded_at": now - 99,
    }
    Gate.objects.update_or_create(account=account or default_account(), defaults={**state, **gate})


def test_a_fresh_panel_shows_an_open_gate_without_estimates(viewer: Client) -> None:
    assert lit(viewer) == ["Open"]
    text = text_of(viewer.get(PAGE), "//main")
    assert "LLM ready, one request every 5 s." in text
    assert "The pace is fixed: one every 5 s. The limit is not known yet." in text
    assert "not tried lately 8.0 s assumed" in text
    assert "Ready" in text and "Waiting for its account" not in text
    assert "default: unknown: no request was sent, and no operator paused it." in text
    assert "No account has recovered" in text
    assert "No request has been rate limited yet." in text
    assert "No account has been probed, paused, resumed or cleared yet." in text


def test_models_are_shown_in_the_order_of_attempts_with_its_reasons(viewer: Client, settings: DjangoSettings) -> None:
    settings.CHUTES_MODELS, now = ("slow/model", "fast/model"), timezone.now().timestamp()
    samples = {"slow/model": [[now, 9.0, None]] * 6, "fast/model": [[now, 2.0, True]] * 5 + [[now, 1.0, False]]}
    Gate.objects.update_or_create(account=default_account(), defaults={"latencies": samples})
    rows = [element_text(row) for row in tree_of(viewer.get(PAGE)).xpath("//table[starts-with(@aria-label, 'Models of')]/tbody/tr")]
    assert [row.split(" Ready ")[0] for row in rows] == ["fast/model Number 2 as configured", "slow/model Number 1 as configured"]
    assert ["5 of 6 recent attempts" in rows[0], "0 of 6 recent attempts" in rows[1]] == [True, True]


def test_a_pause_shows_its_end_cause_and_source(viewer: Client) -> None:
    now = timezone.now()
    paused()
    make_event(at=now, pause=600, strike=2, detail="429 Too Many Requests", predicted_at=now + timedelta(seconds=650))
    response = viewer.get(PAGE)
    text = text_of(response, "//*[starts-with(@id, 'gate-')]")
    assert lit(viewer) == ["Paused"]
    assert "LLM paused for 10 min" in text
    assert "rate limit, our own backoff, pause 2 of 4." in text
    assert "our own backoff; very low confidence." in text
    assert "the whole account has to wait. Status 429." in text and "429 Too Many Requests" in text
    tree = tree_of(response)
    assert tree.xpath("//*[@class='expected mt-3']//time/@data-show") == ["countdown", "moment", "moment", "moment"]
    assert [element_text(rung) for rung in tree.xpath("//*[@class='rungs']/*[@aria-current]")] == ["2 min"]
    assert "Waiting for its account" in text and "Ready" not in text


def test_after_the_pause_one_request_probes(viewer: Client) -> None:
    paused(seconds=-1)
    assert lit(viewer) == ["Probing"]


def test_a_stopped_account_shows_the_remedy_and_no_time(viewer: Client) -> None:
    paused(cause="payment", pause_source="check")
    make_event(refusal="payment", status=402, prediction_source="check", predicted_at=None, predicted_from=None, predicted_to=None)
    text = text_of(viewer.get(PAGE), "//*[starts-with(@id, 'gate-')]")
    assert lit(viewer) == ["Stopped"]
    assert text.count("Top up the account.") == 1
    assert "Cause The account has no balance." in text
    assert "No time can be predicted" in text


def test_for_a_key_that_never_worked_header_and_host_are_to_be_checked(viewer: Client) -> None:
    paused(succeeded_at=0)
    text = text_of(viewer.get(PAGE), "//*[starts-with(@id, 'gate-')]")
    assert text.count(NEVER_WORKED) == 1
    assert "Cause Turned away by the edge." in text
    assert "Never, with this key" in text


def test_an_account_that_is_off_shows_the_reason(viewer: Client) -> None:
    change({"agent_mode": "template"}, by=None, reason="")
    assert lit(viewer) == ["Off"]
    assert "template mode" in text_of(viewer.get(PAGE))


def test_several_accounts_are_shown_in_their_order(viewer: Client) -> None:
    paused()
    Account.objects.create(name="second", position=2)
    change_account(Account.objects.create(name="third", position=3), {"model_names": ["c/model"]}, key="cpk_3", by=None, reason="")
    tree = tree_of(viewer.get(PAGE))
    assert [element_text(title) for title in tree.xpath("//section[starts-with(@id, 'gate-')]//h2")] == [
        "Account default",
        "Account second",
        "Account third",
    ]
    assert lit(viewer) == ["Paused", "Off", "Open"]
    overview = text_of(viewer.get("/"))
    assert "LLM ready" in overview
    assert "Account third, of 3" in overview


def test_the_accuracy_of_predictions_is_shown(viewer: Client) -> None:
    make_event(at=timezone.now() - timedelta(hours=1), took=90)
    assert "Our own backoff 1 100 % 30 s" in text_of(viewer.get(PAGE), "//*[@aria-labelledby='accuracy']")


def test_operators_actions_are_listed_newest_first_and_at_most_twenty(viewer: Client) -> None:
    now = timezone.now()
    for minute in range(25):
        AuditEntry.objects.create(at=now - timedelta(minutes=minute), by=f"ann-{minute}", action="resume", account=default_account())
    rows = [element_text(row) for row in tree_of(viewer.get(PAGE)).xpath("//*[@aria-labelledby='history']//tbody/tr")]
    assert len(rows) == 20
    assert "ann-0 Resume default" in rows[0]


def test_possible_actions_are_offered_to_permitted_users_only(viewer: Client, operator: Client) -> None:
    actions = "//nav[starts-with(@aria-label, 'Actions')]/a"
    assert tree_of(viewer.get(PAGE)).xpath(actions) == []
    assert [element_text(link) for link in tree_of(operator.get(PAGE)).xpath(actions)] == ["Probe now", "Pause…", "Clear…"]
    paused()
    assert [element_text(link) for link in tree_of(operator.get(PAGE)).xpath(actions)] == ["Probe now", "Pause…", "Resume", "Clear…"]
    change({"agent_mode": "template"}, by=None, reason="")
    assert [element_text(link) for link in tree_of(operator.get(PAGE)).xpath(actions)] == ["Pause…", "Resume", "Clear…"]


@pytest.mark.parametrize("address", [PAGE, "/"])
def test_a_running_countdown_alone_is_no_news(address: str, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    paused()
    now = timezone.now().replace(second=10, microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: now)
    first = viewer.get(address, headers=HTMX)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(seconds=7))
    assert viewer.get(address, headers={**HTMX, "If-None-Match": first["ETag"]}).status_code == 304
    Gate.objects.update(paused_until=now.timestamp() + 20)
    assert viewer.get(address, headers={**HTMX, "If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.long
def test_ten_thousand_events_cost_no_more_queries_than_one(
    admin: Client, django_assert_num_queries: Callable[..., Any], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    paused()
    make_event(prediction_source="history")
    now, account = timezone.now(), default_account()
    LimitEstimate.objects.create(account=account, at=now, occasion="accepted", low=1, middle=4, high=60, sent=1)
    for address in (PAGE, "/rate-limit/events/"):
        admin.get(address)
        cache.clear()
        with django_assert_max_num_queries(29) as few:
            admin.get(address)
        RateLimitEvent.objects.bulk_create(
            event_of(
                at=now - timedelta(seconds=8 * number),
                ended_by="succeeded",
                ended_at=now,
                recovered_at=now - timedelta(seconds=8 * number - 6),
                account=account,
            )
            for number in range(MANY // 2)
        )
        cache.clear()
        with django_assert_num_queries(len(few)):
            admin.get(address)
    assert RateLimitEvent.objects.count() > MANY
