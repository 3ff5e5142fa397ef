"""Several accounts: added, changed, ordered, disabled and deleted by people only, with everything but the keys in the history."""

import ast
import time
from typing import Any

import pytest
from django.conf import settings as environment
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone

from agents import jobs
from agents.configuration import accounts, default_account, models_of, provider
from agents.configuration.account_changes import add_account, change_account, delete_account, move_account
from agents.configuration.keys import admin_key_of, key_of
from agents.ledger import actions, gate_rows
from agents.models import Account, Gate, LLMAttempt
from agents.policy.gate import GateState
from agents.policy.reasons import Purpose

pytestmark = pytest.mark.django_db

KEY, OTHER = "cpk_made.up.WXYZ", "cpk_other.one.ABCD"
URL = "https://llm.example.com/v1"


def added(name: str, **more: Any) -> Account:
    return add_account(name, {"base_url": URL}, **{"by": None, "reason": "test", **more})


def changed(account: Account, changes: dict[str, Any] | None = None, **more: Any) -> Account:
    return change_account(account, changes or {}, **{"by": None, "reason": "test", **more})


def order() -> list[tuple[int, str]]:
    return [(account.position, account.name) for account in accounts()]


def stopped(account: Account) -> Gate:
    """The gate of an account whose key was refused a moment ago, after it had worked."""
    now = time.time()
    fields = {"strikes": 1, "cause": "auth", "paused_at": now - 1, "paused_until": now + 299, "succeeded_at": now - 60}
    return Gate.objects.create(account=account, **fields)


def test_an_account_is_added_behind_the_others_with_its_key_sealed() -> None:
    account = added("spare", key=KEY, admin_key=OTHER)
    assert order() == [(1, "default"), (2, "spare")]
    assert (account.key_hint, account.admin_key_hint, account.enabled) == ("WXYZ", "ABCD", True)
    assert (key_of(account), admin_key_of(account)) == (KEY, OTHER)
    assert KEY not in account.key_sealed
    assert provider(account).base_url == URL


def test_an_account_can_be_added_at_a_place_of_its_own() -> None:
    added("last")
    add_account("first", {"position": 1}, by=None, reason="test")
    assert order() == [(1, "first"), (2, "default"), (3, "last")]


@pytest.mark.parametrize(
    ("name", "changes", "key", "field", "remedy"),
    [
        ("two words", {}, "", "name", "letters, numbers, underscores or hyphens"),
        ("", {}, "", "name", "blank"),
        ("default", {}, "", "name", "already exists"),
        ("x" * 51, {}, "", "name", "at most 50"),
        ("a", {"base_url": "llm.chutes.ai"}, "", "base_url", "such as https://llm.chutes.ai/v1"),
        ("a", {"base_url": "ftp://llm.chutes.ai"}, "", "base_url", "an http or https address"),
        ("a", {"base_url": "https://me:secret@llm.chutes.ai/v1"}, "", "base_url", "without a user"),
        ("a", {"base_url": "https://llm.chutes.ai/v1?key=secret"}, "", "base_url", "the address alone"),
        ("a", {"base_url": "https://llm.chutes.ai:99999/v1"}, "", "base_url", "an http or https address"),
        ("a", {"management_url": "file:///etc/passwd"}, "", "management_url", "an http or https address"),
        ("a", {"position": 3}, "", "position", "a place from 1 to 2"),
        ("a", {"position": 0}, "", "position", "a place from 1 to 2"),
        ("a", {"position": True}, "", "position", "a place from 1 to 2"),
        ("a", {"enabled": None}, "", "enabled", "true or false"),
        ("a", {"request_options": []}, "", "request_options", "Give a JSON object"),
        ("a", {"request_options": {"model": "x"}}, "", "request_options", "The miner sets model itself"),
        ("a", {"request_options": {"x": float("nan")}}, "", "request_options", "a database can't hold"),
        ("a", {"request_options": {"x": "\0"}}, "", "request_options", "a database can't hold"),
        ("a", {"model_names": ["\ud83d"]}, "", "model_names", "a database can't hold"),
        ("a", {"price_overrides": {"m": [0.1]}}, "", "price_overrides", "Give prices as"),
        ("a", {"price_overrides": {"m": [-1, 0]}}, "", "price_overrides", "Give prices as"),
        ("a", {}, "two words", "key", "Copy it again"),
        ("a", {}, "schlüssel", "key", "Copy it again"),
        ("a", {}, "x" * 501, "key", "Copy it again"),
    ],
)
def test_an_invalid_account_is_refused_with_field_and_remedy(name: str, changes: dict[str, Any], key: str, field: str, remedy: str) -> None:
    default_account()
    with pytest.raises(ValidationError) as caught:
        add_account(name, changes, key=key, by=None, reason="test")
    assert list(caught.value.message_dict) == [field]
    assert remedy in caught.value.message_dict[field][0]
    assert order() == [(1, "default")]
    assert not [message for message in caught.value.messages if "secret" in message or (key and key in message)]


def test_each_field_can_be_changed() -> None:
    fields = {
        "name": "renamed",
        "position": 1,
        "enabled": False,
        "base_url": "http://127.0.0.1:8000/v1",
        "model_names": ["a/model"],
        "request_options": {},
        "price_overrides": {"a/model": [0.1, 0.4]},
        "management_url": "https://api.example.com",
    }
    changed(added("spare"), fields)
    row = Account.objects.get(name="renamed")
    assert {name: getattr(row, name) for name in fields} == fields
    assert order() == [(1, "renamed"), (2, "default")]


def test_the_default_account_keeps_its_name() -> None:
    with pytest.raises(ValidationError, match="stands for what the environment sets"):
        changed(default_account(), {"name": "main"})


def test_a_deleted_account_is_reported_as_such() -> None:
    account = added("spare")
    delete_account(account, by=None, reason="test")
    with pytest.raises(ValidationError, match="was deleted meanwhile"):
        changed(Account(pk=999, name="spare"), {"enabled": False})


def test_moving_swaps_neighbours_and_stops_at_the_ends() -> None:
    added("second")
    third = added("third")
    move_account(third, -1, by=None, reason="test")
    assert [name for _, name in order()] == ["default", "third", "second"]
    for _ in range(3):
        move_account(third, -1, by=None, reason="test")
    assert order() == [(1, "third"), (2, "default"), (3, "second")]
    move_account(third, 1, by=None, reason="test")
    assert order() == [(1, "default"), (2, "third"), (3, "second")]


def test_deleting_closes_the_gap() -> None:
    second = added("second")
    added("third")
    delete_account(second, by=None, reason="test")
    assert order() == [(1, "default"), (2, "third")]


def test_positions_with_gaps_or_duplicates_are_corrected_with_the_next_change() -> None:
    default_account()
    for position, name in ((1, "a"), (7, "b")):
        Account.objects.create(name=name, position=position)
    changed(default_account(), {"enabled": False})
    assert order() == [(1, "default"), (2, "a"), (3, "b")]


def test_an_account_with_attempts_and_the_default_one_can_only_be_disabled() -> None:
    used = added("used")
    now = timezone.now()
    LLMAttempt.objects.create(account=used, purpose=Purpose.PROBE, number=1, model="a/model", decided_at=now, slot_at=now, cut_off_at=now)
    for account in (used, default_account()):
        with pytest.raises(ValidationError, match="Disable it instead"):
            delete_account(account, by=None, reason="test")
    assert [name for _, name in order()] == ["default", "used"]


def test_an_unused_account_is_deleted_with_its_gate_and_keeps_its_history() -> None:
    ann, account = get_user_model().objects.create_user("ann"), added("spare", key=KEY)
    stopped(account)
    delete_account(account, by=ann, reason="not needed")
    assert not Gate.objects.exists()
    last = Account.history.filter(name="spare").latest("history_id")
    assert (last.history_type, last.history_user, last.history_change_reason) == ("-", ann, "not needed")


def test_a_key_is_replaced_removed_and_kept() -> None:
    account = changed(added("spare", key=KEY), key=OTHER)
    assert (key_of(account), account.key_hint) == (OTHER, "ABCD")
    account = changed(account, {"enabled": False}, admin_key=KEY)
    assert (key_of(account), admin_key_of(account)) == (OTHER, KEY), "the keys are independent"
    account = changed(account, key="")
    assert (key_of(account), account.key_sealed, account.key_hint) == ("", "", "")
    account = changed(account, admin_key="")
    assert (admin_key_of(account), account.admin_key_sealed, account.admin_key_hint) == ("", "", "")


def test_of_a_short_key_no_hint_is_kept() -> None:
    assert added("local", key="EMPTY").key_hint == ""


def test_the_default_account_falls_back_to_the_environments_keys(settings: Any) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_ADMIN_KEY = "cpk_from.environment", "cpk_admin.environment"
    account = changed(default_account(), key=KEY, admin_key=OTHER)
    assert (key_of(account), admin_key_of(account)) == (KEY, OTHER)
    account = changed(account, key="", admin_key="")
    assert (key_of(account), admin_key_of(account)) == ("cpk_from.environment", "cpk_admin.environment")
    assert (key_of(added("spare")), admin_key_of(added("third"))) == ("", "")


def test_only_the_default_account_takes_the_environments_models(settings: Any) -> None:
    settings.CHUTES_MODELS = ("from/environment",)
    assert models_of(default_account()) == ("from/environment",)
    assert models_of(added("spare")) == ()


@pytest.mark.parametrize("changes", [{"key": OTHER}, {"key": ""}, {"changes": {"base_url": "https://other.example.com/v1"}, "key": KEY}])
def test_a_stopped_account_is_probed_at_once_with_another_key_or_address(changes: dict[str, Any]) -> None:
    account = added("spare", key=KEY)
    stopped(account)
    changed(account, **changes)
    gate = gate_rows.of(account)
    assert gate.state(time.time()) is GateState.PROBING
    assert gate.succeeded_at == 0, "whether it works is unknown"


@pytest.mark.parametrize("changes", [{"admin_key": OTHER}, {"changes": {"model_names": ["a"]}}, {"changes": {"base_url": URL}}])
def test_another_change_does_not_affect_the_gate(changes: dict[str, Any]) -> None:
    account = added("spare", key=KEY)
    before = gate_rows.read(stopped(account))
    changed(account, **changes)
    assert gate_rows.of(account) == before


def test_a_refused_change_does_not_affect_key_and_gate() -> None:
    account = added("spare", key=KEY)
    before = gate_rows.read(stopped(account))
    with pytest.raises(ValidationError):
        changed(account, {"model_names": [""]}, key=OTHER)
    account.refresh_from_db()
    assert key_of(account) == KEY
    assert gate_rows.of(account) == before


def test_the_history_has_user_and_reason_and_no_key() -> None:
    ann = get_user_model().objects.create_user("ann")
    account = added("spare", key=KEY, by=ann, reason="more room")
    changed(account, {"enabled": False}, key=OTHER, by=ann, reason="a new one")
    changed(account, key="", by=ann, reason="gone")
    rows = list(Account.history.filter(name="spare").order_by("history_id").values())
    assert {row["history_user_id"] for row in rows} == {ann.pk}
    assert [(row["enabled"], row["key_hint"], row["history_change_reason"]) for row in rows] == [
        (True, "", "more room"),
        (True, "WXYZ", "more room"),
        (False, "WXYZ", "a new one"),
        (False, "ABCD", "a new one"),
        (False, "", "gone"),
    ]
    assert not [value for row in rows for value in row.values() if "cpk_" in str(value) or str(value).startswith("gAAAA")]


def test_a_move_is_in_the_history_of_every_moved_account() -> None:
    move_account(added("spare"), -1, by=None, reason="test")
    assert list(Account.history.order_by("-history_id").values_list("name", "position")[:2]) == [("default", 2), ("spare", 1)]


def test_the_machine_never_enables_an_account() -> None:
    account = changed(added("spare", key=KEY), {"enabled": False})
    stopped(account)
    now = time.time()
    for act in (actions.resume, actions.probe, actions.clear):
        act(account, by="ann", now=now)
    changed(account, {"model_names": ["a/model"]}, key=OTHER)
    move_account(account, -1, by=None, reason="test")
    jobs.canary()
    jobs.read_catalogues(timezone.now())
    account.refresh_from_db()
    assert not account.enabled


def test_nothing_but_the_configuration_writes_accounts() -> None:
    """`enabled` is neither assigned nor updated elsewhere, and no stale row is saved that would restore it."""
    writers = []
    for folder in ("agents", "monitoring", "minerpanel"):
        for path in (environment.BASE_DIR / folder).rglob("*.py"):
            if not {"tests", "migrations", "configuration", "notifications"} & set(path.parts):  # channels have an `enabled` of their own
                writers += [f"{path}: {ast.unparse(node)}" for node in ast.walk(ast.parse(path.read_text())) if writes_an_account(node)]
    assert writers == []


def writes_an_account(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(target, ast.Attribute) and target.attr == "enabled" for target in targets)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in ("update", "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update"):
        return any(keyword.arg == "enabled" for keyword in node.keywords)
    return node.func.attr == "save" and isinstance(node.func.value, ast.Name) and node.func.value.id == "account"


def test_the_search_for_writers_finds_one() -> None:
    for line in ("account.enabled = True", "Account.objects.filter(pk=1).update(enabled=True)", "account.save()"):
        assert any(map(writes_an_account, ast.walk(ast.parse(line)))), line
