"""New task: an operator's input is queued."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.hybrid import dry_run
from agents.models import Source, Submission, Task
from agents.operator_jobs import leased_job
from agents.tests.queue_of_jobs import work
from monitoring.tests.reading import element_text, rows_of, text_of, tree_of

pytestmark = pytest.mark.django_db

GOOD = {"prompt": "Search for <username>", "url": "http://localhost:9000/?seed=58", "page": "<html> </html>\n"}


def test_a_task_is_queued_and_its_page_shown(operator: Client) -> None:
    response = operator.post("/tasks/new/", GOOD)
    submission = Submission.objects.get()
    assert response["Location"] == f"/tasks/{submission.task_id}/"
    assert (submission.task.prompt, submission.task.url, submission.task.source) == (GOOD["prompt"], GOOD["url"], Source.OPERATOR)
    assert (submission.requested_by, submission.state) == ("one-of-operators", Submission.State.QUEUED)
    assert "<html> </html>" in submission.page


@pytest.mark.parametrize("url", ["", "ftp://x/", "localhost:8000", "http://", "http://a b/", "javascript:alert(1)", "http://[::1"])
def test_an_address_that_is_none_is_refused_with_the_remedy(url: str, operator: Client) -> None:
    response = operator.post("/tasks/new/", {**GOOD, "url": url})
    assert response.status_code == 200
    assert text_of(response, "//*[@id='id_url_error']")
    assert not Task.objects.exists()


def test_a_prompt_is_required_and_other_input_is_kept(operator: Client) -> None:
    response = operator.post("/tasks/new/", {**GOOD, "prompt": " "})
    assert text_of(response, "//*[@id='id_prompt_error']") == "This field is required."
    assert GOOD["url"] in response.content.decode()


def test_the_page_is_optional(operator: Client) -> None:
    operator.post("/tasks/new/", {**GOOD, "page": ""})
    assert Submission.objects.get().page == ""


def test_a_task_that_waits_is_cancelled_and_never_answered(operator: Client) -> None:
    address = operator.post("/tasks/new/", GOOD)["Location"]
    tree = tree_of(operator.get(address))
    assert tree.xpath("//button[@form='cancel']")[0].text_content() == "Cancel"
    (form,) = tree.xpath("//form[@id='cancel']")
    page = operator.post(form.get("action"), follow=True)
    assert "Cancelled" in text_of(page, "//dl")
    assert not tree_of(page).xpath("//button[@form='cancel']")
    submission = Submission.objects.get()
    leased_job.dispatch(timezone.now() + timedelta(days=1))
    assert not work(submission)
    assert not submission.task.steps.exists()
    assert "Cancelled" in rows_of(operator.get("/tasks/"))[0]


def test_a_task_that_a_worker_has_is_answered_all_the_same(operator: Client, viewer: Client) -> None:
    address = operator.post("/tasks/new/", GOOD)["Location"]
    assert not tree_of(viewer.get(address)).xpath("//*[@form='cancel'] | //form[@id='cancel']")
    Submission.objects.update(state=Submission.State.RUNNING)
    assert "A worker has already started this task" in text_of(operator.post(f"{address}cancel/", follow=True))
    assert Submission.objects.get().state == Submission.State.RUNNING


PAGE = '<html><body><form action="/search"><input name="query" aria-label="Search"><button>Go</button></form></body></html>'


@pytest.mark.parametrize(("form", "first"), [("step", "1. Type"), ("one_shot", "1. Open http://localhost:9000/?seed=58")])
def test_a_try_shows_understanding_candidates_and_plan_and_queues_nothing(form: str, first: str, operator: Client) -> None:
    response = operator.post("/tasks/new/", {**GOOD, "prompt": "Search for 'Salt'", "page": PAGE, "form": form, "try": "1"})
    text = text_of(response, "//*[@id='trial']")
    assert "Search: “Salt”" in text
    assert "Elements: 2. Fields: 1. Links and buttons: 1" in text
    assert f"Template: {'search' if form == 'step' else 'search, all at once'}" in text
    assert "Confidence " in text
    actions = [element_text(item) for item in tree_of(response).xpath("//*[@id='trial']//ol/li")]
    assert f"1. {actions[0]}".startswith(first)
    assert '"Salt"' in text_of(response, "//*[@id='trial-json-text']")
    assert not Task.objects.exists()


def test_choices_begin_like_sentences(operator: Client) -> None:
    choices = [element_text(choice) for choice in tree_of(operator.get("/tasks/new/")).xpath("//select[@name='form']/option")]
    assert choices == ["The whole plan at once", "The first step"]


def test_a_try_with_invalid_input_shows_the_remedy_and_no_plan(operator: Client) -> None:
    response = operator.post("/tasks/new/", {**GOOD, "url": "nowhere", "try": "1"})
    assert text_of(response, "//*[@id='id_url_error']")
    assert not tree_of(response).xpath("//*[@id='trial']")


def test_if_the_template_agent_fails_a_try_shows_that(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("tripped")

    monkeypatch.setattr(dry_run, "plan", fail)
    assert "The log has the traceback" in text_of(operator.post("/tasks/new/", {**GOOD, "try": "1"}))
