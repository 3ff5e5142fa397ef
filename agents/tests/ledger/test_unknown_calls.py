"""Calls of unknown paths: the number of rows is bounded, and calls that look like tasks have rows of their own."""

import pytest

from agents.ledger.unknown_calls import MOST_PATHS, MOST_PENDING, WRITTEN_EVERY, UnknownCalls, is_task
from agents.models import UnknownCall

pytestmark = pytest.mark.django_db(transaction=True)
NOW, DAY = 1_800_000_000.0, 86_400.0


def write(calls: UnknownCalls) -> None:
    calls.written_at = -WRITTEN_EVERY
    calls.write()


def count_calls(paths: int, *, like_a_task: bool, now: float = NOW) -> None:
    calls = UnknownCalls()
    for number in range(paths):
        calls.count("POST", f"/{now:.0f}/{number}", is_task=like_a_task, now=now)
        write(calls)


def test_a_path_looks_like_a_task_by_its_name_or_its_body() -> None:
    assert all(is_task(path, b"") for path in ("/find_trayectory", "/v2/solve", "/agent/step", "/actions"))
    assert is_task("/run", b'{"id": 1, "prompt" : "x", "url":"http://h"}')
    assert not any(is_task(path, b'{"prompt": 1}') for path in ("/actuator/health", "/wp-login.php", "/", "/api"))


def test_a_bounded_number_of_paths_is_kept_and_tasks_have_their_own() -> None:
    count_calls(MOST_PATHS + 5, like_a_task=False)
    count_calls(1, like_a_task=True, now=NOW + 1)
    assert UnknownCall.objects.filter(is_task=True).count() == 1
    assert UnknownCall.objects.count() == MOST_PATHS + 2
    assert UnknownCall.objects.get(path="").calls == 5


def test_a_path_that_was_not_called_for_a_day_makes_room() -> None:
    count_calls(MOST_PATHS, like_a_task=True)
    count_calls(2, like_a_task=True, now=NOW + DAY + 1)
    assert UnknownCall.objects.count() == MOST_PATHS
    assert UnknownCall.objects.filter(path__startswith=f"/{NOW + DAY + 1:.0f}/").count() == 2


def test_a_flood_is_written_rarely_and_its_many_paths_are_counted_as_one() -> None:
    calls = UnknownCalls()
    calls.written_at = float("inf")
    for number in range(5_000):
        calls.count("POST", f"/{number}", is_task=True, now=NOW)
    write(calls)
    assert UnknownCall.objects.count() == MOST_PENDING + 1
    assert UnknownCall.objects.get(path="").calls == 5_000 - MOST_PENDING


def test_a_known_path_that_is_first_called_as_a_task_is_new_as_a_task() -> None:
    calls = UnknownCalls()
    for now, like_a_task in ((NOW, False), (NOW + DAY, True)):
        calls.count("POST", "/run", is_task=like_a_task, now=now)
        write(calls)
    row = UnknownCall.objects.get()
    assert (row.is_task, row.calls, row.first_seen_at.timestamp()) == (True, 2, NOW + DAY)
