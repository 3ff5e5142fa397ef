"""How long an account's blocks take is learned from few of them, and own probes seldom make them longer."""

import json
from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy.blocks import LEAST_PART, LENGTHS, Block, Blocks, OnHit, next_wait, probed
from agents.policy.modes import Risk
from agents.tests.rows import rows

FIRST_PAUSE = 60.0
LASTING = [30.0, 60.0, 120.0, 300.0, 900.0]
MOST_HITS, DAY = 40, 86_400.0


@dataclass
class Account:
    """One whose blocks first take so long; what was seen of each: its real length, the hits it got, and how late its end was met."""

    on_hit: OnHit
    first: float
    risk: float = Risk.BALANCED.weight
    blocks: Blocks = field(default_factory=Blocks)
    lasted: list[float] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    def is_blocked(self, times: int) -> "Account":
        for _ in range(times):
            self.is_blocked_once()
        return self

    def is_blocked_once(self) -> None:
        block, end, length = Block(0.0, 0.0, 0), self.first, self.first
        while True:
            is_known = block.hits or self.blocks.measured
            now = block.hit_at + (next_wait(self.blocks, block, self.risk) if is_known else FIRST_PAUSE)
            is_over = now >= end or block.hits >= MOST_HITS
            self.blocks = probed(self.blocks, block, now, is_over=is_over)
            if is_over:
                break
            block = Block(0.0, now, block.hits + 1)
            length = min(2 * length, DAY) if self.on_hit is OnHit.DOUBLES else length
            end = end if self.on_hit is OnHit.NOTHING else now + length
        self.lasted.append(end)
        self.hits.append(block.hits)
        self.late.append(now - end)


@rows("risk", list(Risk))
def test_the_end_of_blocks_of_constant_length_is_met_soon_after_three_were_measured(risk: Risk) -> None:
    late = [each / first for first in LASTING for each in Account(OnHit.NOTHING, first, risk.weight).is_blocked(8).late[3:]]
    assert max(late) <= 2.0
    assert sum(late) / len(late) <= 0.8


@rows(("on_hit", "first"), [(on_hit, first) for on_hit in (OnHit.RESTARTS, OnHit.DOUBLES) for first in (30.0, 45.0, 90.0, 180.0, 300.0)])
def test_own_hits_make_blocks_longer_only_until_it_is_known_that_they_do(on_hit: OnHit, first: float) -> None:
    for risk in (Risk.BALANCED, Risk.CAUTIOUS):
        longer = [each / first for each in Account(on_hit, first, risk.weight).is_blocked(8).lasted]
        assert longer[0] <= (4.0 if on_hit is OnHit.RESTARTS else 7.0)
        assert max(longer[2:]) <= 3.0, "one hit"
        assert sum(longer[2:]) / len(longer[2:]) <= 2.0


def test_greater_caution_never_gives_more_hits() -> None:
    drawn = Random(1)
    accounts = [(drawn.choice(list(OnHit)), 20 * 2 ** drawn.uniform(0, 7)) for _ in range(8)]
    hits = [sum(sum(Account(*account, risk.weight).is_blocked(3).hits) for account in accounts) for risk in Risk]
    assert [risk.weight for risk in Risk] == sorted([risk.weight for risk in Risk], reverse=True)
    assert hits == sorted(hits)


probes = st.lists(st.tuples(st.floats(-100, 1e7) | st.floats(0, 500), st.booleans()), max_size=8)


@settings(max_examples=40)
@given(probes, st.sampled_from(list(Risk)))
def test_whatever_probes_show_the_odds_stay_a_probability_and_the_waits_bounded(happenings: list[tuple[float, bool]], risk: Risk) -> None:
    blocks, block = Blocks(), Block(0.0, 0.0, 0)
    for seconds, is_over in happenings:
        now = block.hit_at + seconds
        blocks = probed(blocks, block, now, is_over=is_over)
        block = Block(now, now, 0) if is_over else Block(block.began_at, now, block.hits + 1)
        assert all(each > 0 for each in blocks.weights)
        assert abs(sum(blocks.weights) - 1) < 1e-3
        assert LENGTHS[0] <= blocks.cost <= 2 * LENGTHS[-1]
        assert 0 <= blocks.lengthening <= 1 + 1e-3
        assert len(json.dumps(blocks.as_json())) <= 2_000
        assert Blocks.from_json(json.loads(json.dumps(blocks.as_json()))) == blocks
    wait = next_wait(blocks, block, risk.weight)
    assert min(LEAST_PART * (block.hit_at - block.began_at), LENGTHS[-1]) <= wait <= LENGTHS[-1]
    assert blocks.measured == sum(is_over for _, is_over in happenings)


def test_a_block_of_many_days_is_probed_once_a_day() -> None:
    assert next_wait(Blocks(), Block(0.0, 30 * 86_400.0, 60), 1.0) == LENGTHS[-1]


def test_a_hit_that_changes_nothing_and_one_that_lengthens_are_told_apart() -> None:
    constant, restarting, doubling = (Account(on_hit, 300.0).is_blocked(5).blocks.lengthening for on_hit in OnHit)
    assert min(restarting, doubling) > 2 * constant


@rows("first", [300.0, 900.0, 3600.0, 14_400.0, DAY])
def test_a_ban_that_doubles_with_each_hit_up_to_a_day_is_outlasted(first: float) -> None:
    assert Account(OnHit.DOUBLES, first).is_blocked(1).hits[0] <= 20


def test_longer_blocks_cost_more() -> None:
    costs = [Account(OnHit.NOTHING, first).is_blocked(4).blocks.cost for first in (120.0, 300.0, 900.0)]
    assert costs == sorted(costs)
