"""API tokens: created, shown once, listed, revoked; accepted and rejected ones."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from agents.common.redaction import mask_keys, redact
from agents.models import AuditEntry
from monitoring.models import ApiToken, Scope
from monitoring.tests.reading import rows_of, text_of, tree_of
from monitoring.tokens import tokens
from monitoring.web.access import CHANGE, CONTROL, SUBMIT, VIEW

pytestmark = pytest.mark.django_db

NEW = {"name": "ci", "scope": "read", "days": "90"}


def test_a_token_is_shown_once_and_stored_as_a_digest(operator: Client) -> None:
    shown = text_of(operator.post("/account/tokens/", NEW), "//*[@id='new-token']")
    assert re.fullmatch(r"mp_[A-Za-z0-9_-]{43}", shown)
    row = ApiToken.objects.get()
    assert shown not in str(ApiToken.objects.values().get())
    assert (row.last_four, row.digest) == (shown[-4:], tokens._digest(shown))
    assert row.expires_at is not None and timedelta(days=89) < row.expires_at - timezone.now() <= timedelta(days=90)
    again = operator.get("/account/tokens/").content.decode()
    assert shown not in again and f"…{shown[-4:]}" in again
    assert AuditEntry.objects.get().detail.startswith(f"Created ci (…{shown[-4:]}): read, until 20")


def test_a_token_may_be_created_without_an_end(viewer: Client) -> None:
    viewer.post("/account/tokens/", {**NEW, "days": ""})
    assert ApiToken.objects.get().expires_at is None
    assert "Expires Never" in " ".join(rows_of(viewer.get("/account/tokens/"))) or "Never" in rows_of(viewer.get("/account/tokens/"))[0]


def test_only_scopes_that_the_user_has_are_offered(viewer: Client, operator: Client, admin: Client) -> None:
    offered = [tree_of(user.get("/account/tokens/")).xpath("//select[@name='scope']/option/@value") for user in (viewer, operator, admin)]
    assert offered == [["read"], ["read", "operate"], ["read", "operate", "administer"]]
    assert "Select a valid choice" in text_of(viewer.post("/account/tokens/", {**NEW, "scope": "administer"}))
    assert not ApiToken.objects.exists()


def test_a_name_is_free_again_when_its_token_is_revoked(viewer: Client) -> None:
    viewer.post("/account/tokens/", NEW)
    assert "You have a token ci already" in text_of(viewer.post("/account/tokens/", NEW))
    viewer.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke/")
    viewer.post("/account/tokens/", NEW)
    assert [token.revoked_at is None for token in ApiToken.objects.order_by("pk")] == [False, True]


def test_a_user_revokes_own_tokens_and_an_admin_those_of_all(viewer: Client, admin: Client) -> None:
    viewer.post("/account/tokens/", NEW)
    token = ApiToken.objects.get()
    admin.post(f"/account/tokens/{token.pk}/revoke/")
    assert not ApiToken.objects.exclude(revoked_at=None).exists()
    assert "one-of-viewers" in text_of(admin.get("/settings/users/"), "//section[@aria-labelledby='all-tokens']")
    admin.post(f"/settings/users/tokens/{token.pk}/revoke/")
    assert ApiToken.objects.exclude(revoked_at=None).exists()
    assert "Revoked ci" in (detail := AuditEntry.objects.latest("pk").detail) and "of one-of-viewers" in detail


@pytest.fixture
def made(member: Callable[[str], Client]) -> Callable[..., tuple[ApiToken, str]]:
    """A token of a new member of a group."""

    def make(group: str = "admins", scope: Scope = Scope.ADMINISTER) -> tuple[ApiToken, str]:
        member(group)
        return tokens.create(User.objects.get(username=f"one-of-{group}"), "ci", scope, 90, timezone.now())

    return make


def test_a_token_is_limited_to_its_user_and_scope(made: Callable[..., tuple[ApiToken, str]]) -> None:
    def permitted(group: str, scope: Scope) -> set[str]:
        token, text = made(group, scope)
        result = tokens.find(text, timezone.now())
        assert result == token
        return {scope for scope in (VIEW, SUBMIT, CONTROL, CHANGE) if tokens.may(result, scope)}

    assert permitted("admins", Scope.OPERATE) == {VIEW, SUBMIT, CONTROL}
    assert permitted("viewers", Scope.ADMINISTER) == {VIEW}
    assert permitted("operators", Scope.READ) == {VIEW}


def test_wrong_revoked_and_expired_tokens_and_those_of_deactivated_users_are_refused(made: Callable[..., tuple[ApiToken, str]]) -> None:
    token, text = made()
    now = timezone.now()
    for other in ("", "mp_", text[:-1], text + "x", "mp_" + "a" * 43, "\ud800", "mp_\ud800"):
        assert tokens.find(other, now) is None
    assert tokens.find(text, now + timedelta(days=91)) is None
    User.objects.update(is_active=False)
    assert tokens.find(text, now) is None
    User.objects.update(is_active=True)
    assert tokens.find(text, now)
    tokens.revoke(token.pk, by=token.user, now=now)
    assert tokens.find(text, now) is None


def test_the_last_use_is_written_once_a_minute_at_most(made: Callable[..., tuple[ApiToken, str]]) -> None:
    token, text = made()
    first = timezone.now()
    for seconds in (0, 30, 59, 61):
        tokens.find(text, first + timedelta(seconds=seconds))
        token.refresh_from_db()
        assert token.last_used_at == first + timedelta(seconds=61 if seconds == 61 else 0)


def test_a_token_in_a_log_line_or_an_untrusted_text_is_masked(made: Callable[..., tuple[ApiToken, str]]) -> None:
    _, text = made()
    assert redact(f"got {text} here") == mask_keys(f"got {text} here") == "got [secret] here"
