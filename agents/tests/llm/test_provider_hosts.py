"""A key is sent to public hosts and to private ones that the environment lists, whatever a name resolves to a moment later."""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpcore
import httpx
import pytest
from django.core.exceptions import ValidationError

from agents.accounts import probing, quota_readings
from agents.configuration import Provider, change, default_account, provider, provider_hosts
from agents.configuration.account_changes import add_account, change_account
from agents.configuration.keys import admin_key_of, key_of
from agents.contract.allowed_hosts import allowed, is_never_reached, is_public, may_connect
from agents.devtools.fake_chutes.server import Answer, Request, Server, json_answer
from agents.llm import client as llm
from agents.llm.checked_transport import CheckedSyncTransport, never_reached
from agents.models import Account
from agents.policy.reasons import Purpose, Verdict
from agents.prompting.completions import Completion
from agents.tests.rows import rows

KEY, OTHER = "cpk_made.up.WXYZ", "cpk_other.one.ABCD"
PUBLIC, METADATA = "93.184.216.34", "169.254.169.254"
REPLY = {"choices": [{"message": {"content": "{}"}}], "usage": {}}


class Host:
    """A real server on loopback that counts what arrives, and closes each connection."""

    def __init__(self) -> None:
        self.arrived: list[Request] = []
        self.server = Server(self._app, 0)
        self.server.start()
        self.port = int(self.server.url.rpartition(":")[2])

    def _app(self, request: Request) -> Answer:
        self.arrived.append(request)
        return json_answer(200, REPLY, {"Connection": "close"})


@pytest.fixture
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.server.stop()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Make a name resolve to these addresses in order, the last one repeatedly; returns the names that were resolved."""
    real = socket.getaddrinfo

    def script(name: str, *turns: tuple[str, ...]) -> list[str]:
        resolved: list[str] = []

        def fake(host: Any, port: Any, *args: Any, **more: Any) -> Any:
            if host not in (name, name.encode()):
                return real(host, port, *args, **more)
            resolved.append(name)
            addresses = turns[min(len(resolved), len(turns)) - 1]
            return [each for address in addresses for each in real(address, port, type=socket.SOCK_STREAM)]

        monkeypatch.setattr(socket, "getaddrinfo", fake)
        return resolved

    return script


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that sockets of this process connected to."""
    tried: list[str] = []

    def noting(real: Callable[..., Any]) -> Callable[..., Any]:
        async def connect(self: Any, host: str, *args: Any, **more: Any) -> Any:
            tried.append(host)
            return await real(self, host, *args, **more)

        return connect

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", noting(httpcore.AnyIOBackend.connect_tcp))
    return tried


def complete(url: str, key: str = KEY) -> Completion:
    prompt = llm.Prompt([{"role": "user", "content": "Hello"}])
    return llm.Call(Provider(url, key, ("a/model",), {}), "a/model", prompt, cut_off=time.time() + 20).result()


NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "fe80::1",
    "ff02::1",
    "::",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::1",
]


@rows("address", NEVER)
def test_no_list_opens_an_address_that_is_never_reached(address: str) -> None:
    ip = ipaddress.ip_address(address)
    everything = [allowed("0.0.0.0/0:1-65535"), allowed("[::]/0:1-65535")]
    assert is_never_reached(ip) and not is_public(ip)
    assert not may_connect(ip, 80, everything), "nor for a page fetch"


@pytest.mark.parametrize(
    "address", ["10.0.0.5", "127.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.5"]
)
def test_a_private_address_may_be_listed(address: str, settings: Any) -> None:
    ip = ipaddress.ip_address(address)
    settings.PRIVATE_PROVIDER_HOSTS = ()
    assert not is_public(ip) and not is_never_reached(ip)
    assert provider_hosts.refused("llm.example.com", 443, [ip]) == ip
    settings.PRIVATE_PROVIDER_HOSTS = (allowed("llm.example.com"),)
    assert provider_hosts.refused("llm.example.com", 443, [ip]) is None
    assert provider_hosts.refused("llm.example.com", 8443, [ip]) == ip, "another port is another service"


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_a_public_address_needs_no_list(address: str, settings: Any) -> None:
    settings.PRIVATE_PROVIDER_HOSTS = ()
    assert provider_hosts.refused("llm.example.com", 443, [ipaddress.ip_address(address)]) is None


def test_a_metadata_address_is_refused_before_any_connection(connections: list[str]) -> None:
    for url in (f"http://{METADATA}/v1", "http://[fd00:ec2::254]/v1", "http://0x7f.1:1/v1".replace("0x7f.1", "2852039166")):
        with pytest.raises(llm.Unreachable, match="link-local, metadata or reserved"):
            complete(url)
    assert connections == []


def test_a_name_with_a_refused_address_among_others_is_refused(
    resolver: Callable[..., list[str]], connections: list[str], host: Host
) -> None:
    resolver("llm.example.com", (PUBLIC, METADATA))
    with pytest.raises(llm.Unreachable, match="link-local"):
        complete(f"http://llm.example.com:{host.port}/v1")
    assert (connections, host.arrived) == ([], [])


def test_a_name_is_checked_again_at_the_next_connection(
    resolver: Callable[..., list[str]], connections: list[str], host: Host, settings: Any
) -> None:
    settings.PRIVATE_PROVIDER_HOSTS = (allowed(f"flip.example.com:{host.port}"),)
    resolver("flip.example.com", ("127.0.0.1",), (METADATA,))
    url = f"http://flip.example.com:{host.port}/v1"
    assert complete(url).text == "{}"
    with pytest.raises(llm.Unreachable, match=METADATA):
        complete(url)
    assert (connections, len(host.arrived)) == (["127.0.0.1"], 1)


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    resolver: Callable[..., list[str]], host: Host, settings: Any
) -> None:
    settings.PRIVATE_PROVIDER_HOSTS = (allowed(f"flip.example.com:{host.port}"),)
    resolved = resolver("flip.example.com", ("127.0.0.1",), (METADATA,))
    assert complete(f"http://flip.example.com:{host.port}/v1").text == "{}"
    assert resolved == ["flip.example.com"], "resolved once"
    assert host.arrived[0].headers["Host"] == f"flip.example.com:{host.port}"


def test_loopback_is_refused_where_neither_environment_nor_list_names_it(host: Host, settings: Any) -> None:
    settings.PRIVATE_PROVIDER_HOSTS = ()
    with pytest.raises(llm.Unreachable, match="PRIVATE_PROVIDER_HOSTS"):
        complete(f"http://127.0.0.1:{host.port}/v1")
    assert host.arrived == []
    settings.CHUTES_BASE_URL = f"http://127.0.0.1:{host.port}/v1"
    assert complete(settings.CHUTES_BASE_URL).text == "{}"


def test_an_address_that_does_not_answer_leaves_the_next_one(resolver: Callable[..., list[str]], host: Host, settings: Any) -> None:
    settings.PRIVATE_PROVIDER_HOSTS = (allowed(f"two.example.com:{host.port}"),)
    resolver("two.example.com", ("127.0.0.2", "127.0.0.1"))
    assert complete(f"http://two.example.com:{host.port}/v1").text == "{}"


def test_the_management_host_is_checked_too(connections: list[str]) -> None:
    read = quota_readings.read_host(f"http://{METADATA}", KEY, time.time())
    assert read.faults and "link-local" in read.faults[0]
    assert connections == []


def test_a_request_without_a_key_may_go_to_a_private_host_but_to_no_metadata(host: Host, settings: Any) -> None:
    settings.PRIVATE_PROVIDER_HOSTS = ()
    with httpx.Client(transport=CheckedSyncTransport(never_reached), trust_env=False) as client:
        assert client.get(f"http://127.0.0.1:{host.port}/").status_code == 200
        with pytest.raises(httpx.ConnectError, match="link-local"):
            client.get(f"http://{METADATA}/")
    with httpx.Client(transport=CheckedSyncTransport(), trust_env=False) as client, pytest.raises(httpx.ConnectError, match="not listed"):
        client.get(f"http://127.0.0.1:{host.port}/")


# What admins enter


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        (f"https://{METADATA}/v1", "always refused"),
        ("https://metadata.google.internal/v1", "always refused"),
        ("https://[fe80::1]/v1", "always refused"),
        ("https://[::ffff:169.254.169.254]/v1", "always refused"),
        ("https://2852039166/v1", "always refused"),
        ("https://127.0.0.1:8000/v1", "private address"),
        ("https://127.1/v1", "private address"),
        ("https://localhost/v1", "private address"),
        ("https://10.0.0.5/v1", "private address"),
        ("http://llm.example.com/v1", "Use https"),
    ],
)
@pytest.mark.parametrize("field", ["base_url", "management_url"])
@pytest.mark.django_db
def test_the_panel_refuses_hosts_that_get_no_key_and_names_the_field(url: str, remedy: str, field: str, settings: Any) -> None:
    settings.PRIVATE_PROVIDER_HOSTS = ()
    with pytest.raises(ValidationError) as refused:
        add_account("spare", {field: url}, by=None, reason="")
    assert remedy in refused.value.message_dict[field][0]


@pytest.mark.django_db
def test_a_listed_private_host_and_the_environments_are_accepted(settings: Any) -> None:
    settings.PRIVATE_PROVIDER_HOSTS = (allowed("llm.lan:8000"), allowed("10.0.0.0/8:443"))
    settings.CHUTES_BASE_URL = "http://127.0.0.1:9100/v1"
    for number, url in enumerate(
        ["http://llm.lan:8000/v1", "https://10.1.2.3/v1", "http://127.0.0.1:9100/other", "https://llm.example.com/v1"]
    ):
        assert add_account(f"spare{number}", {"base_url": url}, by=None, reason="").base_url == url


@pytest.mark.django_db
def test_a_new_url_requires_the_key_again() -> None:
    account = add_account("spare", {"base_url": "https://llm.example.com/v1"}, key=KEY, admin_key=OTHER, by=None, reason="")
    for changes, field in (
        ({"base_url": "https://llm.evil.example/v1"}, "key"),
        ({"base_url": ""}, "key"),
        ({"management_url": "https://a.example"}, "admin_key"),
    ):
        with pytest.raises(ValidationError) as refused:
            change_account(account, changes, by=None, reason="")
        assert list(refused.value.message_dict) == [field]
    change_account(account, {"base_url": "https://llm.example.com/v1/", "enabled": False}, by=None, reason="")
    moved = change_account(account, {"base_url": "https://llm.other.example/v1"}, key=OTHER, by=None, reason="")
    assert key_of(moved) == OTHER
    removed = change_account(account, {"base_url": "https://llm.third.example/v1"}, key="", by=None, reason="")
    assert key_of(removed) == ""


@pytest.mark.django_db
def test_the_environments_keys_stay_with_the_environments_urls(settings: Any) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_ADMIN_KEY = KEY, OTHER
    settings.CHUTES_BASE_URL, settings.CHUTES_MANAGEMENT_URL = "https://llm.chutes.ai/v1", "https://api.chutes.ai"
    account = default_account()
    assert (key_of(account), admin_key_of(account)) == (KEY, OTHER)
    with pytest.raises(ValidationError, match="Enter the key again"):
        change_account(account, {"base_url": "https://llm.example.com/v1"}, by=None, reason="")
    account.base_url, account.management_url = "https://llm.chutes.ai/v1/", "https://api.chutes.ai/"
    assert (key_of(account), admin_key_of(account)) == (KEY, OTHER), "a slash makes no other URL"
    account.base_url, account.management_url = "https://llm.example.com/v1", "https://api.example.com"
    assert (key_of(account), admin_key_of(account), provider(account).key) == ("", "", "")


@pytest.mark.django_db(transaction=True)
def test_no_key_reaches_a_host_that_an_account_was_moved_to(host: Host, settings: Any) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = KEY, ("a/model",)
    default_account()
    Account.objects.update(base_url=f"http://127.0.0.1:{host.port}/v1")  # past every form
    sent = probing.send(Account.objects.get(), Purpose.TEST)
    assert host.arrived == []
    assert sent.end is None or sent.end.verdict != Verdict.OK


@pytest.mark.django_db
@pytest.mark.parametrize("url", [f"http://{METADATA}", "http://[fe80::1]:8000", "http://metadata.google.internal"])
def test_the_live_test_refuses_metadata_addresses(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        change({"miner_api_url": url}, by=None, reason="")
    assert "miner_api_url" in refused.value.message_dict
    assert change({"miner_api_url": "http://10.0.0.7:8080"}, by=None, reason="").miner_api_url == "http://10.0.0.7:8080"
