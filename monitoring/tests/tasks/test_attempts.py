"""LLM attempts: filters, orders, paging."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents.configuration import default_account
from agents.models import Account, LLMAttempt
from agents.policy.reasons import Purpose, Verdict
from agents.policy.refusals import RefusalClass
from monitoring.reporting import pagination
from monitoring.reporting.filter_query import parse
from monitoring.tasks import attempts as stats
from monitoring.tests.reading import element_text, rows_of, text_of, tree_of
from monitoring.tests.records import make_attempt, make_llm_step, make_step

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def models(client: Client, address: str = "/attempts/", **parameters: str) -> list[str]:
    """The models of the listed attempts, in order."""
    cells = tree_of(client.get(address, parameters)).xpath("//tbody/tr/td[2]")
    return [element_text(cell).split()[0] for cell in cells]


def make_probe(**fields: object) -> LLMAttempt:
    values = {"account": default_account(), "number": 1, "decided_at": NOW, "slot_at": NOW, "cut_off_at": NOW, "purpose": Purpose.PROBE}
    return LLMAttempt.objects.create(**{**values, **fields})


def test_each_attempt_shows_its_result_and_links_to_its_step(viewer: Client) -> None:
    step = make_llm_step(at=NOW)
    make_attempt(step, prompt_tokens=2133, completion_tokens=187, cost=Decimal("0.000213"))
    make_attempt(
        step, number=2, verdict=Verdict.REFUSED, refusal=RefusalClass.EDGE, status=429, detail="slow down, Bearer abcdefgh", cost=None
    )
    response = viewer.get("/attempts/")
    refused, answered = rows_of(response)
    assert "a/model default Usable plan 200 1.00 s 1.00 s 2,133 + 187 0.000213 USD" in answered
    assert "Refused 429" in refused
    assert "slow down, Bearer [secret]" in refused
    assert tree_of(response).xpath("//tbody/tr/td[2]/a/@href") == [f"/tasks/{step.task_id}/#step-{step.pk}"] * 2


@pytest.mark.parametrize(
    "query",
    [
        "model:wanted/model",
        "-model:a/model",
        "verdict:refused",
        "refusal:edge",
        "-refusal:capacity",
        "status:429",
        "account:spare",
        "-account:default",
        "purpose:probe",
        "since:2h",
        "slow",
        "verdict:refused refusal:edge status:429 account:spare purpose:probe since:2h",
    ],
)
@pytest.mark.parametrize("is_busy", [False, True], ids=["few", "many"])
def test_a_filter_shows_matching_rows(query: str, is_busy: bool, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "FEW", 0 if is_busy else 2_000)
    default_account()
    spare = Account.objects.create(name="spare", position=2)
    make_probe(
        account=spare,
        model="wanted/model",
        verdict=Verdict.REFUSED,
        refusal=RefusalClass.EDGE,
        status=429,
        detail="slow down",
        ended_at=NOW,
    )
    make_attempt(make_step(at=NOW - timedelta(days=1)), refusal=RefusalClass.CAPACITY)
    assert models(viewer, q=query) == ["wanted/model"]
    assert len(models(viewer)) == 2


def test_attempts_are_found_by_the_miner_of_their_step(viewer: Client) -> None:
    make_attempt(make_llm_step(at=NOW, miner="a"), model="of-a")
    make_attempt(make_llm_step(at=NOW, miner="b"), model="of-b")
    assert models(viewer, q="miner:a") == ["of-a"]


def test_attempts_of_a_busy_account_are_read_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("Postgres plans by its statistics of the rows.")
    default_account()
    monkeypatch.setattr(pagination, "FEW", -1)
    result = stats.matching_attempts(parse("account:default", stats.attempt_qualifiers()), NOW)
    assert "TEMP B-TREE" not in result.order_by("-decided_at", "-id")[:51].explain()


def test_each_order_pages_through_all_that_have_the_column(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 2)
    for number, (latency, cost) in enumerate([(10.0, "0.3"), (30.25, None), (None, "0.1"), (30.25, "0.2"), (1e-5, "0.2")]):
        step = make_llm_step(at=NOW + timedelta(seconds=number))
        make_attempt(step, model=str(number), latency_ms=latency, cost=Decimal(cost) if cost else None)
    wanted = {"newest": "43210", "oldest": "01234", "longest": "3104", "costliest": "0432"}
    for order, expected in wanted.items():
        address, seen, back = f"/attempts/?sort={order}", "", ""
        while address:
            seen += "".join(models(viewer, address))
            tree = tree_of(viewer.get(address))
            back = next(iter(tree.xpath("//a[@rel='prev']/@href")), "")
            address = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
        assert seen == expected, order
        end = len(expected) - (len(expected) - 1) % 2 - 1
        assert "".join(models(viewer, back)) == expected[end - 2 : end], order


def test_a_place_in_another_order_is_never_a_fault(viewer: Client) -> None:
    make_attempt(make_llm_step(at=NOW))
    for older in ("1-1", "n1.5-1", "n-3-1", f"n{'9' * 20}-{'9' * 18}"):
        for sort in ("newest", "longest", "costliest"):
            assert viewer.get("/attempts/", {"sort": sort, "older": older}).status_code == 200


def test_without_attempts_the_page_explains_itself(viewer: Client) -> None:
    assert "Every call to a provider appears here" in text_of(viewer.get("/attempts/"))
    assert "No attempt matches" in text_of(viewer.get("/attempts/", {"q": "status:429"}))


def test_the_bar_offers_accounts_and_models(viewer: Client) -> None:
    default_account()
    Account.objects.create(name="spare", position=2, model_names=["some/model"])
    help_text = text_of(viewer.get("/attempts/"), "//*[@id='qualifiers']")
    assert "account: Account default spare" in help_text
    assert "some/model" in help_text
