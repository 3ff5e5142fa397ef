"""Keys at rest: sealed, opened after a change of SECRET_KEY, and in no other text."""

import logging
from typing import Any

import pytest
from django.core import serializers

from agents.configuration import default_account, provider
from agents.configuration.account_changes import change_account
from agents.configuration.keys import UnreadableKey, key_of, open_sealed, seal
from agents.models import Account

KEY = "cpk_" + ".".join(letter * 32 for letter in "abc")
OTHER = "cpk_" + ".".join(letter * 32 for letter in "def")


def entered(account: Account, key: str) -> Account:
    return change_account(account, {}, key=key, by=None, reason="test")


@pytest.mark.parametrize("key", [KEY, "", "ключ 🔑", "x" * 5_000])
def test_a_sealed_key_opens_again(key: str) -> None:
    assert open_sealed(seal(key)) == key


def test_a_sealed_key_neither_holds_the_key_nor_looks_the_same_twice() -> None:
    assert "aaaa" not in seal(KEY)
    assert seal(KEY) != seal(KEY)


def test_a_key_outlives_a_change_of_the_secret_key_that_keeps_the_old_one_as_a_fallback(settings: Any) -> None:
    sealed, former = seal(KEY), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the-next-secret-key", ["an-older-one", former]
    assert open_sealed(sealed) == KEY
    fresh = seal(OTHER)
    settings.SECRET_KEY_FALLBACKS = []
    assert open_sealed(fresh) == OTHER, "what is sealed now needs no fallback"


def test_without_the_former_secret_key_the_error_has_the_remedy_and_not_the_key(settings: Any) -> None:
    sealed = seal(KEY)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the-next-secret-key", ["an-older-one"]
    with pytest.raises(UnreadableKey, match=r"put the former SECRET_KEY into SECRET_KEY_FALLBACKS, or enter the key again") as caught:
        open_sealed(sealed)
    assert sealed not in str(caught.value)


@pytest.mark.parametrize("damaged", ["x", "ключ", "gAAAA", seal(KEY)[:-4], seal(KEY)[:40] + "A" + seal(KEY)[41:]])
def test_a_damaged_seal_is_an_unreadable_key(damaged: str) -> None:
    with pytest.raises(UnreadableKey):
        open_sealed(damaged)


@pytest.mark.django_db
def test_the_environments_key_is_the_default_accounts_until_one_is_entered(settings: Any) -> None:
    settings.CHUTES_API_KEY = OTHER
    account = default_account()
    assert key_of(account) == OTHER
    account = entered(account, KEY)
    assert key_of(account) == KEY
    assert account.key_hint == "cccc"
    settings.CHUTES_API_KEY = ""
    assert key_of(default_account()) == KEY


@pytest.mark.django_db
def test_no_other_account_uses_the_environments_key(settings: Any) -> None:
    settings.CHUTES_API_KEY = OTHER
    assert key_of(Account.objects.create(name="second")) == ""


@pytest.mark.django_db
def test_a_change_without_a_key_keeps_the_key() -> None:
    account = entered(default_account(), KEY)
    account = change_account(account, {"enabled": False}, key=None, by=None, reason="test")
    assert key_of(account) == KEY


@pytest.mark.django_db
def test_a_new_key_is_kept_in_the_history_by_its_last_characters_alone() -> None:
    account = entered(default_account(), KEY)
    entered(account, OTHER)
    history = list(account.history.values())
    assert [row["key_hint"] for row in history] == ["ffff", "cccc", ""]
    assert not [value for row in history for value in row.values() if "cpk_" in str(value) or str(value).startswith("gAAAA")]


@pytest.mark.django_db
def test_the_key_shows_in_no_text_of_an_account(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    account = entered(default_account(), KEY)
    chutes = provider(account)
    assert chutes.key == KEY
    shown = [repr(account), str(account), repr(chutes), str(chutes), f"{chutes}", serializers.serialize("json", [account]), caplog.text]
    assert not [text for text in shown if "aaaa" in text]
