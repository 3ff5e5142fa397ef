"""Several accounts: a step takes the first that can serve it in time, each has its own gate, and a refusal affects one account only."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from agents.configuration import change, default_account
from agents.configuration.keys import seal
from agents.contract.protocol import Form, Plan
from agents.contract.protocol import Step as Request
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import runner
from agents.ledger import gate_rows
from agents.models import Account, LLMAttempt, Source, Step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

MODEL = "Qwen/Qwen3-32B-TEE"


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[FakeChutes, FakeChutes]]:
    with FakeChutes.started() as first, FakeChutes.started() as second:
        yield first, second


@pytest.fixture
def fakes(two: tuple[FakeChutes, FakeChutes], settings: Any) -> tuple[FakeChutes, FakeChutes]:
    first, second = two
    for fake in two:
        fake.reset()
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = first.key, first.base_url, (MODEL,)
    default_account()
    made("spare", second)
    change({"spacing_seconds": 0}, by=None, reason="test")
    return two


def made(name: str, fake_chutes: FakeChutes, position: int = 2, **more: Any) -> Account:
    fields = {"base_url": fake_chutes.base_url, "key_sealed": seal(fake_chutes.key), "model_names": [MODEL], **more}
    return Account.objects.create(name=name, position=position, **fields)


def answer(index: int = 0) -> Plan:
    step = Request("/step", Form.STEP, "t", "Search for 'Arrival'", "http://localhost:8000/?seed=58", page="<p>Hello</p>", index=index)
    return runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7").plan


def by() -> list[tuple[str, str]]:
    return [(attempt.account.name, attempt.verdict) for attempt in LLMAttempt.objects.order_by("id").select_related("account")]


def calls(fake_chutes: FakeChutes) -> int:
    return len(fake_chutes.state()["arrivals"])


def test_an_account_that_is_assigned_to_miners_serves_no_other_miner(fakes: tuple[FakeChutes, FakeChutes], settings: Any) -> None:
    Account.objects.filter(name="spare").update(miner_names=["b", "c"])
    Account.objects.filter(name="default").update(miner_names=["a"])
    for index, name in enumerate(("a", "b", "d")):
        settings.MINER_NAME = name
        answer(index)
    assert by() == [("default", "ok"), ("spare", "ok")]
    assert list(Step.objects.order_by("id").values_list("miner", "reason")) == [("a", "answered"), ("b", "answered"), ("d", "assigned")]


def test_the_first_account_serves_while_it_can(fakes: tuple[FakeChutes, FakeChutes]) -> None:
    answer()
    assert by() == [("default", "ok")]
    assert calls(fakes[1]) == 0


def test_a_refused_account_is_paused_and_the_next_one_answers_the_same_step(fakes: tuple[FakeChutes, FakeChutes]) -> None:
    fakes[0].set(limit=0)
    answer()
    assert by() == [("default", "refused"), ("spare", "ok")]
    assert Step.objects.get().route == "llm"
    first, second = (gate_rows.of(account) for account in Account.objects.all())
    assert (first.strikes, second.strikes) == (1, 0)
    answer(1)
    assert by()[2:] == [("spare", "ok")]
    assert calls(fakes[0]) == 1, "a paused account gets no request"
    declined = Step.objects.get(index=1).declined
    assert [(each["account"], each["reason"]) for each in declined] == [("default", "paused")]
    assert declined[0]["retry_at"] >= time.time()


def test_a_slot_that_is_too_late_for_the_first_is_taken_from_the_second(fakes: tuple[FakeChutes, FakeChutes]) -> None:
    change({"spacing_seconds": 60}, by=None, reason="test")
    answer()
    answer(1)
    assert by() == [("default", "ok"), ("spare", "ok")]
    answer(2)
    assert Step.objects.get(index=2).reason == "spacing"
    assert [each["reason"] for each in Step.objects.get(index=2).declined] == ["spacing", "spacing"]


def test_an_account_without_a_key_and_a_disabled_one_are_passed_over(fakes: tuple[FakeChutes, FakeChutes]) -> None:
    Account.objects.filter(name="default").update(enabled=False)
    made("keyless", fakes[0], position=1, key_sealed="")
    answer()
    assert by() == [("spare", "ok")]
    assert not Account.objects.get(name="default").enabled, "the machine never enables an account"


@pytest.mark.parametrize(
    ("status", "detail"), [(400, "The schema holds a pattern."), (402, "Cost limit exceeded. Current: $0.06, Limit: $0.05")]
)
def test_a_refusal_for_the_request_or_the_task_is_not_tried_on_the_next_account(
    fakes: tuple[FakeChutes, FakeChutes], status: int, detail: str
) -> None:
    fakes[0].set(refuse={"status": status, "detail": detail})
    answer()
    assert by() == [("default", "refused")]
    assert calls(fakes[1]) == 0


def test_a_single_model_that_fails_is_tried_once_more(fakes: tuple[FakeChutes, FakeChutes]) -> None:
    Account.objects.filter(name="spare").delete()
    fakes[0].set(faults={"http500": 1.0})
    answer()
    assert by() == [("default", "refused"), ("default", "refused")]
    answers = fakes[0].state()["arrivals"]
    assert len(answers) == 2


def test_each_account_has_its_own_prices(fakes: tuple[FakeChutes, FakeChutes]) -> None:
    change({"max_task_usd": 0, "daily_usd": 0}, by=None, reason="test")
    Account.objects.filter(name="default").update(price_overrides={MODEL: [1e5, 0]})
    answer()
    attempt = LLMAttempt.objects.get()
    assert attempt.cost and attempt.prompt_tokens
    assert float(attempt.cost) == pytest.approx(attempt.prompt_tokens / 10)


def test_an_account_that_is_too_dear_for_the_task_is_passed_over(fakes: tuple[FakeChutes, FakeChutes]) -> None:
    Account.objects.filter(name="default").update(price_overrides={MODEL: [1e5, 0]})
    answer()
    assert by() == [("spare", "ok")]
