"""No model gets the same prompt twice in one task, and the next prompt lists what was not used of a reply."""

import json
from typing import Any

import pytest

from agents.configuration import change
from agents.contract.protocol import Form, PastAction, Plan
from agents.contract.protocol import Step as Request
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import runner
from agents.llm import client
from agents.models import LLMAttempt, Source, Step

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = "Qwen/Qwen3-32B-TEE", "google/gemma-4-31B-turbo-TEE"
PAGE = '<html><body><form action="/search"><input name="query"><button type="submit">Go</button></form></body></html>'
WRONG = json.dumps({"actions": [{"type": "click", "element": 99}], "done": False})


@pytest.fixture
def prompts(fake_chutes: FakeChutes, settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The user message of each call."""
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL = fake_chutes.key, fake_chutes.base_url
    settings.CHUTES_MODELS = (FIRST, SECOND)
    change({"spacing_seconds": 0}, by=None, reason="test")
    sent, original = list[str](), client.Prompt

    def noted(messages: list[dict[str, str]], **more: Any) -> client.Prompt:
        sent.append(messages[-1]["content"])
        return original(messages, **more)

    monkeypatch.setattr(client, "Prompt", noted)
    return sent


def answer(index: int, *history: PastAction) -> Plan:
    step = Request("/step", Form.STEP, "t", "Search for the film 'Arrival'", "http://localhost:8000/?seed=58", PAGE, index, history)
    return runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7").plan


def models() -> list[tuple[str, str]]:
    return list(LLMAttempt.objects.exclude(sent_at=None).order_by("id").values_list("model", "verdict"))


def test_the_same_prompt_goes_to_another_model_and_then_the_template_answers(fake_chutes: FakeChutes, prompts: list[str]) -> None:
    fake_chutes.set(reply=json.dumps({"actions": [], "done": True}))
    for index in range(3):
        answer(index)
    assert models() == [(FIRST, "ok"), (SECOND, "ok")]
    assert list(Step.objects.order_by("index").values_list("route", "reason"))[1:] == [("llm", "answered"), ("template", "repeated")]


def test_a_reply_that_can_not_be_used_is_named_in_the_next_prompt(fake_chutes: FakeChutes, prompts: list[str]) -> None:
    fake_chutes.set(reply=WRONG)
    answer(0)
    assert models() == [(FIRST, "invalid"), (SECOND, "invalid")]
    assert len(set(prompts)) == len(prompts) == 2
    assert "NOT RUN" not in prompts[0]
    assert "NOT RUN" in prompts[1]
    assert "99" in prompts[1]
    assert len(Step.objects.get().notes) == 2
    answer(1, PastAction("TypeAction", {"text": "Arrival"}, True, "", "", 0))
    assert "NOT RUN" in prompts[2]
    assert "99" in prompts[2]
