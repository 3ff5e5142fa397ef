"""The client's address of a step: it cannot be forged by a header."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import RequestFactory

from agents.common.requests import client_address
from agents.tests.rows import rows


@pytest.fixture(autouse=True)
def proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = tuple(ip_network(network) for network in ("10.0.0.0/8", "2001:db8:1::/48"))


def seen(peer: str, forwarded: str | None = None) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


def test_without_a_proxy_the_peer_is_the_client() -> None:
    assert seen("203.0.113.7") == "203.0.113.7"
    assert seen("2001:db8::7") == "2001:db8::7"


def test_the_header_of_an_untrusted_peer_is_ignored() -> None:
    assert seen("203.0.113.7", "192.0.2.1") == "203.0.113.7"


def test_no_proxy_is_trusted_unless_it_is_named(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ()
    assert seen("127.0.0.1", "192.0.2.1") == "127.0.0.1"


@rows(
    ("forwarded", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ,10.0.0.9", "192.0.2.1"),
        ("198.51.100.66, 192.0.2.1", "192.0.2.1"),
        ("198.51.100.66, 192.0.2.1, 10.0.0.9", "192.0.2.1"),
        ("10.0.0.8, 10.0.0.9", "10.0.0.8"),
        ("192.0.2.1, 2001:db8:1::9", "192.0.2.1"),
        ("2001:DB8::7", "2001:db8::7"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_behind_trusted_proxies_the_client_is_the_last_untrusted_hop(forwarded: str, client: str) -> None:
    assert seen("10.0.0.5", forwarded) == client


@pytest.mark.parametrize(
    ("hop", "client"), [("192.0.2.1:4711", "192.0.2.1"), ("[2001:db8::7]:4711", "2001:db8::7"), ("[2001:db8::7]", "2001:db8::7")]
)
def test_a_port_behind_the_address_is_no_part_of_it(hop: str, client: str) -> None:
    assert seen("10.0.0.5", hop) == client
    assert seen("10.0.0.5", f"198.51.100.66, {hop}") == client


@rows("garbage", ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "[", "300.1.1.1", "é", "1.2.3.4:5:6", ":"])
def test_hops_before_an_unreadable_one_are_ignored(garbage: str) -> None:
    assert seen("10.0.0.5", garbage) == "10.0.0.5"
    assert seen("10.0.0.5", f"198.51.100.66, {garbage}") == "10.0.0.5"


def test_an_ipv4_peer_on_an_ipv6_socket_is_the_same_peer() -> None:
    assert seen("::ffff:203.0.113.7") == "203.0.113.7"
    assert seen("::ffff:10.0.0.5", "192.0.2.1") == "192.0.2.1"


def test_a_zone_is_no_part_of_an_address() -> None:
    assert seen("fe80::1%eth0") == "fe80::1"
    assert seen("10.0.0.5", "fe80::1%eth0") == "fe80::1"


@pytest.mark.parametrize("peer", ["", "unix:", "garbage"])
def test_a_peer_without_an_address_is_unknown_and_not_trusted(peer: str) -> None:
    assert seen(peer, "192.0.2.1") is None
