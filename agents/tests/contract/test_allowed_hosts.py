"""The list of hosts that pages may be fetched from, and the addresses that they may have."""

import ipaddress

import pytest

from agents.contract.allowed_hosts import allowed, host_is_listed, may_connect
from agents.tests.rows import rows


@rows(
    ("entry", "host", "port"),
    [
        ("demo.example.com", "demo.example.com", 443),
        ("Demo.Example.com", "demo.example.com", 80),
        ("*.example.com", "a.b.example.com", 80),
        ("localhost:8000-8016", "localhost", 8016),
        ("localhost:8000", "127.0.0.1", 8000),
        ("10.0.0.0/8:81", "10.1.2.3", 81),
        ("203.0.113.7", "203.0.113.7", 443),
        ("[::1]:8000", "::1", 8000),
        ("fd00::/8", "fd00::1", 80),
    ],
)
def test_an_entry_lists_its_hosts_and_ports(entry: str, host: str, port: int) -> None:
    assert host_is_listed(host, port, [allowed(entry)])


@rows(
    ("entry", "host", "port"),
    [
        ("example.com", "evil-example.com", 80),
        ("example.com", "a.example.com", 80),
        ("*.example.com", "example.com", 80),
        ("*.example.com", "evilexample.com", 80),
        ("demo.example.com", "demo.example.com", 8000),
        ("localhost", "localhost", 5432),
        ("localhost:8000-8016", "localhost", 8017),
        ("10.0.0.0/8", "11.0.0.1", 80),
        ("10.0.0.0/8", "ten.example.com", 80),
    ],
)
def test_an_entry_lists_nothing_else(entry: str, host: str, port: int) -> None:
    assert not host_is_listed(host, port, [allowed(entry)])


@rows(
    "entry",
    ["", "*", "a b", "http://x.org", "x.org/path", "x.org:0", "x.org:70000", "x.org:9-8", "10.0.0.1/8", "999.1.1.1", "x.org:", "-x"],
)
def test_an_invalid_host_is_refused_with_a_remedy(entry: str) -> None:
    with pytest.raises(ValueError, match=r"Write it as|Give one"):
        allowed(entry)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
def test_a_listed_name_may_have_a_public_address(address: str) -> None:
    assert may_connect(ipaddress.ip_address(address), 80, [allowed("example.com")])


@rows(
    "address",
    [
        "10.0.0.5",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.5",
        "64:ff9b::a00:5",
        "2002:a00:5::1",
    ],
)
def test_a_listed_name_may_not_have_a_private_address(address: str) -> None:
    assert not may_connect(ipaddress.ip_address(address), 80, [allowed("example.com")])


def test_a_private_address_may_be_connected_to_where_it_is_listed_itself() -> None:
    entries = [allowed("10.0.0.0/8"), allowed("localhost:8000")]
    assert may_connect(ipaddress.ip_address("10.0.0.5"), 80, entries)
    assert may_connect(ipaddress.ip_address("::ffff:10.0.0.5"), 443, entries)
    assert may_connect(ipaddress.ip_address("::1"), 8000, entries)
    assert not may_connect(ipaddress.ip_address("127.0.0.1"), 80, entries)
