"""Every known refusal of Chutes, from fake Chutes over real HTTP, classified by the miner."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from agents.devtools.fake_chutes.behaviour import ADDRESS
from agents.devtools.fake_chutes.process import FakeChutes
from agents.policy.reasons import PauseSource
from agents.policy.refusals import Refusal, classify

GEMMA, QWEN = "google/gemma-4-31B-turbo-TEE", "Qwen/Qwen3-32B-TEE"
MESSAGES = [{"role": "user", "content": "Task: Search for the film 'Arrival'\nURL: http://localhost:8000/?seed=58"}]
PATIENCE = 60.0
FULL = "Infrastructure is at maximum capacity, try again later"
CAP = "Subscription usage cap exceeded. Please add balance to continue."


@pytest.fixture
def client(fake_chutes: FakeChutes) -> Iterator[httpx.Client]:
    with httpx.Client(headers={"Authorization": f"Bearer {fake_chutes.key}"}, timeout=PATIENCE, trust_env=False) as client:
        client.base_url = httpx.URL(fake_chutes.base_url)
        yield client


def complete(client: httpx.Client, model: str = GEMMA, **more: Any) -> httpx.Response:
    return client.post("/chat/completions", json={"model": model, "messages": MESSAGES, **more})


def read(answer: httpx.Response) -> Refusal:
    return classify(answer.status_code, answer.headers, answer.text, time.time())


def statuses(client: httpx.Client, count: int) -> list[int]:
    return [complete(client).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("settings", "status", "kind"),
    [
        ({"limit": 0}, 429, "edge"),
        ({"models": {GEMMA: {"full": 1}}}, 429, "capacity"),
        ({"refuse": "free_daily"}, 429, "free_daily"),
        ({"refuse": {"status": 429, "detail": "Slow down"}}, 429, "edge"),
        ({"quota": {"total": 3, "used": 3}}, 402, "daily_quota"),
        ({"cap4h": {"cap": 1, "used": 1}}, 402, "subscription_cap"),
        ({"refuse": "subscription_cap"}, 402, "subscription_cap"),
        ({"refuse": "payment"}, 402, "payment"),
        ({"balance": 0}, 402, "payment"),
        ({"refuse": {"status": 402, "detail": "Pay up"}}, 402, "payment"),
        ({"valid": False}, 401, "auth"),
        ({"refuse": "forbidden"}, 403, "auth"),
        ({"refuse": "blocked"}, 403, "upstream"),
        ({"unlisted": [GEMMA]}, 404, "model"),
        ({"faults": {"http500": 1}}, 500, "upstream"),
        ({"faults": {"http502": 1}}, 502, "upstream"),
        ({"faults": {"http503": 1}}, 503, "upstream"),
        ({"faults": {"http504": 1}}, 504, "upstream"),
    ],
)
def test_a_refusal_has_chutes_status_and_text(
    fake_chutes: FakeChutes, client: httpx.Client, settings: dict[str, Any], status: int, kind: str
) -> None:
    fake_chutes.set(**settings)
    answer = complete(client)
    assert (answer.status_code, read(answer).kind) == (status, kind)
    assert not [name for name in answer.headers if name == "retry-after" or name.startswith(("x-ratelimit", "x-chutes"))]


def test_an_invalid_request_is_refused_as_such(client: httpx.Client) -> None:
    answer = client.post("/chat/completions", content=b"{")
    assert (answer.status_code, read(answer).kind) == (400, "request")


def test_the_daily_quotas_402_names_the_reset_and_an_address_to_pay_to(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(quota={"total": 2, "used": 1, "reset_at": 3000, "period": 86400})
    began_at = time.time() - fake_chutes.state()["uptime"]
    last, refused = complete(client), complete(client)
    assert [last.headers[f"x-chutes-quota-{name}"] for name in ("total", "used", "remaining")] == ["2", "2", "0"]
    assert ADDRESS in refused.text
    refusal = read(refused)
    assert refusal.until == pytest.approx(began_at + 3000, abs=PATIENCE)
    assert refusal.source is PauseSource.PROVIDER
    assert ADDRESS not in refusal.detail


def test_a_quota_restarts_after_its_reset(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(quota={"total": 1, "used": 1, "reset_at": 3000})
    assert complete(client).status_code == 402
    fake_chutes.set(quota={"total": 1, "used": 1, "reset_at": fake_chutes.state()["uptime"] + 0.4})
    patience = time.monotonic() + PATIENCE
    while complete(client).status_code == 402 and time.monotonic() < patience:
        time.sleep(0.05)
    assert fake_chutes.state()["counts"]["200"] == 1


@pytest.mark.parametrize("limit", [{"quota": {"total": 1, "used": 1}}, {"cap4h": {"cap": 1, "used": 1}}, {}])
def test_while_there_is_a_balance_it_is_billed_silently(fake_chutes: FakeChutes, client: httpx.Client, limit: dict[str, Any]) -> None:
    fake_chutes.set(balance=1.0, **limit)
    assert statuses(client, 3) == [200, 200, 200]
    left = fake_chutes.state()["account"]["balance"]
    assert 0.99 < left < 1
    fake_chutes.set(balance=1e-12)
    assert statuses(client, 2) == [200, 402]


def test_a_quota_that_is_not_used_up_costs_no_balance(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(balance=1.0, quota={"total": 5})
    complete(client)
    assert fake_chutes.state()["account"]["balance"] == 1.0


def test_a_full_model_leaves_the_others_as_they_are(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(models={GEMMA: {"full": 1}})
    refused = complete(client)
    assert (refused.status_code, refused.json()) == (429, {"detail": FULL})
    assert complete(client, QWEN).json()["model"] == QWEN


def test_a_model_is_full_as_often_as_it_was_set(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(limit=1000, models={GEMMA: {"full": 0.5}})
    assert 60 < statuses(client, 200).count(429) < 140


def test_a_cap_is_reported_without_its_reset(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(cap4h={"cap": 0.02, "cost": 0.01, "reset_at": 600})
    assert statuses(client, 3) == [200, 200, 402]
    assert complete(client).json() == {"detail": CAP}
    assert read(complete(client)).source is PauseSource.CALENDAR


def test_retry_after_is_sent_where_it_is_set(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(refuse={"status": 429, "html": "<html>429</html>", "headers": {"Retry-After": "3000"}})
    refusal = read(complete(client))
    assert (refusal.kind, refusal.source) == ("edge", PauseSource.PROVIDER)
    assert refusal.pause(time.time()) == pytest.approx(3000, abs=PATIENCE)


def test_requests_that_are_refused_behind_the_edge_count_at_the_edge(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(limit=2, refuse="payment")
    assert statuses(client, 3) == [402, 402, 429]
    fake_chutes.set(refuse=None, limit=3)
    assert statuses(client, 2) == [200, 429]


def test_a_ban_refuses_until_it_is_over_and_its_hits_are_counted(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    until = fake_chutes.ban(3_000)["account"]["banned_until"]
    assert until == pytest.approx(time.time() + 3_000, abs=PATIENCE)
    refused = complete(client)
    assert (refused.status_code, refused.headers["content-type"]) == (429, "text/html")
    assert fake_chutes.state()["arrivals"][-1]["in_ban"]
    before = time.time()
    fake_chutes.ban(0.5)
    patience = time.monotonic() + PATIENCE
    while complete(client).status_code == 429 and time.monotonic() < patience:
        time.sleep(0.05)
    accepted = fake_chutes.state()["arrivals"][-1]
    assert accepted["at"] >= before + 0.5
    assert (accepted["status"], accepted["in_ban"]) == (200, False)
    assert fake_chutes.state()["account"]["banned_until"] is None


@pytest.mark.parametrize(
    ("law", "lengths"),
    [
        ({"law": "constant", "on_hit": "none"}, [100, 100]),
        ({"law": "constant", "on_hit": "restart"}, [100, 100]),
        ({"law": "constant", "on_hit": "escalate"}, [200, 400]),
        ({"law": "constant", "on_hit": "escalate", "hit_grace": 1}, [100, 200]),
        ({"law": "constant", "on_hit": "escalate", "cap": 300}, [200, 300]),
    ],
)
def test_hits_change_a_ban_by_its_law(fake_chutes: FakeChutes, client: httpx.Client, law: dict[str, Any], lengths: list[float]) -> None:
    fake_chutes.set(limit=1, ban={"strikes": 2, "base": 100, **law})
    assert statuses(client, 3) == [200, 429, 429]
    first = fake_chutes.state()["account"]
    for length in lengths:
        complete(client)
        hidden = fake_chutes.state()["account"]
        moved = hidden["banned_until"] - first["banned_until"]
        assert moved == pytest.approx(length - 100, abs=45)
        assert (moved > 0) == (law["on_hit"] != "none" and hidden["ban_hits"] > law.get("hit_grace", 0))
        assert hidden["ban_would_end"] == pytest.approx(first["ban_would_end"], abs=0.01)


def test_a_second_ban_is_twice_as_long(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(limit=0, ban={"strikes": 1, "base": 0.1})
    lengths = []
    for _ in range(2):
        complete(client)
        lengths.append(fake_chutes.state()["account"]["last_ban_seconds"])
        time.sleep(0.15)
    assert lengths == [0.1, 0.2]


def test_a_leaky_counter_lets_a_burst_through_and_then_the_rate(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(counter="leaky", burst=5, limit=1, window=600)
    assert statuses(client, 8) == [200] * 6 + [429] * 2


def test_each_balancer_counts_for_itself(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(limit=2, balancers=2)
    assert statuses(client, 12).count(200) == 4
    assert fake_chutes.state()["account"]["counted"] == [2, 2]


@pytest.mark.parametrize(("published", "header"), [(60, "60"), (12.5, "12.5"), ("inf", "inf")])
def test_the_published_limit_is_sent_whatever_the_real_one_is(
    fake_chutes: FakeChutes, client: httpx.Client, published: Any, header: str
) -> None:
    fake_chutes.set(published=published, limit=1)
    assert complete(client).headers["x-chutes-rl-user"] == header


def test_the_quota_headers_count_and_are_zero_for_pay_as_you_go(fake_chutes: FakeChutes, client: httpx.Client) -> None:
    fake_chutes.set(quota={"total": 300, "used": 180})
    headers = [
        (answer.headers["x-chutes-quota-used"], answer.headers["x-chutes-quota-remaining"])
        for answer in (complete(client), complete(client))
    ]
    assert headers == [("181", "119"), ("182", "118")]
    fake_chutes.set(quota=None, balance=5)
    assert complete(client).headers["x-chutes-quota-total"] == "0"


@pytest.mark.parametrize(
    ("model", "options", "empty"),
    [
        (QWEN, {"max_tokens": 1024}, True),
        (QWEN, {"max_tokens": 1024, "chat_template_kwargs": {"enable_thinking": False}}, False),
        (QWEN, {}, False),
        (GEMMA, {"max_tokens": 1024}, False),
    ],
)
def test_a_thinking_model_that_spent_its_tokens_has_no_content(client: httpx.Client, model: str, options: Any, empty: bool) -> None:
    answer = complete(client, model, **options).json()
    assert (answer["choices"][0]["message"]["content"] == "") == empty
    assert (answer["choices"][0]["finish_reason"] == "length") == empty
    assert answer["usage"]["completion_tokens"] == 1024 or not empty


@pytest.mark.parametrize("fault", ["midstream", "broken"])
def test_an_answer_that_breaks_off_is_no_answer(fake_chutes: FakeChutes, client: httpx.Client, fault: str) -> None:
    fake_chutes.set(faults={fault: 1})
    with pytest.raises(httpx.RemoteProtocolError):
        complete(client)


def test_a_bad_ban_names_its_field(fake_chutes: FakeChutes) -> None:
    answer = httpx.post(fake_chutes.control_url + "/ban", json={"seconds": "long"}, timeout=PATIENCE, trust_env=False)
    assert (answer.status_code, answer.json()["field"]) == (400, "seconds")
