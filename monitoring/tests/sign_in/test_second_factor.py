"""A second factor: set up, required at log-in, replaced by recovery codes, mandatory, reset; each with its audit entry."""

import re
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings

from agents.configuration import change
from agents.models import AuditEntry
from monitoring.models import FailedLogIns, Scope
from monitoring.sign_in.passkeys import REFUSED
from monitoring.sign_in.tries import FREE_TRIES
from monitoring.tests.reading import HTMX, text_of, tree_of
from monitoring.tests.sign_in.people import PASSWORD, code_of, confirm, make_app, make_codes, make_passkey
from monitoring.tokens import tokens
from monitoring.web.access import VIEW

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(groups: None) -> User:
    user = User.objects.create_user("ada", password=PASSWORD)
    user.groups.set([user.groups.model.objects.get(name="admins")])
    return user


@pytest.fixture
def at_work(ada: User) -> Client:
    """Ada's browser, a moment after she logged in."""
    client = Client()
    client.force_login(ada)
    confirm(client, ada)
    return client


def halfway(client: Client, address: str = "/login/") -> None:
    assert client.post(address, {"username": "ada", "password": PASSWORD})["Location"] == "/login/code/"


def audit(*actions: str) -> list[str]:
    return list(AuditEntry.objects.filter(action__in=actions).order_by("id").values_list("detail", flat=True))


def key_on(page: HttpResponseBase) -> str:
    return text_of(page, "//*[@id='app-key']")


def made_on(page: HttpResponseBase) -> str:
    return str(tree_of(page).xpath("//input[@name='made']/@value")[0])


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """Returns the secret and the recovery codes."""
    page = client.get("/account/second-factor/app/")
    done = client.post("/account/second-factor/app/", {"made": made_on(page), "code": code_of(key_on(page))})
    return key_on(page), text_of(done, "//*[@id='codes']").split()


def test_an_app_is_set_up_with_recovery_codes_that_are_shown_once(at_work: Client, ada: User) -> None:
    _secret, codes = set_up_app(at_work)
    assert len(codes) == 10 and all(re.fullmatch(r"\d{8}", code) for code in codes)
    page = at_work.get("/account/second-factor/").content.decode()
    assert "10 of 10 are left" in page and not any(code in page for code in codes)
    assert audit("second_factor") == ["Added the authenticator app. From 127.0.0.1."]
    assert "no-store" in at_work.post("/account/second-factor/codes/")["Cache-Control"]


def test_secrets_are_stored_sealed_and_nowhere_else(at_work: Client, ada: User) -> None:
    assert key_on(at_work.get("/account/second-factor/app/")) not in str([session.get_decoded() for session in Session.objects.all()]), (
        "not before the app has shown that it has it"
    )
    secret, codes = set_up_app(at_work)
    stored = str(list(Authenticator.objects.values())) + str([session.get_decoded() for session in Session.objects.all()])
    stored += str(list(AuditEntry.objects.values())) + at_work.get("/settings/export/").content.decode()
    assert not any(text in stored for text in (secret, *codes))
    seed = Authenticator.objects.get(type="recovery_codes").wrap()
    assert Authenticator.objects.get(type="recovery_codes").data["seed"].startswith("gAAAA") and seed.get_unused_codes() == codes


def test_a_wrong_code_adds_no_factor(at_work: Client) -> None:
    page = at_work.get("/account/second-factor/app/")
    refused = at_work.post("/account/second-factor/app/", {"made": made_on(page), "code": "000000x"})
    assert "This code does not match" in text_of(refused, "//*[@id='id_code_error']")
    assert key_on(refused) == key_on(page), "the phone has that one"
    assert not Authenticator.objects.exists()


def test_a_passkey_of_another_user_or_a_made_up_one_is_refused(at_work: Client, viewer: Client) -> None:
    theirs = viewer.get("/account/second-factor/app/")
    secret = key_on(theirs)
    at_work.post("/account/second-factor/app/", {"made": made_on(theirs), "code": code_of(secret)})
    at_work.post("/account/second-factor/app/", {"made": secret, "code": code_of(secret)})
    assert not Authenticator.objects.exists()


def test_with_an_app_the_password_alone_is_not_enough(ada: User) -> None:
    secret, client = make_app(ada), Client()
    halfway(client, "/login/?next=/tasks/")
    assert client.get("/").status_code == 302
    assert "Wrong" not in text_of(client.get("/login/code/"))
    done = client.post("/login/code/", {"code": code_of(secret)})
    assert done["Location"] == "/tasks/"
    assert client.get("/").status_code == 200
    assert audit("login") == ["By password and authenticator app. From 127.0.0.1."]


def test_a_code_works_once(ada: User) -> None:
    code, first, second = code_of(make_app(ada)), Client(), Client()
    for client in (first, second):
        halfway(client)
        answer = client.post("/login/code/", {"code": code})
    assert "This code is wrong, or it was used already." in text_of(answer)


def test_a_recovery_code_stands_in_once_and_is_on_record(ada: User) -> None:
    make_app(ada)
    code, client, again = make_codes(ada)[0], Client(), Client()
    halfway(client)
    assert client.post("/login/code/", {"code": code})["Location"] == "/"
    assert "You have 9 left" in text_of(client.get("/"))
    assert audit("recovery_code", "login") == ["9 left. From 127.0.0.1.", "By password and recovery code. From 127.0.0.1."]
    halfway(again)
    assert "This code is wrong, or it was used already." in text_of(again.post("/login/code/", {"code": code}))


def test_wrong_codes_are_slowed_by_address_and_by_user(ada: User) -> None:
    secret = make_app(ada)
    for number in range(FREE_TRIES):  # with the password, from as many addresses
        client = Client(REMOTE_ADDR=f"203.0.113.{number}")
        halfway(client)
        assert client.post("/login/code/", {"code": "000000x"}).status_code == 200
    stranger = Client(REMOTE_ADDR="203.0.113.99")
    halfway(stranger)
    answer = stranger.post("/login/code/", {"code": code_of(secret)})
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert "Wait 1 second" in text_of(answer)
    assert audit("login_slowed")[0].startswith(f"codes of user {ada.pk}: 5 wrong tries")
    assert AuditEntry.objects.filter(action="login_failed", by="ada").count() == FREE_TRIES
    FailedLogIns.objects.update(not_before=timezone.now())
    assert stranger.post("/login/code/", {"code": code_of(secret)}).status_code == 302
    assert not FailedLogIns.objects.filter(source__in=["203.0.113.99", f"codes of user {ada.pk}"]).exists()


def test_changing_a_factor_long_after_log_in_requires_confirmation(at_work: Client, ada: User) -> None:
    confirm(at_work, ada, ago=301)
    led = at_work.get("/account/second-factor/app/")
    assert led["Location"] == "/account/confirm/?next=%2Faccount%2Fsecond-factor%2Fapp%2F"
    wrong = at_work.post("/account/confirm/", {"password": "wrong", "next": "/account/second-factor/app/"})
    assert "This is not your password" in text_of(wrong)
    right = at_work.post("/account/confirm/", {"password": PASSWORD, "next": "/account/second-factor/app/"})
    assert right["Location"] == "/account/second-factor/app/"
    assert at_work.get("/account/second-factor/app/").status_code == 200
    assert (
        at_work.post("/account/confirm/", {"password": PASSWORD, "next": "https://evil.example/"})["Location"] == "/account/second-factor/"
    )


def test_an_action_that_needs_it_is_not_done_before(at_work: Client, ada: User) -> None:
    secret = make_app(ada)
    confirm(at_work, ada, ago=301)
    for address in ("app/remove/", "codes/", f"passkeys/{make_passkey(ada).pk}/remove/"):
        led = at_work.post(f"/account/second-factor/{address}")
        assert led["Location"] == "/account/confirm/?next=%2Faccount%2Fsecond-factor%2F"
    assert Authenticator.objects.count() == 2
    assert at_work.post("/account/confirm/", {"code": code_of(secret)})["Location"] == "/account/second-factor/"


def test_factors_are_removed_and_recovery_codes_go_with_the_last(at_work: Client, ada: User) -> None:
    make_app(ada)
    make_codes(ada)
    passkey = make_passkey(ada)
    at_work.post("/account/second-factor/app/remove/")
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"webauthn", "recovery_codes"}
    at_work.post(f"/account/second-factor/passkeys/{passkey.pk}/remove/")
    assert not Authenticator.objects.exists()
    assert audit("second_factor") == ["Removed the authenticator app. From 127.0.0.1.", "Removed the passkey blue key. From 127.0.0.1."]


def test_a_user_cannot_remove_another_users_factor(at_work: Client, viewer: Client) -> None:
    theirs = make_passkey(User.objects.get(username="one-of-viewers"))
    assert at_work.post(f"/account/second-factor/passkeys/{theirs.pk}/remove/").status_code == 404
    assert Authenticator.objects.exists()


@pytest.mark.parametrize(("host", "is_secure", "reason"), [
    ("localhost:8000", False, ""),
    ("panel.example.com", True, ""),
    ("panel.example.com", False, "This page is at http://panel.example.com."),
    ("127.0.0.1:8000", False, "This page is at http://127.0.0.1."),
])  # fmt: skip
def test_passkeys_are_offered_on_https_or_localhost_else_the_reason(
    host: str, is_secure: bool, reason: str, at_work: Client, settings: DjangoSettings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page = at_work.get("/account/second-factor/", secure=is_secure, headers={"Host": host})
    login = Client().get("/login/", secure=is_secure, headers={"Host": host})
    offered = [bool(tree_of(get).xpath(path)) for get, path in ((page, "//a[text()='Add a passkey']"), (login, "//form[@data-passkey]"))]
    assert offered == [not reason] * 2
    if reason:
        assert f"Passkeys need https, or the address http://localhost. {reason}" in text_of(page)
        assert Client().get("/login/passkey/", secure=is_secure, headers={"Host": host}).status_code == 404


@pytest.mark.parametrize("credential", ["", "null", "[]", "{}", "9" * 9_000, "[" * 60_000, '{"id": 1}', '{"response": []}', "x" * 70_000,
    '{"id": "AA", "rawId": "AA", "type": "public-key", "clientExtensionResults": {}, "response": {"clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AA", "userHandle": "%"}}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "clientExtensionResults": {}, "response": {"clientDataJSON": "e30", "attestationObject": "AAAA"}}',
])  # fmt: skip
def test_an_invalid_passkey_is_refused_with_a_message(credential: str, at_work: Client, ada: User) -> None:
    headers, client = {"Host": "localhost"}, Client()
    at_work.get("/account/second-factor/passkeys/add/", headers=headers)
    response = at_work.post("/account/second-factor/passkeys/add/", {"name": "key", "credential": credential}, headers=headers)
    assert REFUSED in text_of(response) or "required" in text_of(response)
    client.get("/login/passkey/", headers=headers)
    assert client.post("/login/passkey/", {"credential": credential}, headers=headers)["Location"] == "/login/"
    make_app(ada)
    halfway(client)
    assert client.post("/login/code/", {"credential": credential}, headers=headers).status_code == 200


def test_a_required_factor_is_set_up_before_anything_else(at_work: Client, ada: User) -> None:
    change({"require_second_factor": True}, by=None, reason="")
    assert at_work.get("/")["Location"] == "/account/second-factor/"
    assert at_work.get("/", headers=HTMX)["HX-Redirect"] == "/account/second-factor/"
    assert at_work.post("/settings/", {"spacing_seconds": "9"})["Location"] == "/account/second-factor/"
    page = text_of(at_work.get("/account/second-factor/"))
    assert "A second factor is required here." in page and "Nothing was done" in page
    for address in ("/account/password/", "/account/sessions/", "/settings/export/", "/audit/"):
        assert at_work.get(address)["Location"] == "/account/second-factor/", address
    token, text = tokens.create(ada, "program", Scope.READ, None, timezone.now())
    assert not tokens.may(token, VIEW), "a token is no way around it"
    assert "second factor" in Client().get("/api/v1/status", headers={"Authorization": f"Bearer {text}"}).json()["detail"]
    set_up_app(at_work)
    assert at_work.get("/").status_code == 200 and tokens.may(token, VIEW)


def test_an_admin_requires_it_on_the_settings_page(at_work: Client) -> None:
    page = tree_of(at_work.get("/settings/"))
    assert page.xpath("//input[@type='checkbox' and @name='require_second_factor']")


def test_recovery_codes_alone_are_no_second_factor(at_work: Client, ada: User) -> None:
    change({"require_second_factor": True}, by=None, reason="")
    make_codes(ada)
    assert at_work.get("/").status_code == 302


def test_the_command_recovers_a_lost_device(ada: User) -> None:
    secret, lost = make_app(ada), Client()
    make_codes(ada)
    halfway(lost)
    lost.post("/login/code/", {"code": code_of(secret)})
    output = StringIO()
    call_command("reset_second_factor", "ada", stdout=output)
    assert "removed authenticator app, ended all sessions" in output.getvalue()
    assert lost.get("/").status_code == 302, "the device was logged in"
    assert Client().post("/login/", {"username": "ada", "password": PASSWORD})["Location"] == "/"
    assert audit("second_factor") == ["Reset the second factor of ada: removed authenticator app, ended all sessions. By command."]
    with pytest.raises(CommandError, match="There is no user bob"):
        call_command("reset_second_factor", "bob")


def test_an_admin_sees_users_with_a_factor_and_resets_it(admin: Client, ada: User) -> None:
    make_app(ada)
    make_passkey(ada)
    assert "Authenticator app, passkey" in text_of(admin.get("/settings/users/"))
    admin.post(f"/settings/users/{ada.pk}/second-factor/")
    assert not Authenticator.objects.exists()
    assert audit("user")[-1] == "Reset the second factor of ada: removed authenticator app, passkey, ended all sessions."


def test_a_factor_that_can_no_longer_be_opened_is_named_with_the_remedy(ada: User, settings: DjangoSettings) -> None:
    make_app(ada)
    settings.SECRET_KEY = "another-secret-" + "0123456789abcdef" * 3
    client = Client()
    halfway(client)
    assert "add the former SECRET_KEY to SECRET_KEY_FALLBACKS" in text_of(client.post("/login/code/", {"code": "123456"}))


@pytest.mark.parametrize("path", ["signup/", "login/signup/", "password/reset/", "account/email/", "accounts/login/", "accounts/signup/", "confirm-email/", "login/code/request/", "account/password/reset/", "social/connections/"])  # fmt: skip
def test_there_is_no_sign_up_and_no_mail(path: str, client: Client) -> None:
    assert client.get(f"/{path}").status_code == 404
