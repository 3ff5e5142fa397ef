"""A change needs a preview and its confirmation, which is valid once, for five minutes, one token and the same arguments."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from agents.configuration import default_account
from agents.ledger import gate_rows
from agents.models import AuditEntry, Gate, Settings
from monitoring.assistants import changes
from monitoring.assistants.calls import Refused, given
from monitoring.assistants.changes import MINUTES, MOST_OPEN, Confirmations
from monitoring.models import Scope, TestRun
from monitoring.tests.api.calling import program

pytestmark = pytest.mark.django_db

SPACING: dict[str, Any] = {"settings": {"spacing_seconds": 9}, "reason": "Fewer refusals"}


@pytest.fixture(autouse=True)
def assistant(groups: None) -> Iterator[None]:
    """The tools with an admin's token."""
    reset = given.set(program().text)
    default_account()
    yield
    given.reset(reset)


def is_paused() -> bool:
    row = Gate.objects.filter(account=default_account()).first()
    return row is not None and gate_rows.read(row).paused_until > 0


def test_a_preview_changes_nothing_and_the_confirmed_call_does() -> None:
    shown = changes.pause_account("default", 15)
    assert shown["preview"]["risk"] == "A pause that already lasts longer stays as it is." and not is_paused()
    done = changes.pause_account("default", 15, shown["confirmation"])
    assert done["done"]["message"].startswith("default is paused for 15 min") and is_paused()
    assert AuditEntry.objects.filter(action="token_use", detail__startswith="ci (…", detail__contains="/pause)").count() == 1


def test_settings_are_changed_with_a_reason() -> None:
    shown = changes.change_settings(**SPACING)
    assert shown["preview"]["changes"] == ["Spacing 5 s → 9 s"] and Settings.current().spacing_seconds == 5
    assert changes.change_settings(**SPACING, confirmation=shown["confirmation"])["done"]["spacing_seconds"] == 9
    assert Settings.history.latest().history_change_reason == "Fewer refusals"


def test_invalid_settings_have_no_preview() -> None:
    with pytest.raises(Refused, match="0 to 3,600 s"):
        changes.change_settings({"spacing_seconds": -1}, "x")


def test_tests_are_run_and_an_account_is_probed_and_resumed() -> None:
    run = changes.run_tests(["key"])
    assert not TestRun.objects.exists()
    changes.run_tests(["key"], run["confirmation"])
    assert TestRun.objects.get().suites == ["key"]
    with pytest.raises(Refused, match="No pause is running"):
        changes.resume_account("default", changes.resume_account("default")["confirmation"])
    assert "nothing can be sent" in changes.probe_account("default")["preview"]["obstacle"]
    with pytest.raises(Refused, match="There is no account other"):
        changes.probe_account("other")


def test_a_confirmation_is_good_once_and_for_the_same_arguments_and_tool() -> None:
    first = changes.pause_account("default", 15)["confirmation"]
    with pytest.raises(Refused, match="belongs to another call"):
        changes.pause_account("default", 600, first)
    with pytest.raises(Refused, match="used"):  # it was used up by the wrong call
        changes.pause_account("default", 15, first)
    second = changes.pause_account("default", 15)["confirmation"]
    with pytest.raises(Refused):
        changes.probe_account("default", second)
    with pytest.raises(Refused):
        changes.pause_account("default", 15, "made-up")
    assert not is_paused()


def test_nor_is_it_good_for_another_token() -> None:
    shown = changes.pause_account("default", 15)["confirmation"]
    given.set(program(name="other").text)
    with pytest.raises(Refused):
        changes.pause_account("default", 15, shown)
    assert not is_paused()


@pytest.mark.parametrize(("scope", "group"), [(Scope.READ, "admins"), (Scope.ADMINISTER, "viewers")])
def test_a_token_that_may_only_read_gets_no_preview(scope: Scope, group: str) -> None:
    given.set(program(scope, group, name="reader").text)
    calls: list[Callable[[], object]] = [
        partial(changes.pause_account, "default", 15),
        partial(changes.run_tests, ["key"]),
        partial(changes.change_settings, **SPACING),
    ]
    for change in calls:
        with pytest.raises(Refused, match="may not do this"):
            change()


def test_confirmations_are_forgotten_with_time_and_number_of_their_own_token() -> None:
    open_ones = Confirmations()
    old = open_ones.issue(1, "a", 0.0)
    assert not open_ones.take(1, old, "a", 60.0 * MINUTES)
    first, other = open_ones.issue(1, "a", 0.0), open_ones.issue(2, "a", 0.0)
    assert open_ones.take(1, open_ones.issue(1, "a", 0.0), "a", 60.0 * MINUTES - 1)
    for _ in range(MOST_OPEN):
        open_ones.issue(1, "b", 0.0)
    assert not open_ones.take(1, first, "a", 1.0)
    assert not open_ones.take(1, other, "a", 1.0)
    assert open_ones.take(2, other, "a", 1.0), "no other token uses it up"


def test_one_confirmation_that_is_used_at_once_by_many_is_good_once() -> None:
    open_ones, together = Confirmations(), threading.Barrier(16)
    name = open_ones.issue(1, "a", 0.0)

    def take(_: int) -> bool:
        together.wait()
        return open_ones.take(1, name, "a", 1.0)

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(take, range(16))) == 1
