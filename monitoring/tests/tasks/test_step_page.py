"""The changes on a step's page since the previous step."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.contract.protocol import Form
from agents.contract.protocol import Step as Asked
from agents.hybrid.page_archive import packed
from agents.models import Step, StepPage
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import make_step

pytestmark = pytest.mark.django_db

LOGIN = "http://localhost:8000/login?seed=58"
FORM = "<html><body><h1>Log in</h1><form><input name='user' placeholder='User'><button>Log in</button></form>{}</body></html>"


def keep(step: Step, html: str, url: str = LOGIN) -> None:
    request = Asked("/step", Form.STEP, "t", "Log in", url, html)
    StepPage.objects.create(step=step, gz=packed(request), kept_until=timezone.now() + timedelta(days=7))


def two_steps(before: str, after: str, url: str = LOGIN) -> Step:
    first = make_step(index=0)
    second = make_step(first.task, index=1, at=first.received_at + timedelta(seconds=3))
    keep(first, before)
    keep(second, after, url)
    return second


def shown(client: Client, step: Step) -> str:
    return text_of(client.get(f"/steps/{step.pk}/page/"), "//main")


def test_a_new_error_on_the_page_is_listed(viewer: Client) -> None:
    changes = shown(viewer, two_steps(FORM.format(""), FORM.format("<p class='error'>Invalid password cpk_0123456789abcdef0123</p>")))
    assert "Actions of step 0" in changes and "Open http://localhost:8000/?seed=58" in changes
    assert "New errors on the page" in changes and "Invalid password" in changes
    assert "cpk_0123456789abcdef0123" not in changes


def test_navigation_and_appeared_and_gone_texts_are_listed(viewer: Client) -> None:
    after = "<html><body><h1>Films</h1><a href='/films/1'>Salt</a></body></html>"
    changes = shown(viewer, two_steps(FORM.format(""), after, "http://localhost:8000/films?seed=58"))
    assert "The browser went to http://localhost:8000/films?seed=58" in changes
    came, went = changes.index("Appeared"), changes.index("Gone")
    assert "Salt" in changes[came:went] and "Log in" in changes[went:]


def test_a_page_that_comes_with_an_answer_under_way_is_not_called_gone(viewer: Client) -> None:
    step = two_steps(FORM.format(""), FORM.format(""))
    StepPage.objects.filter(step=step).delete()
    assert "The page of step 1 is not kept" in shown(viewer, step)
    Step.objects.filter(pk=step.pk).update(answered_at=None, route="", reason="")
    assert "Step 1 is not answered yet: its page is stored with the answer." in shown(viewer, step)


def test_a_dialog_that_opened_is_named(viewer: Client) -> None:
    dialog = "<div role='dialog' aria-modal='true' aria-label='Share this film'><button>Send</button></div>"
    assert "A dialog opened: Share this film." in shown(viewer, two_steps(FORM.format(""), FORM.format(dialog)))
    assert "A dialog closed." in shown(viewer, two_steps(FORM.format(dialog), FORM.format("")))


def test_actions_without_any_effect_are_called_that(viewer: Client) -> None:
    changes = shown(viewer, two_steps(FORM.format(""), FORM.format("")))
    assert "No visible change." in changes
    assert "Appeared" not in changes


def test_a_page_that_is_not_kept_and_a_first_step_are_reported(viewer: Client) -> None:
    second = two_steps(FORM.format(""), FORM.format(""))
    StepPage.objects.filter(step=second).update(kept_until=timezone.now())
    assert "The page of step 1 is not kept" in shown(viewer, second)
    first = second.task.steps.order_by("pk")[0]
    assert "This is the task's first step" in shown(viewer, first)
    assert viewer.get("/steps/999999/page/").status_code == 404


def test_the_task_page_links_to_it_from_the_second_step_on(viewer: Client) -> None:
    first = make_step(index=0, page_excerpt="Films")
    second = make_step(first.task, index=1, at=first.received_at + timedelta(seconds=3), page_excerpt="Films")
    links = tree_of(viewer.get(f"/tasks/{first.task_id}/")).xpath("//a[contains(@href, '/page/')]/@href")
    assert links == [f"/steps/{second.pk}/page/"]
