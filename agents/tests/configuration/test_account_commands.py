"""`manage.py miner_settings` for accounts: the same rules as the page, and no key on the command line or in the output."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.configuration import accounts, default_account
from agents.configuration.keys import admin_key_of, key_of
from agents.models import Account, Settings

pytestmark = [pytest.mark.django_db, pytest.mark.long]

KEY, OTHER = "cpk_made.up.WXYZ", "cpk_other.one.ABCD"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def run(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("miner_settings", *arguments, stdout=out)
    assert "cpk_" not in out.getvalue()
    printed: dict[str, Any] = json.loads(out.getvalue())
    return printed


def printed_accounts(*arguments: str) -> list[dict[str, Any]]:
    printed: list[dict[str, Any]] = run(*arguments)["accounts"]
    return printed


def test_the_accounts_are_printed_in_order_with_the_keys_last_characters(typed: Any) -> None:
    typed(f"{KEY}\n")
    first, second = printed_accounts("--add-account", "spare", "base_url=https://llm.example.com/v1", "--key-from-stdin")
    assert (first["name"], first["position"], first["key_hint"]) == ("default", 1, "")
    assert second == {
        "name": "spare",
        "position": 2,
        "enabled": True,
        "base_url": "https://llm.example.com/v1",
        "model_names": [],
        "miner_names": [],
        "request_options": {"chat_template_kwargs": {"enable_thinking": False}},
        "price_overrides": {},
        "management_url": "",
        "key_hint": "WXYZ",
        "admin_key_hint": "",
    }


def test_an_account_is_changed_by_its_name() -> None:
    run("--add-account", "spare")
    first, second = printed_accounts(
        "--account",
        "spare",
        "model_names=a/model,b/model",
        "enabled=false",
        "position=1",
        'request_options={"temperature": 0}',
        'price_overrides={"a/model": [0.1, 0.4]}',
        "management_url=https://api.example.com",
    )
    assert (first["name"], first["model_names"], first["enabled"]) == ("spare", ["a/model", "b/model"], False)
    assert (first["request_options"], first["price_overrides"]) == ({"temperature": 0}, {"a/model": [0.1, 0.4]})
    assert (second["name"], second["position"]) == ("default", 2)
    assert not Settings.objects.exists(), "the settings do not change"
    assert {row.history_change_reason for row in Account.history.filter(name="spare")} == {"miner_settings"}


def test_both_keys_are_read_one_per_line(typed: Any) -> None:
    typed(f"{KEY}\n{OTHER}\n")
    run("--account", "default", "--key-from-stdin", "--admin-key-from-stdin")
    assert (key_of(default_account()), admin_key_of(default_account())) == (KEY, OTHER)
    run("--account", "default", "--remove-key")
    assert (key_of(default_account()), admin_key_of(default_account())) == ("", OTHER)
    run("--account", "default", "--remove-admin-key")
    assert admin_key_of(default_account()) == ""


def test_an_account_without_attempts_is_deleted() -> None:
    run("--add-account", "spare")
    assert [account["name"] for account in printed_accounts("--delete-account", "spare")] == ["default"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--account", "nobody", "enabled=false"], "There is no account “nobody”. Choose from default, spare."),
        (["--account", "spare", "spacing_seconds=2"], "There is no setting “spacing_seconds”. Choose from name, position, enabled"),
        (["enabled=false"], "There is no setting “enabled”. Choose from pacing, "),
        (["--account", "spare", "key=cpk_on.the.command.line"], "There is no setting “key”."),
        (["--account", "spare", "enabled=maybe"], "enabled: “maybe” is neither true nor false."),
        (["--account", "spare", "position=first"], "position: “first” is not a whole number."),
        (["--account", "spare", "position=3"], "position: Give a place from 1 to 2."),
        (["--account", "spare", "request_options={temperature: 0}"], "request_options: This is not JSON: Expecting property name"),
        (["--account", "spare", "request_options=" + "[" * 100_000], "request_options: This JSON can't be read"),
        (["--account", "spare", 'request_options={"x": 1e999}'], "request_options: Take out what a database can't hold"),
        (["--account", "spare", "price_overrides=7"], "price_overrides: Give a JSON object"),
        (["--account", "spare", "base_url=nowhere"], "base_url: Give an http or https address"),
        (["--account", "spare", "--key-from-stdin"], "The input holds no API key."),
        (["--key-from-stdin"], "Name the key's account: --account NAME or --add-account NAME."),
        (["--add-account", "spare"], "name: Account with this Name already exists."),
        (["--delete-account", "default"], "Disable it instead."),
        (["--delete-account", "spare", "enabled=false"], "Use --delete-account alone."),
        (["--account", "spare", "--add-account", "third"], "not allowed with"),
        (["--account", "spare", "--key-from-stdin", "--remove-key"], "not allowed with"),
    ],
)
def test_an_invalid_command_is_refused_with_the_remedy_and_nothing_is_changed(given: list[str], message: str, typed: Any) -> None:
    run("--add-account", "spare")
    before, kept = run(), Account.history.count()
    typed("\n")
    with pytest.raises(CommandError) as caught:
        run(*given)
    assert message in str(caught.value)
    assert "cpk_" not in str(caught.value)
    assert run() == before
    assert Account.history.count() == kept
    assert [account.name for account in accounts()] == ["default", "spare"]
