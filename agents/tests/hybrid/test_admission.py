"""Places between threads: which steps wait, which get one, and the bounds on steps and bytes."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from agents.hybrid.admission import SMALL_BYTES, Admission, Room
from agents.policy.admission import LONG, SHORTEST

PATIENCE = 90.0
# Far away, so that no step of these tests is late however slow the machine is.
FAR = 3_600.0


def load(admission: Admission) -> tuple[int, int]:
    """How many steps run, and how many wait."""
    with admission._lock:
        return len(admission._running), len(admission._waiting)


def wait_for(admission: Admission, expected: tuple[int, int]) -> None:
    over = time.monotonic() + PATIENCE
    while load(admission) != expected:
        assert time.monotonic() < over, f"{load(admission)} instead of {expected}"
        time.sleep(0.002)


def hold(admission: Admission, seconds: float, due: float, done: list[str], name: str, release: threading.Event) -> bool:
    with admission.place(seconds, due) as is_admitted:
        if is_admitted:
            assert release.wait(PATIENCE)
            done.append(name)
        return is_admitted


def test_waiting_steps_get_the_place_by_their_deadlines() -> None:
    admission, done, release = Admission(1), list[str](), threading.Event()
    now = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(hold, admission, SHORTEST, now + FAR, done, "first", release)]
        wait_for(admission, (1, 0))
        for count, (name, due) in enumerate((("last", 900.0), ("second", 300.0), ("third", 600.0)), 1):
            futures.append(pool.submit(hold, admission, SHORTEST, now + due, done, name, release))
            wait_for(admission, (1, count))
        release.set()
        assert all(future.result(PATIENCE) for future in futures)
    assert done == ["first", "second", "third", "last"]
    assert load(admission) == (0, 0)


def test_a_step_that_would_be_late_behind_the_running_one_is_refused_at_once() -> None:
    admission, done, release = Admission(1), list[str](), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hold, admission, FAR, time.monotonic() + 2 * FAR, done, "first", release)
        wait_for(admission, (1, 0))
        with admission.place(SHORTEST, time.monotonic() + 60) as is_admitted:
            assert not is_admitted
        assert load(admission) == (1, 0), "it does not hold what it did not get"
        release.set()
        assert first.result(PATIENCE)


def test_a_step_is_not_kept_waiting_by_one_that_takes_longer_than_expected() -> None:
    admission, done, release = Admission(1), list[str](), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hold, admission, SHORTEST, time.monotonic() + FAR, done, "first", release)
        wait_for(admission, (1, 0))
        due = time.monotonic() + 0.5
        with admission.place(SHORTEST, due) as is_admitted:
            assert not is_admitted
        release.set()
        assert first.result(PATIENCE)


def test_short_steps_pass_by_long_ones() -> None:
    admission, done, release = Admission(2), list[str](), threading.Event()
    now, futures = time.monotonic(), list[Future[bool]]()
    with ThreadPoolExecutor(4) as pool:
        try:
            for name in ("long", "another", "third"):
                futures.append(pool.submit(hold, admission, 2 * LONG, now + FAR, done, name, release))
            wait_for(admission, (1, 2))
            with admission.place(SHORTEST, now + FAR) as is_admitted:
                assert is_admitted
                assert load(admission) == (2, 2)
        finally:
            release.set()
        assert all(future.result(PATIENCE) for future in futures)


def test_a_fault_at_work_gives_the_place_back() -> None:
    admission = Admission(1)
    with pytest.raises(ZeroDivisionError), admission.plan(10, None, time.monotonic() + FAR):
        raise ZeroDivisionError
    assert load(admission) == (0, 0)


@pytest.mark.long
def test_the_work_of_a_plan_is_expected_of_the_callers_next_step() -> None:
    admission, done, release = Admission(2), list[str](), threading.Event()
    with admission.plan(10, "192.0.2.66", time.monotonic() + FAR):
        over = time.thread_time() + 2 * LONG
        while time.thread_time() < over:
            pass
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hold, admission, 2 * LONG, time.monotonic() + FAR, done, "long", release)
        wait_for(admission, (1, 0))
        with admission.plan(10, "192.0.2.66", time.monotonic() + 2 * LONG) as is_admitted:
            assert not is_admitted, "it is long, and the last place is for short ones"
        with admission.plan(10, "192.0.2.7", time.monotonic() + FAR) as is_admitted:
            assert is_admitted
        release.set()
        assert first.result(PATIENCE)


def test_there_is_room_for_a_bounded_number_of_steps() -> None:
    room = Room(most_steps=2, most_bytes=0)
    with room.entered() as first, room.entered() as second, room.entered() as third:
        assert (first.has_room, second.has_room, third.has_room) == (True, True, False)
    with room.entered() as next_visit:
        assert next_visit.has_room


def test_pages_are_held_up_to_a_bound_and_small_ones_always() -> None:
    large = 2 * SMALL_BYTES
    room = Room(most_steps=9, most_bytes=3 * SMALL_BYTES)
    with room.entered() as first, room.entered() as second:
        assert first.hold(large)
        assert not second.hold(large)
        assert second.hold(SMALL_BYTES)
    with room.entered() as next_visit:
        assert next_visit.hold(large), "what was held is free again"
