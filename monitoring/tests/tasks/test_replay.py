"""Replay: a step is answered again, and both answers are shown side by side."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from agents.configuration import default_account
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Asked
from agents.hybrid.page_archive import packed
from agents.models import LLMAttempt, Replay, Step, StepPage
from agents.operator_jobs import leased_job
from agents.policy.reasons import Purpose, Verdict
from agents.tests.queue_of_jobs import work
from monitoring.tests.reading import HTMX, text_of, tree_of
from monitoring.tests.records import ACTIONS, make_attempt, make_llm_step

pytestmark = pytest.mark.django_db

NOW = timezone.now()
PAGE = "<html><body><a href='/films'>Films of cpk_abcdef</a></body></html>"
WAIT = {"type": "WaitAction", "time_seconds": 1}


def make_kept(until: timedelta = timedelta(days=7)) -> Step:
    step = make_llm_step(actions=[*ACTIONS, WAIT])
    request = Asked("/step", Form.STEP, "t", "Search for the film", "http://localhost:8000/?seed=58", PAGE)
    StepPage.objects.create(step=step, gz=packed(request), kept_until=NOW + until)
    return step


def make_replay(step: Step, **fields: Any) -> Replay:
    values = {"requested_by": "ann", "requested_at": NOW, "state": Replay.State.SUCCEEDED, "way": Replay.Way.TEMPLATE}
    done = {"route": "template", "reason": "mode", "duration_ms": 12.0, "actions": ACTIONS}
    return Replay.objects.create(step=step, **{**values, **done, **fields})


def test_an_operator_chooses_a_model_and_sees_the_replay_queued(operator: Client, settings: Any) -> None:
    settings.CHUTES_MODELS = ("some/model",)
    step, account = make_kept(), default_account()
    address = f"/steps/{step.pk}/replay/"
    assert "some/model" in text_of(operator.get(address), "//select[@name='who']")
    response = operator.post(address, {"who": f"{account.pk}:some/model", "deadline_seconds": "12.5"})
    assert response["Location"] == address
    replay = Replay.objects.get()
    assert (replay.way, replay.account, replay.model, replay.deadline_seconds) == ("model", account, "some/model", 12.5)
    assert (replay.requested_by, OrmQ.objects.count()) == ("one-of-operators", 1)
    assert "some/model of default" in text_of(operator.get(address, headers=HTMX))
    assert "Queued. The answer appears here" in text_of(operator.get(address, headers=HTMX))


def test_a_second_one_is_not_begun_while_one_is_under_way(operator: Client) -> None:
    step = make_kept()
    make_replay(step, state=Replay.State.RUNNING)
    response = operator.post(f"/steps/{step.pk}/replay/", {"who": "as_set", "deadline_seconds": "12"}, follow=True)
    assert "Another replay of this step is running" in text_of(response)
    assert Replay.objects.count() == 1


@pytest.mark.parametrize(
    ("entered", "remedy"),
    [
        ({"who": "nobody"}, "Select a valid choice"),
        ({"who": "999:x"}, "Select a valid choice"),
        ({"deadline_seconds": "nan"}, "Enter a number"),
        ({"deadline_seconds": "600"}, "less than or equal to 35"),
        ({"deadline_seconds": ""}, "This field is required"),
    ],
)
def test_an_invalid_replay_is_refused_with_the_remedy(entered: dict[str, str], remedy: str, operator: Client) -> None:
    response = operator.post(f"/steps/{make_kept().pk}/replay/", {"who": "template", "deadline_seconds": "25", **entered})
    assert response.status_code == 200
    assert remedy in text_of(response)
    assert not Replay.objects.exists()


def test_one_that_waits_is_cancelled_and_never_answered(operator: Client, viewer: Client) -> None:
    step = make_kept()
    address = f"/steps/{step.pk}/replay/"
    operator.post(address, {"who": "template", "deadline_seconds": "12"})
    assert not tree_of(viewer.get(address)).xpath("//*[@form='cancel'] | //form[@id='cancel']")
    (button,) = tree_of(operator.get(address)).xpath("//button[@form='cancel']")
    page = operator.post(button.get("formaction"), follow=True)
    assert "Cancelled." in text_of(page, "//*[@id='replays']")
    assert not tree_of(page).xpath("//button[@form='cancel']")
    replay = Replay.objects.get()
    leased_job.dispatch(NOW + timedelta(days=1))
    assert not work(replay)
    assert (replay.state, Replay.objects.get().state) == ("cancelled", "cancelled")
    assert operator.post(address, {"who": "template", "deadline_seconds": "12"}) and Replay.objects.count() == 2, "another can be started"


def test_one_that_a_worker_has_ends_by_itself(operator: Client) -> None:
    replay = make_replay(make_kept(), state=Replay.State.RUNNING)
    assert not tree_of(operator.get(f"/steps/{replay.step_id}/replay/")).xpath("//button[@form='cancel']")
    assert "A worker has already started this replay" in text_of(operator.post(f"/replays/{replay.pk}/cancel/", follow=True))
    assert Replay.objects.get().state == "running"


def test_both_answers_are_shown_side_by_side_with_differences(viewer: Client) -> None:
    step = make_kept()
    make_attempt(step, prompt_tokens=2000, completion_tokens=100, cost=Decimal("0.000200"))
    replay = make_replay(step)
    sent = {"account": default_account(), "number": 1, "decided_at": NOW, "slot_at": NOW, "cut_off_at": NOW, "ended_at": NOW}
    for tokens, verdict in ((10, Verdict.INVALID), (20, Verdict.OK)):
        more = {"verdict": verdict, "model": "new/model", "prompt_tokens": tokens, "completion_tokens": 1, "cost": Decimal("0.1")}
        replay.attempts.add(LLMAttempt.objects.create(purpose=Purpose.TEST, **sent, **more))
    response = viewer.get(f"/steps/{step.pk}/replay/")
    assert "The answers differ: 1 of 2 actions then, 0 of 1 now." in text_of(response)
    then, now = text_of(response, "//*[@aria-label='Then']"), text_of(response, "//*[@aria-label='Now']")
    assert "LLM" in then
    assert "a/model 2.00 s 2,000 + 100 tokens 0.000200 USD" in then
    assert "new/model 12 ms 30 + 2 tokens 0.200000 USD" in now
    assert tree_of(response).xpath("//*[@aria-label='Then']//li/span[@class='differs']/text()") == ["Wait 1 s"]
    assert not tree_of(response).xpath("//*[@aria-label='Now']//*[@class='differs']")


def test_equal_answers_are_reported_as_equal(viewer: Client) -> None:
    step = make_kept()
    replay = make_replay(step, actions=step.actions)
    assert "The same answer." in text_of(viewer.get(f"/steps/{step.pk}/replay/"))
    Replay.objects.filter(pk=replay.pk).update(done=True)
    assert "Now it reports that the task is done." in text_of(viewer.get(f"/steps/{step.pk}/replay/"))


def test_the_prompt_is_there_to_copy_without_secrets(viewer: Client) -> None:
    prompt = text_of(viewer.get(f"/steps/{make_kept().pk}/replay/"), "//*[@id='replay-prompt-text']")
    assert "Search for the film" in prompt
    assert "Films of [secret]" in prompt
    assert "cpk_" not in prompt


def test_a_page_that_is_not_kept_is_reported_and_no_request_is_sent(operator: Client) -> None:
    step = make_kept(until=timedelta(seconds=-1))
    address = f"/steps/{step.pk}/replay/"
    response = operator.get(address)
    assert "The page of this step is not kept" in text_of(response)
    assert not tree_of(response).xpath("//main//form")
    assert operator.post(address, {"who": "template", "deadline_seconds": "25"}).status_code == 200
    assert not Replay.objects.exists()


def test_a_viewer_sees_the_result_but_no_form(viewer: Client) -> None:
    step = make_kept()
    address = f"/steps/{step.pk}/replay/"
    assert "Operators can replay it." in text_of(viewer.get(address))
    make_replay(step, state=Replay.State.FAILED, fault="Nothing was sent.")
    assert "Nothing was sent." in text_of(viewer.get(address))
    assert not tree_of(viewer.get(address)).xpath("//main//form")


def test_the_task_page_links_there(viewer: Client) -> None:
    step = make_kept()
    assert tree_of(viewer.get(f"/tasks/{step.task_id}/")).xpath("//a[text()='Replay this step']/@href") == [f"/steps/{step.pk}/replay/"]


def test_a_step_that_is_not_there_is_a_404(viewer: Client) -> None:
    assert viewer.get("/steps/4711/replay/").status_code == 404
    assert viewer.get(f"/steps/{'9' * 60}/replay/").status_code == 404
