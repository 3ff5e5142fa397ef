"""The other pacing: tried automatically on the last day, offered with its figures if better, and switched with one button."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from agents.configuration import change, default_account
from agents.models import Gate, Settings, WhatIf
from agents.operator_jobs import what_if
from agents.policy.belief import LIMITS, PRIOR_OF_COUNTERS, Belief
from agents.policy.pacing import Pace, counted
from agents.policy.reasons import PaceSource
from agents.simulation.settings import TRIED, as_text
from agents.tests.queue_of_jobs import work
from agents.worker.schedules import ensure, schedules
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import make_attempt, make_llm_step

pytestmark = pytest.mark.django_db

OFFER = "//*[@id='pacing-offer']"
PLACES = {"overview": "/", "rate_limit": "/rate-limit/"}
BY_RECORDS = (
    "With automatic pacing, 34 % more of the last 24 h's steps would have been answered by the LLM (412 instead of 307), "
    "with 3 refusals instead of 5."
)
BACK = (
    "With fixed pacing, 25 % fewer of the last 24 h's steps would have been answered by the LLM (307 instead of 412), "
    "with 5 refusals instead of 3."
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison needs only three steps."""
    monkeypatch.setattr(what_if, "LEAST_STEPS", 3)


def received(count: int, **ago: float) -> None:
    for _ in range(count):
        make_attempt(make_llm_step(at=timezone.now() - timedelta(**ago)))


def unasked(**later: float) -> list[WhatIf]:
    what_if.start_unasked(timezone.now() + timedelta(**later))
    return list(WhatIf.objects.order_by("requested_at"))


def tried(fixed: float = 307, auto: float = 412, refusals: tuple[int, int] = (5, 3), **fields: Any) -> WhatIf:
    """A what-if of fixed pacing, in force, against automatic pacing."""
    settings = {name: as_text(getattr(Settings.current(), name)) for name in TRIED}
    before, after = (
        {"steps": 900.0, "llm": float(llm), "edge_429": float(edge)} for llm, edge in zip((fixed, auto), refusals, strict=True)
    )
    values = {"requested_by": what_if.AUTOMATIC, "state": "succeeded", "before": before, "after": after}
    return WhatIf.objects.create(**{**values, "settings": {**settings, "pacing": "auto"}, **fields})


def published(limit: float) -> None:
    pace = Pace(belief=Belief(stated=limit)).as_json()
    Gate.objects.update_or_create(account=default_account(), defaults={"pace": pace, "succeeded_at": time.time()})


def shown(client: Client, place: str = "rate_limit") -> str:
    page = client.get(PLACES[place])
    return text_of(page, OFFER) if tree_of(page).xpath(OFFER) else ""


def test_it_is_in_the_list_of_periodic_jobs() -> None:
    ensure()
    assert "Try the other pacing on the last day" in [row.name for row in schedules()]


def test_the_worker_tries_it_once_enough_steps_were_received(few: None) -> None:
    received(2, hours=1)
    received(5, hours=25)
    assert not unasked()
    received(1, hours=2)
    (row,) = unasked()
    assert (row.requested_by, row.hours, row.settings["pacing"], row.settings["spacing_seconds"]) == ("schedule", 24, "auto", "5")
    assert work(row) and row.state == "succeeded"
    assert row.before and row.after
    assert (row.before["steps"], row.after["steps"]) == (3, 3)


def test_it_is_tried_again_after_hours_or_once_another_setting_has_changed(few: None) -> None:
    received(3, minutes=1)
    (first,) = unasked()
    WhatIf.objects.update(state="failed")
    change({"pacing": "auto"}, by=None, reason="test")
    assert unasked(hours=5) == [first], "both kinds of pacing are compared already"
    change({"spacing_seconds": 2}, by=None, reason="test")
    _, second = unasked()
    assert (second.settings["pacing"], second.settings["spacing_seconds"]) == ("fixed", "2")
    WhatIf.objects.update(state="failed")
    assert len(unasked()) == 2
    assert len(unasked(hours=6, minutes=1)) == 3


def test_while_an_operators_run_is_under_way_none_is_started(few: None) -> None:
    received(3, minutes=1)
    row = what_if.start(hours=1, settings={"spacing_seconds": "2"}, by="ann")
    assert unasked() == [row]


@pytest.mark.parametrize("place", PLACES)
def test_the_gain_is_offered_with_its_figures(place: str, admin: Client) -> None:
    assert not shown(admin, place)
    tried()
    assert shown(admin, place).startswith(f"{BY_RECORDS} Simulated ")
    assert shown(admin, place).endswith("Switch to automatic pacing")


@pytest.mark.parametrize("place", PLACES)
def test_an_admin_switches_with_one_button_and_back_and_audit_has_both(place: str, admin: Client) -> None:
    tried()
    for pacing, name in (("auto", "automatic"), ("fixed", "fixed")):
        tree = tree_of(admin.get(PLACES["rate_limit" if pacing == "fixed" else place]))
        (form,), (button,) = tree.xpath("//form[@id='switch-pacing']"), tree.xpath(f"{OFFER}//button[@form='switch-pacing']")
        sent = {field.get("name"): field.get("value") for field in (*form.xpath(".//input"), button)}
        answer = admin.post(form.get("action"), sent, follow=True)
        assert Settings.current().pacing == pacing
        assert f"Pacing is {name}. This takes effect with the next step." in text_of(answer, "//main") + text_of(answer)
    audit = text_of(admin.get("/audit/"))
    assert f"Switched to automatic pacing from {'Overview' if place == 'overview' else 'Rate limit'}" in audit
    assert "Switched to fixed pacing from Rate limit" in audit
    assert Settings.history.filter(history_user=User.objects.get()).count() == 2


def test_under_automatic_pacing_rate_limit_shows_the_result_of_fixed_pacing(admin: Client) -> None:
    tried()
    change({"pacing": "auto"}, by=None, reason="test")
    assert BACK in shown(admin) and "Switch to fixed pacing" in shown(admin)
    assert not shown(admin, "overview"), "there is nothing to gain"
    WhatIf.objects.all().delete()
    assert "Switch to fixed pacing" in shown(admin)


@pytest.mark.parametrize("place", PLACES)
def test_a_gain_of_fixed_pacing_is_shown_on_both_pages(place: str, admin: Client) -> None:
    tried(fixed=412, auto=307)
    change({"pacing": "auto"}, by=None, reason="test")
    assert "With fixed pacing, 34 % more" in shown(admin, place)


@pytest.mark.parametrize("auto", [200, 307, 312])
def test_a_loss_or_less_than_two_percent_is_no_offer(auto: float, admin: Client) -> None:
    published(240)
    tried(auto=auto)
    assert not shown(admin)


def test_figures_of_other_settings_of_yesterday_or_of_few_steps_are_no_offer(admin: Client) -> None:
    row = tried(requested_at=timezone.now() - timedelta(hours=25))
    assert not shown(admin)
    WhatIf.objects.update(requested_at=timezone.now())
    assert shown(admin)
    change({"spacing_seconds": 4}, by=None, reason="test")
    assert not shown(admin)
    tried(before={**(row.before or {}), "steps": 49.0})
    assert not shown(admin)


def test_an_operators_own_what_if_is_no_offer(admin: Client) -> None:
    tried(requested_by="ann")
    assert not shown(admin)


@pytest.mark.parametrize("place", PLACES)
def test_before_there_are_records_the_published_limit_is_named(place: str, admin: Client) -> None:
    published(60)
    assert shown(admin, place) == ("The provider publishes 60 requests a minute; the spacing uses 12 of them. Switch to automatic pacing")
    change({"spacing_seconds": 2}, by=None, reason="test")
    assert not shown(admin, place), "30 of 60 is half"
    published(0)
    change({"spacing_seconds": 0}, by=None, reason="test")
    assert not shown(admin, place)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("limit", "sentence"), [(5.0, "5 requests a minute; the spacing sends up to 12."), (100.0, "requests a minute; the spacing uses 12.")]
)
def test_a_refused_limit_overrides_the_published_one(limit: float, sentence: str, place: str, admin: Client) -> None:
    weights = tuple(float(place == LIMITS.index(limit)) for place in range(len(PRIOR_OF_COUNTERS) * len(LIMITS)))
    pace = Pace(belief=Belief(weights=weights, at=time.time(), stated=60), source=PaceSource.REFUSED)
    Gate.objects.update_or_create(account=default_account(), defaults={"pace": pace.as_json()})
    assert sentence in shown(admin, place)
    change({"spacing_seconds": 60 / limit}, by=None, reason="test")
    assert not shown(admin, place), "the spacing keeps to the limit"


def test_operators_and_viewers_see_the_sentence_without_the_button(viewer: Client, operator: Client) -> None:
    tried()
    for client in (viewer, operator):
        assert BY_RECORDS in shown(client)
        assert not tree_of(client.get("/rate-limit/")).xpath(f"{OFFER}//button")
        assert client.post("/rate-limit/pacing/", {"pacing": "auto"}).status_code == 403
    assert Settings.current().pacing == "fixed"


def test_an_invalid_pacing_is_ignored(admin: Client) -> None:
    answer = admin.post("/rate-limit/pacing/", {"pacing": "fast", "from": "nowhere"}, follow=True)
    assert "“fast” is no pacing" in text_of(answer)
    assert Settings.current().pacing == "fixed"


def test_rate_limit_shows_the_accounts_use_by_others(viewer: Client) -> None:
    pace = Pace(source=PaceSource.PUBLISHED)
    for n in range(30):
        pace = counted(pace, 100.0 + 3 * n, time.time() // 86_400 * 86_400 + 6 * n)
    Gate.objects.update_or_create(account=default_account(), defaults={"pace": pace.as_json()})
    assert "Others use about 20 a minute beside us." in text_of(viewer.get("/rate-limit/"), "//main")
