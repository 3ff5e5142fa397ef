"""Who is planned next, who would be late by waiting, and how long a step is expected to take."""

from hypothesis import given
from hypothesis import strategies as st

from agents.policy.admission import LONG, MOST_CALLERS, SHORTEST, Expectation, Pace, Running, Turn, Waiting, given_up, next_turn

QUICK, SLOW = SHORTEST, 4 * LONG


def waiting(*steps: tuple[float, float]) -> list[Waiting]:
    """Steps in the order of their arrival, by the seconds they take and their deadlines."""
    return [Waiting(number, seconds, seconds, due) for number, (seconds, due) in enumerate(steps)]


def numbers(steps: tuple[Waiting, ...]) -> list[int]:
    return [step.number for step in steps]


def order(steps: list[Waiting], places: int = 1) -> list[int]:
    """The numbers of those who get a place, one after the other, if each takes as long as expected."""
    left, now, admitted = list(steps), 0.0, list[int]()
    while left:
        turn = next_turn(left, (), places, now)
        admitted += numbers(turn.admitted[:1])
        now += turn.admitted[0].seconds
        left = [step for step in left if step is not turn.admitted[0]]
    return admitted


def test_no_more_steps_are_planned_at_once_than_there_are_places() -> None:
    turn = next_turn(waiting(*[(QUICK, 20.0)] * 5), (), 2, 0.0)
    assert numbers(turn.admitted) == [0, 1]
    assert next_turn(waiting((QUICK, 20.0)), [Running(QUICK, 0.0)] * 2, 2, 0.0) == Turn()


def test_steps_of_one_size_are_admitted_by_their_deadlines_and_then_as_they_came() -> None:
    assert order(waiting((0.1, 20.0), (0.1, 5.0), (0.1, 10.0), (0.1, 5.0))) == [1, 3, 2, 0]


def test_a_short_step_goes_before_long_ones_with_the_same_deadline() -> None:
    assert order(waiting((SLOW, 20.0), (SLOW, 20.0), (QUICK, 20.0))) == [2, 0, 1]


def test_a_long_step_goes_first_where_it_would_be_late_otherwise() -> None:
    soon = SLOW + QUICK / 2
    assert order(waiting((QUICK, 20.0), (SLOW, soon))) == [1, 0]


def test_a_long_step_never_takes_the_last_of_several_places() -> None:
    turn = next_turn(waiting((SLOW, 20.0), (SLOW, 20.0), (QUICK, 20.0)), [Running(SLOW, 0.0, is_long=True)], 2, 0.0)
    assert numbers(turn.admitted) == [2]
    assert turn.late == ()


def test_a_long_step_takes_the_only_place() -> None:
    assert numbers(next_turn(waiting((SLOW, 20.0)), (), 1, 0.0).admitted) == [0]


def test_a_step_that_finds_a_free_place_is_never_turned_away() -> None:
    assert numbers(next_turn(waiting((SLOW, 0.001)), (), 2, 0.0).admitted) == [0]


def test_a_step_that_would_be_late_by_waiting_is_answered_at_once() -> None:
    turn = next_turn(waiting((1.0, 25.0), (1.0, 3.0)), [Running(2.5, 0.0)], 1, 0.0)
    assert turn == Turn((), (Waiting(1, 1.0, 1.0, 3.0),))


def test_of_too_many_the_longest_are_given_up() -> None:
    crowd = waiting((5.0, 10.0), (1.0, 10.0), (5.0, 10.0), (1.0, 10.0))
    assert [step.number for step in given_up(crowd, 0.0)] == [2]
    assert order([*crowd, Waiting(9, QUICK, QUICK, 10.0)])[0] == 9


def test_work_that_takes_longer_than_expected_does_not_count_below_nothing() -> None:
    assert Running(1.0, started_at=0.0).left(5.0) == 0.0


@given(st.lists(st.tuples(st.floats(0.001, 5.0), st.floats(0.0, 30.0)), max_size=12), st.integers(1, 4), st.floats(0.0, 3.0))
def test_every_step_is_admitted_given_up_or_can_still_be_in_time(steps: list[tuple[float, float]], places: int, busy: float) -> None:
    running = [Running(busy, 0.0, busy > LONG)]
    turn = next_turn(waiting(*steps), running, places, 0.0)
    chosen = {step.number for step in (*turn.admitted, *turn.late)}
    assert len(chosen) == len(turn.admitted) + len(turn.late)
    at = busy + sum(step.seconds for step in turn.admitted)
    for step in sorted((step for step in waiting(*steps) if step.number not in chosen), key=lambda one: one.due):
        at += step.seconds
        assert at <= step.due + 1e-6
    long = [step for step in turn.admitted if step.is_long]
    assert len(turn.admitted) + 1 <= places or not turn.admitted
    assert len(long) + (busy > LONG) <= max(1, places - 1) or not long


def test_a_larger_page_is_expected_to_take_longer() -> None:
    expected = Expectation()
    assert expected.work(3_000, None) < LONG < expected.work(1_000_000, None)


def test_a_caller_whose_small_pages_take_long_is_known_by_its_second_step() -> None:
    expected = Expectation()
    expected.learn(5_000, "192.0.2.66", 1.0)
    assert expected.work(5_000, "192.0.2.66") > LONG
    assert expected.work(5_000, "192.0.2.7") < LONG, "another caller's steps are expected as before"


def test_one_page_that_took_long_is_forgotten_after_some_quick_ones() -> None:
    expected = Expectation()
    expected.learn(5_000, None, 0.5)
    for _ in range(10):
        expected.learn(5_000, None, 0.01)
    assert expected.work(5_000, None) < LONG


def test_callers_are_forgotten_when_there_are_too_many() -> None:
    expected = Expectation()
    for number in range(MOST_CALLERS + 1):
        expected.learn(5_000, f"caller {number}", 1.0)
    assert expected.work(5_000, "caller 0") < LONG
    assert expected.work(5_000, "caller 1") > LONG


def test_on_a_slow_machine_a_step_that_could_not_be_done_in_time_is_given_up_earlier() -> None:
    pace = Pace()
    for _ in range(30):
        pace.learn(work=0.5, seconds=2.0)
    assert 3.5 < pace.seconds < 4.5
    for _ in range(30):
        pace.learn(work=0.5, seconds=0.5)
    assert pace.seconds < 1.1
    slow = [Waiting(number, 1.0, 4.0, 10.0) for number in range(3)]
    assert len(given_up(slow, 0.0)) == 1
    assert slow[0].size == Waiting(9, 1.0, 1.0, 10.0).size, "the order is by the work"


def test_a_pause_of_a_short_step_does_not_change_the_pace() -> None:
    pace = Pace()
    pace.learn(work=SHORTEST, seconds=5.0)
    assert pace.seconds == 1.0
