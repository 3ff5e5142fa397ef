"""The typed readers of the environment."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from agents.tests.rows import rows
from minerpanel.environment import BOOLEAN, CRON, HOSTS, LOG_LEVEL, NAME, NETWORKS, PATH, TEXTS, URL, URLS, Environment, Kind, whole


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=1000\nBIND=0.0.0.0\n")
    env = Environment.load(dotenv, {"PORT": "2000"})
    assert (env.value("PORT", whole(1, 9999), 1), env.text("BIND")) == (2000, "0.0.0.0")


def test_a_missing_file_is_no_fault(tmp_path: Path) -> None:
    assert Environment.load(tmp_path / ".env", {}).text("BIND", "127.0.0.1") == "127.0.0.1"


def test_a_dollar_in_a_secret_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY='a${HOME}b$c'\n")
    assert Environment.load(tmp_path / ".env", {}).secret("SECRET_KEY") == "a${HOME}b$c"


def test_an_empty_value_counts_as_not_set() -> None:
    assert Environment({"PORT": " "}).value("PORT", whole(1, 65535), 8000) == 8000


@rows(
    ("kind", "text", "wanted"),
    [
        (BOOLEAN, "perhaps", "a boolean"),
        (whole(1, 9), "many", "a whole number from 1 to 9"),
        (whole(1, 9), "10", "a whole number from 1 to 9"),
        (NETWORKS, "10.0.0.0/8,home", "IP addresses or networks"),
        (HOSTS, "llm.lan:http", "hosts with ports"),
        (URL, "llm.chutes.ai", "an http or https URL"),
        (URL, "https://llm.chutes.ai:99999", "an http or https URL"),
        (URLS, "panel.example.com", "http or https URLs"),
        (CRON, "soon", "a time in cron's five fields"),
        (NAME, "my miner", "a name of letters"),
        (LOG_LEVEL, "LOUD", "one of DEBUG, INFO"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_key_and_the_wanted_type(kind: Kind[Any], text: str, wanted: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^KEY must be {wanted}"):
        Environment({"KEY": text}).value("KEY", kind, None)


def test_values_are_read_into_their_types() -> None:
    env = Environment({"A": "Yes", "B": "a, b,,c", "C": "127.0.0.1, 10.0.0.0/8", "D": "https://x.example/v1/", "E": "debug", "F": "/data"})
    assert env.value("A", BOOLEAN, default=False) is True
    assert env.value("B", TEXTS, ()) == ("a", "b", "c")
    assert env.value("C", NETWORKS, ()) == (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))
    assert env.value("D", URL, "") == "https://x.example/v1"
    assert env.value("E", LOG_LEVEL, "INFO") == "DEBUG"
    assert env.value("F", PATH, None) == Path("/data")
    assert env.value("MISSING", PATH, None) is None


def test_a_secret_comes_from_its_own_key_or_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("from the file\n")
    assert Environment({"KEY_FILE": str(path)}).secret("KEY") == "from the file"
    assert Environment({"KEY_FILE": str(path), "KEY": "its own"}).secret("KEY") == "its own"


def test_a_secret_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^KEY_FILE must name a readable text file"):
        Environment({"KEY_FILE": str(tmp_path / "nowhere")}).secret("KEY")
