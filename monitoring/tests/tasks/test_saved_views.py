"""Saved views of lists: own and shared ones."""

import pytest
from django.test import Client

from monitoring.models import SavedView
from monitoring.tasks.saved_views import MOST
from monitoring.tests.reading import text_of, tree_of

pytestmark = pytest.mark.django_db

LATE = {"name": "Late ones", "q": "state:late since:24h", "sort": "oldest"}


def names(client: Client, page: str) -> list[str]:
    return [str(link.text) for link in tree_of(client.get(page)).xpath("//nav[@aria-label='Saved views']/a")]


@pytest.mark.parametrize("page", ["tasks", "steps", "attempts"])
def test_a_view_keeps_filter_and_order_of_its_page(page: str, viewer: Client) -> None:
    saved = viewer.post(f"/{page}/views/", LATE)
    assert saved["Location"] == f"/{page}/?q=state%3Alate+since%3A24h&sort=oldest"
    assert names(viewer, f"/{page}/") == ["Late ones"]
    assert [names(viewer, f"/{other}/") for other in ("tasks", "steps", "attempts") if other != page] == [[], []]


def test_the_form_has_the_shown_filter(viewer: Client) -> None:
    tree = tree_of(viewer.get("/steps/", {"q": 'route:llm "a b"', "sort": "longest"}))
    assert tree.xpath("//details[@id='saved-views']//input[@name='q']/@value") == ['route:llm "a b"']
    assert tree.xpath("//details[@id='saved-views']//input[@name='sort']/@value") == ["longest"]


def test_others_see_only_shared_views(viewer: Client, operator: Client) -> None:
    viewer.post("/tasks/views/", LATE)
    viewer.post("/tasks/views/", {**LATE, "name": "For all", "is_shared": "on"})
    assert names(operator, "/tasks/") == ["For all"]
    assert "Delete" not in text_of(operator.get("/tasks/"), "//details[@id='saved-views']")


def test_a_user_deletes_own_views_and_an_admin_all(viewer: Client, operator: Client, admin: Client) -> None:
    viewer.post("/tasks/views/", {**LATE, "is_shared": "on"})
    address = f"/views/{SavedView.objects.get().pk}/delete/"
    operator.post(address)
    assert SavedView.objects.exists()
    admin.post(address)
    assert not SavedView.objects.exists()
    assert "no such view" in text_of(admin.post(address, follow=True))


def test_a_view_of_the_same_name_is_replaced_and_their_number_is_bounded(viewer: Client) -> None:
    viewer.post("/tasks/views/", LATE)
    viewer.post("/tasks/views/", {**LATE, "q": "route:llm"})
    assert SavedView.objects.get().query == "route:llm"
    for number in range(MOST):
        viewer.post("/tasks/views/", {**LATE, "name": f"{number}"})
    assert SavedView.objects.count() == MOST
    assert "Delete one first" in text_of(viewer.post("/tasks/views/", {**LATE, "name": "more"}, follow=True))


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "a" * 41}, {"q": "a" * 1_001}, {"sort": "best"}])
def test_an_invalid_view_is_reported(wrong: dict[str, str], viewer: Client) -> None:
    assert "was not saved" in text_of(viewer.post("/tasks/views/", {**LATE, **wrong}, follow=True))
