"""The page of a task."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from agents.configuration import default_account
from agents.contract.action_history import Outcome
from agents.models import Account, Source, Submission
from agents.policy.modes import Use
from agents.policy.reasons import Reason, Verdict
from agents.policy.refusals import RefusalClass
from monitoring.tasks import task_detail as stats
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import ACTIONS, NOW, make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db


def page(client: Client, pk: int) -> str:
    return text_of(client.get(f"/tasks/{pk}/"))


def test_a_step_shows_its_decision_and_the_settings_in_force(viewer: Client) -> None:
    step = make_step(reason=Reason.PAUSED, retry_at=NOW + timedelta(minutes=2))
    text = page(viewer, step.task_id)
    assert "The account is paused." in text
    assert "Next possible at 4 May 12:02:00 UTC" in text
    assert "Deadline 4 May 12:00:23 UTC" in text
    assert "Spacing 5 s" in text
    assert "Backoff 60, 120 s" in text
    assert "Mode Hybrid: LLM, else template" in text


def test_settings_in_force_are_repeated_only_if_they_changed(viewer: Client) -> None:
    task = make_task()
    for index, spacing in enumerate((5.0, 5.0, 7.0)):
        make_step(task, index=index, limits={"spacing_seconds": spacing})
    text = [text_of(viewer.get(f"/tasks/{task.pk}/"), f"//section[@aria-label='Step {index}']") for index in range(3)]
    assert ["Spacing 5 s" in step for step in text] == [True, False, False]
    assert "Settings in force Same as in the previous step." in text[1]
    assert "Spacing 7 s" in text[2]


def test_a_step_shows_the_outcome_of_its_actions_with_the_callers_error(viewer: Client) -> None:
    task = make_task(kind="open an item")
    make_step(task, actions=ACTIONS * 3, outcome="partly", worked=[True, False, None], caller_error="Timeout: Bearer abcdefghijkl")
    text = page(viewer, task.pk)
    assert "Understood as Open an item" in text
    assert (
        f"Actions sent {Outcome.PARTLY.sentence} Open http://localhost:8000/?seed=58 executed Open http://localhost:8000/?seed=58 failed Open"
        in text
    )
    assert "The caller reported: Timeout: Bearer [secret]" in text
    assert "not reported" not in text


def test_a_step_shows_actions_with_labels_and_effects_and_those_not_sent(viewer: Client) -> None:
    task = make_task()
    seen = ['click checkbox "Select" in item "Report"', ""]
    make_step(task, actions=ACTIONS * 2, words=seen, effect="1 checked, new button Archive", notes=["No element 99 on the page."])
    text = page(viewer, task.pk)
    assert (
        'Actions sent click checkbox "Select" in item "Report" Open http://localhost:8000/?seed=58 → 1 checked, new button Archive' in text
    )
    assert "Not sent of the model's reply No element 99 on the page." in text


def test_without_a_later_step_the_outcome_is_not_reported(viewer: Client) -> None:
    assert "Outcome not reported yet" in page(viewer, make_step().task_id)


def test_all_attempts_are_listed(viewer: Client) -> None:
    step = make_llm_step()
    make_attempt(
        step,
        number=1,
        model="full/model",
        verdict=Verdict.REFUSED,
        refusal=RefusalClass.CAPACITY,
        status=429,
        detail="Infrastructure is at maximum capacity",
        latency_ms=85.0,
        wait_ms=3.0,
    )
    make_attempt(
        step,
        number=2,
        lease=NOW.timestamp(),
        decided_at=NOW + timedelta(seconds=1.25),
        prompt_tokens=2133,
        completion_tokens=187,
        cost=Decimal("0.000213"),
        reply="the reply",
    )
    text = page(viewer, step.task_id)
    assert "1. full/model +4.0 ms 3.0 ms 85 ms Refused 429" in text
    assert "The model is full for all users. Your account and key are not limited. Infrastructure is at maximum capacity" in text
    assert "2. a/model Probe +1.25 s 1.00 s 1.00 s Usable plan 200 2,133 + 187 0.000213 USD" in text
    assert "the reply" in text


def test_unknown_values_are_shown_as_unknown(viewer: Client) -> None:
    step = make_step(reason=Reason.MISSED)
    make_attempt(step, verdict=Verdict.GIVEN_UP, status=None, sent_at=None, latency_ms=None)
    assert "1.00 s – Slot given up, nothing sent – –" in page(viewer, step.task_id)


def test_actions_are_shown_as_text_and_as_json(viewer: Client) -> None:
    step = make_step(actions=[*ACTIONS, {"type": "FromTheFuture", "x": 1}])
    response = viewer.get(f"/tasks/{step.task_id}/")
    assert [item.text for item in tree_of(response).xpath("//ol/li")] == ["Open http://localhost:8000/?seed=58", "FromTheFuture"]
    assert '"url": "http://localhost:8000/?seed=58"' in text_of(response, f"//*[@id='step-{step.pk}-json-text']")


def test_a_step_that_was_answered_at_once_because_the_miner_was_busy_shows_the_reason(viewer: Client) -> None:
    assert Reason.BUSY.sentence in page(viewer, make_step(reason=Reason.BUSY).task_id)


def test_the_page_excerpt_is_folded_and_shown_as_text(viewer: Client) -> None:
    step = make_step(page_excerpt="<b>Films</b>", page_bytes=2_500)
    tree = tree_of(viewer.get(f"/tasks/{step.task_id}/"))
    (fold,) = tree.xpath(f"//details[@id='step-{step.pk}-page' and not(@open)]")
    assert fold.text_content().split() == ["Page", "excerpt,", "of", "2.5", "kB<b>Films</b>"]


def test_a_fault_shows_its_traceback(viewer: Client) -> None:
    assert "ZeroDivisionError" in page(viewer, make_step(fault="ZeroDivisionError", reason=Reason.FAULT).task_id)


def test_the_template_agents_confidence_is_shown_with_reason_and_settings(viewer: Client) -> None:
    limits = {"llm_use": "when_unsure", "sure_from": 0.8, "max_task_usd": 0.05}
    step = make_step(reason=Reason.SURE, confidence=0.95, confidence_why="The task is understood.", limits=limits)
    text = page(viewer, step.task_id)
    assert "The template agent was sure enough" in text
    assert "Template's confidence 0.95. The task is understood." in text
    assert f"LLM is used {Use.WHEN_UNSURE.sentence} Confident from 0.8 Cost of a task 0.05 USD" in text
    assert "Template's confidence" not in page(viewer, make_step().task_id)


def test_a_late_step_and_one_without_an_answer_are_named(viewer: Client) -> None:
    assert "Template, late" in page(viewer, make_step(duration_ms=25_000).task_id)
    assert "No answer on record" in page(viewer, make_open_step().task_id)


def test_an_operators_task_shows_its_state(viewer: Client) -> None:
    task = make_task(source=Source.OPERATOR)
    submission = Submission.objects.create(task=task, requested_by="ann", enqueued_at=NOW)
    assert "Queued. The answer appears here." in page(viewer, task.pk)
    submission.state = Submission.State.RUNNING
    submission.save()
    assert "Running. The answer appears here" in page(viewer, task.pk)
    submission.state = Submission.State.SUCCEEDED
    submission.save()
    make_step(task)
    text = page(viewer, task.pk)
    assert "Operator, ann" in text
    assert "State Succeeded" in text
    assert "Actions sent" in text


def test_a_task_that_came_again_and_again_shows_its_newest_steps(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "STEPS_SHOWN", 2)
    task = make_task()
    for index in range(3):
        make_step(task, index=index)
    tree = tree_of(viewer.get(f"/tasks/{task.pk}/"))
    assert tree.xpath("//summary/h2/text()") == ["Step 1", "Step 2"]
    (earlier,) = tree.xpath("//a[text()='Earlier steps']/@href")
    older = tree_of(viewer.get(earlier))
    assert older.xpath("//summary/h2/text()") == ["Step 0"]
    assert older.get_element_by_id("task").get("hx-get") is None


@pytest.mark.parametrize("before", ["x", "-1", "1" * 60, "²", "1.5"])
def test_a_place_that_cannot_be_read_is_never_a_fault(before: str, viewer: Client) -> None:
    assert viewer.get(f"/tasks/{make_step().task_id}/", {"before": before}).status_code == 200


@pytest.mark.parametrize("pk", ["4711", "9" * 60])
def test_a_task_that_is_not_there_is_a_404(pk: str, viewer: Client) -> None:
    assert viewer.get(f"/tasks/{pk}/").status_code == 404


def test_with_several_accounts_the_step_shows_which_declined_and_which_was_used(viewer: Client) -> None:
    default_account()
    spare = Account.objects.create(name="spare", position=2)
    retry_at = (NOW + timedelta(minutes=2)).timestamp()
    declined = [
        {"account": "default", "reason": "paused", "retry_at": retry_at},
        {"account": "busy", "reason": "spacing", "retry_at": retry_at},
        {"account": "slow", "reason": "deadline", "retry_at": None},
        {"account": "back", "reason": "probing", "retry_at": retry_at},
    ]
    step = make_llm_step(declined=declined)
    make_attempt(step, account=spare)
    response = viewer.get(f"/tasks/{step.task_id}/")
    assert [" ".join(item.text_content().split()) for item in tree_of(response).xpath("//ul[@aria-label='Accounts that declined']/li")] == [
        "default: The account is paused. Next possible at 4 May 12:02:00 UTC.",
        "busy: No slot was free in time: other steps were using the account. Next possible at 4 May 12:02:00 UTC.",
        "slow: The time left was too short for the LLM.",
        "back: Another request is probing the account. Next possible at 4 May 12:02:00 UTC.",
    ]
    assert "1. a/model by spare" in text_of(response)


def test_a_single_account_needs_no_name(viewer: Client) -> None:
    declined = [{"account": "default", "reason": "paused", "retry_at": NOW.timestamp()}]
    step = make_step(reason=Reason.PAUSED, retry_at=NOW + timedelta(minutes=2), declined=declined)
    make_attempt(step)
    text = page(viewer, step.task_id)
    assert "default" not in text
    assert "Next possible at 4 May 12:02:00 UTC" in text


def test_copied_text_has_no_secret(viewer: Client) -> None:
    key = f"cpk_{'a' * 32}.{'b' * 32}.{'c' * 32}"
    step = make_llm_step(make_task(prompt=f"Use {key}"), page_excerpt=f"page {key}", fault=f"fault {key}")
    make_attempt(step, reply=f"reply {key}", detail=f"detail {key}")
    response = viewer.get(f"/tasks/{step.task_id}/")
    assert key not in response.content.decode()
    for copied in tree_of(response).xpath("//button/@data-copy"):
        assert text_of(response, f"//*[@id='{copied}']")
    assert text_of(response, "//*[@id='prompt-text']") == "Use [secret]"
    assert text_of(response, f"//*[@id='step-{step.pk}-reply-1-text']") == "reply [secret]"


def test_a_long_prompt_is_folded(viewer: Client) -> None:
    task = make_task(prompt="long " * 500)
    assert tree_of(viewer.get(f"/tasks/{task.pk}/")).xpath("//details[@id='prompt' and not(@open)]//p[@id='prompt-text']")


def test_a_step_has_an_address_of_its_own(viewer: Client) -> None:
    step = make_step()
    tree = tree_of(viewer.get(f"/tasks/{step.task_id}/"))
    assert tree.xpath(f"//details/div[@id='step-{step.pk}']//a[text()='Link to this step']/@href") == [f"#step-{step.pk}"]


def test_of_several_steps_each_is_folded_and_a_single_one_is_open(viewer: Client) -> None:
    task = make_task()
    make_step(task, actions=ACTIONS * 3)
    assert len(tree_of(viewer.get(f"/tasks/{task.pk}/")).xpath("//section/details[@open]")) == 1
    make_step(task, index=1)
    response = viewer.get(f"/tasks/{task.pk}/")
    assert len(tree_of(response).xpath("//section/details[not(@open)]")) == 2
    assert "Open http://localhost:8000/?seed=58 and 2 more" in text_of(response, "//summary")
