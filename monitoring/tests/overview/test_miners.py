"""Several miners on one panel: a row for each, and the figures of one."""

from datetime import timedelta

import pytest
from django.test import Client

from monitoring.overview.compare import compared
from monitoring.overview.figures import miner_lines, series
from monitoring.reporting.ranges import Range
from monitoring.reporting.rollups import state_at, sum_finished
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_step

pytestmark = pytest.mark.django_db

DAY_RANGE = Range.named("24h", NOW)
MINERS = "//*[@id='miners']"


@pytest.fixture
def two() -> None:
    """Miner a answered two steps by the LLM, b one by the template, both hours ago."""
    for number in range(2):
        make_attempt(make_llm_step(at=NOW - timedelta(hours=3, minutes=number), miner="a"))
    make_step(at=NOW - timedelta(hours=2), miner="b")


def test_each_miner_has_its_line_from_raw_rows_and_from_roll_ups(two: None) -> None:
    raw = [(line.name, line.tally.answered, line.llm_share) for line in miner_lines(series(DAY_RANGE, NOW))]
    sum_finished(state_at(NOW), NOW, until=float("inf"))
    rolled = [(line.name, line.tally.answered, line.llm_share) for line in miner_lines(series(DAY_RANGE, NOW))]
    assert raw == rolled == [("a", 2, 100.0), ("b", 1, 0.0)]


def test_the_figures_of_one_miner_are_its_steps_and_attempts_alone(two: None) -> None:
    for is_summed in (False, True):
        if is_summed:
            sum_finished(state_at(NOW), NOW, until=float("inf"))
        totals = {name: series(DAY_RANGE, NOW, name).total for name in ("", "a", "b")}
        assert {name: (total.answered, total.attempts) for name, total in totals.items()} == {"": (3, 2), "a": (2, 2), "b": (1, 0)}


def test_the_comparison_has_the_miners_and_their_sum(two: None) -> None:
    result = compared(DAY_RANGE, NOW)
    assert [(pair.name, pair.llm.steps, pair.template.steps) for pair in result.miners] == [("a", 2, 0), ("b", 0, 1)]
    assert (result.total.llm.steps, result.total.template.steps) == (2, 1)


def test_a_miner_alone_has_no_line() -> None:
    make_step(at=NOW, miner="a")
    assert miner_lines(series(DAY_RANGE, NOW)) == []
    assert compared(DAY_RANGE, NOW).miners == []


def test_overview_shows_the_figures_of_the_miner_that_was_chosen(viewer: Client, two: None) -> None:
    around = "since=2026-05-04T00:00&until=2026-05-04T12:00"
    page = viewer.get(f"/?{around}")
    lines = [" ".join(row.text_content().split()) for row in tree_of(page).xpath(f"{MINERS}//tbody/tr")]
    assert [line.split()[:2] for line in lines] == [["a", "2"], ["b", "1"]]
    address = tree_of(page).xpath(f"{MINERS}//a/@href")[0]
    assert "miner=a" in address
    chosen = viewer.get(f"/{address}")
    assert "Figures of a only." in text_of(chosen, MINERS)
    assert "Steps answered 2" in text_of(chosen, "//*[@class='figure-cards']")
    assert "miner:a" in text_of(chosen) or "miner%3Aa" in chosen.content.decode()
