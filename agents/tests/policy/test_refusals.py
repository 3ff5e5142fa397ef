"""What each answer of the provider means for the account, how long it has to wait, and what of it is kept."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.reasons import PauseSource
from agents.policy.refusals import (
    DETAIL_CHARS,
    NEVER_WORKED,
    WRONG_HOST,
    Refusal,
    RefusalClass,
    classify,
    sentence,
)
from agents.policy.reset_times import CACHED
from agents.tests.rows import rows
from agents.tests.strategies import JSON

NOW = datetime(2026, 9, 1, 13, 30, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 9, 2, tzinfo=UTC).timestamp()
FOUR_O_CLOCK = datetime(2026, 9, 1, 16, tzinfo=UTC).timestamp()

EDGE_PAGE = (
    "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n</body>"
)
ADDRESS = "5" + "FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
QUOTA = {"message": "Quota exceeded", "quota_reset_timestamp": "2026-09-02T00:00:00Z"}
NO_BALANCE = f"Account balance is $0.00, please send tao to {ADDRESS}"


CAP = "Subscription usage cap exceeded. Please add balance to continue."
FREE = "Free models limit reached for today. Upgrade to go on."
FULL = "Infrastructure is at maximum capacity, try again later"
NOT_FREE = "Invalid free model, please select from the updated list of current chutes free models"
NO_CREATOR = "Chute unavailable because the creator of this chute chute.user_id='ab12' has zero balance."
TEE = "TEE models require an active subscription or positive balance."
TIER = "This model requires a higher subscription tier or positive balance."
TASK_COST = "Cost limit exceeded. Current: $0.06, Limit: $0.05"


def detail(value: object) -> str:
    return json.dumps({"detail": value})


def refusal(status: int, content_type: str, body: str, secrets: tuple[str, ...] = (), **headers: str) -> Refusal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return classify(status, {"Content-Type": content_type, **named}, body, NOW, secrets)


@rows(
    ("status", "content_type", "body", "kind"),
    [
        (429, "text/html", EDGE_PAGE, RefusalClass.EDGE),
        (429, "application/json", detail("Too Many Requests"), RefusalClass.EDGE),
        (429, "", "", RefusalClass.EDGE),
        (429, "text/html", "<html>The site is at maximum capacity</html>", RefusalClass.EDGE),
        (429, "application/json", detail(FULL), RefusalClass.CAPACITY),
        (429, "application/json", detail(FREE), RefusalClass.FREE_DAILY),
        (429, "application/json", detail(NOT_FREE), RefusalClass.MODEL),
        (402, "application/json", detail(QUOTA), RefusalClass.DAILY_QUOTA),
        (402, "application/json", detail(CAP), RefusalClass.SUBSCRIPTION_CAP),
        (402, "application/json", detail(NO_BALANCE), RefusalClass.PAYMENT),
        (402, "application/json", detail(NO_CREATOR), RefusalClass.MODEL),
        (402, "application/json", detail(TEE), RefusalClass.MODEL_UNPAID),
        (402, "application/json", detail(TIER), RefusalClass.MODEL_UNPAID),
        (402, "application/json", detail(TASK_COST), RefusalClass.TASK_COST),
        (402, "text/html", "<html>Payment Required</html>", RefusalClass.PAYMENT),
        (402, "", "", RefusalClass.PAYMENT),
        (401, "application/json", detail("Invalid or expired token"), RefusalClass.AUTH),
        (401, "text/html", "<html>401 Authorization Required</html>", RefusalClass.AUTH),
        (403, "application/json", detail("Forbidden"), RefusalClass.AUTH),
        (403, "text/html; charset=utf-8", "<html>403 Forbidden</html>", RefusalClass.UPSTREAM),
        (403, "TEXT/HTML", "Forbidden", RefusalClass.UPSTREAM),
        (403, "", "\n <html>403 Forbidden</html>", RefusalClass.UPSTREAM),
        (404, "application/json", detail("model not found: no/such-model"), RefusalClass.MODEL),
        (404, "application/json", json.dumps({"error": {"message": "Model not found"}}), RefusalClass.MODEL),
        (404, "application/json", detail("No matching chute found!"), RefusalClass.AUTH),
        (404, "text/html", "<html>404 Not Found</html>", RefusalClass.AUTH),
        (301, "text/html", "<html>301 Moved Permanently</html>", RefusalClass.AUTH),
        (400, "application/json", detail("Invalid JSON schema: pattern is not allowed"), RefusalClass.REQUEST),
        (400, "application/json", detail("Model not allowed"), RefusalClass.MODEL),
        (400, "application/json", detail("Missing pricing for model"), RefusalClass.MODEL),
        (400, "application/json", detail("Task ID not found!"), RefusalClass.REQUEST),
        (413, "text/html", "<html>413 Request Entity Too Large</html>", RefusalClass.REQUEST),
        (422, "application/json", detail([{"loc": ["body", "model"], "msg": "field required"}]), RefusalClass.REQUEST),
        (408, "", "", RefusalClass.UPSTREAM),
        (500, "application/json", detail("Internal server error"), RefusalClass.UPSTREAM),
        (502, "text/html", "<html>502 Bad Gateway</html>", RefusalClass.UPSTREAM),
        (503, "application/json", detail("No instances available (yet) for this chute."), RefusalClass.UPSTREAM),
        (504, "", "", RefusalClass.UPSTREAM),
    ],
)
def test_an_answer_has_its_class(status: int, content_type: str, body: str, kind: RefusalClass) -> None:
    assert refusal(status, content_type, body).kind is kind


@pytest.mark.parametrize(
    ("kinds", "pauses"),
    [
        (("edge", "free_daily", "daily_quota", "subscription_cap", "payment", "auth"), True),
        (("request", "capacity", "model", "model_unpaid", "task_cost", "upstream"), False),
    ],
)
def test_a_class_states_whether_the_whole_account_has_to_wait(kinds: tuple[str, ...], pauses: bool) -> None:
    assert {RefusalClass(kind).pauses_account for kind in kinds} == {pauses}


def test_an_edge_that_never_let_the_key_in_is_no_rate_limit() -> None:
    assert sentence(RefusalClass.EDGE, has_succeeded=False) == NEVER_WORKED
    assert "check the Authorization header and the host" in NEVER_WORKED
    assert "limited" not in NEVER_WORKED
    assert sentence(RefusalClass.EDGE) == RefusalClass.EDGE.sentence
    assert sentence(RefusalClass.CAPACITY, has_succeeded=False) == RefusalClass.CAPACITY.sentence


@pytest.mark.parametrize("status", [301, 308, 404])
def test_a_wrong_host_is_distinguished_from_a_wrong_key(status: int) -> None:
    found = refusal(status, "application/json", detail("No matching chute found!"))
    assert found.detail == "No matching chute found!"
    assert sentence(found.kind, status=status) == WRONG_HOST
    assert sentence(found.kind, status=401) == RefusalClass.AUTH.sentence


@rows(
    ("status", "body", "until", "source"),
    [
        (402, detail(QUOTA), MIDNIGHT, PauseSource.PROVIDER),
        (402, detail({**QUOTA, "quota_reset_timestamp": NOW + 600}), NOW + 600, PauseSource.PROVIDER),
        (402, detail({**QUOTA, "quota_reset_timestamp": "soon"}), MIDNIGHT + CACHED, PauseSource.CALENDAR),
        (402, detail({**QUOTA, "quota_reset_timestamp": None}), MIDNIGHT + CACHED, PauseSource.CALENDAR),
        (402, detail({**QUOTA, "quota_reset_timestamp": "2020-01-01T00:00:00Z"}), MIDNIGHT + CACHED, PauseSource.CALENDAR),
        (429, detail(FREE), MIDNIGHT + CACHED, PauseSource.CALENDAR),
        (402, detail(CAP), FOUR_O_CLOCK + CACHED, PauseSource.CALENDAR),
        (402, detail(NO_BALANCE), None, PauseSource.CHECK),
        (401, detail("no"), None, PauseSource.CHECK),
        (404, detail("No matching chute found!"), None, PauseSource.CHECK),
        (429, EDGE_PAGE, None, PauseSource.LADDER),
        (429, detail(FULL), None, PauseSource.LADDER),
        (500, detail("no"), None, PauseSource.LADDER),
    ],
)
def test_a_refusal_has_its_length_and_the_source_of_it(status: int, body: str, until: float | None, source: PauseSource) -> None:
    found = refusal(status, "application/json", body)
    assert (found.until, found.source) == (until, source)
    assert found.pause(NOW + 10) == (None if until is None else until - NOW - 10)


def test_a_wait_that_is_over_is_no_wait() -> None:
    assert Refusal(RefusalClass.EDGE, "", NOW, PauseSource.PROVIDER).pause(NOW + 1) == 0


@pytest.mark.parametrize(
    ("status", "body"), [(401, "no"), (402, NO_BALANCE), (402, QUOTA), (402, CAP), (429, FREE), (429, "no"), (503, "no")]
)
def test_a_providers_own_word_on_the_wait_wins(status: int, body: object) -> None:
    found = refusal(status, "application/json", detail(body), Retry_After="17")
    assert (found.until, found.source) == (NOW + 17, PauseSource.PROVIDER)


def test_the_detail_is_the_providers_text_on_one_line() -> None:
    assert refusal(400, "application/json", detail("first\n\t second")).detail == "first second"
    assert refusal(402, "application/json", detail(QUOTA)).detail == json.dumps(QUOTA)
    assert refusal(500, "text/plain", "  plain\r\ntext ").detail == "plain text"
    assert refusal(500, "application/json", json.dumps({"error": "other form"})).detail == "other form"
    assert refusal(429, "text/html", EDGE_PAGE).detail.startswith("<html> <head><title>429 Too Many Requests</title>")


@pytest.mark.parametrize("body", [detail(NO_BALANCE), detail({"message": "no balance", "payment_address": ADDRESS}), NO_BALANCE])
def test_the_address_to_pay_to_is_masked(body: str) -> None:
    kept = refusal(402, "application/json", body).detail
    assert ADDRESS not in kept
    assert "[address]" in kept


def test_a_key_that_the_provider_repeats_is_masked_even_at_the_cut() -> None:
    key = "cpk_" + ".".join("0123456789abcdef0123456789abcdef" for _ in range(3))
    for said in (f"Unknown key {key}", "x" * (DETAIL_CHARS - 10) + f" {key}", "x" * (DETAIL_CHARS - 10) + " another-kind-of-key"):
        kept = refusal(401, "application/json", detail(said), ("another-kind-of-key",)).detail
        assert "cpk_" not in kept
        assert "another" not in kept


def test_a_reset_that_stands_far_back_in_a_long_body_is_found() -> None:
    body = detail({"message": "x" * 5_000, "quota_reset_timestamp": "2026-09-02T00:00:00Z"})
    assert refusal(402, "application/json", body).kind is RefusalClass.DAILY_QUOTA


@rows(
    "body",
    ["[" * 100_000, '{"detail":' * 100_000, "1" * 10_000, '"\\ud800"', '{"detail": "a\\u0000b\\ud83d"}', "null", "NaN", "[]", "\x00"],
)
def test_a_hostile_body_is_classified_and_what_is_kept_can_be_stored(body: str) -> None:
    kept = refusal(429, "application/json", body)
    assert kept.kind is RefusalClass.EDGE
    assert "\0" not in kept.detail
    assert kept.detail.encode()


BODIES = st.text() | JSON.map(json.dumps) | JSON.map(lambda value: json.dumps({"detail": value})) | st.just(NO_BALANCE)


@given(st.integers(min_value=-1, max_value=1_000), st.sampled_from(["", "text/html", "application/json", "Ä;"]), BODIES)
def test_whatever_comes_has_a_class_and_a_short_detail_without_control_over_the_log(status: int, content_type: str, body: str) -> None:
    found = refusal(status, content_type, body)
    assert found.kind in RefusalClass
    assert len(found.detail) <= DETAIL_CHARS
    assert "\n" not in found.detail
    found.detail.encode()
