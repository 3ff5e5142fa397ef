"""Callers: their last call, the number of calls and the kinds of answers."""

from datetime import UTC, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.configuration import change, default_account
from agents.models import Caller, DailyUse, Settings, UnknownCall
from agents.policy.modes import CallerState
from monitoring.tasks import callers as stats
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import NOW

pytestmark = pytest.mark.django_db


def make_caller(address: str, ago: int = 0, **counts: int) -> None:
    seen_at = NOW - timedelta(seconds=ago)
    Caller.objects.create(address=address, first_seen_at=seen_at, last_seen_at=seen_at, **counts)


def test_a_caller_is_shown_with_its_counts_and_its_share_of_today(viewer: Client) -> None:
    make_caller("203.0.113.7", steps=1_200, llm_steps=300, late_steps=2)
    today = timezone.now().astimezone(UTC).date()
    DailyUse.objects.create(day=today, caller="203.0.113.7", attempts=30, usd=0.125)
    DailyUse.objects.create(day=today, caller="203.0.113.8", attempts=10, usd=1)
    DailyUse.objects.create(day=today - timedelta(days=1), caller="203.0.113.7", attempts=500, usd=9)
    DailyUse.objects.create(day=today, account=default_account(), attempts=41, usd=1.2)
    text = text_of(viewer.get("/callers/"))
    assert "203.0.113.7 at 4 May 12:00:00 UTC 4 May 12:00:00 UTC 1,200 300 · 25 % 2 30 · 75 % 0.13 Other: gets what is left" in text
    assert "No caller is allowed yet" in text


def test_the_state_of_each_caller_is_shown(viewer: Client) -> None:
    change({"allowed_callers": ["10.0.0.0/8"], "blocked_callers": ["203.0.113.0/24"]}, by=None, reason="")
    for ago, address in enumerate(("10.1.2.3", "203.0.113.7", "198.51.100.1")):
        make_caller(address, ago=ago)
    response = viewer.get("/callers/")
    states = tree_of(response).xpath("//tbody/tr/td[9]/span/text()")
    assert states == ["Allowed", "Blocked: template only", "Other: gets what is left"]
    assert "Served first: 10.0.0.0/8." in text_of(response)
    assert "Blocked, template only: 203.0.113.0/24." in text_of(response)
    assert not tree_of(response).xpath("//tbody//button")


def test_an_admin_allows_blocks_and_resets_a_caller_with_one_click(admin: Client) -> None:
    make_caller("203.0.113.7")
    for click, state in (("Allow", "allowed"), ("Block", "blocked"), ("Reset", "other")):
        (button,) = tree_of(admin.get("/callers/")).xpath(f"//tbody//button[text()='{click}']")
        answer = admin.post(button.get("formaction"), {button.get("name"): button.get("value")}, follow=True)
        settings = Settings.current()
        assert settings.caller_state("203.0.113.7") == state
        assert f"203.0.113.7: {CallerState(state).sentence}." in text_of(answer)
    assert (settings.allowed_callers, settings.blocked_callers) == ([], [])
    text = text_of(admin.get("/audit/"))
    assert text.count("Callers page") == 3
    assert "Allowed callers none → 203.0.113.7" in text


def test_a_network_that_goes_on_to_hold_is_named(admin: Client) -> None:
    change({"blocked_callers": ["203.0.113.0/24"]}, by=None, reason="")
    make_caller("203.0.113.7")
    pk = Caller.objects.get().pk
    assert "A network in the settings overrides it." in text_of(admin.post(f"/callers/{pk}/", {"state": "other"}, follow=True))
    assert "Choose Allow, Block or Reset." in text_of(admin.post(f"/callers/{pk}/", {"state": "friend"}, follow=True))


def test_callers_are_listed_by_their_last_call_in_pages(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 1)
    make_caller("203.0.113.1", ago=60)
    make_caller("2001:db8::1")
    tree = tree_of(viewer.get("/callers/"))
    assert tree.xpath("//tbody/tr/td[1]/text()") == ["2001:db8::1"]
    (older,) = tree.xpath("//a[@rel='next']/@href")
    assert tree_of(viewer.get(older)).xpath("//tbody/tr/td[1]/text()") == ["203.0.113.1"]


def test_without_callers_the_page_explains_itself(viewer: Client) -> None:
    assert "Callers appear here with their first step." in text_of(viewer.get("/callers/"))


def test_unknown_paths_are_shown_with_probable_tasks_first(viewer: Client) -> None:
    for ago, (path, is_task) in enumerate((("/wp/login.php", False), ("/find_plan", True), ("", False))):
        at = NOW - timedelta(seconds=ago)
        UnknownCall.objects.create(method="POST" if path else "", path=path, is_task=is_task, calls=7, first_seen_at=at, last_seen_at=at)
    rows = [" ".join(row.text_content().split()) for row in tree_of(viewer.get("/callers/")).xpath("//tr[starts-with(@id, 'unknown-')]")]
    assert [row.split(" at ")[0] for row in rows] == ["POST /find_plan", "POST /wp/login.php", "All other paths"]
    assert rows[0].endswith("7 Probably a task")
