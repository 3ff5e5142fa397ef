"""What each answer of the provider means for the account, and what of it is kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.refusals import DETAIL_CHARS, SENTENCES, STOPPED_SECONDS, RefusalClass, classify
from agents.tests.strategies import JSON

EDGE_PAGE = (
    "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n</body>"
)
ADDRESS = "5" + "FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
QUOTA = {"message": "Quota exceeded", "quota_reset_timestamp": "2026-09-02T00:00:00Z"}
NO_BALANCE = f"Account balance is $0.00, please send tao to {ADDRESS}"


def detail(value: object) -> str:
    return json.dumps({"detail": value})


@pytest.mark.parametrize(
    ("status", "content_type", "body", "kind"),
    [
        (429, "text/html", EDGE_PAGE, RefusalClass.EDGE),
        (429, "application/json", detail("Too Many Requests"), RefusalClass.EDGE),
        (429, "", "", RefusalClass.EDGE),
        (429, "application/json", detail("Infrastructure is at maximum capacity, try again later"), RefusalClass.CAPACITY),
        (429, "application/json", detail("Free models limit reached for today. Upgrade to go on."), RefusalClass.FREE_DAILY),
        (402, "application/json", detail(QUOTA), RefusalClass.DAILY_QUOTA),
        (
            402,
            "application/json",
            detail("Subscription usage cap exceeded. Please add balance to continue."),
            RefusalClass.SUBSCRIPTION_CAP,
        ),
        (402, "application/json", detail(NO_BALANCE), RefusalClass.PAYMENT),
        (402, "text/html", "<html>Payment Required</html>", RefusalClass.PAYMENT),
        (402, "", "", RefusalClass.PAYMENT),
        (401, "application/json", detail("Invalid or expired token"), RefusalClass.AUTH),
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
    assert classify(status, content_type, body).kind is kind


@pytest.mark.parametrize(
    ("kinds", "pauses", "is_final"),
    [
        (("edge", "free_daily", "daily_quota", "subscription_cap", "payment", "auth"), True, True),
        (("request",), False, True),
        (("capacity", "model", "upstream"), False, False),
    ],
)
def test_a_class_says_who_has_to_wait_and_whether_another_model_may_help(kinds: tuple[str, ...], pauses: bool, is_final: bool) -> None:
    assert {(RefusalClass(kind).pauses_account, RefusalClass(kind).is_final) for kind in kinds} == {(pauses, is_final)}


def test_every_class_has_its_sentence() -> None:
    assert set(SENTENCES) == set(RefusalClass)


def test_a_wrong_host_is_told_as_a_matter_of_key_and_base_url() -> None:
    refusal = classify(404, "application/json", detail("No matching chute found!"))
    assert refusal.kind.sentence == "The key was refused. Check the key and the base URL."
    assert (refusal.detail, refusal.pause) == ("No matching chute found!", STOPPED_SECONDS)


@pytest.mark.parametrize(("status", "pause"), [(401, STOPPED_SECONDS), (402, STOPPED_SECONDS), (429, None), (500, None)])
def test_what_does_not_mend_itself_is_looked_at_again_after_a_while(status: int, pause: float | None) -> None:
    assert classify(status, "application/json", detail("no")).pause == pause


@pytest.mark.parametrize("status", [401, 402, 429, 503])
def test_a_providers_own_word_on_the_wait_wins(status: int) -> None:
    assert classify(status, "application/json", detail("no"), retry_after=17.0).pause == 17.0


def test_the_detail_is_what_the_provider_said_on_one_line() -> None:
    assert classify(400, "application/json", detail("first\n\t second")).detail == "first second"
    assert classify(402, "application/json", detail(QUOTA)).detail == json.dumps(QUOTA)
    assert classify(500, "text/plain", "  plain\r\ntext ").detail == "plain text"
    assert classify(500, "application/json", json.dumps({"error": "other form"})).detail == "other form"
    assert classify(429, "text/html", EDGE_PAGE).detail.startswith("<html> <head><title>429 Too Many Requests</title>")


@pytest.mark.parametrize("body", [detail(NO_BALANCE), detail({"message": "no balance", "payment_address": ADDRESS}), NO_BALANCE])
def test_the_address_to_pay_to_is_masked(body: str) -> None:
    kept = classify(402, "application/json", body).detail
    assert ADDRESS not in kept
    assert "[address]" in kept


def test_a_key_that_the_provider_repeats_is_masked_even_at_the_cut() -> None:
    key = "cpk_" + ".".join("0123456789abcdef0123456789abcdef" for _ in range(3))
    for said in (f"Unknown key {key}", "x" * (DETAIL_CHARS - 10) + f" {key}", "x" * (DETAIL_CHARS - 10) + " another-kind-of-key"):
        kept = classify(401, "application/json", detail(said), secrets=("another-kind-of-key",)).detail
        assert "cpk_" not in kept
        assert "another" not in kept


def test_a_reset_that_stands_far_back_in_a_long_body_is_found() -> None:
    body = detail({"message": "x" * 5_000, "quota_reset_timestamp": "2026-09-02T00:00:00Z"})
    assert classify(402, "application/json", body).kind is RefusalClass.DAILY_QUOTA


@pytest.mark.parametrize(
    "body",
    ["[" * 100_000, '{"detail":' * 100_000, "1" * 10_000, '"\\ud800"', '{"detail": "a\\u0000b\\ud83d"}', "null", "NaN", "[]", "\x00"],
)
def test_a_hostile_body_is_classified_and_what_is_kept_can_be_stored(body: str) -> None:
    kept = classify(429, "application/json", body)
    assert kept.kind is RefusalClass.EDGE
    assert "\0" not in kept.detail
    assert kept.detail.encode()


BODIES = st.text() | JSON.map(json.dumps) | JSON.map(lambda value: json.dumps({"detail": value})) | st.just(NO_BALANCE)


@given(st.integers(min_value=-1, max_value=1_000), st.sampled_from(["", "text/html", "application/json", "Ä;"]), BODIES)
def test_whatever_comes_has_a_class_and_a_short_detail_without_control_over_the_log(status: int, content_type: str, body: str) -> None:
    refusal = classify(status, content_type, body)
    assert refusal.kind in RefusalClass
    assert len(refusal.detail) <= DETAIL_CHARS
    assert "\n" not in refusal.detail
    refusal.detail.encode()
