"""Overview: the state, the figures, the latest steps."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from agents.configuration import default_account
from agents.configuration.account_changes import change_account
from agents.models import Account, Gate, RateLimitEvent, Source
from monitoring.tests.reading import HTMX, rows_of, text_of, tree_of
from monitoring.tests.records import make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db


def test_a_pause_is_counted_down(viewer: Client) -> None:
    account, now = default_account(), timezone.now()
    change_account(account, {"model_names": ["a/model"]}, key="cpk_made.up.key", by=None, reason="")
    Gate.objects.create(account=account, strikes=2, paused_at=now.timestamp(), paused_until=now.timestamp() + 192.9)
    RateLimitEvent.objects.create(
        account=account,
        refusal="edge",
        strike=2,
        pause_seconds=120,
        pause_source="ladder",
        started_at=now,
        predicted_at=now,
        prediction_source="ladder",
        block_started_at=now,
    )
    make_attempt(make_step(at=now))
    response = viewer.get("/")
    sentence = text_of(response, "//*[@class='state-sentence']")
    assert sentence.startswith("Answering. LLM paused for 3 min 1")
    assert sentence.endswith("rate limit, our own backoff, pause 2 of 4.")
    assert tree_of(response).xpath("//*[@class='state-sentence']/time/@data-show") == ["countdown"]


def test_which_of_several_accounts_is_meant_is_shown(viewer: Client) -> None:
    default_account()
    assert "Account default" not in text_of(viewer.get("/"), "//section[@aria-label='Status']")
    Account.objects.create(name="second", position=2)
    assert "Account default, of 2" in text_of(viewer.get("/"), "//section[@aria-label='Status']")


def test_the_latest_steps_show_route_and_reason(viewer: Client) -> None:
    now = timezone.now()
    make_llm_step(at=now - timedelta(seconds=9))
    make_step(at=now, duration_ms=4.2)
    rows = rows_of(viewer.get("/", headers=HTMX))
    assert "Template The account is paused. 4.2 ms" in rows[0]
    assert "LLM The LLM answered. 2.00 s" in rows[1]


def test_an_active_step_is_shown_as_running(viewer: Client) -> None:
    make_open_step(at=timezone.now())
    assert "Under way" in text_of(viewer.get("/", headers=HTMX), "//tbody/tr")


def test_the_source_of_a_task_is_shown_unless_it_is_a_validator(viewer: Client) -> None:
    make_step(make_task(source=Source.OPERATOR), at=timezone.now())
    assert "Operator" in text_of(viewer.get("/", headers=HTMX), "//tbody/tr")


def test_the_figures_are_on_the_page(viewer: Client) -> None:
    make_llm_step(at=timezone.now())
    make_step(at=timezone.now())
    figures = text_of(viewer.get("/?range=1h"), "//*[@class='figure-cards']")
    assert "Steps answered 2" in figures
    assert "LLM share 50 %" in figures


def test_a_bar_links_to_its_steps(viewer: Client) -> None:
    make_step(make_task(prompt="The one", at=timezone.now() - timedelta(minutes=20)), at=timezone.now() - timedelta(minutes=20))
    make_step(make_task(prompt="Another", at=timezone.now()), at=timezone.now())
    bars = tree_of(viewer.get("/?range=1h")).xpath("//*[@id='figures-table']//tbody/tr[td[3]='1']/td/a/@href")
    assert [("The one" in text_of(viewer.get(bar)), "Another" in text_of(viewer.get(bar))) for bar in bars] == [
        (False, True),
        (True, False),
    ]


def test_the_figures_renew_themselves_for_their_range(viewer: Client) -> None:
    part = tree_of(viewer.get("/?range=7d")).get_element_by_id("figures")
    assert (part.get("hx-get"), part.get("hx-trigger")) == ("/figures/?range=7d", "tick from:body throttle:10s")
    assert tree_of(viewer.get("/?range=7d")).xpath("//nav[@aria-label='Range']/a[@aria-current]/text()") == ["7 d"]


def test_the_live_part_leaves_the_figures_alone(viewer: Client) -> None:
    part = html.fragment_fromstring(viewer.get("/", headers=HTMX).content.decode())
    assert part.xpath("//*[@id='figures'][@data-keep]") and not part.xpath("//*[@id='charts']")


def test_a_range_that_cannot_be_read_is_named(viewer: Client) -> None:
    page = viewer.get("/?since=soon")
    assert page.status_code == 200
    assert "From is not applied, so the last 24 hours are shown." in text_of(page, "//*[@id='figures']")


def test_an_empty_panel_explains_its_parts(viewer: Client, operator: Client) -> None:
    assert "Steps appear here within two seconds" in text_of(viewer.get("/"))
    assert "Create a task" not in text_of(viewer.get("/"))
    assert "Create a task" in text_of(operator.get("/"))


def test_a_prompt_is_shown_as_text(viewer: Client) -> None:
    make_step(make_task(prompt="<script>alert(1)</script>"))
    assert b"<script>alert" not in viewer.get("/").content


def test_the_panel_refreshes_itself(viewer: Client) -> None:
    part = tree_of(viewer.get("/")).get_element_by_id("overview")
    assert (part.get("hx-get"), part.get("hx-trigger")) == ("/", "tick from:body")
