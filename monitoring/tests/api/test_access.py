"""Group × scope × call, from the API's document: a new call without a rule may only read."""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from agents.models import AuditEntry
from agents.tests.rows import each_row
from monitoring.api import document as api
from monitoring.models import ApiToken, Scope
from monitoring.tests.api.calling import V1, Program, program
from monitoring.tokens import tokens
from monitoring.web.access import CHANGE, CONTROL, SUBMIT, VIEW

pytestmark = [pytest.mark.django_db, pytest.mark.long]

# Permissions that a call needs beyond reading.
NEEDS = {
    "POST /accounts/{account}/probe": CONTROL,
    "POST /accounts/{account}/pause": CONTROL,
    "POST /accounts/{account}/resume": CONTROL,
    "POST /accounts/{account}/clear": CONTROL,
    "POST /tasks": SUBMIT,
    "POST /tasks/{task}/cancel": SUBMIT,
    "POST /test-runs": SUBMIT,
    "POST /test-runs/{run}/cancel": SUBMIT,
    "PATCH /test-schedules/{schedule}": CHANGE,
    "PATCH /settings": CHANGE,
    "POST /settings/history/{kind}/{change}/revert": CHANGE,
    "POST /what-if": SUBMIT,
    "POST /what-if/{run}/cancel": SUBMIT,
    "PATCH /callers/{caller}": CHANGE,
}
READS_BY_POST = {"POST /settings/preview"}
GROUPS = {"viewers": {VIEW}, "operators": {VIEW, SUBMIT, CONTROL}, "admins": {VIEW, SUBMIT, CONTROL, CHANGE}}
BODIES = {
    "POST /accounts/{account}/pause": {"minutes": 5},
    "POST /tasks": {"prompt": "Log in", "url": "http://localhost:8000/"},
    "POST /test-runs": {"suites": ["key"]},
    "PATCH /test-schedules/{schedule}": {"enabled": False},
    "PATCH /settings": {"settings": {"spacing_seconds": 7}},
    "POST /settings/preview": {"settings": {"spacing_seconds": 7}},
    "POST /what-if": {"hours": 1},
    "PATCH /callers/{caller}": {"state": "blocked"},
}


def calls() -> Iterator[str]:
    """Each as “METHOD /path”."""
    for path, methods in api.document()["paths"].items():
        yield from (f"{method.upper()} {path.removeprefix(V1)}" for method in methods)


def address(path: str, places: dict[str, str]) -> str:
    return re.sub("{(.*?)}", lambda match: places[match[1]], path)


def test_each_call_serves_permitted_groups_and_scopes(one_of_each: dict[str, str]) -> None:
    assert len(set(calls())) >= 40
    assert {call for call in calls() if not call.startswith("GET")} == NEEDS.keys() | READS_BY_POST
    made = {(group, scope): program(scope, group, name=scope) for group, scope in product(GROUPS, Scope)}

    def check(row: tuple[str, str, Scope]) -> None:
        call, group, scope = row
        method, path = call.split()
        with transaction.atomic():
            answer = made[group, scope].call(method, address(path, one_of_each), BODIES.get(call))
            used = AuditEntry.objects.filter(action="token_use").count()
            transaction.set_rollback(True)
        needed = NEEDS.get(call, VIEW)
        if needed in GROUPS[group] & tokens.ALLOWS[scope]:
            assert answer.status_code in (200, 202, 404, 409), answer.content
            assert used == (answer.status_code in (200, 202) and call in NEEDS), "what changes something is in Audit, with the token"
        else:
            assert answer.status_code == 403
            assert ("scope" in answer.json()["detail"]) is (needed not in tokens.ALLOWS[scope])

    each_row(product(sorted(calls()), GROUPS, Scope), check)


def test_a_token_is_required_and_a_session_does_not_replace_it(one_of_each: dict[str, str], admin: Client) -> None:
    def check(call: str) -> None:
        method, path = call.split()
        for headers in ({}, {"Authorization": "Bearer mp_" + "a" * 43}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}):
            answer = admin.generic(method, V1 + address(path, one_of_each), headers=headers)
            assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
            assert answer["Content-Type"] == "application/problem+json"

    each_row(calls(), check)


@pytest.mark.parametrize("change", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}])
def test_an_expired_token_is_rejected(change: dict[str, object], admin_program: Program) -> None:
    admin_program.get("/status")
    ApiToken.objects.update(**change)
    assert admin_program.call("GET", "/status").status_code == 401


def test_a_deactivated_users_token_is_rejected(admin_program: Program) -> None:
    admin_program.token.user.is_active = False
    admin_program.token.user.save()
    assert admin_program.call("GET", "/status").status_code == 401


def test_a_token_sends_120_requests_a_minute_at_most(admin_program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)  # a slow machine takes longer
    other = program(name="other")
    assert {admin_program.call("GET", "/token").status_code for _ in range(120)} == {200}
    refused = admin_program.call("GET", "/token")
    assert refused.status_code == refused.json()["status"] == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert other.call("GET", "/token").status_code == 200


def test_the_document_requires_a_session_or_a_token(admin_program: Program, viewer: Client, client: Client) -> None:
    for answer in (admin_program.call("GET", "/openapi.json"), viewer.get(f"{V1}/openapi.json")):
        assert answer.json()["openapi"] == "3.1.0"
    assert client.get(f"{V1}/openapi.json").status_code == 401
    assert client.post(f"{V1}/openapi.json").status_code == 405


def test_its_page_has_a_policy_of_its_own_and_needs_no_other_host(viewer: Client) -> None:
    page = viewer.get("/account/tokens/api/")
    assert "style-src 'self' 'unsafe-inline'" in page["Content-Security-Policy"]
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert b"swagger-ui-bundle" in page.content and b"https://" not in page.content
    assert b"/account/tokens/api/" in viewer.get("/account/tokens/").content
