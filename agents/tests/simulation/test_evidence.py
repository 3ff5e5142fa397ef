"""What records show of an account's edge: whose doing a block was, at which pace a limit was met, and when either ended."""

from math import inf

from agents.policy.belief import MINUTE, USUAL
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass
from agents.simulation.past import Outcome, Past, Sent
from agents.simulation.replay import Evidence, evidence

EDGE, QUOTA, CAP = RefusalClass.EDGE, RefusalClass.DAILY_QUOTA, RefusalClass.SUBSCRIPTION_CAP


def ok(*times: float) -> list[Sent]:
    return [Sent(at, 3.0, "m", Outcome.OK) for at in times]


def refused(at: float, kind: RefusalClass = EDGE, stated_until: float | None = None, source: PauseSource = PauseSource.LADDER) -> Sent:
    return Sent(at, 0.1, "m", Outcome.REFUSED, kind=kind, stated_until=stated_until, source=source)


def every(gap: float, start: float, end: float) -> list[float]:
    return [start + gap * number for number in range(int((end - start) / gap))]


def shown(*sent: Sent, published: float = 0.0) -> Evidence:
    return evidence(Past(0, 7200, "a", (), tuple(sorted(sent, key=lambda each: each.at)), published=published))


def test_a_block_at_a_pace_that_the_account_took_before_and_after_came_from_outside() -> None:
    found = shown(*ok(*every(5, 0, 1000)), refused(1000), refused(1060), *ok(*every(5, 1180, 3000)))
    (block,) = found.blocks
    assert (block.kind, block.start, block.until) == (EDGE, 1000, 1120)
    assert not found.all_violations
    assert (found.shut(999), found.shut(1000), found.shut(1120)) == (None, block, None)


def test_a_block_after_a_silence_came_from_outside_and_one_without_an_end_stays() -> None:
    (block,) = shown(refused(500), refused(560)).blocks
    assert (block.start, block.until) == (500, inf)


def test_a_refusal_just_above_what_was_accepted_shows_the_limit_and_its_ban() -> None:
    found = shown(*ok(*every(2, 0, 60)), refused(59.5), *ok(*every(3, 120, 600)))
    assert not found.blocks
    (violation,) = found.all_violations
    assert (violation.horizon, violation.most, violation.ban) == (MINUTE, 30, 30.25)
    assert found.limit(MINUTE, 60) == 30
    assert found.ban(300) == violation.ban


def test_a_block_from_outside_is_distinguished_from_a_limit_that_is_reached_all_the_time() -> None:
    """Ten a minute are let in, and each time the eleventh is refused; once the very first after a block is."""
    rounds = [start + 5.0 * number for start in (0, 150, 300, 600, 750) for number in range(10)]
    refusals = [start + 50.0 for start in (0, 150, 300, 600, 750)]
    found = shown(*ok(*rounds), *(refused(at) for at in refusals), *ok(450), refused(455), refused(520))
    assert [block.start for block in found.blocks] == [455]
    assert [(each.at, each.most) for each in found.all_violations] == [(at, 10) for at in refusals]


def test_a_limit_that_moved_holds_until_midway_to_the_request_that_shows_it() -> None:
    found = shown(*ok(*every(6, 0, 600)), refused(597), *ok(*every(8, 700, 1000), *every(2, 1000, 1200)))
    (violation,) = found.all_violations
    assert (violation.horizon, violation.most) == (MINUTE, 10)
    assert 597 < violation.until < 1000
    assert found.limit(MINUTE, 700) == 10
    assert found.limit(MINUTE, 1500) == max(USUAL, found.proven)


def test_a_burst_that_is_refused_at_a_low_rate_shows_the_limit_of_a_short_time() -> None:
    steady = every(1.6, 100, 600)
    found = shown(*ok(0, 30, 31), refused(31.3), *ok(*steady))
    (violation,) = found.all_violations
    assert (violation.horizon, violation.most) == (2.0, 2)
    assert found.limit(MINUTE, 40) == max(USUAL, found.proven)


def test_an_untouched_limit_is_the_published_one_or_what_was_accepted_where_that_is_more() -> None:
    assert shown(*ok(1, 2)).untouched == USUAL
    assert shown(*ok(1, 2), published=90).untouched == 90
    assert shown(*ok(*every(0.5, 0, 100))).untouched == 120
    assert shown().limit(10.0, 5) == inf


def test_a_stated_reset_ends_its_block_unless_the_account_was_back_before() -> None:
    (block,) = shown(refused(100, QUOTA, 900, PauseSource.PROVIDER), *ok(950)).blocks
    assert (block.until, block.stated_until) == (900, 900)
    (block,) = shown(refused(100, QUOTA, 900, PauseSource.PROVIDER), *ok(500)).blocks
    assert (block.until, block.stated_until) == (300, None)
    (block,) = shown(refused(100, CAP, 900, PauseSource.CALENDAR), *ok(950)).blocks
    assert (block.until, block.stated_until) == (900, None), "what the calendar says is worked out again"


def test_a_refused_key_shuts_the_account_until_midway_to_its_return() -> None:
    (block,) = shown(refused(100, RefusalClass.AUTH), refused(400, RefusalClass.AUTH), *ok(700)).blocks
    assert (block.kind, block.start, block.until) == (RefusalClass.AUTH, 100, 550)


def test_refusals_of_requests_that_were_under_way_belong_to_one_block() -> None:
    found = shown(*ok(*every(1, 0, 20)), refused(20), Sent(20.05, 3, "m", Outcome.OK), refused(20.08), *ok(100))
    assert len(found.all_violations) + len(found.blocks) == 1
