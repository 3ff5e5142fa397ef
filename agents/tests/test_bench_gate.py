"""The bench of the gate: what each pacing promises against hidden accounts holds in the repository itself."""

import json
from dataclasses import replace
from functools import cache

import pytest

from bench.gate import HERE, Row, jobs, missed, missed_in, play, shown_scenarios, summary

pytestmark = pytest.mark.long

PEERS = json.loads((HERE / "peers.json").read_text("utf-8"))


@cache
def rows() -> list[Row]:
    """Oracles take long and are tested elsewhere: here the pace is its own measure."""
    some = [job for job in jobs(shown_scenarios(HERE / "scenarios")) if job.group == "shown" and job.player == "auto"]
    own = [play(job) for job in some]
    return [*own, *(replace(row, player=player) for row in own for player in ("prompt", "plain"))]


def test_the_automatic_pace_keeps_what_it_promises() -> None:
    assert len(rows()) == 30
    assert list(missed("auto", "shown", summary(rows(), "shown", "auto"))) == []
    assert [fault for row in rows() if row.player == "auto" for fault in missed_in(row, PEERS)] == []


def test_a_promise_that_is_not_kept_is_told() -> None:
    worse = [replace(row, measures=replace(row.measures, llm=0.0, in_time=0.0, in_ban=99.0, p95=60.0)) for row in rows()]
    assert len([fault for row in worse if row.player == "auto" for fault in missed_in(row, PEERS)]) == 11
    told = list(missed("auto", "shown", summary(worse, "shown", "auto")))
    assert told == ["auto, shown: in_time 0.000, 0.999 promised", "auto, shown: p95 60.0, at most 12 promised"]
