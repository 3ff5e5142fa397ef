"""The direct key test's verdict and sentence for each behaviour of the provider, over real HTTP."""

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
    return [finding for part in key.parts(wanted) for finding in key.run(wanted, part) if isinstance(finding, Finding)]


def key_finding(**options: Any) -> Finding:
    return next(finding for finding in findings(**options) if finding.check_name == "key")


def test_a_key_that_works_shows_model_latency_and_tokens(fake_chutes: FakeChutes) -> None:
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
        ({"faults": {"reset": 1.0}}, Result.WARN, "The host is reachable, but did not answer."),
    ],
)
def test_each_refusal_has_a_sentence_and_a_remedy(fake_chutes: FakeChutes, mood: dict[str, Any], verdict: Result, meaning: str) -> None:
    fake_chutes.set(**mood)
    finding = key_finding()
    assert meaning in finding.meaning
    assert finding.verdict == verdict
    assert finding.next_step
    assert fake_chutes.key not in repr(finding)


def test_a_quota_shows_its_reset_and_the_source(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(quota={"total": 1, "used": 1, "reset_at": 3000})
    came_back = key_finding().came_back
    assert "Expected back at 20" in came_back
    assert "stated by the provider" in came_back


def test_a_made_up_key_shows_whether_only_the_account_is_limited(fake_chutes: FakeChutes) -> None:
    fake_chutes.ban(600)
    finding = key_finding()
    assert finding.verdict == Result.FAIL
    assert "this limit is this account's own" in finding.meaning
    assert "a made-up key" in finding.done
    assert finding.facts["control"] == "auth"
    assert "Expected back at" in finding.came_back


def account_status_texts(viewer: Client) -> dict[str, str]:
    """The texts of all places that show the account's status."""
    memory.refresh()
    return {
        "/health": viewer.get("/health").json()["llm"]["message"],
        "Overview": text_of(viewer.get("/")),
        "Rate limit": text_of(viewer.get("/rate-limit/"), "//*[starts-with(@id, 'gate-')]"),
        "health check": health_checks.check_all(timezone.now())["account default"].message,
    }


def pause_texts(viewer: Client) -> dict[str, str]:
    notice = next(condition.body for condition in conditions(timezone.now()) if condition.event == "llm_paused")
    return {**account_status_texts(viewer), "notification": notice, "next key test": key_finding().meaning}


def test_the_result_of_the_made_up_key_is_shown_with_the_account(fake_chutes: FakeChutes, viewer: Client) -> None:
    fake_chutes.ban(600)
    finding = key_finding()
    text = pause_texts(viewer)
    assert [place for place, shown in text.items() if f"{finding.meaning} {finding.next_step}" not in shown] == []
    assert [place for place, shown in text.items() if NEVER_WORKED in shown or "turned away" in shown] == []


def test_without_a_served_model_the_remedy_is_shown_with_the_account(fake_chutes: FakeChutes, settings: Any, viewer: Client) -> None:
    settings.CHUTES_MODELS = (MODEL, "google/gemma-4-31B-turbo-TEE")
    fake_chutes.set(refuse={"status": 402, "detail": "TEE models require an active subscription or positive balance."})
    remedy = RefusalClass.MODEL_UNPAID.sentence
    key_finding()
    assert [place for place, shown in account_status_texts(viewer).items() if remedy in shown] == ["Rate limit"], "one model is left"
    key_finding()
    assert [place for place, shown in account_status_texts(viewer).items() if remedy not in shown] == []
    fake_chutes.set(refuse=None)
    key_finding()
    assert [place for place, shown in account_status_texts(viewer).items() if remedy in shown] == ["Rate limit"], "one model is back"


class Edge(BaseHTTPRequestHandler):
    """An edge that refuses all requests, whatever the header, as if a proxy dropped it."""

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


def test_if_a_made_up_key_gets_the_same_page_the_account_may_be_fine(
    fake_chutes: FakeChutes, settings: Any, edge: str, viewer: Client
) -> None:
    settings.CHUTES_BASE_URL = edge
    finding = key_finding()
    assert "This may not be your account at all" in finding.meaning
    assert "Check the Authorization header, the host" in finding.next_step
    text = f"{finding.meaning} {finding.next_step}"
    assert [place for place, shown in pause_texts(viewer).items() if text not in shown] == []


def test_a_wrong_host_is_distinguished_from_a_wrong_key(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_BASE_URL = fake_chutes.management_url
    finding = key_finding()
    assert "No chat API answers at this address." in finding.meaning
    assert finding.next_step == "Check the base URL in the settings."


@pytest.mark.parametrize(
    ("url", "fault"),
    [("http://no-such-host.invalid/v1", "dns"), ("http://127.0.0.1:9/v1", "refused"), ("http://localhost:99999/v1", "address")],
)
def test_an_unreachable_host_is_reported_with_the_reason(fake_chutes: FakeChutes, settings: Any, url: str, fault: str) -> None:
    settings.CHUTES_BASE_URL = url
    finding = key_finding()
    assert finding.facts["fault"] == fault
    assert finding.meaning.startswith("The host can't be reached.")


def test_a_host_without_tls_is_reported(fake_chutes: FakeChutes, settings: Any) -> None:
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
    tested = [(finding.subject, finding.check_name, finding.verdict) for finding in findings()]
    assert tested == [
        ("default", "key", Result.OK),
        ("default", "models", Result.OK),
        ("default", "admin", Result.SKIPPED),
        ("off", "key", Result.SKIPPED),
        ("keyless", "key", Result.FAIL),
    ]


def test_an_admin_key_is_tested_and_one_without_rights_is_reported(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_MANAGEMENT_URL, settings.CHUTES_ADMIN_KEY = fake_chutes.management_url, fake_chutes.admin_key
    admin = [finding for finding in findings() if finding.check_name == "admin"]
    assert [finding.verdict for finding in admin] == [Result.OK]
    assert [finding.verdict for finding in findings() if finding.check_name == "admin"] == [Result.OK], "by the reading of just now"
    paths = [arrival["path"] for arrival in fake_chutes.state()["arrivals"]]
    assert paths.count("/users/me") == 1, "the management host gets a request every five minutes at most"
    QuotaReading.objects.all().delete()
    settings.CHUTES_ADMIN_KEY = fake_chutes.key
    admin_finding = next(finding for finding in findings() if finding.check_name == "admin")
    assert admin_finding.verdict == Result.WARN
    assert "needs an admin key" in admin_finding.meaning


def test_models_that_are_gone_are_named(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_MODELS = (MODEL, "gone/model")
    finding = next(finding for finding in findings() if finding.check_name == "models")
    assert (finding.verdict, finding.meaning) == (Result.WARN, "Not listed any more: gone/model.")


def test_the_test_goes_through_the_gate_and_its_outcome_counts(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(limit=0)
    key_finding()
    assert Gate.objects.get().strikes == 1
    assert RateLimitEvent.objects.filter(attempt__purpose="test").count() == 1
