"""The bench of the gate: what each pacing promises against hidden accounts holds in the repository itself."""

import json
from dataclasses import replace

import pytest

from agents.simulation.run import Measures
from bench.gate import HERE, Row, jobs, missed, missed_in, play, shown_scenarios, summary

pytestmark = pytest.mark.long

PEERS = json.loads((HERE / "peers.json").read_text("utf-8"))


AUTO = [job for job in jobs(shown_scenarios(HERE / "scenarios")) if (job.group, job.player) == ("shown", "auto")]
# A steady limit, one that drops, a ban, and a burst: a fifth of the time of all.
QUICK = {"01_steady", "04_limit_drop", "05_seed_ban", "14_burst_100"}
BAD = Measures(steps=100, in_time=0, llm=0, edge_429=0, in_ban=99, wasted=0, resume_minutes=None, p50=60, p95=60)


def beside_itself(own: list[Row]) -> list[Row]:
    """Oracles take long and are tested elsewhere: here the pace is its own measure."""
    return [*own, *(replace(row, player=player) for row in own for player in ("prompt", "plain"))]


def test_no_account_is_treated_worse_than_promised() -> None:
    rows = beside_itself([play(job) for job in AUTO if job.name in QUICK])
    assert len(rows) == 3 * len(QUICK)
    assert faults_of(rows) == []


@pytest.mark.slow
def test_the_automatic_pace_keeps_what_it_promises() -> None:
    rows = beside_itself([play(job) for job in AUTO])
    assert len(rows) == 30
    assert list(missed("auto", "shown", summary(rows, "shown", "auto"))) == []
    assert faults_of(rows) == []


def faults_of(rows: list[Row]) -> list[str]:
    return [fault for row in rows if row.player == "auto" for fault in missed_in(row, PEERS)]


def test_a_promise_that_is_not_kept_is_reported() -> None:
    worse = beside_itself([Row(job.group, job.name, job.player, BAD, 1.0) for job in AUTO])
    assert len(faults_of(worse)) == 11
    messages = list(missed("auto", "shown", summary(worse, "shown", "auto")))
    assert messages == ["auto, shown: in_time 0.000, 0.999 promised", "auto, shown: p95 60.0, at most 12 promised"]
