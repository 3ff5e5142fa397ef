"""Signing in with a real browser: an authenticator app, a passkey, recovery codes, sessions, and a provider of OpenID Connect."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, expect

from minerpanel.tests import oidc_provider
from minerpanel.tests.processes import Miner, free_port, wait_until
from minerpanel.tests.visitors import PASSWORD, Visitor, collect_static
from monitoring.tests.sign_in.people import code_of

# A device with its own lock, which its owner always opens.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Panel(NamedTuple):
    miner: Miner
    url: str


@pytest.fixture(scope="module")
def panel(make_inhabited: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """At http://localhost, where browsers offer passkeys; with a provider of sign-in."""
    collect_static()
    folder, port = tmp_path_factory.mktemp("sign-in"), str(free_port())
    url = f"http://localhost:{port}"
    with oidc_provider.provider(free_port(), folder, url) as provider:
        settings = {"OIDC_URL": provider, "OIDC_CLIENT_ID": oidc_provider.CLIENT, "OIDC_CLIENT_SECRET": oidc_provider.CLIENT_SECRET}
        more = {"OIDC_NAME": "Company login", "OIDC_VIEWERS": "family_name=Miner"}
        with Miner.running({**make_inhabited(folder), **settings, **more}) as miner:
            miner.webs([{"PORT": port}])
            wait_until(lambda: answers(provider), "the provider does not answer")
            yield Panel(miner, url)


def answers(provider: str) -> bool:
    try:
        return httpx.get(f"{provider}/.well-known/openid-configuration").is_success
    except httpx.TransportError:
        return False


@contextmanager
def arrived(browser: Browser, panel: Panel) -> Iterator[Visitor]:
    with Visitor.arrived(browser, panel.url) as visitor:
        yield visitor
        assert [fault for fault in visitor.faults if panel.url in fault or "Content Security" in fault] == []


@pytest.fixture
def desk(browser: Browser, panel: Panel) -> Iterator[Visitor]:
    with arrived(browser, panel) as visitor:
        yield visitor


def enter_password(visitor: Visitor, name: str) -> None:
    page = visitor.page
    page.goto(f"{visitor.url}/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def enter_code(visitor: Visitor, code: str) -> None:
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Second step")
    visitor.page.get_by_label("Code").fill(code)
    visitor.page.get_by_role("button", name="Log in").click()
    is_in(visitor)


def is_in(visitor: Visitor) -> None:
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_a_required_factor_an_app_a_recovery_code_and_an_ended_session(browser: Browser, panel: Panel, desk: Visitor) -> None:
    page = desk.page
    panel.miner.manage("miner_settings", "require_second_factor=true")
    enter_password(desk, "operator")
    expect(page.get_by_role("alert").filter(has_text="A second factor is required here.")).to_be_visible()
    page.goto(f"{desk.url}/tasks/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your second factor")
    page.get_by_role("link", name="Set up an app").click()
    secret = page.locator("#app-key").inner_text()
    assert page.evaluate("document.querySelector('.drawn-code').naturalWidth") > 0, "the QR code is drawn"
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    codes = page.locator("#codes").inner_text().split()
    assert len(codes) == 10
    page.goto(f"{desk.url}/tasks/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")
    panel.miner.manage("miner_settings", "require_second_factor=false")
    with arrived(browser, panel) as phone:
        enter_password(phone, "operator")
        enter_code(phone, code_of(secret, 1))  # the code before is used
        with arrived(browser, panel) as borrowed:
            enter_password(borrowed, "operator")
            enter_code(borrowed, codes[0])
            expect(borrowed.page.get_by_role("main")).to_contain_text("You have 9 left.")
        page.get_by_title("your account").click()
        page.get_by_role("link", name="Sessions").click()
        others = page.get_by_role("row").filter(has_not_text="This one").filter(has=page.get_by_role("button"))
        expect(others).to_have_count(2)
        others.first.get_by_role("button", name=re.compile("^End")).click()
        expect(others).to_have_count(1)
        page.get_by_role("button", name="End all others").click()
        expect(others).to_have_count(0)
        phone.page.goto(f"{desk.url}/tasks/")
        expect(phone.page.get_by_role("heading", level=1)).to_have_text("Log in")


def test_a_passkey_is_added_logs_in_alone_and_is_the_second_step_after_a_password(desk: Visitor) -> None:
    page = desk.page
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    enter_password(desk, "viewer")
    is_in(desk)
    page.goto(f"{desk.url}/account/second-factor/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("this laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.locator("#codes")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Log in with a passkey").click()
    is_in(desk)
    page.get_by_role("button", name="Log out").click()
    enter_password(desk, "viewer")
    page.get_by_role("button", name="Use a passkey").click()
    is_in(desk)
    page.goto(f"{desk.url}/account/second-factor/")
    page.get_by_role("button", name="Remove the passkey this laptop").click()
    expect(page.get_by_role("status").filter(has_text="Removed the passkey this laptop.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("status").filter(has_text="This passkey is not known here.")).to_be_visible()


def by_provider(visitor: Visitor, name: str) -> None:
    page = visitor.page
    page.goto(f"{visitor.url}/login/?next=/steps/")
    page.get_by_role("link", name="Log in with Company login").click()
    page.locator("[name=login]").fill(name)
    page.locator("[name=password]").fill(oidc_provider.PASSWORD)
    page.locator("[type=submit]").first.click()
    page.wait_for_url(f"{visitor.url}/**")


def test_a_provider_signs_in_added_users_and_those_with_the_claim_only(browser: Browser, panel: Panel, desk: Visitor) -> None:
    page = desk.page
    enter_password(desk, "admin")
    page.goto(f"{desk.url}/settings/users/")
    page.get_by_label("Username").fill("ada@example.com")
    page.get_by_label("Group", exact=True).select_option("Operator")
    page.get_by_label("Logs in with a password").uncheck()
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("status").filter(has_text="ada@example.com is added and logs in with Company login.")).to_be_visible()
    for name, heading in (("ada-at-work", "Steps"), ("vera", "Steps"), ("admin", "Log in")):
        with arrived(browser, panel) as visitor:
            by_provider(visitor, name)
            expect(visitor.page.get_by_role("heading", level=1)).to_have_text(heading)
            if heading == "Log in":
                expect(visitor.page.get_by_role("status").filter(has_text="but have no account here")).to_be_visible()
    page.goto(f"{desk.url}/settings/users/")
    expect(page.get_by_label("Group of vera@example.com", exact=True)).to_have_value("viewers")
    page.goto(f"{desk.url}/audit/")
    expect(page.get_by_role("main")).to_contain_text("By Company login. From 127.0.0.1.")
