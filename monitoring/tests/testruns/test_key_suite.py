"""The direct key test's verdict and sentence in each of the provider's moods, over real HTTP."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.accounts.miner_status import memory
from agents.configuration import change, default_account
from agents.devtools.fake_chutes.process import FakeChutes
from agents.ledger import actions
from agents.models import Account, Gate, LLMAttempt, QuotaReading, RateLimitEvent
from agents.policy.refusals import NEVER_WORKED, RefusalClass
from monitoring.health import health_checks
from monitoring.models import Result, TestRun
from monitoring.notifications.detection import conditions
from monitoring.testruns.suites import key
from monitoring.testruns.suites.findings import Finding
from monitoring.tests.reading import text_of

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "Qwen/Qwen3-32B-TEE"


@pytest.fixture
def fake_chutes(fake_chutes: FakeChutes, settings: Any) -> FakeChutes:
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = fake_chutes.key, fake_chutes.base_url, (MODEL,)
    change({"spacing_seconds": 0}, by=None, reason="test")
    return fake_chutes


def findings(**options: Any) -> list[Finding]:
    wanted = TestRun(options=options)
    return [each for part in key.parts(wanted) for each in key.run(wanted, part) if isinstance(each, Finding)]


def key_finding(**options: Any) -> Finding:
    return next(finding for finding in findings(**options) if finding.check_name == "key")


def test_a_key_that_works_tells_model_latency_and_tokens(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(quota={"total": 100, "used": 7})
    finding = key_finding()
    assert (finding.verdict, finding.meaning, finding.subject) == (Result.OK, "The key works.", "default")
    assert finding.done == f"Requested a single token from {MODEL}."
    assert "Status 200 after" in finding.came_back and "+ 1 tokens" in finding.came_back
    assert "of 100 requests of the day are used." in finding.came_back
    assert LLMAttempt.objects.get().purpose == "test"


@pytest.mark.parametrize(
    ("mood", "verdict", "meaning"),
    [
        ({"models": {MODEL: {"full": 1.0}}}, Result.WARN, "Your account and key are not limited"),
        ({"refuse": "free_daily"}, Result.FAIL, "The daily limit of free models is reached."),
        ({"quota": {"total": 1, "used": 1, "reset_at": 3000}}, Result.FAIL, "The daily quota is used up."),
        ({"refuse": "subscription_cap"}, Result.FAIL, "The subscription's usage cap is reached."),
        ({"refuse": "payment"}, Result.FAIL, "The account has no balance"),
        ({"valid": False}, Result.FAIL, "The key was refused."),
        ({"refuse": "forbidden"}, Result.FAIL, "The key was refused."),
        ({"refuse": "blocked"}, Result.WARN, "The provider failed to answer."),
        ({"unlisted": [MODEL]}, Result.FAIL, "The provider does not serve this model."),
        ({"refuse": {"status": 400, "detail": "pattern"}}, Result.FAIL, "could not read the request"),
        ({"faults": {"http500": 1.0}}, Result.WARN, "The provider failed to answer."),
        ({"faults": {"http502": 1.0}}, Result.WARN, "The provider failed to answer."),
        ({"faults": {"reset": 1.0}}, Result.WARN, "The host is there, but gave no answer."),
    ],
)
def test_each_refusal_is_told_in_words_with_what_to_do(
    fake_chutes: FakeChutes, mood: dict[str, Any], verdict: Result, meaning: str
) -> None:
    fake_chutes.set(**mood)
    finding = key_finding()
    assert meaning in finding.meaning
    assert finding.verdict == verdict
    assert finding.next_step
    assert fake_chutes.key not in repr(finding)


def test_a_quota_says_until_when_and_how_that_is_known(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(quota={"total": 1, "used": 1, "reset_at": 3000})
    event_words = key_finding().came_back
    assert "Expected back at 2026" in event_words or "Expected back at 20" in event_words
    assert "stated by the provider" in event_words


def test_a_limited_account_is_told_from_a_limit_on_everybody_by_a_made_up_key(fake_chutes: FakeChutes) -> None:
    fake_chutes.ban(600)
    finding = key_finding()
    assert finding.verdict == Result.FAIL
    assert "this limit is this account's own" in finding.meaning
    assert "a made-up key" in finding.done
    assert finding.facts["control"] == "auth"
    assert "Expected back at" in finding.came_back


def said_of_the_account(viewer: Client) -> dict[str, str]:
    """What each place that shows the account's status says."""
    memory.refresh()
    return {
        "/health": viewer.get("/health").json()["llm"]["message"],
        "Overview": text_of(viewer.get("/")),
        "Rate limit": text_of(viewer.get("/rate-limit/"), "//*[starts-with(@id, 'gate-')]"),
        "health check": health_checks.check_all(timezone.now())["account default"].message,
    }


def said_of_the_pause(viewer: Client) -> dict[str, str]:
    notice = next(each.body for each in conditions(timezone.now()) if each.event == "llm_paused")
    return {**said_of_the_account(viewer), "notification": notice, "next key test": key_finding().meaning}


def test_what_the_made_up_key_met_is_said_wherever_the_account_is_shown(fake_chutes: FakeChutes, viewer: Client) -> None:
    fake_chutes.ban(600)
    finding = key_finding()
    said = said_of_the_pause(viewer)
    assert [place for place, words in said.items() if f"{finding.meaning} {finding.next_step}" not in words] == []
    assert [place for place, words in said.items() if NEVER_WORKED in words or "turned away" in words] == []


def test_where_no_model_is_served_what_to_do_is_said_wherever_the_account_is_shown(
    fake_chutes: FakeChutes, settings: Any, viewer: Client
) -> None:
    settings.CHUTES_MODELS = (MODEL, "google/gemma-4-31B-turbo-TEE")
    fake_chutes.set(refuse={"status": 402, "detail": "TEE models require an active subscription or positive balance."})
    remedy = RefusalClass.MODEL_UNPAID.sentence
    key_finding()
    assert [place for place, words in said_of_the_account(viewer).items() if remedy in words] == ["Rate limit"], "one model is left"
    key_finding()
    assert [place for place, words in said_of_the_account(viewer).items() if remedy not in words] == []
    fake_chutes.set(refuse=None)
    key_finding()
    assert [place for place, words in said_of_the_account(viewer).items() if remedy in words] == ["Rate limit"], "one model is back"


class Edge(BaseHTTPRequestHandler):
    """An edge that lets nobody through, whatever the header: as where a proxy drops it."""

    def do_POST(self) -> None:
        page = b"<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(429)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *args: object) -> None:
        """Not in the tests' output."""


@pytest.fixture
def edge() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Edge) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


def test_where_everybody_meets_the_page_it_may_not_be_the_account_at_all(
    fake_chutes: FakeChutes, settings: Any, edge: str, viewer: Client
) -> None:
    settings.CHUTES_BASE_URL = edge
    finding = key_finding()
    assert "This may not be your account at all" in finding.meaning
    assert "Check the Authorization header, the host" in finding.next_step
    found = f"{finding.meaning} {finding.next_step}"
    assert [place for place, words in said_of_the_pause(viewer).items() if found not in words] == []


def test_a_wrong_host_is_told_from_a_wrong_key(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_BASE_URL = fake_chutes.management_url
    finding = key_finding()
    assert "No chat API answers at this address." in finding.meaning
    assert finding.next_step == "Check the base URL in the settings."


@pytest.mark.parametrize(
    ("url", "fault"),
    [("http://no-such-host.invalid/v1", "dns"), ("http://127.0.0.1:9/v1", "refused"), ("http://localhost:99999/v1", "address")],
)
def test_an_unreachable_host_says_what_is_wrong_with_it(fake_chutes: FakeChutes, settings: Any, url: str, fault: str) -> None:
    settings.CHUTES_BASE_URL = url
    finding = key_finding()
    assert finding.facts["fault"] == fault
    assert finding.meaning.startswith("The host can't be reached.")


def test_a_host_that_does_not_speak_tls_is_told(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_BASE_URL = fake_chutes.base_url.replace("http://", "https://")
    assert key_finding().facts["fault"] == "tls"


def test_a_host_that_hangs_is_cut_off(fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.accounts.probing.PATIENCE", 10.0)
    fake_chutes.set(faults={"hang": 1.0})
    finding = key_finding()
    assert finding.verdict == Result.WARN
    assert "Took longer than its limit of" in finding.came_back


def test_a_paused_account_is_reported_with_its_reset_and_not_touched(fake_chutes: FakeChutes) -> None:
    fake_chutes.ban(600)
    key_finding()
    calls = len(fake_chutes.state()["arrivals"])
    finding = key_finding()
    assert len(fake_chutes.state()["arrivals"]) == calls
    assert finding.done == "Nothing was sent: the account is paused."
    assert "Expected back at" in finding.came_back
    assert "Paused since" in finding.came_back
    assert "Test paused accounts too" in finding.next_step


def test_an_operator_may_have_a_paused_account_tested_all_the_same(fake_chutes: FakeChutes) -> None:
    actions.pause(default_account(), 600, by="ada", now=time.time())
    assert key_finding().verdict == Result.WARN
    assert key_finding(bypass_pause=True).meaning == "The key works."


def test_each_account_is_tested_and_a_disabled_one_skipped(fake_chutes: FakeChutes) -> None:
    default_account()
    Account.objects.create(name="off", position=2, enabled=False)
    Account.objects.create(name="keyless", position=3, base_url=fake_chutes.base_url, model_names=[MODEL])
    found = [(finding.subject, finding.check_name, finding.verdict) for finding in findings()]
    assert found == [
        ("default", "key", Result.OK),
        ("default", "models", Result.OK),
        ("default", "admin", Result.SKIPPED),
        ("off", "key", Result.SKIPPED),
        ("keyless", "key", Result.FAIL),
    ]


def test_an_admin_key_is_tried_and_a_key_that_may_only_call_is_told(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_MANAGEMENT_URL, settings.CHUTES_ADMIN_KEY = fake_chutes.management_url, fake_chutes.admin_key
    admin = [finding for finding in findings() if finding.check_name == "admin"]
    assert [finding.verdict for finding in admin] == [Result.OK]
    assert [finding.verdict for finding in findings() if finding.check_name == "admin"] == [Result.OK], "by the reading of just now"
    asked = [arrival["path"] for arrival in fake_chutes.state()["arrivals"]]
    assert asked.count("/users/me") == 1, "the management host is asked every five minutes at most"
    QuotaReading.objects.all().delete()
    settings.CHUTES_ADMIN_KEY = fake_chutes.key
    told = next(finding for finding in findings() if finding.check_name == "admin")
    assert told.verdict == Result.WARN
    assert "needs an admin key" in told.meaning


def test_models_that_are_gone_are_named(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_MODELS = (MODEL, "gone/model")
    finding = next(finding for finding in findings() if finding.check_name == "models")
    assert (finding.verdict, finding.meaning) == (Result.WARN, "Not listed any more: gone/model.")


def test_the_test_goes_through_the_gate_and_its_outcome_counts(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(limit=0)
    key_finding()
    assert Gate.objects.get().strikes == 1
    assert RateLimitEvent.objects.filter(attempt__purpose="test").count() == 1
