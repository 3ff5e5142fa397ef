"""Sign-in by a provider: users that an admin added for it, or that have the claim; no existing account is taken over."""

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django.fixtures import Settings as DjangoSettings

from agents.checks import check_settings
from agents.models import AuditEntry
from monitoring.sign_in.oidc import added_user, new_viewer
from monitoring.tests.reading import text_of, tree_of

pytestmark = pytest.mark.django_db

ADA = {"sub": "1", "email": "ada@example.com", "email_verified": True, "preferred_username": "ada"}


@pytest.fixture
def provider(settings: DjangoSettings) -> None:
    """A provider that does not answer."""
    app = {"provider_id": "oidc", "name": "Company", "client_id": "a", "secret": "b", "settings": {"server_url": "http://127.0.0.1:9"}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    settings.OIDC_NAME = "Company login"


@pytest.mark.parametrize("name", ["ada", "Ada@Example.com"])
def test_an_added_user_is_matched_by_user_name_or_verified_address(name: str) -> None:
    user = User.objects.create_user(name)
    assert added_user(ADA) == user


def test_an_account_with_a_password_deactivated_or_bound_already_is_not_taken_over() -> None:
    user = User.objects.create_user("ada", password="the-right-one")
    assert added_user(ADA) is None
    user.set_unusable_password()
    user.save()
    assert added_user(ADA) == user
    User.objects.update(is_active=False)
    assert added_user(ADA) is None
    User.objects.update(is_active=True)
    SocialAccount.objects.create(user=user, provider="oidc", uid="2")
    assert added_user(ADA) is None


@pytest.mark.parametrize("claims", [{}, {"email_verified": False}, {"email_verified": "true"}, {"email": 3}, {"email": "a\0b"}])
def test_an_unverified_address_is_not_used(claims: dict[str, Any]) -> None:
    User.objects.create_user("ada@example.com")
    assert added_user({"email": "ada@example.com", "preferred_username": None, **claims}) is None


@pytest.mark.parametrize(("given", "comes_in"), [("miner", True), (["other", "miner"], True), ("miners", False), (None, False), ([["miner"]], False)])  # fmt: skip
def test_the_claim_makes_a_viewer(given: object, comes_in: bool, groups: None, settings: DjangoSettings) -> None:
    assert new_viewer({**ADA, "groups": given}) is None, "by default no account is created"
    settings.OIDC_VIEWERS = ("groups", "miner")
    user = new_viewer({**ADA, "groups": given})
    assert bool(user) is comes_in
    if user:
        assert [group.name for group in user.groups.all()] == ["viewers"] and not user.has_usable_password()
        assert AuditEntry.objects.get().detail == "Added ada@example.com as viewer: groups has miner."


@pytest.mark.parametrize("claims", [{"email": "ada@example.com"}, {"email": "", "preferred_username": "a b"}, {"email": None, "preferred_username": None}, {"email": "a" * 150 + "@example.com"}])  # fmt: skip
def test_a_name_that_is_taken_or_can_not_be_gets_no_account(claims: dict[str, Any], settings: DjangoSettings) -> None:
    User.objects.create_user("ADA@example.com", password="the-right-one")
    settings.OIDC_VIEWERS = ("groups", "miner")
    assert new_viewer({**ADA, "groups": ["miner"], **claims}) is None


def test_an_admin_adds_a_user_for_the_provider(provider: None, admin: Client) -> None:
    assert tree_of(admin.get("/settings/users/")).xpath("//input[@id='id_has_password' and @checked]")
    text = text_of(admin.post("/settings/users/", {"username": "ada", "group": "operators"}))
    assert "ada is added and logs in with Company login." in text
    user = User.objects.get(username="ada")
    assert not user.has_usable_password() and user.groups.get() == Group.objects.get(name="operators")


@pytest.mark.usefixtures("provider")
def test_a_provider_that_does_not_answer_is_named_and_the_password_still_works(client: Client) -> None:
    assert tree_of(client.get("/login/?next=/tasks/")).xpath("//a[@href='/login/oidc/?next=/tasks/']")
    text = text_of(client.get("/login/oidc/", follow=True))
    assert "Company login can't be used now: its answer is not usable." in text
    for query in ("", "?state=made-up&code=a", "?error=access_denied", "?code=%00&state=%00"):
        assert client.get(f"/login/oidc/callback/{query}")["Location"] == "/login/"


def test_without_a_provider_there_is_no_button_and_no_such_page(client: Client, admin: Client) -> None:
    assert not django_settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    assert not tree_of(client.get("/login/")).xpath("//a[contains(@href, 'oidc')]")
    assert [client.get(f"/login/oidc/{path}").status_code for path in ("", "callback/", "callback/?state=a&code=b")] == [404] * 3
    assert not tree_of(admin.get("/settings/users/")).xpath("//*[@id='id_has_password']")


@pytest.mark.parametrize(("url", "client_id", "wrong"), [("", "a", True), ("https://id.example.com", "", True), ("http://id.example.com", "a", True),
    ("http://127.0.0.1:9", "a", False), ("https://id.example.com", "a", False), ("", "", False)])  # fmt: skip
def test_half_a_provider_or_one_without_https_stops_the_start(url: str, client_id: str, wrong: bool, settings: DjangoSettings) -> None:
    settings.OIDC_URL, settings.OIDC_CLIENT_ID = url, client_id
    assert ("agents.E009" in [message.id for message in check_settings(None)]) is wrong
