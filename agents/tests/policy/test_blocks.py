"""How long an account's blocks take is learned from few of them, and own probes seldom make them longer."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy.blocks import LENGTHS, Block, Blocks, next_wait, probed
from agents.policy.modes import Risk
from agents.tests.rows import rows

# What a request during a block may do.
OnHit = StrEnum("OnHit", "NOTHING RESTARTS DOUBLES")
OURS = Blocks(is_ours=True)
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
            now = block.hit_at + next_wait(self.blocks, block, self.risk)
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
    for first in LASTING:
        late = Account(OnHit.NOTHING, first, risk.weight).is_blocked(8).late[3:]
        assert sum(late) / len(late) <= max(300.0, 3.6 * first)


@rows("risk", [Risk.BALANCED, Risk.CAUTIOUS])
def test_own_hits_make_no_block_of_half_an_hour_or_less_longer_than_four_times_its_first_length(risk: Risk) -> None:
    for on_hit, first in product((OnHit.RESTARTS, OnHit.DOUBLES), (30.0, 60.0, 120.0, 300.0, 780.0, 1200.0, 1800.0)):
        assert max(Account(on_hit, first, risk.weight).is_blocked(8).lasted) <= 4 * first
        if first <= 1200.0:
            assert max(Account(on_hit, first, risk.weight, OURS).is_blocked(8).lasted) <= 4 * first


def test_a_block_of_another_kind_than_those_before_is_not_made_longer_either() -> None:
    known = Account(OnHit.NOTHING, 60.0).is_blocked(3).blocks
    assert max(Account(OnHit.DOUBLES, 900.0, blocks=known).is_blocked(2).lasted) <= 4 * 900.0


def test_the_greatest_caution_gives_the_fewest_hits() -> None:
    drawn = Random(1)
    accounts = [(drawn.choice(list(OnHit)), 20 * 2 ** drawn.uniform(0, 7)) for _ in range(8)]
    hits = [sum(sum(Account(*account, risk.weight).is_blocked(3).hits) for account in accounts) for risk in Risk]
    assert [risk.weight for risk in Risk] == sorted([risk.weight for risk in Risk], reverse=True)
    assert hits[0] < min(hits[1:])


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
    assert LENGTHS[0] <= wait <= LENGTHS[-1]
    assert blocks.measured == sum(is_over for _, is_over in happenings)


def test_a_block_of_many_days_is_probed_once_a_day() -> None:
    assert next_wait(Blocks(), Block(0.0, 30 * 86_400.0, 60), 1.0) == LENGTHS[-1]


def met(blocks: Blocks, *times: float) -> Blocks:
    """After a block with probes at these times, of which the last one got through."""
    block = Block(0.0, 0.0, 0)
    for at in times:
        blocks, block = probed(blocks, block, at, is_over=at == times[-1]), Block(0.0, at, block.hits + 1)
    return blocks


def test_a_hit_that_changes_nothing_and_one_that_lengthens_are_distinguished() -> None:
    """Of blocks of less than 200 s, one is over then though it was met at 150 s, the other one is not."""
    same = longer = met(Blocks(), 200.0)
    for _ in range(3):
        same, longer = met(same, 150.0, 200.0), met(longer, 150.0, 300.0, 1200.0)
    assert same.lengthening < Blocks().lengthening < longer.lengthening
    assert same.lengthening < 0.5 * longer.lengthening


@rows("first", [300.0, 900.0, 3600.0, 14_400.0, DAY])
def test_a_ban_that_doubles_with_each_hit_up_to_a_day_is_outlasted(first: float) -> None:
    assert Account(OnHit.DOUBLES, first).is_blocked(1).hits[0] <= 20


@rows("hours", [1, 1.5, 2])
def test_the_end_of_a_ban_of_one_or_two_hours_is_met_by_the_third_probe(hours: float) -> None:
    met_late = Account(OnHit.NOTHING, 3600 * hours).is_blocked(1)
    assert met_late.hits[0] <= 2
    assert met_late.lasted[0] + met_late.late[0] <= 5.1 * 3600


def test_own_blocks_that_outlast_their_first_probe_cost_as_long_as_the_last_one_took() -> None:
    long = met(OURS, 120.0, 2520.0)
    assert long.cost == 2520.0
    assert met(Blocks(), 120.0, 2520.0).cost < 2520.0, "a block from outside is no cost of our pace"
    assert met(long, 60.0).cost < 2520.0


def test_longer_blocks_cost_more() -> None:
    costs = [Account(OnHit.NOTHING, first).is_blocked(4).blocks.cost for first in (120.0, 300.0, 900.0)]
    assert costs == sorted(costs)
