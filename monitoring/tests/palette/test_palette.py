"""The command palette without JavaScript: its results by permission."""

import pytest
from django.test import Client

from agents.configuration import default_account
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import make_task

pytestmark = pytest.mark.django_db


def links(client: Client, text: str) -> list[str]:
    return [str(link.get("href")) for link in tree_of(client.get("/palette/", {"go": text})).xpath("//*[@id='palette-results']//a")]


def test_it_finds_pages_tasks_actions_and_settings_by_their_text(admin: Client) -> None:
    account, task = default_account(), make_task(prompt="Find the film Arrival")
    assert links(admin, "llm att") == ["/attempts/"]
    assert links(admin, "arrival film") == [f"/tasks/{task.pk}/"]
    assert links(admin, f"task {task.pk}") == [f"/tasks/{task.pk}/"]
    assert links(admin, "pause default") == [f"/rate-limit/{account.pk}/pause/"]
    assert "/settings/#id_spacing_seconds" in links(admin, "spacing")


def test_without_a_text_it_lists_pages_and_recent_tasks(viewer: Client) -> None:
    make_task()
    page = text_of(viewer.get("/palette/"), "//*[@id='palette-results']")
    assert "Overview" in page and "Search for the film" in page


def test_it_lists_only_permitted_actions(viewer: Client, operator: Client, admin: Client) -> None:
    default_account()
    assert [len(links(client, "probe now")) for client in (viewer, operator, admin)] == [0, 1, 1]
    assert [len(links(client, "new task")) for client in (viewer, operator)] == [0, 1]
    assert [len(links(client, "users")) for client in (operator, admin)] == [0, 1]


@pytest.mark.long
def test_each_address_that_it_offers_is_there(admin: Client) -> None:
    default_account()
    make_task()
    offered = {address for text in ("", "a", "e", "probe", "clear", "pa") for address in links(admin, text)}
    assert len(offered) > 20
    assert {admin.get(address).status_code for address in offered} == {200}


def test_no_results_are_reported_and_secrets_in_prompts_are_masked(admin: Client) -> None:
    key = "sk-" + "a1" * 20
    make_task(prompt=f"Use {key}")
    assert "No results." in text_of(admin.get("/palette/", {"go": "zzz\0"}))
    assert key not in admin.get("/palette/").content.decode()
